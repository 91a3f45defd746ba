"""A real Medusa that somebody started: MEDUSA_URL, MEDUSA_KEY (a secret API key) and MEDUSA_PAYMENT (a captured payment to use up)."""

from __future__ import annotations

import os
import secrets
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from makegood.base import clock
from makegood.connectors import registry
from makegood.connectors.canon import Money
from makegood.connectors.ports import Ask

pytestmark = [
    pytest.mark.medusa,
    pytest.mark.django_db,
    pytest.mark.skipif(
        "MEDUSA_URL" not in os.environ,
        reason="No Medusa runs here: MEDUSA_URL, MEDUSA_KEY and MEDUSA_PAYMENT name one.",
    ),
]


def test_a_refund_by_the_real_thing(settings: object):
    address, payment = os.environ["MEDUSA_URL"], os.environ["MEDUSA_PAYMENT"]
    settings.SHOPS_INSIDE = frozenset({urlsplit(address).hostname})  # type: ignore[attr-defined]
    connector = registry.open("medusa", {"address": address, "key": os.environ["MEDUSA_KEY"]})
    assert connector.capabilities().read_at
    before = next(one for one in connector.read("payment", payment) if one.noun == "payment")
    assert before.money and before.state == "taken"
    left = Money(Decimal(before.more["left_to_refund"]), before.money.currency)
    part = Money(Decimal(1), left.currency)
    ours = f"case-{secrets.token_hex(6)}"
    asked = Ask("refund", ours, payment=payment, money=part, expected_left=left, sent_at=clock.now())
    outcome = connector.do(asked)
    assert (outcome.result, outcome.left) == ("done", Money(left.amount - 1, left.currency))
    assert connector.do(asked).ref == connector.look_up(asked).ref == outcome.ref
    refunds = [one for one in connector.read("payment", payment) if one.noun == "refund"]
    assert [one.ref for one in refunds if ours in one.more["reason"]] == [outcome.ref]
    over = Money(left.amount + 1, left.currency)
    assert connector.do(Ask("refund", f"{ours}-2", payment=payment, money=over)).code == "over_balance"
