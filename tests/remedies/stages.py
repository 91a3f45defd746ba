"""The stages of a remedy, each from the one before."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from makegood.base import clock
from makegood.cases.models import Case
from makegood.desk.remedying import Wish, decide_remedy, offer_remedy
from makegood.desk.triaging import Sorting, triage
from makegood.people import actors
from makegood.remedies.models import Remedy
from makegood.transactions.models import Payment, Shipment, Store
from tests import cast as stages
from tests.cast import Cast


def store(cast: Cast) -> Store:
    return Store.objects.get_or_create(
        code="memory", defaults={"shop": cast.haneul, "name": "Memory", "kind": "memory"}
    )[0]


def paid(cast: Cast, amount: int = 39000, connected: bool = True) -> Payment:
    """Jiwoo's order, paid; with ``connected`` the shop can be asked."""
    known = store(cast) if connected else None
    cast.order.store = known
    cast.order.save(update_fields=["store"])
    return Payment.objects.create(
        order=cast.order, store=known, ref=f"pay-{Payment.objects.count()}", state="taken", method="card",
        amount=amount, currency="KRW", told_at=clock.now() - timedelta(days=5),
    )  # fmt: skip


def arrived(cast: Cast, days: int = 3) -> Shipment:
    return Shipment.objects.create(
        order=cast.order, state="delivered", carrier="CJ", tracking="1", told_at=clock.now() - timedelta(days=days),
        last_scan_at=clock.now() - timedelta(days=days),
    )  # fmt: skip


def case(cast: Cast, type_: str = "refund.delay", **more: object) -> Case:
    """Jiwoo's case on that order, sorted, Minji's."""
    found = stages.owned(cast)
    order = Sorting(type=type_, order_number=cast.order.number, **more)  # type: ignore[arg-type]
    triage(found, order, by=cast.by(cast.minji), seen=None)
    return stages.fresh(found)


def soon(hours: float = 48) -> object:
    return clock.now() + timedelta(hours=hours)


def refund(amount: int = 39000, payment: Payment | None = None) -> Wish:
    return Wish("refund", Decimal(amount), payment.pk if payment else None)


def decided(cast: Cast, of: Case, wish: Wish | None = None, **more: object) -> Remedy:
    """Minji decides it."""
    decide_remedy(of, by=cast.by(cast.minji), seen=None, wish=wish or refund(), reason="late", **more)  # type: ignore[arg-type]
    return Remedy.objects.filter(case=of).latest("id")


def offered(cast: Cast, of: Case, *options: Wish, **more: object) -> list[Remedy]:
    """Minji offers these to Jiwoo."""
    offer_remedy(of, by=cast.by(cast.minji), seen=None, options=options, until=soon(), **more)  # type: ignore[arg-type]
    return list(Remedy.objects.filter(case=of).order_by("id"))


def jiwoo(cast: Cast) -> actors.Actor:
    return actors.customer(cast.jiwoo.pk)
