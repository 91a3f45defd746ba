"""A word to the customer: the message, the promise that it keeps, the next one that it gives, and the letter; all in one act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.base.words import clean_line
from makegood.cases import links
from makegood.cases.models import Case
from makegood.conversations import messages, outbox
from makegood.conversations.messages import Audience, Author, Upload
from makegood.conversations.models import Message
from makegood.desk import breaking, drafting
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.promises.models import WORDS

#: More times than this in one answer are no answer.
MOST_TIMES = 20


@dataclass(frozen=True)
class GivenTime:
    """A time that the words of an answer give: ``what`` is one of ``ledger.BY_HAND``, ``words`` are quoted from it."""

    what: str
    due_at: datetime
    words: str


@dataclass(frozen=True)
class Word:
    """What was said and promised: the message's id, the promise's, by when the next word comes, and the other promises."""

    message_id: int
    promise_id: int
    until: datetime
    times: tuple[int, ...] = ()

    @property
    def data(self) -> dict[str, Any]:
        """As an event holds it."""
        data = {"message": self.message_id, "promise": self.promise_id, "until": self.until.isoformat()}
        return {**data, "times": list(self.times)} if self.times else data


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
    promises: Sequence[GivenTime] = (),
) -> Word:
    """Say ``text`` to the customer and promise the next word. ``what`` is the kind of letter (reply, told, ask).

    Keeps the open promises of a word whose time has not passed; the others are broken, with what follows from that.
    ``promises`` are further times that the words give. The writer's draft is done with.
    """
    until = needed(next_word_at)
    breaking.overdue(case)
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
    promise = ledger.give(
        case, due_at=until, by=by.user_id, what="next_word", basis="promised", given_in=message.pk
    )
    times = tuple(given(case, message, time, by=by) for time in within_reason(promises))
    outbox.letter(case, what, link=links.standing(case), message=message)
    if what != "ask":  # our own question; what the agent was writing is not said by it
        drafting.forget(case, by.user_id or 0)
    return Word(message.pk, promise.pk, until, times)


def within_reason(times: Sequence[GivenTime]) -> Sequence[GivenTime]:
    if len(times) > MOST_TIMES:
        raise Refusal("too_many", _("These are too many times for one answer."), field="promises")
    return times


def given(case: Case, message: Message, time: GivenTime, *, by: Actor) -> int:
    """A time that the words of a message give, as a row; raises Refusal beside 'promises'. Returns its id."""
    if time.what not in ledger.BY_HAND:
        raise Refusal("unknown_code", _("This is not in the list."), field="promises")
    quoted = clean_line(time.words, limit=500, field="promises")
    if quoted not in " ".join(message.body.split()):
        # A quotation that was never said would stand in the ledger as evidence.
        raise Refusal("not_said", _("These words do not stand in the answer."), field="promises")
    return ledger.give(
        case,
        due_at=time.due_at,
        by=by.user_id,
        what=time.what,
        basis="promised",
        words=quoted,
        given_in=message.pk,
        field="promises",
    ).pk


def promise_anew(case: Case, until: datetime, *, by: Actor) -> int:
    """The customer was spoken to elsewhere (telephone, chat): no message keeps the old word, a new one (its id) replaces it."""
    breaking.overdue(case)
    ledger.supersede(ledger.standing(case, *WORDS).filter(to="customer"))
    promise = ledger.give(case, due_at=until, by=by.user_id, what="next_word", basis="promised")
    return promise.pk
