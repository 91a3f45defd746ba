"""A word to the customer: the message, the promise that it keeps, the next one that it gives, and the letter; all in one act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.cases import links
from makegood.cases.models import Case
from makegood.conversations import messages, outbox
from makegood.conversations.messages import Audience, Author, Upload
from makegood.conversations.models import Draft
from makegood.people.actors import Actor
from makegood.promises import ledger


@dataclass(frozen=True)
class Word:
    """What was said and promised: the message's id, the promise's, and by when the next word comes."""

    message_id: int
    promise_id: int
    until: datetime

    @property
    def data(self) -> dict[str, Any]:
        """As an event holds it."""
        return {"message": self.message_id, "promise": self.promise_id, "until": self.until.isoformat()}


def needed(next_word_at: datetime | None) -> datetime:
    """The time of the next word; raises Refusal when none was given: an open case is not answered without it."""
    if next_word_at is None:
        raise Refusal(
            "no_next_word", _("Say when the customer will hear from you next."), field="next_word_at"
        )
    return next_word_at


def say(
    case: Case,
    what: str,
    text: str,
    next_word_at: datetime | None,
    *,
    by: Actor,
    files: Sequence[Upload] = (),
) -> Word:
    """Say ``text`` to the customer and promise the next word. ``what`` is the kind of letter (reply, told, ask).

    Keeps the open promises of a word whose time has not passed, breaks the others. The writer's draft is done with.
    """
    until = needed(next_word_at)
    message = messages.store(
        case,
        by=by,
        author=Author.STAFF,
        audience=Audience.CUSTOMER,
        body=text,
        language=case.language,
        files=files,
    )
    ledger.settle(case, proof_id=message.pk)
    promise = ledger.give(case, due_at=until, by=by.user_id, what="next_word", basis="promised")
    outbox.letter(case, what, link=links.standing(case), message=message)
    if what != "ask":  # our own question; what the agent was writing is not said by it
        Draft.objects.filter(case=case, user_id=by.user_id or 0).delete()
    return Word(message.pk, promise.pk, until)


def promise_anew(case: Case, until: datetime, *, by: Actor) -> int:
    """The customer was spoken to elsewhere (telephone, chat): no message keeps the old promise, a new one (its id) replaces it."""
    ledger.release(case, "superseded")
    promise = ledger.give(case, due_at=until, by=by.user_id, what="next_word", basis="promised")
    return promise.pk
