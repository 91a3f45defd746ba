"""Promises of a word: the first answer, and each next word that a reply gives."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Min
from django.utils.translation import gettext_lazy as _

from makegood.base import clock, rows
from makegood.base.errors import Refusal
from makegood.cases.models import Case
from makegood.promises.models import WORDS, Promise

LONGEST = timedelta(days=60)


def give(
    case: Case,
    *,
    due_at: datetime,
    by: int | None,
    what: str,
    basis: str,
    words: str = "",
    policy: dict[str, Any] | None = None,
) -> Promise:
    """Give the customer a time. Raises Refusal beside 'next_word_at' when it is not ahead, or farther than 60 days."""
    now = clock.now()
    if not now < due_at <= now + LONGEST:
        raise Refusal(
            "bad_time", _("The next word must be ahead of now, and within 60 days."), field="next_word_at"
        )
    promise = Promise(
        case=case,
        what=what,
        basis=basis,
        by_id=by,
        made_at=now,
        due_at=due_at,
        look_at=due_at,
        words=words,
        policy=policy or {},
    )
    return rows.add(promise)


def settle(case: Case, *, proof_id: int) -> None:
    """A message reached the customer: open words whose time has not passed are kept by it, the others are broken."""
    now = clock.now()
    standing = Promise.objects.filter(case=case, state=Promise.State.OPEN, what__in=WORDS)
    standing.filter(due_at__gte=now).update(
        state=Promise.State.KEPT, settled_at=now, look_at=None, proof_id=proof_id
    )
    standing.filter(due_at__lt=now).update(
        state=Promise.State.BROKEN, settled_at=F("due_at"), look_at=None, proof_id=proof_id
    )


def release(case: Case, state: str) -> None:
    """The case ended or was merged: what is still open is withdrawn or superseded; what is overdue is broken."""
    now = clock.now()
    standing = Promise.objects.filter(case=case, state=Promise.State.OPEN)
    standing.filter(due_at__lt=now).update(state=Promise.State.BROKEN, settled_at=F("due_at"), look_at=None)
    standing.update(state=state, settled_at=now, look_at=None)


def undo_by(delivery: Any, *, at: datetime) -> list[Promise]:
    """A letter (``conversations.Delivery``, failed or bounced) did not arrive: the words that its message had kept are broken.

    A break is dated by ``due_at``, or by ``at`` when that lies before it. The database allows this only while the
    letter's row says that it did not arrive.
    """
    if delivery.message_id is None:
        return []
    kept = list(
        Promise.objects.select_for_update().filter(state=Promise.State.KEPT, proof_id=delivery.message_id)
    )
    for promise in kept:
        promise.state, promise.settled_at = Promise.State.BROKEN, min(promise.due_at, at)
        promise.undone_by_id = delivery.pk
        promise.save(update_fields=["state", "settled_at", "undone_by"])
    return kept


def next_due(case: Case) -> datetime | None:
    """When the earliest open promise of the case falls due."""
    return Promise.objects.filter(case=case, state=Promise.State.OPEN).aggregate(at=Min("due_at"))["at"]
