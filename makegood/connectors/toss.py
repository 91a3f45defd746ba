"""Toss Payments (core API, version 2022-11-16): refund and look-up. A payment is named by its paymentKey, else by our order number.

Ours            Toss
payment         awaiting: READY, IN_PROGRESS, WAITING_FOR_DEPOSIT; taken: DONE, PARTIAL_CANCELED, CANCELED (after money was taken);
                failed: ABORTED; voided: CANCELED before money was taken; expired: EXPIRED
refund          one of cancels[]: paid_out: DONE; sent: IN_PROGRESS (overseas wallets only); refused: ABORTED
our reference   at the end of ``cancelReason`` (200 characters), found again in cancels[]
left            ``balanceAmount``: a full cancel may still be called PARTIAL_CANCELED, so the balance counts, not the word

ALREADY_CANCELED_PAYMENT, ALREADY_REFUND_PAYMENT                   already_done
NOT_CANCELABLE_AMOUNT, EXCEED_CANCEL_LIMIT, EXCEED_CANCEL_AMOUNT..  over_balance
NOT_ALLOWED_PARTIAL_REFUND, .._WAITING_DEPOSIT                     no_partial
EXCEED_MAX_REFUND_DUE                                              too_late
NOT_CANCELABLE_PAYMENT, .._FOR_DORMANT_USER                        locked
INVALID_REFUND_ACCOUNT_*, NOT_AVAILABLE_BANK                       payee_bad
NOT_MATCHES_REFUNDABLE_AMOUNT                                      changed_meanwhile
NOT_FOUND_PAYMENT                                                  not_there
UNAUTHORIZED_KEY, INVALID_API_KEY, FORBIDDEN_REQUEST               not_allowed
INVALID_REQUEST                                                    unfit
every 500, PROVIDER_ERROR (though it is a 400), and the rest       unknown

An idempotency key is kept for 15 days. ``refundableAmount`` is compared in the same step: it is always sent. Its payment webhooks
carry no signature: a nudge, after which the payment is read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from makegood.connectors.amounts import minor, number
from makegood.connectors.canon import Money, Told
from makegood.connectors.errors import Later, Never
from makegood.connectors.ports import Ask, Capabilities, Outcome
from makegood.connectors.steps import Nothing, Seen, Steps, judged, mark, marked, refund_outcome
from makegood.connectors.telling import moment, tell
from makegood.connectors.wire import Reply, Wire

_PAYMENT = {
    "READY": "awaiting",
    "IN_PROGRESS": "awaiting",
    "WAITING_FOR_DEPOSIT": "awaiting",
    "DONE": "taken",
    "PARTIAL_CANCELED": "taken",
    "ABORTED": "failed",
    "EXPIRED": "expired",
}
_REFUND = {"DONE": "paid_out", "IN_PROGRESS": "sent", "ABORTED": "refused"}
_CLASSES = {
    "ALREADY_CANCELED_PAYMENT": "already_done",
    "ALREADY_REFUND_PAYMENT": "already_done",
    "NOT_CANCELABLE_AMOUNT": "over_balance",
    "EXCEED_CANCEL_LIMIT": "over_balance",
    "EXCEED_CANCEL_AMOUNT_DISCOUNT_AMOUNT": "over_balance",
    "NOT_ALLOWED_PARTIAL_REFUND": "no_partial",
    "NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT": "no_partial",
    "EXCEED_MAX_REFUND_DUE": "too_late",
    "NOT_CANCELABLE_PAYMENT": "locked",
    "NOT_CANCELABLE_PAYMENT_FOR_DORMANT_USER": "locked",
    "INVALID_REFUND_ACCOUNT_INFO": "payee_bad",
    "INVALID_REFUND_ACCOUNT_NUMBER": "payee_bad",
    "NOT_AVAILABLE_BANK": "payee_bad",
    "NOT_MATCHES_REFUNDABLE_AMOUNT": "changed_meanwhile",
    "NOT_FOUND_PAYMENT": "not_there",
    "UNAUTHORIZED_KEY": "not_allowed",
    "INVALID_API_KEY": "not_allowed",
    "FORBIDDEN_REQUEST": "not_allowed",
    "INVALID_REQUEST": "unfit",
    "TOO_MANY_REQUESTS": "busy",
    "PROVIDER_ERROR": "unknown",
    "IDEMPOTENT_REQUEST_PROCESSING": "unknown",
}


@dataclass(frozen=True)
class Toss(Steps):
    """``key``: the account's secret key."""

    key: str = field(repr=False)
    address: str = "https://api.tosspayments.com"
    seconds: float = 60.0
    kind: ClassVar[str] = "toss"
    ACTIONS = frozenset({"refund"})

    @property
    def account(self) -> str:  # type: ignore[override]
        return self.address

    def capabilities(self) -> Capabilities:
        # Toss has nothing to ask about an account: what stands here is what its documents say of every payment.
        return Capabilities(
            actions=self.ACTIONS,
            partial=True,
            without_return=True,
            slow_refunds=True,
            finds_ours=True,
            proves_absence=True,
            keeps_keys_hours=15 * 24,
            checks_left=True,
            nouns=("payment", "refund"),
            pushes="nudge",
        )

    def _reads(self, noun: str, ref: str) -> list[Told]:
        """``payment`` by its key, ``order`` by our order number; the refunds come along."""
        if noun not in ("payment", "order"):
            raise Never("not_able")
        try:
            found = self._payment(ref if noun == "payment" else "", ref)
        except Nothing:
            return []
        return _told(found)

    def _hears(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        try:
            came = json.loads(body)
            data = came.get("data", came)
            payment, order = str(data.get("paymentKey") or ""), str(data.get("orderId") or "")
        except (ValueError, RecursionError, TypeError, AttributeError, LookupError):
            raise Never("garbage") from None
        if not (payment or order):
            return []
        try:
            return _told(self._payment(payment, order))
        except Nothing:
            return []  # somebody who is not Toss made it up, or it is another account's

    def _look(self, ask: Ask) -> Seen:
        found = self._payment(ask.payment, ask.order)
        currency = str(found.get("currency") or "KRW")
        left = Money(number(found.get("balanceAmount")), currency)
        mine = next(
            (one for one in found.get("cancels") or [] if marked(one.get("cancelReason"), ask.ours)), None
        )
        ours = mine and _refund(mine, currency, left)
        why = "" if _PAYMENT.get(found["status"]) == "taken" or not left.amount else "locked"
        return Seen(ours=ours, left=left, why=why, more=found["paymentKey"])

    def _send(self, ask: Ask, seen: Seen) -> Outcome:
        assert ask.money and seen.left
        minor(ask.money)  # Never('unfit') for half a won
        expected = ask.expected_left or seen.left
        body = {
            "cancelReason": mark(ask.ours, ask.reason, 200),
            "cancelAmount": _plain(ask.money),
            "refundableAmount": _plain(expected),
        }
        path = f"/v1/payments/{quote(seen.more, safe='')}/cancel"
        reply = self._wire().ask("POST", path, body, {"Idempotency-Key": ask.key})
        cancels = reply.get("cancels")
        if not isinstance(cancels, list) or not reply.get("paymentKey"):
            return judged(reply.get("code"), _CLASSES)
        left = Money(number(reply.get("balanceAmount")), ask.money.currency)
        mine = next((one for one in cancels if marked(one.get("cancelReason"), ask.ours)), None)
        return _refund(mine, ask.money.currency, left) if mine else judged("", _CLASSES)

    def _payment(self, key: str, order: str) -> Mapping[str, Any]:
        path = (
            f"/v1/payments/{quote(key, safe='')}" if key else f"/v1/payments/orders/{quote(order, safe='')}"
        )
        return _read(self._wire().ask("GET", path), "paymentKey", "status")

    def _wire(self) -> Wire:
        entry = base64.b64encode(f"{self.key}:".encode()).decode()
        return Wire(self.address, {"Authorization": f"Basic {entry}"}, self.seconds)


def _read(reply: Reply, *needed: str) -> Mapping[str, Any]:
    """A payment. Raises Nothing, Never('not_allowed') or Later."""
    if isinstance(reply.json, Mapping) and all(reply.get(name) for name in needed):
        return reply.json
    outcome = judged(reply.get("code"), _CLASSES)
    if outcome.code == "not_there":
        raise Nothing
    if outcome.code == "not_allowed":
        raise Never("not_allowed")
    raise Later("broken")


def _plain(money: Money) -> int | float:
    whole = money.amount == money.amount.to_integral_value()
    return int(money.amount) if whole else float(money.amount)


def _refund(one: Mapping[str, Any], currency: str, left: Money) -> Outcome:
    theirs = str(one.get("cancelStatus") or "DONE")
    money = Money(number(one.get("cancelAmount")), currency)
    return refund_outcome(
        str(one.get("transactionKey") or ""), _REFUND.get(theirs, "sent"), money, left, theirs
    )


def _told(found: Mapping[str, Any]) -> list[Told]:
    currency, key, order = (
        str(found.get("currency") or "KRW"),
        str(found["paymentKey"]),
        str(found.get("orderId") or ""),
    )
    total = Money(number(found.get("totalAmount")), currency)
    left = number(found.get("balanceAmount"))
    cancels = found.get("cancels") or []
    at = max(
        [found.get("approvedAt") or found.get("requestedAt"), *[one["canceledAt"] for one in cancels]],
        key=moment,
    )
    state = _PAYMENT.get(str(found["status"]), "")
    if found["status"] == "CANCELED":
        state = "taken" if found.get("approvedAt") and cancels else "voided"
    told = [
        tell(
            "payment",
            state or "awaiting",
            key,
            moment(at),
            found,
            order=order,
            money=total,
            method=found.get("method"),
            refunded=total.amount - left,
            left_to_refund=left,
            detail=found["status"],
        )
    ]
    for one in cancels:
        told.append(
            tell(
                "refund",
                _REFUND.get(str(one.get("cancelStatus") or "DONE"), "sent"),
                str(one["transactionKey"]),
                moment(one["canceledAt"]),
                one,
                order=order,
                money=Money(number(one["cancelAmount"]), currency),
                payment=key,
                reason=one.get("cancelReason"),
            )
        )
    return told
