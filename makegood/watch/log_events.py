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

from makegood.transactions.models import StoreFact
from makegood.watch.batch import Batch, empty, make
from makegood.watch.keys import chain, name_key
from makegood.watch.plan import Plan

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


def events_of(fact: StoreFact, plan: Plan) -> tuple[str, ...]:
    """The events that a fact is; none when no process knows it."""
    found = EVENTS.get(fact.type, (fact.type,) if fact.type in plan.events else ())
    if fact.noun != "shipment":
        return found
    turned = {"back": _BACK, "again": _AGAIN}.get(str(fact.more.get("direction", "")))
    return tuple(e for event in found for e in turned.get(event, ())) if turned else found


def to_batch(
    plan: Plan, facts: Sequence[StoreFact], shops: Mapping[int, int]
) -> tuple[Batch, dict[int, Named]]:
    """Facts as a batch, and the names of its transactions and lanes. ``shops``: the shop of each store, by id.

    An event is named by its thing: a reading that tells again that a payment was captured is no second payment.
    """
    rows: list[tuple[str, StoreFact, int, str]] = []
    names: dict[int, Named] = {}
    for fact in facts:
        events = events_of(fact, plan)
        if not events:
            continue
        shop = shops.get(fact.store_id, 0)
        ref = fact.order_number or f"{fact.noun}:{fact.ref}"
        tx = name_key(f"{shop}/{ref}")
        names[tx] = Named(shop or None, fact.order_number, ref, fact.currency)
        rows += [(event, fact, tx, f"{shop}") for event in events]
    if not rows:
        return empty(plan), {}
    batch = make(
        plan,
        [event for event, *_ in rows],
        np.array([tx for _e, _f, tx, _s in rows], np.uint64),
        [_micros(fact.at) for _e, fact, *_ in rows],
        ids=np.array(
            [name_key(f"{fact.store_id}/{fact.noun}/{fact.ref}/{event}") for event, fact, *_ in rows],
            np.uint64,
        ),
        amount=[float(fact.amount or 0) for _e, fact, *_ in rows],
        attributes={
            name: [_attribute(name, fact, shop) for _e, fact, _t, shop in rows] for name in plan.attributes
        },
        moments={name: [_moment(name, fact) for _e, fact, *_ in rows] for name in plan.moments},
    )
    return batch, names | _lanes(plan, batch, [(fact, shop) for _e, fact, _t, shop in rows])


def _attribute(name: str, fact: StoreFact, shop: str) -> str:
    """Attributes that no fact tells are of the store: one store is one account with one provider."""
    if name == "shop":
        return shop
    if name == "items":
        lines = fact.more.get("lines")
        return repr(lines) if lines else ""
    value = fact.more.get(name)
    if value is None and name in ("provider", "bank", "warehouse", "merchant"):
        return f"store:{fact.store_id}"
    return "" if value is None else str(value)[:120]


def _moment(name: str, fact: StoreFact) -> int:
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
        return _micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        return 0


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _lanes(plan: Plan, batch: Batch, rows: Sequence[tuple[StoreFact, str]]) -> dict[int, Named]:
    """The names of the lanes that a batch opens: the values of their attributes."""
    names: dict[int, Named] = {}
    place, step = plan.opens.spread(batch.event.astype(np.int64))
    for s in np.unique(step).tolist():
        if not plan.lanes[s]:
            continue
        at = place[step == s]
        keys = chain(int(plan.keys[s]), (batch.attributes[c][at] for c in plan.lanes[s]), len(at))
        for key, i in zip(keys.tolist(), at.tolist(), strict=True):
            if key not in names:
                fact, shop = rows[i]
                values = [_attribute(plan.attributes[c], fact, shop) for c in plan.lanes[s]]
                names[key] = Named(int(shop) if shop != "0" else None, "", " · ".join(values)[:200])
    return names


def signed(key: int) -> int:
    """64 bits as PostgreSQL keeps them."""
    return key - (1 << 64) if key >= 1 << 63 else key


def unsigned(key: int) -> int:
    """:func:`signed` undone."""
    return key + (1 << 64) if key < 0 else key


def watched_types(plan: Plan) -> Iterable[str]:
    """The types of facts that any process reads: learning reads no others from the log."""
    return {*(t for t, events in EVENTS.items() if set(events) & set(plan.events)), *plan.events}
