"""A real Vendure: Jiwoo buys two cups, one arrives broken, she gets her money back through our connector, and the shop's own word is read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections

from makegood.base import clock
from makegood.connectors import registry
from makegood.connectors.canon import Money
from makegood.connectors.ports import Ask, Connector
from tests.realshops.vendure.running import Shop

pytestmark = [pytest.mark.realshop, pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture
def connector(shop: Shop) -> Connector:
    return registry.open("vendure", shop.settings(), seconds=20)


def ask(code: str, payment: str, amount: str, ours: str, left: str = "") -> Ask:
    expected = Money(Decimal(left), "USD") if left else None
    money = Money(Decimal(amount), "USD")
    return Ask(
        "refund", ours, code, payment, money, reason="damaged", expected_left=expected, sent_at=clock.now()
    )


def test_a_broken_cup_from_order_to_money_back(shop: Shop, connector: Connector):
    code, payment = shop.bought()
    shop.sent(code, "Shipped", "Delivered")
    assert connector.capabilities().decimals == 2

    # What the case sheet shows: 2 cups at 19.50 and a parcel at 3.00, delivered, all of it still to refund.
    told = {one.noun: one for one in connector.read("order", code)}
    assert (told["order"].state, told["order"].order, told["order"].money) == (
        "open",
        code,
        Money(Decimal("42.00"), "USD"),
    )
    assert (told["payment"].state, told["payment"].more["left_to_refund"]) == ("taken", Decimal("42.00"))
    assert (told["shipment"].state, told["shipment"].more["tracking"]) == ("delivered", "1234-5678")

    asked = ask(code, payment, "19.50", "case-1-refund-1", left="42.00")
    assert connector.preview(asked).left_after == Money(Decimal("22.50"), "USD")
    outcome = connector.do(asked)
    assert (outcome.result, outcome.state, outcome.left) == (
        "done",
        "paid_out",
        Money(Decimal("22.50"), "USD"),
    )

    # Its own state, by another way than ours.
    (refund,) = shop.order(code)["payments"][0]["refunds"]
    assert (refund["id"], refund["total"], refund["state"]) == (outcome.ref, 1950, "Settled")
    assert "case-1-refund-1" in refund["reason"]
    # Pressed again, and looked up: the same one.
    assert connector.do(asked).ref == connector.look_up(asked).ref == outcome.ref
    assert len(shop.order(code)["payments"][0]["refunds"]) == 1


def test_the_provider_says_pending_and_vendure_says_error(shop: Shop, connector: Connector):
    """RefundStateTransitionError, and a Pending refund is there all the same: whoever tries again pays twice."""
    code, payment = shop.bought()
    shop.mode("pending")
    asked = ask(code, payment, "10.00", "case-2-refund-1")
    outcome = connector.do(asked)
    assert (outcome.result, outcome.state, outcome.theirs) == ("done", "sent", "RefundStateTransitionError")
    assert connector.do(asked).ref == outcome.ref
    (refund,) = shop.order(code)["payments"][0]["refunds"]
    assert (refund["total"], refund["state"]) == (1000, "Pending")
    assert connector.look_up(asked).state == "sent"
    shop.settle(refund["id"])
    assert connector.look_up(asked).state == "paid_out"


def test_a_failed_refund_comes_back_as_a_normal_answer(shop: Shop, connector: Connector):
    code, payment = shop.bought()
    shop.mode("failed")
    outcome = connector.do(ask(code, payment, "10.00", "case-3-refund-1"))
    assert (outcome.result, outcome.code, outcome.state) == ("refused", "declined", "refused")
    shop.mode("settled")
    # A new try is a new ask; the failed one does not lessen what is left.
    again = connector.do(ask(code, payment, "42.00", "case-3-refund-2", left="42.00"))
    assert (again.result, again.left) == ("done", Money(Decimal("0.00"), "USD"))


def test_more_than_was_paid_is_refused_by_both(shop: Shop, connector: Connector):
    code, payment = shop.bought()
    assert connector.do(ask(code, payment, "42.01", "case-4-refund-1")).code == "over_balance"
    # And by Vendure itself, where our look came too early: asked straight, past the look.
    seen = connector._look(ask(code, payment, "1.00", "case-4-refund-2"))  # type: ignore[attr-defined]
    straight = connector._send(ask(code, payment, "42.01", "case-4-refund-3"), seen)  # type: ignore[attr-defined]
    assert (straight.result, straight.code, straight.theirs) == (
        "refused",
        "over_balance",
        "RefundAmountError",
    )
    assert shop.order(code)["payments"][0]["refunds"] == []


def test_the_provider_does_not_answer_vendure(shop: Shop, connector: Connector):
    """Vendure's code for it says nothing: unknown, and nothing is there to be found."""
    code, payment = shop.bought()
    shop.mode("trouble")
    asked = ask(code, payment, "10.00", "case-5-refund-1")
    assert connector.do(asked).result == "unknown"
    assert connector.look_up(asked).code == "not_there_yet"
    with clock.travel(timedelta(hours=1)):  # nor ever: the provider behind may have moved
        late = connector.look_up(asked)
    assert (late.result, late.code, late.again) == ("unknown", "behind", False)


def test_four_at_once_are_one(shop: Shop, connector: Connector):
    code, payment = shop.bought()
    asked = ask(code, payment, "10.00", "case-6-refund-1")

    def press(_: int) -> str:
        try:
            return connector.do(asked).result
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as many:
        results = set(many.map(press, range(4)))
    assert results <= {"done", "unknown"} and "done" in results
    assert [one["total"] for one in shop.order(code)["payments"][0]["refunds"]] == [1000]


def test_an_order_is_cancelled_before_it_is_packed(shop: Shop, connector: Connector):
    code, payment = shop.bought()
    asked = Ask("cancel", "case-7-cancel-1", code, payment, reason="customer asked")
    outcome = connector.do(asked)
    assert (outcome.result, outcome.state) == ("done", "cancelled")
    assert shop.order(code)["state"] == "Cancelled"
    assert connector.look_up(asked).state == "cancelled"
    other = Ask("cancel", "case-7-cancel-2", code, payment)
    assert connector.do(other).code == "already_done"


def test_a_wrong_password_opens_nothing(shop: Shop):
    wrong = registry.open("vendure", {**shop.settings(), "password": "guess"})
    outcome = wrong.do(ask("ANY", "1", "1.00", "case-8-refund-1"))
    assert (outcome.result, outcome.code) == ("refused", "not_allowed")
