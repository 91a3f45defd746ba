"""Reading a store: an event is a nudge, and what the store says when it is asked is the truth of that moment.

What was read becomes facts like any other. Asking is slow, so it never happens inside a transaction; a store that fails
again and again is left alone for a while (connectors/circuit.py).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from makegood.connectors import circuit
from makegood.connectors.canon import Told
from makegood.connectors.errors import Later, OutsideError
from makegood.transactions import applying, facts, sources, toread
from makegood.transactions.facts import Fact
from makegood.transactions.fields import plain
from makegood.transactions.models import MODELS, Order, Store, StoreFact, ToRead

log = logging.getLogger("makegood.transactions")


@dataclass(frozen=True)
class Read:
    """What became of a reading: how many things were read, how many told something new, and why what failed did ('' : nothing)."""

    things: int = 0
    new: int = 0
    trouble: str = ""


def refresh(order: Order) -> Read:
    """Read an order and what hangs on it at every store that can be read, now, and apply it. Outside of transactions.

    ``trouble`` 'cannot_read': no store of it can be asked.
    """
    wanted = list(things_of(order))
    if not wanted:
        return Read(trouble="cannot_read")
    seen: set[toread.What] = set()
    count, new, trouble = 0, 0, ""
    for store, noun, ref in wanted:
        if (store.pk, noun, ref) in seen:
            continue  # it came with what it hangs on
        try:
            told = ask(store, noun, ref)
        except OutsideError as error:
            trouble = error.code
            continue
        seen |= {(store.pk, t.noun, t.ref) for t in told}
        count += len(told)
        new += keep(store, told)
    while applying.apply_next(wait=True):
        pass
    return Read(count, new, trouble)


def readable(shop_id: int) -> list[Store]:
    """The stores of a shop that can be asked."""
    return list(
        Store.objects.filter(shop_id=shop_id, active=True, told_by=Store.ToldBy.READING).order_by("pk")
    )


def seek(shop_id: int, number: str) -> Read:
    """Ask every store of the shop for an order that nobody has told of, and apply what they say. Outside of transactions."""
    count, new, trouble = 0, 0, "cannot_read"
    for store in readable(shop_id):
        try:
            told = ask(store, "order", number)
        except OutsideError as error:
            trouble = error.code
            continue
        trouble = "" if trouble == "cannot_read" else trouble
        count += len(told)
        new += keep(store, told)
    while applying.apply_next(wait=True):
        pass
    return Read(count, new, trouble)


def things_of(order: Order) -> Iterable[tuple[Store, str, str]]:
    """What can be read of an order, the order itself first."""
    stores = Store.objects.filter(shop_id=order.shop_id, active=True, told_by=Store.ToldBy.READING).in_bulk()
    if order.store_id in stores:
        yield stores[order.store_id], "order", order.ref or order.number
    for noun, model in MODELS.items():
        if noun != "order" and stores:
            rows = model._default_manager.filter(order_id=order.pk, store_id__in=stores).exclude(ref="")
            for store_id, ref in rows.order_by("pk").values_list("store_id", "ref"):
                yield stores[store_id], noun, ref


def ask(store: Store, noun: str, ref: str) -> list[Told]:
    """What the store says of a thing now. Raises Later or Never; never inside a transaction."""
    if connection.in_atomic_block and not _tried():
        raise RuntimeError("a store is never asked inside a transaction")
    name = f"store:{store.pk}"
    if circuit.resting(name):
        raise Later("resting")
    try:
        told = sources.opened(store).read(noun, ref)
    except Later:
        circuit.failed(name)
        raise
    circuit.succeeded(name)
    return told


def _tried() -> bool:
    """Whether all this runs inside a test's own transaction."""
    return all(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def keep(store: Store, told: list[Told]) -> int:
    """Write what was read to the log; how much of it is new. What is as it was counts as heard now."""
    made = [reading_of(one) for one in told]
    outcomes = facts.append(store, made, way=StoreFact.Way.READING)
    for fact, outcome in zip(made, outcomes, strict=True):
        if outcome != facts.NEW:
            applying.confirm(store, fact.told.noun, fact.told.ref)
    return outcomes.count(facts.NEW)


def reading_of(told: Told) -> Fact:
    """A reading as a fact: its id is its content, so that the same state read twice is one fact."""
    money = [str(told.money.amount), told.money.currency] if told.money else []
    said = [
        told.noun,
        told.ref,
        told.state,
        told.at.isoformat(),
        told.sequence,
        told.order,
        money,
        plain(told.more),
    ]
    digest = hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()
    return Fact(told, event_id=f"read-{digest}", source="reading", raw=json.dumps(plain(told.raw)))


def read_one(row: ToRead) -> None:
    """Read what a claimed row asks for. Whatever goes wrong stays with the row."""
    try:
        keep(row.store, ask(row.store, row.noun, row.ref))
    except OutsideError as error:
        toread.failed(row, error.code, again=isinstance(error, Later))
    except Exception as error:
        log.exception("%s %s of store %s could not be read", row.noun, row.ref, row.store_id)
        toread.failed(row, type(error).__name__, again=True)
    else:
        toread.has_read(row)
