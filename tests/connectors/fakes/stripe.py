"""Stripe: PaymentIntents with a charge, refunds, keys, signed events."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from makegood.base import clock
from tests.connectors.fakes.base import Answer, Fake, Move, Pay, Refuses

_STATUS = {
    "sent": "pending",
    "paid_out": "succeeded",
    "refused": "failed",
    "reversed": "failed",
    "stuck": "requires_action",
}


class FakeStripe(Fake):
    kind = "stripe"
    keeps_keys = True
    WORDS: ClassVar = {"over_balance": "", "not_there": "resource_missing"}

    def unit(self, pay: Pay) -> Decimal:
        return Decimal(1) if pay.currency in ("KRW", "JPY") else Decimal(100)

    def reads(self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:  # fmt: skip
        if path == "/v1/balance":
            return 200, {"object": "balance", "livemode": False, "available": [], "pending": []}
        if path == "/v1/refunds":
            pay = self.pays[params["payment_intent"]]
            data = [self.refund(pay, move) for move in pay.moves]
            return 200, {"object": "list", "url": path, "has_more": False, "data": data}
        pay = self.pays.get(path.rpartition("/")[2])
        return (200, self.intent(pay)) if pay else self.says(404, "resource_missing")

    def acts(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        asked = dict(parse_qsl(body.decode()))
        pay = self.pays[asked["payment_intent"]]
        amount = Decimal(asked["amount"]) / self.unit(pay)
        if not pay.left:
            return self.says(400, "charge_already_refunded")
        try:
            move = self.refunded(amount, pay, asked.get("metadata[makegood]", ""))
        except Refuses:  # Stripe has no code for it: only what it is about
            return 400, {
                "error": {"type": "invalid_request_error", "param": "amount", "message": "greater than"}
            }
        return 200, self.refund(pay, move)

    def says(self, status: int, code: str) -> Answer:
        return status, {
            "error": {"type": "api_error" if status == 500 else "invalid_request_error", "code": code}
        }

    def intent(self, pay: Pay) -> dict[str, Any]:
        units = int(pay.amount * self.unit(pay))
        charge = {
            "id": "ch_1",
            "object": "charge",
            "amount_captured": units,
            "amount_refunded": int(pay.gone * self.unit(pay)),
            "disputed": False,
        }
        return {
            "id": pay.ref,
            "object": "payment_intent",
            "amount": units,
            "currency": pay.currency.lower(),
            "status": "succeeded",
            "metadata": {"order": pay.order},
            "latest_charge": charge,
        }

    def refund(self, pay: Pay, move: Move) -> dict[str, Any]:
        return {
            "id": move.ref,
            "object": "refund",
            "amount": int(move.amount * self.unit(pay)),
            "currency": pay.currency.lower(),
            "status": _STATUS[move.state],
            "payment_intent": pay.ref,
            "metadata": {"makegood": move.mark},
        }

    def hook(self, pay: Pay, move: Move) -> tuple[dict[str, str], bytes]:
        event = {
            "id": f"evt_{move.ref}_{move.state}",
            "object": "event",
            "type": "refund.updated" if move.was else "refund.created",
            "created": int(move.at.timestamp()),
            "data": {
                "object": self.refund(pay, move),
                **({"previous_attributes": {"status": _STATUS[move.was]}} if move.was else {}),
            },
        }
        body, seconds = json.dumps(event).encode(), int(clock.now().timestamp())
        given = hmac.new(b"whsec_stripe", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Stripe-Signature": f"t={seconds},v1={given}"}, body

    def settings(self) -> dict[str, str]:
        return {"address": self.url, "key": "sk_test_1", "secret": "whsec_stripe"}
