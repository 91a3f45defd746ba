"""From the log to the tables: each fact is merged into its thing (merging.py), a batch in one transaction with the cursor.

Whoever applies holds the cursor's row; a second one finds it locked and leaves. A crash anywhere undoes the batch and
its cursor together, so nothing is lost or doubled. A fact that cannot be applied is set aside and stops nobody.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Q

from makegood.base import clock
from makegood.connectors.canon import STATES
from makegood.transactions import aside, buyers, facts, toread
from makegood.transactions.fields import Field, amount, fields_of, typed
from makegood.transactions.merging import Known, Version, merge, newest, shown
from makegood.transactions.models import MODELS, FactCursor, Order, Store, StoreFact, Thing

log = logging.getLogger("makegood.transactions")
CURSOR = "apply"
#: Facts a transaction.
TOGETHER = 500
#: What comes this way makes us read; a reading itself and a file do not.
_NUDGES = frozenset({StoreFact.Way.EVENT, StoreFact.Way.NATIVE})
Key = tuple[Any, ...]


@dataclass
class _Thing:
    """A row while facts are merged into it."""

    row: Thing
    known: Known
    heard: Any = None
    store: Store | None = None


@dataclass
class _Batch:
    stores: dict[int, Store]
    things: dict[Key, _Thing] = field(default_factory=dict)
    stale: list[StoreFact] = field(default_factory=list)


def apply_next(limit: int = TOGETHER, *, wait: bool = False) -> int:
    """Apply the next facts of the log; how many there were. 0: none, or (unless ``wait``) somebody else is at it."""
    with transaction.atomic():
        FactCursor.objects.get_or_create(name=CURSOR)
        cursor = FactCursor.objects.select_for_update(skip_locked=not wait).filter(name=CURSOR).first()
        if cursor is None:
            return 0
        came = facts.after((cursor.tx, cursor.fact_id), limit)
        if not came:
            return 0
        _apply_or_set_aside(came)
        cursor.tx, cursor.fact_id = facts.cursor_of(came[-1])
        cursor.moved_at = clock.now()
        cursor.save(update_fields=["tx", "fact_id", "moved_at"])
    return len(came)


def _apply_or_set_aside(came: Sequence[StoreFact]) -> None:
    try:
        with transaction.atomic():
            apply(came)
        return
    except (ValueError, TypeError, LookupError, ArithmeticError, DatabaseError):
        log.exception("a batch of %s facts: now one by one", len(came))
    for fact in came:
        try:
            with transaction.atomic():
                apply([fact])
        except (ValueError, TypeError, LookupError, ArithmeticError, DatabaseError) as error:
            log.exception("fact %s cannot be applied", fact.pk)
            why = {"fact": f"{fact.pk} {fact.came_at.isoformat()}"}
            aside.keep(
                fact.store, fact.raw.encode(), "cannot_apply", type(error).__name__, way=fact.way, headers=why
            )


def apply(came: Sequence[StoreFact]) -> None:
    """Merge facts into their things and write those; inside a transaction. Raises what a bad fact raises: nothing is written."""
    stores = Store.objects.select_related("shop").in_bulk({fact.store_id for fact in came})
    batch = _Batch(stores)
    by_noun: dict[str, list[StoreFact]] = defaultdict(list)
    for fact in came:
        by_noun[fact.noun].append(fact)
    for noun in sorted(by_noun, key=lambda n: n != "order"):
        _load(noun, by_noun[noun], batch)
        for fact in by_noun[noun]:
            _take(noun, fact, batch)
    orders = _write_orders(batch)
    _tie(batch, orders)
    for noun in by_noun:
        if noun != "order":
            _write(noun, [t for key, t in batch.things.items() if key[0] == noun])
    _tie_waiting(orders)
    facts.mark_stale((fact.pk, fact.came_at) for fact in batch.stale)
    toread.ask_all({(f.store_id, f.noun, f.ref): stores[f.store_id] for f in came if f.way in _NUDGES})


def key_of(noun: str, fact: StoreFact, store: Store) -> Key:
    """Which thing a fact is about: an order by its shop and number, everything else by its store and ref."""
    if noun == "order":
        return "order", store.shop_id, fact.order_number or fact.ref
    return noun, fact.store_id, fact.ref


def _load(noun: str, came: Sequence[StoreFact], batch: _Batch) -> None:
    """The rows that are there, locked, in one order for everybody; new ones for the rest."""
    model = MODELS[noun]
    wanted = {key_of(noun, fact, batch.stores[fact.store_id]): fact for fact in came}
    found = model._default_manager.select_for_update().order_by("pk")
    if noun == "order":
        there = found.filter(shop_id__in={k[1] for k in wanted}, number__in={k[2] for k in wanted})
        rows = {("order", row.shop_id, row.number): row for row in there}
    else:
        there = found.filter(store_id__in={k[1] for k in wanted}, ref__in={k[2] for k in wanted})
        rows = {(noun, row.store_id, row.ref): row for row in there}
    for key, fact in wanted.items():
        store = batch.stores[fact.store_id]
        row = rows.get(key) or _new(model, noun, key, store)
        batch.things[key] = _Thing(row, row.known or _seed(noun, row), store=store)


def _seed(noun: str, row: Thing) -> Known:
    """What is known of a row that no fact made (the demo, older versions): its state at its own time."""
    if row.pk is None:
        return {}
    state = {"state": row.state}  # type: ignore[attr-defined]
    return merge({}, noun, Version(0, None, row.told_at), state)[0]


def _new(model: Any, noun: str, key: Key, store: Store) -> Thing:
    if noun == "order":
        return Order(shop=store.shop, number=key[2], state="")
    row = model(store=store, ref=key[2])
    row.state = ""
    return row


def _take(noun: str, fact: StoreFact, batch: _Batch) -> None:
    thing = batch.things[key_of(noun, fact, batch.stores[fact.store_id])]
    told = told_of(fact)
    if "customer" in told:
        # The tables know a person by their row alone; their words stay in the log, which forgets.
        told["customer"] = buyers.known(told["customer"], batch.stores[fact.store_id].shop)
        if told["customer"] is None:
            del told["customer"]
    version = Version(fact.store_id, fact.sequence, fact.at)
    thing.known, won = merge(thing.known, noun, version, told)
    if "state" in told and "state" not in won:
        batch.stale.append(fact)
    thing.heard = max(thing.heard or fact.came_at, fact.came_at)
    if noun == "order" and thing.row.store_id is None:
        thing.row.store = batch.stores[fact.store_id]
        thing.row.ref = fact.ref


def told_of(fact: StoreFact) -> dict[str, Any]:
    """What a fact tells, by field, as JSON keeps it."""
    told: dict[str, Any] = dict(fact.more)
    if fact.state in STATES[fact.noun]:
        told["state"] = fact.state
    if fact.amount is not None:
        told["money"] = [format(fact.amount.normalize(), "f"), fact.currency]
    if fact.order_number and fact.noun != "order":
        told["order"] = fact.order_number
    return told or {"seen": True}


def _fill(noun: str, thing: _Thing) -> None:
    """Set the columns of the row from what is known."""
    row, seen = thing.row, shown(thing.known)
    row.known, row.heard_at = thing.known, max(thing.heard, row.heard_at) if row.pk else thing.heard
    row.told_at, row.sequence = newest(thing.known)
    known_fields = fields_of(noun)
    more = {}
    for name, value in seen.items():
        shape = known_fields.get(name)
        if name == "state":
            row.state = value  # type: ignore[attr-defined]
        elif name == "money":
            total = "total" if noun == "order" else "amount"
            setattr(row, total, amount(value[0]))
            row.currency = value[1]  # type: ignore[attr-defined]
        elif name == "customer":
            # Whom people, or an earlier event, have put there stays: their cases were told to them.
            row.customer_id = row.customer_id or value  # type: ignore[attr-defined]
        elif name == "order":
            row.order_number = value  # type: ignore[attr-defined]
        elif shape is not None and shape.column:
            _set(row, shape, value)
        elif name != "seen":
            more[name] = value
    row.more = more


def _set(row: Thing, shape: Field, value: Any) -> None:
    kept = typed(shape, value)
    if kept is not None:
        setattr(row, shape.column, kept)


def _write(noun: str, things: list[_Thing]) -> list[Thing]:
    for thing in things:
        _fill(noun, thing)
    model = MODELS[noun]
    new = [t.row for t in things if t.row.pk is None]
    old = [t.row for t in things if t.row.pk is not None]
    model._default_manager.bulk_create(new)
    if old:
        own = {f.column for f in fields_of(noun).values() if f.column}
        both = ["store", "ref", "told_at", "heard_at", "sequence", "known", "more", "state", "currency"]
        amounts = ["total"] if noun == "order" else ["amount", "order_number", "order"]
        # As an upsert: Django's bulk_update writes a CASE for every row and column.
        fields = [*both, *amounts, *sorted(own)]
        model._default_manager.bulk_create(
            old, update_conflicts=True, unique_fields=["id"], update_fields=fields
        )
    return new + old


def _write_orders(batch: _Batch) -> dict[tuple[int, str], Order]:
    things = [t for key, t in batch.things.items() if key[0] == "order"]
    written: list[Any] = _write("order", things)
    return {(o.shop_id, o.number): o for o in written}


def _tie(batch: _Batch, orders: dict[tuple[int, str], Order]) -> None:
    """Give what hangs on an order its order, where that is known."""
    numbers: dict[tuple[int, str], list[Thing]] = defaultdict(list)
    for key, thing in batch.things.items():
        number = shown(thing.known).get("order", "") if key[0] != "order" else ""
        if number and thing.store is not None:
            numbers[thing.store.shop_id, number].append(thing.row)
    missing = [pair for pair in numbers if pair not in orders]
    if missing:
        there = Order.objects.filter(
            shop_id__in={s for s, _n in missing}, number__in={n for _s, n in missing}
        )
        orders = {**{(o.shop_id, o.number): o for o in there}, **orders}
    for pair, rows in numbers.items():
        if pair in orders:
            for row in rows:
                row.order = orders[pair]  # type: ignore[attr-defined]


def _tie_waiting(orders: dict[tuple[int, str], Order]) -> None:
    """Tie what was told before its order was."""
    new = [o for o in orders.values() if o.number]
    if not new:
        return
    by_shop: dict[int, list[str]] = defaultdict(list)
    for order in new:
        by_shop[order.shop_id].append(order.number)
    ids = {(o.shop_id, o.number): o.pk for o in new}
    for noun, model in MODELS.items():
        if noun == "order":
            continue
        for shop, names in by_shop.items():
            waiting = model._default_manager.filter(
                Q(order_id__isnull=True), store__shop_id=shop, order_number__in=names
            )
            for pk, number in waiting.values_list("pk", "order_number"):
                model._default_manager.filter(pk=pk).update(order_id=ids[shop, number])


def behind() -> timedelta | None:
    """How old the oldest fact is that waits to be applied; None when none does."""
    cursor = FactCursor.objects.filter(name=CURSOR).first()
    waiting = facts.after((cursor.tx, cursor.fact_id) if cursor else facts.START, 1)
    return clock.now() - waiting[0].came_at if waiting else None


def confirm(store: Store, noun: str, ref: str) -> None:
    """A reading found a thing as we knew it: it was heard just now."""
    MODELS[noun]._default_manager.filter(store=store, ref=ref).update(heard_at=clock.now())
