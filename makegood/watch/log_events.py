"""The log of facts as events of the processes: two vocabularies that are both fixed, joined here and nowhere else.

A transaction of the watch is the order: its payment, parcels, refunds, returns and invoice are told of one another (a refund
that was paid ends a return). What belongs to no order is a transaction of its own, by its ref. An event of a site's own process
that is called like a type of the canonical model is that event, without a row here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import numpy as np

from makegood.transactions.facts import Line
from makegood.transactions.models import StoreFact
from makegood.watch.batch import Batch, checked, empty, micros
from makegood.watch.keys import U64, chain, name_key, name_keys
from makegood.watch.plan import I64, Plan

Fact = StoreFact | Line
#: An attribute that nothing tells is of the store.
OF_THE_STORE = frozenset({"provider", "bank", "warehouse", "merchant"})
#: type of the canonical model -> events of the processes that ship.
EVENTS: Mapping[str, tuple[str, ...]] = {
    "order.placed": ("order.placed",),
    "order.cancelled": ("order.cancelled",),
    "payment.awaiting": ("payment.requested",),
    "payment.authorised": ("payment.requested",),
    "payment.captured": ("payment.captured", "order.paid"),
    "payment.failed": ("payment.failed",),
    "payment.voided": ("payment.voided",),
    "payment.expired": ("payment.voided",),
    "refund.asked": ("refund.requested",),
    "refund.approved": ("refund.approved",),
    "refund.declined": ("refund.rejected",),
    "refund.sent": ("refund.sent",),
    "refund.paid_out": ("refund.paid",),
    "return.asked": ("return.requested",),
    "return.approved": ("return.approved",),
    "return.declined": ("return.refused",),
    "return.shipped": ("return.picked_up",),
    "return.received": ("return.received",),
    "return.closed": ("return.inspected",),
    "invoice.asked": ("invoice.requested",),
    "invoice.issued": ("invoice.issued",),
    "invoice.filed": ("invoice.issued",),
    "invoice.cancelled": ("invoice.cancelled",),
    "shipment.packed": ("order.packed",),
    "shipment.handed_over": ("order.handed_over",),
    "shipment.moving": ("order.handed_over",),
    "shipment.out_for_delivery": ("order.handed_over",),
    "shipment.delivered": ("order.delivered",),
}
#: A parcel on its way back, and one that was sent again.
_BACK = {"order.handed_over": ("return.picked_up",), "order.delivered": ("return.received",)}
_AGAIN = {"order.handed_over": ("exchange.sent",), "order.delivered": ("exchange.delivered",)}
#: moment of a process -> the field of the fact that gives it.
MOMENTS: Mapping[str, tuple[str, ...]] = {
    "promised_at": ("promised_at", "promised_by", "expected_by", "file_by"),
    "refund_due": ("refund_due", "expected_by"),
}


@dataclass(frozen=True)
class Named:
    """What a transaction or a lane is called: (shop id, order number, ref, currency) by its key."""

    shop: int | None
    order_number: str
    ref: str
    currency: str = ""


def events_of(fact: Fact, plan: Plan) -> tuple[str, ...]:
    """The events that a fact is; none when no process knows it."""
    found = EVENTS.get(fact.type, (fact.type,) if fact.type in plan.events else ())
    if fact.noun != "shipment":
        return found
    turned = {"back": _BACK, "again": _AGAIN}.get(str(fact.more.get("direction", "")))
    return tuple(e for event in found for e in turned.get(event, ())) if turned else found


@dataclass(frozen=True)
class Told:
    """``place``: of each event of the batch, which of the facts it is. ``names``: of its transactions and lanes."""

    batch: Batch
    names: dict[int, Named]
    place: I64


def to_batch(plan: Plan, facts: Sequence[Fact], shops: Mapping[int, int]) -> tuple[Batch, dict[int, Named]]:
    """Facts as a batch, and the names of its transactions and lanes. ``shops``: the shop of each store, by id."""
    told = told_by(plan, facts, shops)
    return told.batch, told.names


def told_by(
    plan: Plan, facts: Sequence[Fact], shops: Mapping[int, int], named: set[int] | None = None
) -> Told:
    """:func:`to_batch`, with the fact behind each event. Names that are in ``named`` are left out, new ones put in.

    An event is named by its thing: a reading that tells again that a payment was captured is no second payment.
    """
    known: set[int] = set() if named is None else named
    names, keys = dict[int, Named](), dict[str, int]()
    number = {code: n for n, code in enumerate(plan.events)}
    watched, place, codes, tx, ids = list[Fact](), list[int](), list[int](), list[int](), list[str]()
    for n, fact in enumerate(facts):
        events = events_of(fact, plan)
        if not events:
            continue
        shop = shops.get(fact.store_id, 0)
        ref = fact.order_number or f"{fact.noun}:{fact.ref}"
        whole = f"{shop}/{ref}"
        key = keys.get(whole)
        if key is None:
            key = keys[whole] = name_key(whole)
            if key not in known:
                known.add(key)
                names[key] = Named(shop or None, fact.order_number, ref, fact.currency)
        thing = f"{fact.store_id}/{fact.noun}/{fact.ref}/"
        for event in events:
            watched.append(fact)
            place.append(n)
            codes.append(number.get(event, -1))
            tx.append(key)
            ids.append(thing + event)
    if not watched:
        return Told(empty(plan), names, np.zeros(0, np.int64))
    batch = checked(plan, Batch(
        np.array(codes, np.int16), np.array(tx, np.uint64), np.array([micros(fact.at) for fact in watched], np.int64),
        name_keys(ids), np.array([float(fact.amount or 0) for fact in watched]),
        _attributes(plan, watched, shops), _moments(plan, watched),
    ))  # fmt: skip
    for lane, (at, columns) in new_lanes(plan, batch, known).items():
        fact = watched[at]
        values = [_attribute(plan.attributes[c], fact, shops) for c in columns]
        names[lane] = Named(shops.get(fact.store_id) or None, "", " · ".join(values)[:200])
    return Told(batch, names, np.array(place, np.int64))


def _attributes(plan: Plan, facts: Sequence[Fact], shops: Mapping[int, int]) -> tuple[U64, ...]:
    """The keys of :func:`_attribute` by column: most facts tell few of them, and what is the store's is worked out once."""
    stores, which = np.unique(np.array([fact.store_id for fact in facts], np.int64), return_inverse=True)
    more = [fact.more for fact in facts]
    out = []
    for name in plan.attributes:
        if name == "shop":
            out.append(name_keys([str(shops.get(store, 0)) for store in stores.tolist()])[which])
            continue
        own = name in OF_THE_STORE
        keys = name_keys([f"store:{store}" if own else "" for store in stores.tolist()])[which]
        field = "lines" if name == "items" else name
        told = [n for n, one in enumerate(more) if field in one and one[field] is not None]
        if told:
            keys[told] = name_keys([_attribute(name, facts[n], shops) for n in told])
        out.append(keys)
    return tuple(out)


