"""localstripe, a smoke test only: it shows that the official client and our words go together.

It ignores idempotency keys, refunds beyond the charge and sends no refund events, so it judges nothing that the contract promises.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from makegood.connectors import registry
from makegood.connectors.canon import Money
from makegood.connectors.ports import Ask

pytestmark = [pytest.mark.localstripe, pytest.mark.django_db]


@pytest.fixture
def address(tmp_path: object) -> Iterator[str]:
    program = shutil.which("localstripe")
    if not program:
        pytest.skip("localstripe is not installed here (it is GPL and kept out of our dependencies).")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [program, "--port", str(port), "--from-scratch"], cwd=str(tmp_path), stderr=subprocess.DEVNULL
    ) as process:
        try:
            for _ in range(100):
                with socket.socket() as line:
                    if line.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def test_a_payment_and_a_refund(address: str, settings: object):
    stripe = pytest.importorskip("stripe", reason="The extra 'stripe' is not installed.")
    settings.SHOPS_INSIDE = frozenset({"127.0.0.1"})  # type: ignore[attr-defined]
    client = stripe.StripeClient("sk_test_1", base_addresses={"api": address}, max_network_retries=0)
    method = client.v1.payment_methods.create(
        {
            "type": "card",
            "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"},
        }
    )
    paid = client.v1.payment_intents.create(
        {"amount": 5000, "currency": "krw", "payment_method": method.id, "confirm": True}
    )
    connector = registry.open("stripe", {"key": "sk_test_1", "address": address})
    asked = Ask("refund", "case-1042-local", payment=paid.id, money=Money(Decimal(1200), "KRW"))
    outcome = connector.do(asked)
    assert (outcome.result, outcome.state, outcome.money) == ("done", "paid_out", Money(Decimal(1200), "KRW"))
    assert connector.look_up(asked).ref == outcome.ref
