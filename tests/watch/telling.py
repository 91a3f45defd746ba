"""A seeded stream of facts of Haneul's shop: orders, payments, parcels, invoices; some stand still, some are told twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from makegood.base import clock
from makegood.connectors.canon import TYPES, Money, Told, noun_of
from makegood.people.models import Shop
from makegood.transactions import facts
from makegood.transactions.facts import Fact
from makegood.transactions.models import Store, StoreFact
from makegood.watch import streaming
from makegood.watch.log_events import EVENTS


def store_of(shop: Shop, code: str = "haneul-log") -> Store:
    return Store.objects.create(shop=shop, code=code, name="Haneul's shop", currencies=["KRW"])


def fact(
    type_: str, order: str, at: datetime, *, ref: str = "", amount: str = "", id_: str = "", **more: object
) -> Fact:
    noun = noun_of(type_)
    money = Money(Decimal(amount), "KRW") if amount else None
    told = Told(type_, noun, ref or f"{noun}-{order}", at, TYPES[type_], order, None, money, more)
    return Fact(told, id_ or f"{type_}/{ref or order}", "/shops/haneul", "{}")


def stream(begin: datetime, orders: int, days: float, seed: int = 1) -> list[Fact]:
    """In the order of time. Of 100 orders one is never handed over and one invoice never comes; of 300 one is charged twice."""
    return sorted(_facts(begin, orders, days, seed), key=lambda f: (f.told.at, f.event_id))


def _facts(begin: datetime, orders: int, days: float, seed: int) -> Iterator[Fact]:
    random = np.random.default_rng(seed)
    for n in range(orders):
        number = f"HN-{seed}-{n:05d}"
        at = begin + timedelta(days=float(random.uniform(0, days)))
        paid, packed, out, there, issued = (
            timedelta(hours=float(random.lognormal(mean, 0.4))) for mean in (-3.0, 1.0, 2.0, 3.2, -2.0)
        )
        amount, promised = str(int(random.integers(5, 90)) * 1000), (at + timedelta(days=5)).isoformat()
        yield fact("order.placed", number, at, amount=amount, promised_at=promised)
        yield fact("payment.awaiting", number, at, amount=amount)
        yield fact("payment.captured", number, at + paid, amount=amount)
        if random.random() < 1 / 300:
            again = at + paid + timedelta(seconds=40)
            yield fact("payment.captured", number, again, amount=amount, ref=f"again-{number}")
        yield fact("invoice.asked", number, at + paid)
        if random.random() > 1 / 100:
            yield fact("invoice.issued", number, at + paid + issued)
        yield fact("shipment.packed", number, at + paid + packed, carrier="CJ")
        if random.random() > 1 / 100:
            yield fact("shipment.handed_over", number, at + paid + packed + out, carrier="CJ")
            yield fact("shipment.delivered", number, at + paid + packed + out + there, carrier="CJ")


def tell(store: Store, told: list[Fact], together: int = 2000) -> int:
    """Write them into the log, each at its own time; how many."""
    for first in range(0, len(told), together):
        part = told[first : first + together]
        facts.append(store, part, way=StoreFact.Way.EVENT, at=part[-1].told.at)
    return len(told)


def flat(told: list[Fact]) -> list[dict[str, object]]:
    """The same as a stream tells it: events of the processes, flat, a thing named as its fact is."""
    out = []
    for one in told:
        more = {name: value for name, value in one.told.more.items() if name in ("carrier", "promised_at")}
        if money := one.told.money:
            more |= {"amount": str(money.amount), "currency": money.currency}
        for event in EVENTS[one.told.type]:
            id_ = f"{one.told.noun}/{one.told.ref}"
            out.append(
                {"tx": one.told.order, "at": one.told.at.isoformat(), "event": event, "id": id_, **more}
            )
    return out


def tell_stream(store: Store, told: list[Fact], together: int = 700) -> int:
    """Write them into the log of chunks, each chunk when its last event was; how many events."""
    events = flat(told)
    for low in range(0, len(events), together):
        some = events[low : low + together]
        with clock.travel(datetime.fromisoformat(str(some[-1]["at"]))):
            taken = streaming.take(store, "\n".join(map(json.dumps, some)).encode())
        assert taken.new == len(some) and not taken.aside, taken
    return len(events)
