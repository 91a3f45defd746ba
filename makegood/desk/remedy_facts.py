"""What the shops told, heard by the ledger: each fact that bears our reference, or the name of a result, reaches its step.

A cursor over the log of facts that skips none; it moves in the same transaction as what the facts did. A webhook that comes
before the answer, twice, late or never therefore all end the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from django.db import transaction

from makegood.base import clock
from makegood.connectors.ports import MAKES
from makegood.desk import remedy_settling
from makegood.remedies.models import Step
from makegood.transactions import facts
from makegood.transactions.models import FactCursor, StoreFact

log = logging.getLogger("makegood.remedies")
CURSOR = "remedies"
#: Facts read at once, and steps that one transaction moves: their cases are locked until it commits.
READ, MOVED = 500, 25
_NOUNS = frozenset({*MAKES.values(), "shipment"})
_BY_REF = frozenset({"order", "return", "credit", "invoice", "refund"})


def hear_all(stop: Callable[[], bool] = lambda: False) -> int:
    """Hear what is new in the log until nothing is; how many facts were read."""
    count = 0
    while not stop() and (heard := hear_next()):
        count += heard
    return count


def hear_next() -> int:
    """Hear the next facts; 0 when there is none, or somebody else is at it."""
    with transaction.atomic():
        FactCursor.objects.get_or_create(name=CURSOR)
        cursor = FactCursor.objects.select_for_update(skip_locked=True).filter(name=CURSOR).first()
        if cursor is None:
            return 0
        came = facts.after((cursor.tx, cursor.fact_id), READ)
        if not came:
            return 0
        read = _hear(came)
        cursor.tx, cursor.fact_id = facts.cursor_of(came[read - 1])
        cursor.moved_at = clock.now()
        cursor.save(update_fields=["tx", "fact_id", "moved_at"])
    return read


def _hear(came: Sequence[StoreFact]) -> int:
    """Bring the facts to their steps, MOVED of them at most; how many facts are done with."""
    concerned = [f for f in came if f.noun in _NOUNS and f.state]
    by_key = _by_key(concerned)
    by_ref = _by_ref(concerned)
    moved = 0
    for n, fact in enumerate(came, 1):
        for step in _steps_of(fact, by_key, by_ref):
            try:
                with transaction.atomic():
                    moved += remedy_settling.hear(step, fact.ref, fact.state, fact.at) is not None
            except Exception:  # one fact that cannot be heard must not stop all that come after it
                log.exception("fact %s cannot be heard by step %s", fact.pk, step)
        if moved >= MOVED:
            return n
    return len(came)


def _steps_of(fact: StoreFact, by_key: dict[str, int], by_ref: dict[tuple[int, str, str], int]) -> set[int]:
    found = {
        by_key.get(str(fact.more.get("our_key") or "")),
        by_ref.get((fact.store_id, fact.noun, fact.ref)),
        by_ref.get((fact.store_id, "shipment", fact.order_number)) if fact.noun == "shipment" else None,
    }
    return {step for step in found if step is not None} if fact.noun in _NOUNS and fact.state else set()


def _by_key(concerned: Sequence[StoreFact]) -> dict[str, int]:
    keys = {str(f.more.get("our_key") or "") for f in concerned} - {""}
    return dict(Step.objects.filter(ours__in=keys).values_list("ours", "pk")) if keys else {}


def _by_ref(concerned: Sequence[StoreFact]) -> dict[tuple[int, str, str], int]:
    """Results that we know by the other side's name; the parcel of an order that makes another one good by that order's number."""
    refs = {f.ref for f in concerned if f.noun in _BY_REF} | {
        f.order_number for f in concerned if f.noun == "shipment" and f.order_number
    }
    found: dict[tuple[int, str, str], int] = {}
    rows = Step.objects.filter(ref__in=refs - {""}, state=Step.State.DONE).select_related("payment", "order")
    for step in rows if refs - {""} else []:
        for thing in (step.payment, step.order):
            if thing is not None and thing.store_id is not None:
                found[(thing.store_id, MAKES[step.action], step.ref)] = step.pk
                if step.action == "replace":
                    found[(thing.store_id, "shipment", step.ref)] = step.pk
    return found
