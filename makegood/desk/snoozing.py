"""Putting a case aside until a moment, with a reason and a promise; it wakes by itself, or when the customer writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk import breaking, notices, saying
from makegood.desk.verb import verb
from makegood.people.actors import Actor
from makegood.promises import appointments, ledger
from makegood.promises.models import WORDS


@verb("snooze")
def snooze(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    until: datetime | None,
    reason: str,
    next_word_at: datetime | None = None,
) -> CaseEvent:
    """Put the case aside until then. No clock stops: every promise stands and is warned of as before.

    The customer's next word may not fall due while the case sleeps: the standing one is kept where it lies behind
    ``until``, else ``next_word_at`` must give a new one behind it, and the old one is seen as replaced.
    """
    case = pen.hold(case.pk, seen=seen)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    if until is None or not clock.now() < until <= clock.now() + ledger.LONGEST:
        raise Refusal("bad_time", _("The time must be ahead of now, and within 60 days."), field="until")
    reason = clean(reason, limit=2000, field="reason")
    breaking.overdue(case)
    data: dict[str, Any] = {"until": until.isoformat()}
    word = ledger.standing(case, *WORDS).filter(to="customer").first()
    if next_word_at is not None or word is None or word.due_at < until:
        following = saying.needed(next_word_at)
        if following < until:
            raise Refusal(
                "word_asleep",
                _(
                    "The next word would fall due while the case sleeps. Give a time behind it, or wake it sooner."
                ),
                field="next_word_at",
            )
        data |= {"promise": saying.promise_anew(case, following, by=by), "word_by": following.isoformat()}
    note = messages.store(case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=reason)
    appointments.make(case, appointments.What.WAKE, until, by=by.user_id, words=reason)
    data["message"] = note.pk
    return pen.write(case, "snoozed", by=by, data=data, snoozed_until=until, due_at=ledger.next_due(case))


@verb("snooze")
def wake(case: Case, *, by: Actor, cause: CaseEvent | None = None) -> CaseEvent:
    """Awake again: its time came, the customer wrote, or somebody goes on sooner. The owner hears of it."""
    case = pen.hold(case.pk)
    if case.snoozed_until is None:
        raise Refusal("awake", _("The case is awake."))
    appointments.drop(case, appointments.What.WAKE)
    notices.notify(case, "woken", to=[u for u in notices.owner_of(case) if u != by.user_id])
    return pen.write(case, "woken", by=by, cause=cause, snoozed_until=None)
