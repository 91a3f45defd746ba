"""What a source says in its own words, in ours: the rows of the mapping tables that the contract does not come by."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from makegood.base import clock
from makegood.connectors import registry
from makegood.connectors.canon import STATES, TYPES, Money, Told
from makegood.connectors.errors import Later, Never
from tests.connectors.fakes import FakeMedusa, FakePortOne, FakeToss
from tests.connectors.fakes.base import SECRET, Fake, Move, signed


@pytest.fixture
def inside(settings: object) -> None:
    settings.SHOPS_INSIDE = frozenset({"127.0.0.1"})  # type: ignore[attr-defined]


@pytest.fixture(params=[FakeMedusa, FakeToss, FakePortOne], ids=lambda kind: kind.kind)
def fake(request: pytest.FixtureRequest, inside: None) -> Iterator[Fake]:
    made: Fake = request.param()
    made.start()
    yield made
    made.stop()


def stripe_says(type_: str, thing: dict[str, Any], **before: Any) -> list[Told]:
    pytest.importorskip("stripe", reason="The extra 'stripe' is not installed.")
    seconds = int(clock.now().timestamp())
    data = {"object": thing, **({"previous_attributes": before} if before else {})}
    body = json.dumps({"type": type_, "created": seconds - 60, "data": data}).encode()
    given = hmac.new(b"whsec_s", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    connector = registry.open("stripe", {"key": "sk", "secret": "whsec_s"})
    return connector.told({"stripe-signature": f"t={seconds},v1={given}"}, body)


@pytest.mark.parametrize(
    ("status", "extra", "before", "state"),
    [
        ("pending", {"pending_reason": "processing"}, {}, "sent"),
        ("pending", {"pending_reason": "insufficient_funds"}, {}, "stuck"),
        ("requires_action", {}, {}, "stuck"),
        ("succeeded", {}, {"status": "pending"}, "paid_out"),
        ("failed", {"failure_reason": "lost_or_stolen_card"}, {"status": "pending"}, "refused"),
        ("failed", {"failure_reason": "expired_or_canceled_card"}, {"status": "succeeded"}, "reversed"),
        ("canceled", {}, {"status": "pending"}, "withdrawn"),
    ],
)
def test_stripe_refunds(status: str, extra: dict[str, str], before: dict[str, str], state: str):
    thing = {
        "id": "re_1",
        "amount": 12000,
        "currency": "krw",
        "payment_intent": "pi_1",
        "status": status,
        **extra,
    }
    (told,) = stripe_says("refund.updated", thing, **before)
    assert (told.state, told.money, told.more["payment"]) == (state, Money(Decimal(12000), "KRW"), "pi_1")
    assert told.state in STATES["refund"] and told.type in TYPES


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("warning_needs_response", "warned"),
        ("needs_response", "needs_answer"),
        ("under_review", "in_review"),
        ("won", "won"),
        ("prevented", "won"),
        ("lost", "lost"),
    ],
)
def test_a_chargeback_has_its_day(status: str, state: str):
    due = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
    thing = {"id": "dp_1", "object": "dispute", "amount": 1234, "currency": "usd", "payment_intent": "pi_1"}
    (told,) = stripe_says(
        "charge.dispute.updated", {**thing, "status": status, "evidence_details": {"due_by": due}}
    )
    assert (told.noun, told.state, told.money) == ("dispute", state, Money(Decimal("12.34"), "USD"))
    assert told.more["answer_by"] == "2026-12-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("type_", "status", "state"),
    [
        ("payment_intent.succeeded", "succeeded", "taken"),
        ("payment_intent.payment_failed", "requires_payment_method", "failed"),
        ("payment_intent.amount_capturable_updated", "requires_capture", "held"),
        ("payment_intent.canceled", "canceled", "voided"),
        ("payment_intent.processing", "processing", "awaiting"),
    ],
)
def test_stripe_payments(type_: str, status: str, state: str):
    thing = {"id": "pi_1", "amount": 1234, "currency": "usd", "status": status, "metadata": {"order": "HN-1"}}
    (told,) = stripe_says(type_, thing)
    assert (told.state, told.order, told.ref) == (state, "HN-1", "pi_1")


def test_stripe_says_many_things_that_do_not_concern_us():
    assert stripe_says("customer.created", {"id": "cus_1"}) == []


def test_medusa_s_order_with_its_parcel_and_what_it_owes(inside: None):
    fake = FakeMedusa()
    fake.start()
    try:
        fake.pay("39000", "KRW", order="order_1")
        told = {one.noun: one for one in fake.connector().read("order", "order_1")}
    finally:
        fake.stop()
    assert {one.order for one in told.values()} == {"1001"}  # the number that Jiwoo knows
    assert (told["order"].state, told["order"].money) == ("open", Money(Decimal("39000"), "KRW"))
    assert told["order"].more["x"] == {"pending_difference": "-10"}
    assert (told["shipment"].state, told["shipment"].more["tracking"]) == ("delivered", "1234-5678")
    assert told["payment"].more["left_to_refund"] == Decimal(39000)


def test_an_answer_without_shape_is_no_answer(fake: Fake):
    """A proxy's error page, half an object, a list where an object was: unknown or later, never 'nothing there'."""
    pay = fake.pay("39000", "KRW")
    for odd in (
        "<html>",
        [],
        {},
        {"payment": {}},
        {"paymentKey": "P-1", "status": None},
        {"amount": {}, "currency": "KRW"},
    ):
        fake.shown = lambda _, odd=odd: odd  # type: ignore[attr-defined,method-assign]
        try:
            assert fake.connector().read("payment", pay.ref) != []
        except Exception as trouble:
            assert type(trouble).__name__ == "Later", (odd, trouble)
        if (
            fake.kind != "medusa"
        ):  # a nudge is kept for later, not thrown away, while its sender talks nonsense
            move = Move("R-1", Decimal(1), "paid_out")
            with pytest.raises(Later):
                fake.connector().told(*fake.hook(pay, move))


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": None},
        {"time": None},
        {"time": "2026-11-03T14:20:00"},
        {"specversion": "0.3"},
        {"data": []},
        {"data": {"money": {"amount": "NaN", "currency": "KRW"}}},
        {"data": {"money": {"amount": "1", "currency": "won"}}},
        {"sequence": -1},
        {"subject": ""},
    ],
)
def test_an_event_that_is_not_wholly_clear_is_not_guessed(inside: None, change: dict[str, Any]):
    connector = registry.open("generic", {"address": "http://127.0.0.1:9", "secret": SECRET})
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/s",
        "type": "refund.paid_out.v1",
        "subject": "HN-1",
        "time": "2026-11-03T14:20:00Z",
        "sequence": "7",
        "data": {"ref": "R-1", "money": {"amount": "12000", "currency": "KRW"}},
    }
    (told,) = connector.told(*signed(event, "m-1"))
    assert (told.ref, told.order, told.sequence, told.state) == ("R-1", "HN-1", 7, "paid_out")
    with pytest.raises(Never, match="garbage"):
        connector.told(*signed({**event, **change}, "m-2"))
    assert connector.told(*signed({**event, "type": "refund.framed.v1"}, "m-3")) == []
