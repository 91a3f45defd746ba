"""The ledger of promises: given, kept by the named act alone, broken, replaced, withdrawn. Every row keeps how it ended.

A word (``WORDS``) is kept by a message that reached the customer; a decision by telling it; a remedy by proof; a call
back by a recorded call. There is no credit for early, and a note keeps nothing. Callers hold the case (``pen.hold``):
its row lock is the lock of its promises, also against the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.apps import apps
from django.db.models import F, Min, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from makegood.base import clock, rows
from makegood.base.errors import Refusal
from makegood.cases.models import Case, CaseEvent
from makegood.packs import policy as standing_policy
from makegood.people.calendars import CalendarVersion
from makegood.promises.due import next_look
from makegood.promises.models import WORDS, Promise

LONGEST = timedelta(days=60)
#: Kinds that a person gives by hand, and that only their own act keeps.
BY_HAND = ("decision", "remedy", "call_back", "other")
#: To whom something may be promised.
TO = {
    "customer": _("the customer"),
    "merchant": _("the merchant"),
    "staff": _("a colleague"),
    "authority": _("an authority"),
}


class Undelivered(Protocol):
    """What is needed of a letter (``conversations.models.Delivery``, of the package beside this one)."""

    pk: int
    message_id: int | None


_OPEN, _KEPT, _BROKEN = Promise.State.OPEN, Promise.State.KEPT, Promise.State.BROKEN
#: Words to the customer that were broken and have not come since.
_OWED = Q(state=_BROKEN, what__in=WORDS, to="customer", proof__isnull=True, proof_event__isnull=True)


def give(
    case: Case,
    *,
    due_at: datetime,
    by: int | None,
    what: str,
    basis: str,
    to: str = "customer",
    words: str = "",
    policy: dict[str, Any] | None = None,
    calendar: CalendarVersion | None = None,
    rule: str = "",
    trigger_at: datetime | None = None,
    given_in: int | None = None,
    climb_at: datetime | None = None,
    field: str = "next_word_at",
    store: bool = True,
) -> Promise:
    """Give somebody a time. ``given_in`` is the id of the message with the ``words``; ``policy`` the rule as it stands.

    ``climb_at``: when the case climbs its ladder for it (dates of the law).
    Raises Refusal beside ``field`` when the time is not ahead or farther than 60 days. A date of the law (or of a
    scheme's or platform's ``rule``) is as far as that says, counts from its trigger, and may have passed already: then the sweep finds it broken at that date.
    ``store`` False: only made, for a caller that inserts many at once.
    """
    now = clock.now()
    made_at = min(now, trigger_at) if rule and trigger_at else now
    if due_at <= made_at or (not rule and due_at > now + LONGEST):
        raise Refusal("bad_time", _("The time must be ahead of now, and within 60 days."), field=field)
    look_at = next_look(made_at, due_at, 0, now, standing_policy().promises)
    promise = Promise(
        case=case,
        what=what,
        basis=basis,
        to=to,
        by_id=by,
        made_at=made_at,
        due_at=due_at,
        look_at=min(look_at, climb_at) if climb_at else look_at,
        climb_at=climb_at,
        words=words,
        given_in_id=given_in,
        policy=policy or {},
        calendar=calendar,
        rule=rule,
        trigger_at=trigger_at,
    )
    return rows.add(promise) if store else promise


def standing(case: Case, *what: str) -> QuerySet[Promise]:
    """The open promises of the case (of these kinds), due first."""
    found = Promise.objects.filter(case=case, state=_OPEN)
    return (found.filter(what__in=what) if what else found).order_by("due_at", "id")


def settle(case: Case, *, proof_id: int) -> None:
    """A message reached the customer: open words to them whose time has not passed are kept by it, the others are broken.

    ``proof_id`` is that message; it stands beside broken ones too, as the word that came late.
    """
    now = clock.now()
    words = standing(case, *WORDS).filter(to="customer").order_by()
    words.filter(due_at__gte=now).update(state=_KEPT, settled_at=now, look_at=None, proof_id=proof_id)
    words.filter(due_at__lt=now).update(state=_BROKEN, settled_at=F("due_at"), look_at=None)
    answer(case, proof_id=proof_id)


def settle_all(cases: Iterable[int], proofs: Iterable[int]) -> None:
    """:func:`settle` for many cases at once, each by its own message among ``proofs`` (ids). What was overdue is broken already."""
    now = clock.now()
    # By name: conversations stand beside promises, and siblings never import each other.
    messages = apps.get_model("makegood", "Message").objects.filter(
        pk__in=list(proofs), case=OuterRef("case")
    )
    ids = list(cases)
    proof = Subquery(messages.values("pk")[:1])
    words = Promise.objects.filter(case__in=ids, state=_OPEN, what__in=WORDS, to="customer", due_at__gte=now)
    words.update(state=_KEPT, settled_at=now, look_at=None, proof_id=proof)
    Promise.objects.filter(_OWED, case__in=ids).update(proof_id=proof)


def answer(case: Case, *, proof_id: int | None = None, proof_event: CaseEvent | None = None) -> None:
    """The word that was owed since a broken one came: by this message, or in a call (its event). It stays broken."""
    Promise.objects.filter(_OWED, case=case).update(proof_id=proof_id, proof_event=proof_event)


def keep(
    promise_ids: Iterable[int], *, proof_id: int | None = None, proof_event: CaseEvent | None = None
) -> list[int]:
    """Their named act was done: those that are open and whose time has not passed are kept; returns their ids.

    What the sweep has not yet seen to be overdue stays open for it: late is never kept. The database refuses a word
    that no message keeps.
    """
    now = clock.now()
    found = Promise.objects.filter(pk__in=list(promise_ids), state=_OPEN, due_at__gte=now)
    kept = list(found.order_by("id").values_list("pk", flat=True))
    Promise.objects.filter(pk__in=kept).update(
        state=_KEPT, settled_at=now, look_at=None, proof_id=proof_id, proof_event=proof_event
    )
    return kept


def supersede(promises: QuerySet[Promise]) -> None:
    """Newer promises take the place of these; the rows stay, replaced."""
    promises.order_by().filter(state=_OPEN).update(
        state=Promise.State.SUPERSEDED, settled_at=clock.now(), look_at=None
    )


def release(case: Case, state: str) -> None:
    """The case ended or was merged: what is still open is withdrawn or superseded; what is overdue is broken."""
    now = clock.now()
    still = Promise.objects.filter(case=case, state=_OPEN)
    still.filter(due_at__lt=now).update(state=_BROKEN, settled_at=F("due_at"), look_at=None)
    still.update(state=state, settled_at=now, look_at=None)


def undo_by(delivery: Undelivered, at: datetime) -> list[Promise]:
    """The letter did not arrive (its row says failed or bounced): what its message had kept is broken after all.

    Dated by ``at``, or by the due moment where that came first. Nothing is undone while another letter with the same
    message was sent or still waits. Returns what broke.
    """
    if delivery.message_id is None:
        return []
    # By name: conversations stand beside promises, and siblings never import each other.
    letters = apps.get_model("makegood", "Delivery").objects.filter(message_id=delivery.message_id)
    came_back = letters.filter(pk=delivery.pk, state__in=("failed", "bounced"))
    others = letters.exclude(pk=delivery.pk).filter(state__in=("waiting", "sent"))
    if not came_back.exists() or others.exists():
        return []
    undone = list(Promise.objects.filter(proof_id=delivery.message_id, state=_KEPT).order_by("due_at", "id"))
    for promise in undone:
        promise.state, promise.settled_at = _BROKEN, min(at, promise.due_at)
        promise.undone_by_id = delivery.pk
        promise.save(update_fields=["state", "settled_at", "undone_by"])
    return undone


def withdraw(promise: Promise) -> bool:
    """Take an open promise back, if its time has not passed."""
    found = Promise.objects.filter(pk=promise.pk, state=_OPEN, due_at__gte=clock.now())
    return bool(found.update(state=Promise.State.WITHDRAWN, settled_at=clock.now(), look_at=None))


def overdue() -> Q:
    """Promises of open cases that are late now: open beyond their time, or a word that was broken and has not come."""
    return Q(state=_OPEN, due_at__lt=clock.now()) | _OWED


def next_dues(cases: Iterable[int]) -> dict[int, datetime]:
    """:func:`next_due` for many cases: id -> moment, in one grouped query."""
    found = Promise.objects.filter(Q(state=_OPEN) | _OWED, case__in=list(cases)).order_by().values("case")
    return dict(found.annotate(at=Min("due_at")).values_list("case", "at"))


def next_due(case: Case, *, without: Iterable[int] = (), owed: bool = True) -> datetime | None:
    """When the earliest open promise of the case falls due, or since when a word is owed that was broken.

    ``without``: promises that the act at hand keeps; ``owed`` is False when it is the word that was owed.
    """
    return _earliest(case, Q(state=_OPEN) & ~Q(pk__in=list(without)) | (_OWED if owed else Q(pk__in=[])))


def next_word_due(case: Case) -> datetime | None:
    """By when the customer hears from us, or since when they should have."""
    return _earliest(case, Q(state=_OPEN, what__in=WORDS, to="customer") | _OWED)


def _earliest(case: Case, which: Q) -> datetime | None:
    return Promise.objects.filter(which, case=case).aggregate(at=Min("due_at"))["at"]
