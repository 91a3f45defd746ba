"""Vendure's orders in our words: the table stands in :mod:`makegood.connectors.vendure`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from makegood.connectors.amounts import major
from makegood.connectors.canon import Told
from makegood.connectors.steps import sum_left
from makegood.connectors.telling import buyer, moment, tell

_ORDER = {"Cancelled": "cancelled", "AddingItems": "", "ArrangingPayment": "", "Draft": "", "Created": ""}
_PAYMENT = {
    "Created": "awaiting",
    "Authorized": "held",
    "Settled": "taken",
    "Declined": "failed",
    "Error": "failed",
    "Cancelled": "voided",
}
_REFUND = {"Pending": "sent", "Settled": "paid_out", "Failed": "refused"}
_SHIPMENT = {"Delivered": "delivered", "Cancelled": "cancelled"}


def refund_state(theirs: str) -> str:
    """Shops may add states of their own: what we do not know of a refund is on its way, and is looked at again."""
    return _REFUND.get(theirs, "sent")


def order_state(order: Mapping[str, Any]) -> str:
    """'' for a cart."""
    return _ORDER.get(order["state"], "open")


def _buyer(customer: Mapping[str, Any]) -> dict[str, str] | None:
    """Who ordered, by what Vendure knows them by; None for nobody that could be told."""
    name = " ".join(filter(None, (customer.get("firstName"), customer.get("lastName"))))
    return buyer(name, customer.get("emailAddress"), customer.get("phoneNumber"))


def order_told(order: Mapping[str, Any], places: int) -> list[Told]:
    code, currency = str(order["code"]), order["currencyCode"]
    state = order_state(order)
    if not state:
        return []  # still a cart
    names = {str(line["id"]): line["productVariant"] for line in order["lines"]}
    told = [
        tell(
            "order",
            state,
            code,
            moment(order["updatedAt"]),
            order,
            order=code,
            money=major(order["totalWithTax"], currency, places),
            placed_at=order["orderPlacedAt"],
            detail=order["state"],
            lines=[_line(one, names[str(one["id"])], currency, places) for one in order["lines"]],
            customer=_buyer(order.get("customer") or {}),
        )
    ]
    for payment in order["payments"]:
        told += _told_payment(payment, code, currency, places)
    for parcel in order["fulfillments"] or []:
        told.append(
            tell(
                "shipment",
                _SHIPMENT.get(parcel["state"], "label"),
                str(parcel["id"]),
                moment(parcel["updatedAt"]),
                parcel,
                order=code,
                direction="out",
                carrier=parcel["method"],
                tracking=parcel["trackingCode"],
                detail=parcel["state"],
                lines=[
                    {**names.get(str(one["orderLineId"]), {}), "quantity": one["quantity"]}
                    for one in parcel["lines"]
                ],
            )
        )
    return told


def _line(one: Mapping[str, Any], variant: Mapping[str, Any], currency: str, places: int) -> dict[str, Any]:
    """A line with what one of it was paid for, its discounts taken off: so much goes back for it."""
    price = one.get("proratedUnitPriceWithTax")
    more = {"price": format(major(price, currency, places).amount, "f")} if isinstance(price, int) else {}
    return {"ref": str(one["id"]), **variant, "quantity": one["quantity"], **more}


def _told_payment(payment: Mapping[str, Any], code: str, currency: str, places: int) -> list[Told]:
    total = major(payment["amount"], currency, places)
    gone = [major(one["total"], currency, places) for one in payment["refunds"] if one["state"] != "Failed"]
    left = sum_left(total, gone)
    told = [
        tell(
            "payment",
            _PAYMENT.get(payment["state"], "awaiting"),
            str(payment["id"]),
            moment(payment["updatedAt"]),
            payment,
            order=code,
            money=total,
            method=payment["method"],
            refunded=total.amount - left.amount,
            left_to_refund=left.amount,
            detail=payment["state"],
        )
    ]
    for one in payment["refunds"]:
        told.append(
            tell(
                "refund",
                refund_state(one["state"]),
                str(one["id"]),
                moment(one["updatedAt"]),
                one,
                order=code,
                money=major(one["total"], currency, places),
                payment=str(payment["id"]),
                reason=one["reason"],
            )
        )
    return told
