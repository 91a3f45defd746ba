"""What a letter that was read becomes: a case, a word on a case, a note for staff, a bounce, or nothing but its row.

The act on the case and the change of the letter's row are one transaction, so that a crash between them is no state:
either both are there or the letter is read again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from makegood.base import clock
from makegood.base.words import clean_line
from makegood.cases import vault
from makegood.cases.models import Case, CaseEvent
from makegood.cases.states import Status
from makegood.conversations.models import Letter, Mailbox, OnCopy
from makegood.desk import closing, delivering, follows, notices, party_letters, talking
from makegood.desk.letter_checks import aside_by_header, own_list, too_many, twin_of
from makegood.desk.letter_place import (
    CUSTOMER,
    MERCHANT,
    STRANGER,
    Place,
    is_ours,
    likely_returned,
    merchant_of,
    of_the_house,
    place_of,
    returned,
    who_is,
    writer_of,
)
from makegood.desk.letter_words import Words, digest_of, words_of
from makegood.desk.opening import Report, open_case
from makegood.packs import policy
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.text import letters, signals
from makegood.text.letters import Address

Outcome, State = Letter.Outcome, Letter.State
#: Longer than this, a letter says more than thanks.
_THANKS = 200


@dataclass(frozen=True)
class End:
    """What became of a letter. ``outcome`` '' is set aside."""

    outcome: str
    because: str
    case: Case | None = None
    event: CaseEvent | None = None
    twin: Letter | None = None
    apart: tuple[list[str], ...] = ()


def act(row: Letter, read: letters.Letter, raw: bytes, *, by: Actor) -> None:
    """Do what the letter asks for, and write it on its row, in one transaction. ``row`` was claimed by the caller.

    Raises what the desk raises (DeskError), with nothing written.
    """
    assert row.mailbox is not None
    if own_list(read, row.mailbox):
        read = replace(read, automatic="", automatic_because="")
    words, digest, aside = words_of(read), digest_of(read), aside_by_header(raw)
    with transaction.atomic():
        held = Letter.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if held.state != State.WAITING or held.tries != row.tries:
            return  # our claim ran out and somebody else has it
        held.mailbox = row.mailbox
        _one_at_a_time(row.mailbox.shop_id, read.sender.email)
        end = End("", aside) if aside else decide(held, read, words, digest, by=by)
        finish(held, read, digest, end)


def _one_at_a_time(shop_id: int, sender: str) -> None:
    """Two workers must not both find that a sender's letter has not come yet, or that one more case may be opened."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [shop_id % 2**31, sender.lower()])


def decide(row: Letter, read: letters.Letter, words: Words, digest: str, *, by: Actor) -> End:
    """What becomes of the letter; the desk acts of it are done."""
    mailbox = row.mailbox
    assert mailbox is not None
    if read.automatic == "bounce":
        return _bounce(row, read, words, mailbox, by=by)
    if read.automatic == "own_loop":
        return End(Outcome.AUTOMATIC, "own_loop")
    if twin := twin_of(row, read, digest):
        return End(Outcome.TWICE, "same_letter", case=twin.case, twin=twin)
    if not read.automatic and (ask := party_letters.ask_of(read, mailbox, row.envelope_to)):
        event = party_letters.answered(ask, words)
        return End(Outcome.JOINED, "party", event.case, event, apart=tuple(words.apart))
    place = place_of(read, mailbox, row.envelope_to)
    if read.automatic:
        if place is None:
            return End(Outcome.AUTOMATIC, f"{read.automatic}:{read.automatic_because}")
        return _noted(place.case, read.automatic, read, words, Outcome.AUTOMATIC, by=by)
    if place is not None and place.who == STRANGER:
        return _noted(place.case, STRANGER, read, words, Outcome.JOINED, by=by)
    if place is not None and (place.who == MERCHANT or goes_on(place.case)):
        return join(row, place.case, place.who, read, words, because=place.how)
    return _open(row, read, words, mailbox, before=place)


def goes_on(case: Case) -> bool:
    """Whether a reply belongs to this case still: it is open, or it ended so lately that it is opened again."""
    if case.is_open:
        return True
    if case.parent_id and Case.objects.filter(pk=case.parent_id, status=Status.ENDED).exists():
        return False  # the case above it has ended, so this one cannot be opened by itself
    return case.ended_at is not None and case.ended_at > clock.now() - policy().letters.reopen_within


def join(
    row: Letter,
    case: Case,
    who: str,
    read: letters.Letter,
    words: Words,
    *,
    because: str,
    by: Actor | None = None,
) -> End:
    """The letter is a word on this case: the customer's (or of somebody on copy), or its merchant's."""
    what: dict[str, Any] = {
        "text": words.text,
        "files": words.files,
        "channel": "letter",
        "quoted": words.quoted,
        "html": words.html,
    }
    if who == MERCHANT and (merchant := merchant_of(read.sender.email, case.shop_id)):
        event = talking.merchant_says(case, by=actors.user(merchant, "mail"), **what)
        return End(Outcome.JOINED, because, case, event, apart=tuple(words.apart))
    was_open = case.is_open
    event = talking.customer_writes(case, by=actors.customer(case.customer_id, "mail"), **what)
    if not was_open and not only_thanks(words.text, case):
        closing.reopen(case, by=by or actors.system("mail"), cause=event)
        follows.raise_by_words(event)  # heard while the case was ended, when nothing could rise
    if who == CUSTOMER:
        remember_copies(row, case, read)
    return End(Outcome.JOINED, because, case, event, apart=tuple(words.apart))


