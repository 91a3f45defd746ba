"""Stripe's objects and events in our words: the table stands in :mod:`makegood.connectors.stripe`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from makegood.connectors.amounts import major
from makegood.connectors.canon import Money, Told
from makegood.connectors.telling import moment, tell

_PAYMENT = {
    "requires_payment_method": "awaiting",
    "requires_confirmation": "awaiting",
    "requires_action": "awaiting",
    "processing": "awaiting",
    "requires_capture": "held",
    "succeeded": "taken",
    "canceled": "voided",
}
_REFUND = {
    "pending": "sent",
    "requires_action": "stuck",
    "succeeded": "paid_out",
    "failed": "refused",
    "canceled": "withdrawn",
}
_DISPUTE = {
    "needs_response": "needs_answer",
    "under_review": "in_review",
    "won": "won",
    "prevented": "won",
    "lost": "lost",
}
#: Stripe takes these two with two decimals that are always nought, though they have none.
ODD = {"ISK": 2, "UGX": 2}


def left_units(charge: Mapping[str, Any]) -> int:
    """In the smallest unit. Charges of old API versions do not say how much of them was captured, only that they were."""
    whole = charge.get("amount", 0) if charge.get("captured") else 0
    return int(charge.get("amount_captured", whole)) - int(charge.get("amount_refunded", 0))


def money_of(units: int, currency: str) -> Money:
    return major(units, currency, ODD.get(currency.upper()))


def refund_state(one: Mapping[str, Any]) -> str:
    if one.get("status") == "pending" and one.get("pending_reason") == "insufficient_funds":
        return "stuck"
    return _REFUND.get(str(one.get("status")), "sent")


def _order(one: Mapping[str, Any]) -> str:
    """Stripe knows no orders; most shops write theirs into the metadata."""
    data = one.get("metadata") or {}
    return str(data.get("order") or data.get("order_id") or data.get("order_number") or "")[:60]


def payment_told(one: Mapping[str, Any], at: datetime, state: str = "") -> Told:
    currency = str(one["currency"])
    charge = one["latest_charge"] if isinstance(one.get("latest_charge"), Mapping) else {}
    left = left_units(charge)
    known: dict[str, Any] = (
        {"left_to_refund": money_of(left, currency).amount, "locked": bool(charge.get("disputed"))}
        if charge
        else {}
    )
    return tell(
        "payment",
        state or _PAYMENT.get(str(one["status"]), "awaiting"),
        str(one["id"]),
        at,
        one,
        order=_order(one),
        money=money_of(one["amount"], currency),
        detail=one["status"],
        **known,
    )


def refund_told(one: Mapping[str, Any], at: datetime, state: str = "") -> Told:
    return tell(
        "refund",
        state or refund_state(one),
        str(one["id"]),
        at,
        one,
        order=_order(one),
        money=money_of(one["amount"], str(one["currency"])),
        payment=one.get("payment_intent") if isinstance(one.get("payment_intent"), str) else "",
        our_key=(one.get("metadata") or {}).get("makegood"),
        reason=one.get("failure_reason") or one.get("reason"),
        detail=one.get("pending_reason"),
    )


def _dispute_told(one: Mapping[str, Any], at: datetime) -> Told:
    status = str(one["status"])
    state = "warned" if status.startswith("warning") else _DISPUTE.get(status, "in_review")
    due = (one.get("evidence_details") or {}).get("due_by")
    return tell(
        "dispute",
        state,
        str(one["id"]),
        at,
        one,
        money=money_of(one["amount"], str(one["currency"])),
        payment=one.get("payment_intent") if isinstance(one.get("payment_intent"), str) else "",
        answer_by=datetime.fromtimestamp(due, UTC).isoformat() if due else "",
        reason=one.get("reason"),
    )


def event_told(event: Mapping[str, Any]) -> list[Told]:
    kind, at = str(event["type"]), moment(event["created"])
    one = event["data"]["object"]
    if kind in ("refund.created", "refund.updated", "refund.failed"):
        before = (event["data"].get("previous_attributes") or {}).get("status")
        back = before == "succeeded" and one.get("status") in ("failed", "canceled")
        return [refund_told(one, at, "reversed" if back else "")]
    if kind.startswith("payment_intent."):
        return [payment_told(one, at, "failed" if kind == "payment_intent.payment_failed" else "")]
    if kind.startswith("charge.dispute.") and one.get("object") == "dispute":
        return [_dispute_told(one, at)]
    return []
