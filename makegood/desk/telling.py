"""Telling the verified outcome, and asking for the customer's own word until it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.languages import speaking
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent, Confirmation, ConfirmationAsk, Fix, Telling, Verification
from makegood.cases.states import Status
from makegood.conversations import messages, outbox
from makegood.conversations.messages import Audience, Author, Upload
from makegood.desk import checking, saying
from makegood.desk.verb import verb
from makegood.people.actors import Actor
from makegood.promises import ledger

#: Between two asks lies most of a day: three presses of a button in one minute are one attempt.
BETWEEN_ASKS = timedelta(hours=20)
CHANNELS = {"letter": _("letter"), "phone": _("telephone"), "chat": _("chat")}


@verb("tell")
def tell(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    text: str,
    next_word_at: datetime | None,
    files: Sequence[Upload] = (),
    promises: Sequence[saying.GivenTime] = (),
    justified: Mapping[str, str] | None = None,
    declined: Sequence[str] = (),
) -> CaseEvent:
    """Tell the customer the verified outcome and ask whether it is made good: the first of the documented asks.

    Keeps the promises of a decision and of a remedy to them: the outcome, proved, is both.
    """
    case = pen.hold(case.pk, seen=seen)
    verification = Verification.objects.filter(case=case, round=case.round).order_by("-id").first()
    if case.status != Status.VERIFIED or verification is None:
        raise Refusal("not_verified", _("Verify first: a fix that nobody checked is not announced."))
    reasons = checking.passing(
        case,
        text,
        by=by,
        verb="tell",
        next_word_at=next_word_at,
        justified=justified,
        promises=promises,
        declined=declined,
    )
    word = saying.say(case, "told", text, next_word_at, by=by, files=files, promises=promises)
    checking.keep(reasons, word.message_id, by=by)
    kept = ledger.standing(case, "decision", "remedy").filter(to="customer").exclude(pk__in=word.times)
    ledger.keep(list(kept.values_list("pk", flat=True)), proof_id=word.message_id)
    now = clock.now()
    telling = Telling.objects.create(
        case=case, round=case.round, verification=verification, message_id=word.message_id, at=now
    )
    asked = ConfirmationAsk.objects.create(
        case=case,
        round=case.round,
        telling=telling,
        channel="letter",
        message_id=word.message_id,
        by_id=by.user_id,
        at=now,
    )
    return pen.write(
        case,
        "told",
        by=by,
        data={"telling": telling.pk, "ask": asked.pk, **word.data, "justified": sorted(reasons) or None},
        status=Status.TOLD,
        due_at=ledger.next_due(case),
    )


@verb("ask")
def ask_again(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    next_word_at: datetime | None,
    channel: str = "letter",
    note: str = "",
) -> CaseEvent:
    """Ask once more whether it is made good: by letter (sent), or by telephone or chat (noted in words)."""
    case = pen.hold(case.pk, seen=seen)
    telling = _last_telling(case)
    now = clock.now()
    until = saying.needed(next_word_at)
    if channel not in CHANNELS:
        raise Refusal("unknown_code", _("This is not in the list."), field="channel")
    last = ConfirmationAsk.objects.filter(case=case, round=case.round).order_by("-at").first()
    if last and now - last.at < BETWEEN_ASKS:
        raise Refusal("too_soon", _("The customer was asked less than a day ago. Give them time."))
    if channel == "letter" and outbox.declined(case):
        raise Refusal("declined", _("The customer wants to be asked no more by letter."), field="channel")
    note = clean(note, limit=2000, field="note", required=channel != "letter")
    if channel == "letter":
        with speaking(case.language):
            question = spoken(
                "Has it been made good? Please tell us on your page: all good, partly, or not good."
            )
        word = saying.say(case, "ask", question, until, by=by)
        message_id: int | None = word.message_id
        promise_id = word.promise_id
    else:
        message_id, promise_id = None, saying.promise_anew(case, until, by=by)
    asked = ConfirmationAsk.objects.create(
        case=case,
        round=case.round,
        telling=telling,
        channel=channel,
        message_id=message_id,
        note=note,
        by_id=by.user_id,
        at=now,
    )
    nth = ConfirmationAsk.objects.filter(case=case, round=case.round).count()
    data = {
        "ask": asked.pk,
        "nth": nth,
        "channel": channel,
        "promise": promise_id,
        "until": until.isoformat(),
    }
    due_at = ledger.next_due(case, owed=message_id is not None)
    event = pen.write(case, "asked", by=by, data=data, due_at=due_at)
    if message_id is None:
        ledger.answer(case, proof_event=event)
    return event


@verb("confirm")
def confirm(case: Case, *, by: Actor, telling_id: int, answer: str, words: str = "") -> CaseEvent:
    """The customer's own word about a telling, by their page. What follows from it stands in ``follows.py``."""
    case = pen.hold(case.pk)
    telling = _last_telling(case)
    if telling.pk != telling_id:
        raise Refusal("other_telling", _("There is newer word from us. Please read it before you answer."))
    return _confirmed(case, telling, by=by, answer=answer, words=words, channel="page")


@verb("record_confirmation")
def record_confirmation(
    case: Case, *, by: Actor, seen: int | None, answer: str, words: str, channel: str
) -> CaseEvent:
    """Write down the customer's spoken word, in their words; never by the one who fixed it (nobody confirms himself)."""
    case = pen.hold(case.pk, seen=seen)
    telling = _last_telling(case)
    if channel not in CHANNELS:
        raise Refusal("unknown_code", _("This is not in the list."), field="channel")
    if Fix.objects.filter(case=case, round=case.round, by_id=by.user_id).exists():
        raise Refusal("fixer_alone", _("You fixed it: let somebody else write down what the customer said."))
    if not words.strip():
        raise Refusal("empty", _("Write what the customer said, in their own words."), field="words")
    return _confirmed(case, telling, by=by, answer=answer, words=words, channel=channel)


def _confirmed(
    case: Case, telling: Telling, *, by: Actor, answer: str, words: str, channel: str
) -> CaseEvent:
    if answer not in ("all_good", "partly", "not_good"):
        raise Refusal("unknown_answer", _("Choose one of the three answers."), field="answer")
    if Confirmation.objects.filter(telling=telling, answer="all_good").exists():
        raise Refusal("answered", _("You have answered already. Thank you."))
    words = clean(words, limit=5000, field="words", required=False)
    if words:
        messages.store(
            case, by=by, author=Author.CUSTOMER, audience=Audience.CUSTOMER, body=words, channel=channel
        )
    confirmation = Confirmation.objects.create(
        case=case,
        round=case.round,
        telling=telling,
        answer=answer,
        words=words,
        channel=channel,
        written_by_id=by.user_id,
        at=clock.now(),
    )
    data = {"confirmation": confirmation.pk, "answer": answer, "channel": channel}
    return pen.write(case, "confirmed", by=by, data=data, customer_wrote_at=clock.now())


def _last_telling(case: Case) -> Telling:
    telling = Telling.objects.filter(case=case, round=case.round).order_by("-id").first()
    if case.status != Status.TOLD or telling is None:
        raise Refusal("not_told", _("There is nothing to confirm at the moment."))
    return telling