def only_thanks(text: str, case: Case) -> bool:
    """Thanks for what was made good: kept with the case, which stays ended."""
    if case.ended_as != "made_good" or len(text) > _THANKS or "?" in text or "？" in text:
        return False
    found = {s.id for s in signals.find(text, case.language)}
    return found <= {"outcome.fixed"} and (
        "outcome.fixed" in found or any(t in text.lower() for t in _THANKING)
    )


_THANKING = ("감사", "고맙", "谢", "thank")


def _noted(case: Case, why: str, read: letters.Letter, words: Words, outcome: str, *, by: Actor) -> End:
    event = talking.note_letter(
        case,
        by=by,
        why=why,
        text=words.text,
        files=words.files,
        quoted=words.quoted,
        html=words.html,
    )
    if why == STRANGER:
        notices.notify(case, "letter_stranger", to=notices.owner_of(case))
    because = why if why == STRANGER else f"{read.automatic}:{read.automatic_because}"
    return End(outcome, because, case, event, apart=tuple(words.apart))


def _bounce(row: Letter, read: letters.Letter, words: Words, mailbox: Mailbox, *, by: Actor) -> End:
    """A delivery report. Only one that names what we signed breaks a promise: any other could be anybody's."""
    because = (
        " ".join(part for part in (read.bounce.status, read.bounce.diagnostic) if part)
        if read.bounce
        else read.automatic_because
    )
    if delivery := returned(read, row.envelope_to):
        for_good = bool(read.bounce and read.bounce.for_good)
        event = delivering.bounced(delivery, by=by, why=because[:500], for_good=for_good)
        return End(Outcome.BOUNCE, because, delivery.case, event)
    if told := party_letters.came_back(read, by=by, why=because[:300]):
        return End(Outcome.BOUNCE, because, told.case, told)
    if likely := likely_returned(read, mailbox):
        return _noted(likely.case, "bounce", read, words, Outcome.BOUNCE, by=by)
    return End(Outcome.BOUNCE, because)


def _open(row: Letter, read: letters.Letter, words: Words, mailbox: Mailbox, *, before: Place | None) -> End:
    person = writer_of(read)
    if not person.email:
        return End("", "no_sender")
    if is_ours(person.email):
        return End("", "from_ourselves")
    if of_the_house(person.email):
        return End("", "from_the_house")
    if too_many(person.email, mailbox):
        return End(Outcome.LIMITED, "sender_limit")
    return opened(row, read, words, mailbox, person, by=Actor(role=actors.CUSTOMER, door="mail"))


def opened(
    row: Letter, read: letters.Letter, words: Words, mailbox: Mailbox, person: Address, *, by: Actor
) -> End:
    """A new case from the letter; what a machine wrote is never answered."""
    subject = clean_line(read.subject, limit=10**6, field="subject", required=False)
    event = open_case(
        mailbox.shop,
        Report(
            text=words.text,
            subject=subject if len(subject) <= 200 else subject[:199] + "…",
            customer_name=clean_line(person.name, limit=10**6, field="name", required=False)[:120],
            customer_email=person.email,
            language=read.language_hint,
            channel="letter",
            files=words.files,
            quoted=words.quoted,
            html=words.html,
            silent=bool(read.automatic),
        ),
        by=by,
    )
    if not read.automatic:
        remember_copies(row, event.case, read)
    return End(Outcome.OPENED, "new", event.case, event, apart=tuple(words.apart))


def remember_copies(row: Letter, case: Case, read: letters.Letter) -> None:
    """Whom the customer put on copy: their answers belong to the case."""
    emails = {a.email.lower() for a in (*read.to, *read.cc)[:50] if a.email}
    new = [
        e for e in sorted(emails) if who_is(e, case) == STRANGER and not of_the_house(e) and not is_ours(e)
    ]
    OnCopy.objects.bulk_create(
        [OnCopy(case=case, email=e[:254], letter=row) for e in new[:20]], ignore_conflicts=True
    )


def finish(row: Letter, read: letters.Letter, digest: str, end: End, *, by: Actor | None = None) -> None:
    """Write on the row what became of the letter; inside the transaction of the act."""
    row.header_id, row.said_sha256 = read.message_id[:400], digest
    row.sender = writer_of(read).email.lower()[:254]
    subject = clean_line(read.subject, limit=10**6, field="subject", required=False)[:300]
    row.subject = vault.masked(subject, row.mailbox.shop_id).text if row.mailbox else subject
    row.state = State.DONE if end.outcome else State.SET_ASIDE
    row.outcome, row.because = end.outcome, end.because.replace("\x00", "")[:500]
    row.look_at, row.done_at = None, clock.now() if end.outcome else None
    row.case, row.twin, row.kept_apart = end.case, end.twin, list(end.apart)
    row.message_id = end.event.data.get("message") if end.event and end.outcome != Outcome.BOUNCE else None
    row.by_id = by.user_id if by else None
    row.save(
        update_fields=[
            "header_id",
            "said_sha256",
            "sender",
            "subject",
            "state",
            "outcome",
            "because",
            "look_at",
            "done_at",
            "case",
            "twin",
            "kept_apart",
            "message",
            "by",
        ]
    )
