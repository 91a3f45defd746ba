"""Medusa, Toss and PortOne: one payment read, one refund written, each in its own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from makegood.base import clock
from tests.connectors.fakes.base import SECRET, Answer, Fake, Move, Pay, Refuses, iso, signed


class _Rest(Fake):
    """Payments under ``…/payments/{ref}``."""

    def found(self, path: str) -> Pay | None:
        parts = path.strip("/").split("/")
        return self.pays.get(parts[parts.index("payments") + 1])

    def reads(self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:  # fmt: skip
        if "refund-reasons" in path:
            return 200, self.able()
        if "payments" not in path or path.split("/")[-2] == "orders":
            return self.other(path)
        pay = self.found(path)
        return (200, self.shown(pay)) if pay else self.says(404, self.WORDS["not_there"])

    def other(self, path: str) -> Answer:
        """An order, or a payment by its order."""
        pay = next((one for one in self.pays.values() if one.order == path.rpartition("/")[2]), None)
        return (200, self.shown(pay)) if pay else self.says(404, self.WORDS["not_there"])

    def able(self) -> Any:
        raise NotImplementedError

    def shown(self, pay: Pay) -> Any:
        raise NotImplementedError


class FakeMedusa(_Rest):
    kind = "medusa"
    WORDS: ClassVar = {"over_balance": "invalid_data", "not_there": "not_found"}

    def able(self) -> Any:
        return {"refund_reasons": [{"id": "refr_1", "label": "Damaged"}]}

    def shown(self, pay: Pay) -> Any:
        return {"payment": self.payment(pay)}

    def other(self, path: str) -> Answer:
        pay = next((one for one in self.pays.values() if one.order == path.rpartition("/")[2]), None)
        return (200, {"order": self.order(pay)}) if pay else self.says(404, "not_found")

    def order(self, pay: Pay) -> dict[str, Any]:
        at = iso(self.began)
        parcel = {
            "id": "ful_1",
            "created_at": at,
            "packed_at": at,
            "shipped_at": at,
            "delivered_at": at,
            "canceled_at": None,
            "labels": [{"tracking_number": "1234-5678"}],
            "items": [{"title": "Blue tea cup", "quantity": 2}],
        }
        return {
            "id": pay.order,
            "display_id": 1001,
            "status": "pending",
            "currency_code": pay.currency.lower(),
            "total": float(pay.amount),
            "created_at": at,
            "updated_at": at,
            "items": [{"id": "item-1", "title": "Blue tea cup", "quantity": 2, "unit_price": 19500}],
            "summary": {"pending_difference": -10},
            "fulfillments": [parcel],
            "payment_collections": [{"payments": [self.payment(pay)]}],
        }

    def acts(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        asked = json.loads(body, parse_float=Decimal)
        pay = self.found(path)
        assert pay
        self.refunded(Decimal(asked["amount"]), pay, asked["note"])
        return 200, self.shown(pay)

    def says(self, status: int, code: str) -> Answer:
        return status, {
            "type": "unknown_error" if code == "INTERNAL" else code,
            "message": "An error occurred",
        }

    def payment(self, pay: Pay) -> dict[str, Any]:
        kept = [
            move for move in pay.moves if move.state not in ("refused", "reversed")
        ]  # a failed one is deleted
        return {
            "id": pay.ref,
            "amount": float(pay.amount),
            "currency_code": pay.currency.lower(),
            "provider_id": "pp_system_default",
            "captured_at": iso(self.began),
            "canceled_at": None,
            "created_at": iso(self.began),
            "updated_at": iso(self.began),
            "captures": [{"id": "c1", "amount": float(pay.amount)}],
            "refunds": [
                {"id": move.ref, "amount": float(move.amount), "note": move.mark, "created_at": iso(move.at)} for move in kept
            ],
        }  # fmt: skip


class FakeToss(_Rest):
    kind = "toss"
    keeps_keys = checks_left = True
    WORDS: ClassVar = {
        "over_balance": "NOT_CANCELABLE_AMOUNT",
        "not_there": "NOT_FOUND_PAYMENT",
        "changed_meanwhile": "NOT_MATCHES_REFUNDABLE_AMOUNT",
        "already_done": "ALREADY_CANCELED_PAYMENT",
    }
    _STATE: ClassVar = {
        "sent": "IN_PROGRESS",
        "paid_out": "DONE",
        "refused": "ABORTED",
        "reversed": "ABORTED",
    }

    def acts(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        asked = json.loads(body, parse_float=Decimal)
        pay = self.found(path)
        assert pay
        if not pay.left:
            raise Refuses("already_done")
        if Decimal(asked["refundableAmount"]) != pay.left:
            raise Refuses("changed_meanwhile")
        self.refunded(Decimal(asked["cancelAmount"]), pay, asked["cancelReason"])
        return 200, self.shown(pay)

    def says(self, status: int, code: str) -> Answer:
        return status, {"code": code, "message": "오류가 발생했습니다."}

    def trouble(self) -> Answer:
        return self.says(400, "PROVIDER_ERROR")  # a 400 after which nobody knows

    def shown(self, pay: Pay) -> Any:
        left = pay.left
        return {
            "paymentKey": pay.ref,
            "orderId": pay.order,
            "status": "PARTIAL_CANCELED" if pay.gone else "DONE",
            "currency": pay.currency,
            "totalAmount": float(pay.amount),
            "balanceAmount": int(left) if left == int(left) else float(left),
            "method": "카드",
            "requestedAt": iso(self.began),
            "approvedAt": iso(self.began),
            "cancels": [
                {
                    "transactionKey": move.ref,
                    "cancelReason": move.mark,
                    "cancelAmount": float(move.amount),
                    "cancelStatus": self._STATE[move.state],
                    "canceledAt": iso(move.at),
                }
                for move in pay.moves
            ]
            or None,
        }

    def hook(self, pay: Pay, move: Move) -> tuple[dict[str, str], bytes]:
        event = {
            "eventType": "PAYMENT_STATUS_CHANGED",
            "createdAt": iso(move.at),
            "data": {"paymentKey": pay.ref},
        }
        return {}, json.dumps(event).encode()

    def settings(self) -> dict[str, str]:
        return {"address": self.url, "key": "test_sk"}


class FakePortOne(_Rest):
    kind = "portone"
    keeps_keys = checks_left = True
    WORDS: ClassVar = {
        "over_balance": "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT",
        "not_there": "PAYMENT_NOT_FOUND",
        "changed_meanwhile": "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN",
        "already_done": "PAYMENT_ALREADY_CANCELLED",
    }
    _STATE: ClassVar = {
        "sent": "REQUESTED",
        "paid_out": "SUCCEEDED",
        "refused": "FAILED",
        "reversed": "FAILED",
    }

    def unit(self, pay: Pay) -> int:
        return 1 if pay.currency in ("KRW", "JPY") else 100

    def acts(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        asked = json.loads(body)
        pay = self.found(path)
        assert pay
        if not pay.left:
            raise Refuses("already_done")
        expected = asked.get("currentCancellableAmount")
        if expected is not None and expected != pay.left * self.unit(pay):
            raise Refuses("changed_meanwhile")
        amount = Decimal(asked["amount"]) / self.unit(pay) if "amount" in asked else pay.left
        move = self.refunded(amount, pay, asked["reason"])
        return 200, {"cancellation": self.cancellation(pay, move)}

    def says(self, status: int, code: str) -> Answer:
        return status, {"type": code, "message": "오류가 발생했습니다."}

    def trouble(self) -> Answer:
        return 502, {"type": "PG_PROVIDER", "message": "PG", "pgCode": "99", "pgMessage": "?"}

    def cancellation(self, pay: Pay, move: Move) -> dict[str, Any]:
        return {
            "status": self._STATE[move.state],
            "id": move.ref,
            "totalAmount": int(move.amount * self.unit(pay)),
            "taxFreeAmount": 0,
            "vatAmount": 0,
            "reason": move.mark,
            "requestedAt": iso(move.at),
            "cancelledAt": iso(move.at),
        }

    def shown(self, pay: Pay) -> Any:
        unit, gone = self.unit(pay), pay.gone
        status = "CANCELLED" if not pay.left else "PARTIAL_CANCELLED" if gone else "PAID"
        return {
            "status": status,
            "id": pay.ref,
            "transactionId": "tx",
            "merchantId": "m",
            "storeId": "store",
            "channel": {"type": "TEST", "id": "c", "key": "k", "name": "n", "pgProvider": "TOSSPAYMENTS", "pgMerchantId": "p"},
            "version": "V2",
            "requestedAt": iso(self.began),
            "updatedAt": iso(self.began),
            "statusChangedAt": iso(self.began),
            "paidAt": iso(self.began),
            "cancelledAt": iso(self.began),
            "orderName": "Tea cup",
            "currency": pay.currency,
            "customer": {},
            "origin": {"url": "https://haneul.example", "platformType": "PC", "ipAddress": "192.0.2.1"},
            "disputes": [],
            "amount": {
                "total": int(pay.amount * unit),
                "taxFree": 0,
                "discount": 0,
                "paid": int(pay.amount * unit),
                "cancelled": int(gone * unit),
                "cancelledTaxFree": 0,
            },
            "cancellations": [self.cancellation(pay, move) for move in pay.moves],
        }  # fmt: skip

    def hook(self, pay: Pay, move: Move) -> tuple[dict[str, str], bytes]:
        data = {"paymentId": pay.ref, "transactionId": "tx", "storeId": "store", "cancellationId": move.ref}
        kind = "Transaction.CancelPending" if move.state == "sent" else "Transaction.PartialCancelled"
        return signed(
            {"type": kind, "timestamp": iso(clock.now()), "data": data}, f"m-{move.ref}-{move.state}"
        )

    def settings(self) -> dict[str, str]:
        return {"address": self.url, "key": "secret", "secret": SECRET}
