"""Promises given, kept and withdrawn by hand, and the call that was promised. A note keeps nothing; only the named act does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.conversations.models import Message
from makegood.desk import saying
from makegood.desk.verb import verb
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.promises.models import PARTNER, WORDS, Promise

#: What is kept by words of proof alone, since no other verb is its act.
BY_PROOF = ("other", "legal")


@verb("promise")
def promise(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    what: str,
    due_at: datetime | None,
    words: str,
    to: str = "customer",
) -> CaseEvent:
    """Give a time by hand: a decision, a remedy, a call back, or something else that ``words`` name.

    The next word is given by answering. Two promises of one kind stand beside each other; each is kept or broken.
    """
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    if what not in ledger.BY_HAND:
        raise Refusal("unknown_code", _("This is not in the list."), field="what")
    if to not in ledger.TO:
        raise Refusal("unknown_code", _("This is not in the list."), field="to")
    if due_at is None:
        raise Refusal("no_time", _("Say by when."), field="due_at")
    given = ledger.give(
        case,
        due_at=due_at,
        by=by.user_id,
        what=what,
        basis="promised",
        to=to,
        words=clean(words, limit=2000, field="words"),
        field="due_at",
    )
    data = {"promise": given.pk, "what": what, "until": given.due_at.isoformat(), "to": to}
    return pen.write(case, "promised", by=by, data=data, due_at=ledger.next_due(case))


@verb("keep_promise")
def keep_promise(case: Case, promise_id: int, *, by: Actor, seen: int | None, proof: str) -> CaseEvent:
    """It was done as promised; ``proof`` says what was done and where it can be seen.

    Only for what no other verb is the act of: 'something else', a date of the law, and whatever was promised to
    somebody other than the customer. Refused when its time has passed: late is broken, not kept.
    """
    case = pen.hold(case.pk, seen=seen)
    found = _standing(case, promise_id)
    if not by_proof(found):
        raise Refusal("own_act", _OWN_ACT[found.what], field="promise")
    note = _noted(case, by, proof, field="proof")
    data = {"promise": found.pk, "what": found.what, "message": note.pk}
    due_at = ledger.next_due(case, without=[found.pk])
    event = pen.write(case, "promise_kept", by=by, data=data, due_at=due_at)
    if not ledger.keep([found.pk], proof_event=event):
        raise Refusal("too_late", _("Its time has passed: it is broken, not kept."), field="promise")
    return event


@verb("withdraw_promise")
def withdraw_promise(case: Case, promise_id: int, *, by: Actor, seen: int | None, reason: str) -> CaseEvent:
    """A lead takes a promise back; it stays on the customer's page as withdrawn. The reason stands as a note.

    Not the word itself (while a case is open the customer is owed one), not a date of the law, and not what is late.
    """
    case = pen.hold(case.pk, seen=seen)
    found = _standing(case, promise_id)
    if not may_go(found):
        raise Refusal(
            "owed", _("This one is owed and cannot be taken back. Answer instead."), field="promise"
        )
    note = _noted(case, by, reason, field="reason")
    if not ledger.withdraw(found):
        raise Refusal("too_late", _("Its time has passed: it is broken, not withdrawn."), field="promise")
    data = {"promise": found.pk, "what": found.what, "message": note.pk}
    return pen.write(case, "promise_withdrawn", by=by, data=data, due_at=ledger.next_due(case))


@verb("record_call")
def record_call(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    words: str,
    reached: bool,
    next_word_at: datetime | None = None,
) -> CaseEvent:
    """Write down a call to the customer. One that reached them keeps the promised call back and gives the next word.

    One that did not keeps nothing: the promise stands, and so does the word.
    """
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    note = _noted(case, by, words, field="words", channel="phone")
    data: dict[str, Any] = {"message": note.pk, "reached": reached}
    if not reached:
        return pen.write(case, "called", by=by, data=data)
    until = saying.needed(next_word_at)
    calls = list(ledger.standing(case, "call_back").filter(to="customer").values_list("pk", flat=True))
    data |= {"promise": saying.promise_anew(case, until, by=by), "until": until.isoformat()}
    # The call is the word that was owed, and the call back: what waits after it is what counts.
    due_at = min(until, ledger.next_due(case, without=calls, owed=False) or until)
    event = pen.write(case, "called", by=by, data=data, due_at=due_at)
    ledger.keep(calls, proof_event=event)
    ledger.answer(case, proof_event=event)
    return event


def by_proof(promise: Promise) -> bool:
    """Whether words of proof keep it: no other verb is its act."""
    return promise.to != "customer" or promise.what in BY_PROOF


def may_go(promise: Promise) -> bool:
    """Whether it may be taken back: neither the word that is owed nor a date of the law."""
    return promise.what not in WORDS and promise.basis != "statutory"


#: Of what an outside party owes us.
_THEIRS = _("Only the party's own answer ends this one, or taking back what was asked of it.")
_OWN_ACT = {
    "first_word": _("Only an answer that reaches the customer keeps this one."),
    "next_word": _("Only an answer that reaches the customer keeps this one."),
    "decision": _("Only telling the customer the decision keeps this one."),
    "remedy": _("Only a verified fix keeps this one."),
    "call_back": _("Only a call that reached the customer keeps this one."),
}


def _standing(case: Case, promise_id: int) -> Promise:
    found = ledger.standing(case).filter(pk=promise_id).first()
    if found is None:
        raise Refusal("no_promise", _("There is no such open promise on this case."), field="promise")
    if found.to == PARTNER:
        raise Refusal("own_act", _THEIRS, field="promise")
    return found


def _noted(case: Case, by: Actor, words: str, *, field: str, channel: str = "") -> Message:
    """The words as a note among staff."""
    body = clean(words, limit=5000, field=field)
    return messages.store(
        case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=body, channel=channel
    )


def _refuse_ended(case: Case) -> None:
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
