"""What the shops told the demo's watch: weeks of ordinary days, and what goes wrong today.

Haneul's tax invoices are made by an automatic queue: two requests stand while later ones pass them (mission D1), and one invoice
was issued twice. At Qinghe no refund is paid out any more: one fault, not one trouble a customer. Only the log is written here; what is
found in it, and the cases and the incident that come of it, are the worker's own work after the demo is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from makegood.base.languages import KO, ZH
from makegood.connectors.canon import TYPES, Money, Told, noun_of
from makegood.demo import names
from makegood.demo.world import World, hang_on, order_for
from makegood.desk import stores
from makegood.people import actors
from makegood.transactions import facts
from makegood.transactions.facts import Fact
from makegood.transactions.models import Order, Store
from makegood.watch import relearn

#: (code, name, language of the shop, days of history)
HANEUL = ("haneul-invoices", "하늘리빙 전자세금계산서", KO, 20)
QINGHE = ("qinghe-refunds", "清禾生活 退款", ZH, 6)
#: How long ago the two requests were made that stand at Haneul, and since when Qinghe pays nothing out; how many wait there.
STAND, SILENT, WAIT = timedelta(minutes=105), timedelta(minutes=25), 8


def tell(world: World, now: datetime) -> int:
    """Write the log and learn from it; how many facts. Those who wait have orders, so that they have names."""
    facts.days_ahead((now - timedelta(days=1)).date(), 8)
    told = {_store(world, *HANEUL[:3]): _passed(world, now), _store(world, *QINGHE[:3]): _stopped(world, now)}
    every = [(store, one) for store, some in told.items() for one in some if one.at <= now]
    for begin, end in pairwise(_edges(now)):
        for store in told:
            _write(store, [one for whose, one in every if whose == store and begin < one.at <= end], now)
    relearn.learn_anew()
    return len(every)


def _store(world: World, code: str, name: str, language: str) -> Store:
    stores.make(code, by=actors.system("command"), shop=world.shops[language].code, name=name)
    return Store.objects.get(code=code)


def _edges(now: datetime) -> list[datetime]:
    """The shops tell by turns, as they would have: by the day, and what has just been, by the minute."""
    days = [now - timedelta(days=n) for n in range(HANEUL[3] + 1, 1, -1)]
    hours = [now - timedelta(hours=n) for n in range(24, 2, -1)]
    return days + hours + [now - timedelta(minutes=5 * n) for n in range(24, -1, -1)]


def _write(store: Store, told: list[Told], now: datetime) -> None:
    kept = [Fact(one, f"{one.ref}/{one.type}", store.code) for one in told]
    facts.append(store, sorted(kept, key=lambda fact: fact.told.at), way="file", at=now)


def _passed(world: World, now: datetime) -> Iterator[Told]:
    """One after the other, each issued before the next, but for the two that are forgotten; one is issued twice."""
    for nth, asked, issued, worth in _queue(world, now, now, HANEUL[3], (15.0, 42.0), 9.0):
        yield _told("invoice.asked", f"TI-{nth:05d}", asked, worth, "KRW")
        yield _told("invoice.issued", f"TI-{nth:05d}", issued, worth, "KRW")
    at, twice = now - timedelta(hours=20), _order(world, KO, now - timedelta(days=1))
    for type_, ref, after in (
        ("invoice.asked", "TI-80000", 0),
        ("invoice.issued", "TI-80000", 9),
        ("invoice.issued", "TI-80001", 12),
    ):
        yield _told(type_, ref, at + timedelta(minutes=after), twice.total, "KRW", twice.number)
    for n in range(2):
        asked, order = now - STAND + timedelta(minutes=4 * n), _order(world, KO, now - timedelta(days=2))
        yield _told("invoice.asked", f"TI-{90000 + n}", asked, order.total, "KRW", order.number)


def _stopped(world: World, now: datetime) -> Iterator[Told]:
    """Every few minutes a refund, approved at once and paid out within the minute; from some moment on none is paid."""
    since, seconds = now - SILENT, timedelta(seconds=20)
    for nth, asked, paid, worth in _queue(world, now, since, QINGHE[3], (3.0, 9.0), 1.5):
        for type_, at in (("asked", asked), ("approved", asked + seconds), ("paid_out", paid + seconds)):
            yield _told(f"refund.{type_}", f"RF-{nth:05d}", at, worth / 1000, "CNY")
    for n in range(WAIT):
        asked = since + n * SILENT / WAIT
        order = _order(world, ZH, asked - timedelta(days=4))
        for type_, at in (("asked", asked), ("approved", asked + seconds)):
            yield _told(f"refund.{type_}", f"RF-{90000 + n}", at, order.total, "CNY", order.number)


def _queue(
    world: World, now: datetime, until: datetime, days: int, every: tuple[float, float], minutes: float
) -> Iterator[tuple[int, datetime, datetime, Decimal]]:
    """(number, asked, issued, worth) of an ordinary queue; nobody is overtaken in it."""
    rng, at = world.rng, now - timedelta(days=days)
    last, nth = at, 0
    while at < until:
        nth += 1
        last = max(last + timedelta(seconds=15), at + _took(rng, minutes))
        yield nth, at, last, Decimal(rng.randrange(30, 900) * 1000)
        at += timedelta(minutes=rng.uniform(*every))


def _order(world: World, language: str, placed: datetime) -> Order:
    shop, rng = world.shops[language], world.rng
    product = rng.choice(sorted(names.PRODUCTS))
    order = order_for(
        world, rng.choice(world.customers[shop.pk, language]), product, language, placed, placed
    )
    hang_on(world, order, "taken", "", placed, "")
    return order


def _took(rng: Random, minutes: float) -> timedelta:
    return timedelta(minutes=minutes * rng.lognormvariate(0, 0.35))


def _told(type_: str, ref: str, at: datetime, worth: Decimal | None, currency: str, order: str = "") -> Told:
    return Told(
        type_, noun_of(type_), ref, at, TYPES[type_], order, None, Money(worth or Decimal(0), currency)
    )
