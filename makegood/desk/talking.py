"""Talking: to the customer, from the customer, with the merchant, among ourselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.cases.states import Status
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author, Upload
from makegood.desk import checking, saying
from makegood.desk.opening import remember
from makegood.desk.saying import GivenTime
from makegood.desk.verb import verb
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.text import entities

#: Why a letter is nobody's word on the case, as a person says it after a colon.
LETTER_WHY = {
    "stranger": _("its sender does not belong to the case"),
    "auto_reply": _("an automatic answer"),
    "auto_generated": _("written by a program"),
    "list": _("from a mailing list"),
    "bulk": _("sent to many at once"),
    "bounce": _("a report that a letter could not be delivered, without our own sign in it"),
}


@verb("reply")
def reply(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    text: str,
    next_word_at: datetime | None,
    files: Sequence[Upload] = (),
    promises: Sequence[GivenTime] = (),
    decides: bool = False,
    justified: Mapping[str, str] | None = None,
    declined: Sequence[str] = (),
) -> CaseEvent:
    """Answer the customer, and promise the next word in the same act: without that time an open case is not answered.

    Keeps the open promises of a word whose time has not passed, breaks the others, and gives the new one. ``promises``
    are further times that the words give; ``decides`` says that this answer tells our decision, and keeps that promise.
    ``justified`` are reasons by rule and ``declined`` words that are no promise (``desk/checking.py``). Raises Unfit.
    """
    case = pen.hold(case.pk, seen=seen)
    if not case.is_open:
        raise Refusal("ended", _("The case has ended. Open it again to answer."))
    reasons = checking.passing(
        case,
        text,
        by=by,
        verb="reply",
        next_word_at=next_word_at,
        justified=justified,
        promises=promises,
        declined=declined,
    )
    word = saying.say(case, "reply", text, next_word_at, by=by, files=files, promises=promises)
    checking.keep(reasons, word.message_id, by=by)
    if decides:
        ledger.keep(decisions(case), proof_id=word.message_id)
    moves: dict[str, Any] = (
        {"status": Status.WORKING} if case.status in (Status.REPORTED, Status.TRIAGED) else {}
    )
    return pen.write(
        case,
        "replied",
        by=by,
        data={**word.data, "justified": sorted(reasons) or None},
        due_at=ledger.next_due(case),
        **moves,
    )


def decisions(case: Case) -> list[int]:
    """The open promises of a decision to the customer."""
    return list(ledger.standing(case, "decision").filter(to="customer").values_list("pk", flat=True))


@verb("write")
def customer_writes(
    case: Case,
    *,
    by: Actor,
    text: str,
    files: Sequence[Upload] = (),
    channel: str = "",
    quoted: str = "",
    html: str = "",
) -> CaseEvent:
    """The customer says something more. Never collides; what it means for urgency follows (``follows.py``)."""
    case = pen.hold(case.pk)
    message = messages.store(
        case,
        by=by,
        author=Author.CUSTOMER,
        audience=Audience.CUSTOMER,
        body=text,
        files=files,
        channel=channel,
        quoted=quoted,
        html=html,
    )
    # A tracking number often comes only with the second letter: it is found and marked there too.
    remember(case, message.pk, entities.find(message.body, message.language), ())
    moves: dict[str, Any] = (
        {"status": Status.WORKING, "waiting_for": ""} if case.status == Status.WAITING else {}
    )
    return pen.write(
        case, "customer_wrote", by=by, data={"message": message.pk}, customer_wrote_at=clock.now(), **moves
    )


@verb("note")
def note(case: Case, *, by: Actor, text: str, files: Sequence[Upload] = ()) -> CaseEvent:
    """A note among staff. Never collides: two notes at once are two notes."""
    case = pen.hold(case.pk)
    message = messages.store(
        case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=text, files=files
    )
    return pen.write(case, "noted", by=by, data={"message": message.pk})


@verb("note_letter")
def note_letter(
    case: Case,
    *,
    by: Actor,
    why: str,
    text: str,
    files: Sequence[Upload] = (),
    quoted: str = "",
    html: str = "",
) -> CaseEvent:
    """A letter that is nobody's word on this case: a stranger's, or a machine's. Staff read it, and nothing follows.

    It keeps and breaks no promise, moves no status and counts as no contact. ``why`` is 'stranger' or the reader's word
    for a machine ('auto_reply' …).
    """
    case = pen.hold(case.pk)
    message = messages.store(
        case,
        by=by,
        author=Author.SYSTEM,
        audience=Audience.STAFF,
        body=text,
        files=files,
        channel="letter",
        quoted=quoted,
        html=html,
    )
    return pen.write(case, "letter_noted", by=by, data={"message": message.pk, "why": why})


@verb("say")
def merchant_says(
    case: Case,
    *,
    by: Actor,
    text: str,
    files: Sequence[Upload] = (),
    channel: str = "",
    quoted: str = "",
    html: str = "",
) -> CaseEvent:
    """The merchant writes to staff; the customer does not read it."""
    case = pen.hold(case.pk)
    message = messages.store(
        case,
        by=by,
        author=Author.MERCHANT,
        audience=Audience.MERCHANT,
        body=text,
        files=files,
        channel=channel,
        quoted=quoted,
        html=html,
    )
    return pen.write(case, "merchant_said", by=by, data={"message": message.pk})


@verb("answer_merchant")
def answer_merchant(case: Case, *, by: Actor, text: str, files: Sequence[Upload] = ()) -> CaseEvent:
    """Staff write to the merchant on the merchant's page; it is no word to the customer and keeps no promise."""
    case = pen.hold(case.pk)
    message = messages.store(
        case, by=by, author=Author.STAFF, audience=Audience.MERCHANT, body=text, files=files
    )
    return pen.write(case, "merchant_answered", by=by, data={"message": message.pk})
