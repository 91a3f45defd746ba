"""Vendure's admin API, as far as the connector asks it; the real one is tried in tests/realshops/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from tests.connectors.fakes.base import Answer, Fake, Move, Pay, Refuses, iso

_STATE = {"sent": "Pending", "paid_out": "Settled", "refused": "Failed", "reversed": "Failed"}


class FakeVendure(Fake):
    kind = "vendure"
    WORDS: ClassVar = {"over_balance": "RefundAmountError", "not_there": "PaymentOrderMismatchError"}
    places = 2

    def is_write(self, method: str, path: str, body: bytes) -> bool:
        return b"mutation" in body

    def reads(self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:  # fmt: skip
        code = json.loads(body)["variables"].get("code")
        found = [self.order(pay) for pay in self.pays.values() if pay.order == code]
        settings = {"serverConfig": {"moneyStrategyPrecision": self.places}}
        return 200, {"data": {"globalSettings": settings, "me": {"id": "1"}, "orders": {"items": found}}}

    def acts(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        asked = json.loads(body)["variables"]["input"]
        pay = self.pays[asked["paymentId"]]
        try:
            move = self.refunded(Decimal(asked["amount"]) / 10**self.places, pay, asked["reason"])
        except Refuses as no:
            return self.says(200, self.WORDS[no.args[0]])
        return 200, {"data": {"done": {"__typename": "Refund", **self.refund(move)}}}

    def says(self, status: int, code: str) -> Answer:
        return 200, {"data": {"done": {"__typename": code, "errorCode": code, "message": ""}}}

    def trouble(self) -> Answer:
        return self.says(
            200, "RefundStateTransitionError"
        )  # as 3.7.3 answers when the provider says 'pending'

    def units(self, amount: Decimal) -> int:
        return int(amount * 10**self.places)

    def refund(self, move: Move) -> dict[str, Any]:
        return {
            "id": move.ref,
            "total": self.units(move.amount),
            "state": _STATE[move.state],
            "reason": move.mark,
            "transactionId": "t",
            "createdAt": iso(move.at),
            "updatedAt": iso(move.at),
        }

    def order(self, pay: Pay) -> dict[str, Any]:
        at = iso(self.began)
        payment = {
            "id": pay.ref,
            "amount": self.units(pay.amount),
            "state": "Settled",
            "method": "card",
            "createdAt": at,
            "updatedAt": at,
            "refunds": [self.refund(move) for move in pay.moves],
        }
        return {
            "id": "7",
            "code": pay.order,
            "state": "PaymentSettled",
            "currencyCode": pay.currency,
            "totalWithTax": self.units(pay.amount),
            "orderPlacedAt": at,
            "createdAt": at,
            "updatedAt": at,
            "lines": [],
            "payments": [payment],
            "fulfillments": [],
            "history": {"items": []},
        }

    def settings(self) -> dict[str, str]:
        return {"address": f"{self.url}/admin-api", "key": "api-key", "secret": super().settings()["secret"]}