def _moments(plan: Plan, facts: Sequence[Fact]) -> tuple[I64, ...]:
    telling = [(n, fact) for n, fact in enumerate(facts) if fact.more]
    out = []
    for name in plan.moments:
        column = np.zeros(len(facts), np.int64)
        for n, fact in telling:
            column[n] = _moment(name, fact)
        out.append(column)
    return tuple(out)


def _attribute(name: str, fact: Fact, shops: Mapping[int, int]) -> str:
    """Attributes that no fact tells are of the store: one store is one account with one provider."""
    if name == "shop":
        return str(shops.get(fact.store_id, 0))
    value = fact.more.get(name if name != "items" else "lines")
    if value is None:
        return f"store:{fact.store_id}" if name in OF_THE_STORE else ""
    if name == "items":
        return repr(value) if value else ""
    return str(value)[:120]


def _moment(name: str, fact: Fact) -> int:
    for field in MOMENTS.get(name, (name,)):
        if value := fact.more.get(field):
            return _parsed(value)
    return 0


def _parsed(value: Any) -> int:
    """A moment in µs; a day means its end, 0 what is none."""
    try:
        text = str(value)
        moment = datetime.fromisoformat(text)
        if len(text) == 10:
            moment = datetime.combine(moment, time(23, 59, 59))
        return micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        return 0


def new_lanes(plan: Plan, batch: Batch, known: set[int]) -> dict[int, tuple[int, tuple[int, ...]]]:
    """Lanes that a batch opens and that are not ``known`` yet (they are then): an event that opens each, and its attributes."""
    found: dict[int, tuple[int, tuple[int, ...]]] = {}
    watched = np.flatnonzero(batch.event >= 0)
    place, step = plan.opens.spread(batch.event[watched])
    place = watched[place]
    for s in np.unique(step).tolist():
        if not plan.lanes[s]:
            continue
        at = place[step == s]
        keys = chain(int(plan.keys[s]), (batch.attributes[c][at] for c in plan.lanes[s]), len(at))
        distinct, first = np.unique(keys, return_index=True)
        for key, i in zip(distinct.tolist(), at[first].tolist(), strict=True):
            if key not in known:
                known.add(key)
                found[key] = (i, plan.lanes[s])
    return found


def signed(key: int) -> int:
    """64 bits as PostgreSQL keeps them."""
    return key - (1 << 64) if key >= 1 << 63 else key


def unsigned(key: int) -> int:
    """:func:`signed` undone."""
    return key + (1 << 64) if key < 0 else key


def watched_types(plan: Plan) -> Iterable[str]:
    """The types of facts that any process reads: learning reads no others from the log."""
    return {*(t for t, events in EVENTS.items() if set(events) & set(plan.events)), *plan.events}
