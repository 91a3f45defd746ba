"""What people do with letters by hand: read them again, put them away, open a case from one, join one to a case.

Each holds the letter's row, so that two who decide at once decide once. What is read of the letter is read before the
row is held.
"""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.base.words import clean_line
from makegood.cases import vault
from makegood.cases.access import case_for, hidden_from, shops_for
from makegood.cases.models import Case
from makegood.conversations.models import Letter, LetterSource
from makegood.desk import letter_acts, receiving, talking
from makegood.desk.letter_acts import End, finish, opened
from makegood.desk.letter_place import STRANGER, who_is, writer_of
from makegood.desk.letter_words import digest_of, words_of
from makegood.people import actors, roles
from makegood.people.actors import Actor
from makegood.text import letters
from makegood.text.letters import Address, Unreadable

#: What a person may still decide on: all that opened and joined no case.
UNDECIDED = (Letter.Outcome.LIMITED, Letter.Outcome.AUTOMATIC, Letter.Outcome.DROPPED, Letter.Outcome.BOUNCE)


def letters_for(by: Actor) -> QuerySet[Letter]:
    """The letters of the shops that this person serves."""
    roles.check(by, "see_letters")
    served = shops_for(by)
    every = Letter.objects.select_related("mailbox__shop", "case", "by")
    every = every if served is None else every.filter(mailbox__shop__in=served)
    hidden = hidden_from(by)
    return every if hidden is None else every.exclude(case__in=Case.objects.filter(hidden))


def letters_aside(by: Actor) -> int:
    """How many letters wait for a decision of this person's shops; 99 means that many or more. A short index has them alone."""
    if not Letter.objects.filter(state=Letter.State.SET_ASIDE).exists():
        return 0  # nearly always, and each page of the desk asks
    return letters_for(by).filter(state=Letter.State.SET_ASIDE)[:99].count()


def letter_for(by: Actor, pk: int) -> Letter:
    """One letter of these; raises NotThere."""
    found = letters_for(by).select_related("twin").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotThere("no_letter", _("There is no such letter."))
    return found


def _raw(letter: Letter) -> bytes:
    return bytes(LetterSource.objects.values_list("content", flat=True).get(pk=letter.pk))


def source_of(letter: Letter, *, by: Actor) -> bytes:
    """The letter as it came, byte for byte. Where it holds what is masked elsewhere, only for those who may reveal it."""
    raw = _raw(letter)
    if not roles.may(by, "reveal") and letter.mailbox is not None:
        try:
            words = words_of(letters.read(raw))
            held = vault.masked(
                f"{words.text}\n{words.quoted}\n{letter.subject}", letter.mailbox.shop_id
            ).secrets
        except Unreadable:
            held = vault.masked(raw.decode("utf-8", "replace"), letter.mailbox.shop_id).secrets
        if held:
            raise NotAllowed(
                "masked",
                _("This letter holds a card number or the like. A lead or a specialist may save it."),
            )
    return raw


def may_decide(letter: Letter) -> bool:
    """Whether a person may still decide what becomes of it."""
    return letter.state == Letter.State.SET_ASIDE or letter.outcome in UNDECIDED


def read_again(letter: Letter, *, by: Actor) -> Letter:
    """Read a letter that was set aside once more, now; what stood in its way may be gone."""
    roles.check(by, "see_letters")
    with transaction.atomic():
        held = _held(letter)
        if held.state != Letter.State.SET_ASIDE or held.because == "too_large":
            raise Refusal("not_aside", _("This letter cannot be read again."))
        held.state, held.tries, held.look_at = Letter.State.WAITING, 1, clock.now() + receiving.CLAIM
        held.save(update_fields=["state", "tries", "look_at"])
    held.mailbox = letter.mailbox
    receiving.read_letter(held)
    return Letter.objects.select_related("case").get(pk=letter.pk)


def put_away(letter: Letter, *, by: Actor, reason: str) -> None:
    """Nothing is to be done with it. It stays with its source and the reason."""
    roles.check(by, "see_letters")
    reason = clean_line(reason, limit=400, field="reason")
    with transaction.atomic():
        held = _undecided(letter)
        held.state, held.outcome, held.because = (
            Letter.State.DONE,
            Letter.Outcome.DROPPED,
            f"by_hand:{reason}",
        )
        held.look_at, held.done_at, held.by_id = None, clock.now(), by.user_id
        held.save(update_fields=["state", "outcome", "because", "look_at", "done_at", "by"])


def open_from(letter: Letter, *, by: Actor, name: str, email: str) -> Case:
    """Open a case from it, for the customer whom the person names. A machine's letter is not answered by that either."""
    roles.check(by, "open")
    read = _read(letter)
    words = words_of(read)
    email = clean_line(email, limit=254, field="email", required=False)
    with transaction.atomic():
        held = _undecided(letter)
        assert letter.mailbox is not None
        end = opened(held, read, words, letter.mailbox, Address(name, email), by=by)
        finish(held, read, digest_of(read), _by_hand(end), by=by)
    assert end.case is not None
    return end.case


def join_to(letter: Letter, number: int, *, by: Actor) -> Case:
    """Join it to the case with this number: as the customer's or the merchant's word when it is theirs, else for staff to read."""
    roles.check(by, "note")
    assert letter.mailbox is not None
    case = _case(by, number, letter.mailbox.shop_id)
    read = _read(letter)
    words = words_of(read)
    with transaction.atomic():
        held = _undecided(letter)
        who = who_is(writer_of(read).email, case)
        if read.automatic or who == STRANGER:
            event = talking.note_letter(
                case,
                by=actors.system("page"),
                why=read.automatic or STRANGER,
                text=words.text,
                files=words.files,
                quoted=words.quoted,
                html=words.html,
            )
            end = End(Letter.Outcome.JOINED, "by_hand", case, event, apart=tuple(words.apart))
        else:
            end = letter_acts.join(held, case, who, read, words, because="by_hand")
        finish(held, read, digest_of(read), _by_hand(end), by=by)
    return case


def _case(by: Actor, number: int, shop_id: int) -> Case:
    with suppress(NotThere):
        case = case_for(by, number) if 0 < number < 2**63 else None
        if case is not None and case.shop_id == shop_id:
            return case
    raise Refusal("no_case", _("There is no case with this number in this shop."), field="number")


def _by_hand(end: End) -> End:
    return End(end.outcome, "by_hand", end.case, end.event, end.twin, end.apart)


def _read(letter: Letter) -> letters.Letter:
    try:
        return letters.read(_raw(letter))
    except Unreadable:
        raise Refusal(
            "unreadable", _("This letter cannot be read. Save its source, or put it away with a reason.")
        ) from None


def _held(letter: Letter) -> Letter:
    return Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)


def _undecided(letter: Letter) -> Letter:
    held = _held(letter)
    if not may_decide(held):
        raise Refusal("decided", _("Somebody has decided on this letter already."))
    return held
