"""Medusa 2.21 by its admin API (REST): refunds, and an order read with all that hangs on it. An order is named by its id.

Ours            Medusa
order           open: pending, completed, requires_action; closed: archived; cancelled: canceled; a draft is none
payment         held: not captured; taken: captured; voided: canceled_at
refund          paid_out: a refund row has no state of its own. One that the provider refused afterwards is deleted again
shipment        label: packed or shipped (a number was typed in); delivered: delivered_at; cancelled: canceled_at
our reference   ``note`` of the refund
left            captured less refunded, by our own count
owed            ``summary.pending_difference`` below nought: goods came back and nobody has paid; nothing happens by itself

invalid_data            over_balance (the only refusal of a well-formed refund)
not_allowed             locked
not_found               not_there
unauthorized            not_allowed
all else                unknown

A refund row that its provider call failed for is deleted (open issue 16681 of its keepers: a retry may pay twice), so what cannot be
found proves nothing: the look-up says 'behind' and a person asks the provider.

Remembers no key and compares no balance of ours: two equal calls make two refunds, so only the look before the call and our own
claim stand between. Money is in major units. It pushes nothing by itself; a subscriber in the shop may post events to the generic door.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

from makegood.base import clock
from makegood.connectors.amounts import number
from makegood.connectors.canon import Money, Told
from makegood.connectors.cloudevents import told as told_by_event
from makegood.connectors.errors import Later, Never
from makegood.connectors.ports import Ask, Capabilities, Outcome
from makegood.connectors.steps import Nothing, Seen, Steps, judged, mark, marked, refund_outcome
from makegood.connectors.telling import buyer, moment, tell
from makegood.connectors.wire import Reply, Wire

_ORDER = {"canceled": "cancelled", "archived": "closed", "draft": ""}
_CLASSES = {
    "invalid_data": "over_balance",
    "not_allowed": "locked",
    "not_found": "not_there",
    "unauthorized": "not_allowed",
    "forbidden": "not_allowed",
}
_PAYMENT = (
    "id,amount,currency_code,provider_id,captured_at,canceled_at,created_at,updated_at,*captures,*refunds"
)
_ORDER_FIELDS = (
    "id,display_id,status,currency_code,total,created_at,updated_at,email,*customer,*items,*summary,*fulfillments,"
    "*fulfillments.labels,*fulfillments.items,*payment_collections.payments,*payment_collections.payments.captures,"
    "*payment_collections.payments.refunds"
)


@dataclass(frozen=True)
class Medusa(Steps):
    """``key``: a secret API key (``sk_…``)."""

    address: str
    key: str = field(repr=False)
    secret: str = field(default="", repr=False)
    seconds: float = 60.0
    kind: ClassVar[str] = "medusa"
    PROVES = False
    ACTIONS = frozenset({"refund"})

    @property
    def account(self) -> str:  # type: ignore[override]
        return self.address

    def capabilities(self) -> Capabilities:
        reply = self._wire().ask(
            "GET", "/admin/refund-reasons", params={"limit": "100", "fields": "id,label"}
        )
        reasons = _read(reply, "refund_reasons")
        return Capabilities(
            actions=self.ACTIONS,
            partial=True,
            without_return=True,
            finds_ours=True,
            nouns=("order", "payment"),
            pushes="signed" if self.secret else "",
            read_at=clock.now(),
            more={str(one["id"]): str(one["label"]) for one in reasons},
        )

    def _reads(self, noun: str, ref: str) -> list[Told]:
        path, name, fields = {
            "order": ("orders", "order", _ORDER_FIELDS),
            "payment": ("payments", "payment", _PAYMENT),
        }.get(noun, ("", "", ""))
        if not path:
            raise Never("not_able")
        try:
            found = _read(
                self._wire().ask("GET", f"/admin/{path}/{quote(ref, safe='')}", params={"fields": fields}),
                name,
            )
        except Nothing:
            return []
        return _order_told(found) if noun == "order" else _payment_told(found, "")

    def _hears(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        return told_by_event(self.secret, headers, body)

    def _look(self, ask: Ask) -> Seen:
        path = f"/admin/payments/{quote(ask.payment, safe='')}"
        found = _read(self._wire().ask("GET", path, params={"fields": _PAYMENT}), "payment")
        left = _left(found)
        mine = _ours(found, ask)
        ours = None
        if mine:
            ours = refund_outcome(str(mine["id"]), "paid_out", _money(mine["amount"], left.currency), left)
        return Seen(ours=ours, left=left, why="" if found.get("captured_at") else "locked")

    def _send(self, ask: Ask, seen: Seen) -> Outcome:
        assert ask.money
        body = {"amount": float(ask.money.amount), "note": mark(ask.ours, ask.reason, 250)}
        path = f"/admin/payments/{quote(ask.payment, safe='')}/refund"
        reply = self._wire().ask("POST", path, body, params={"fields": _PAYMENT})
        found = reply.get("payment")
        mine = _ours(found, ask) if isinstance(found, Mapping) else None
        if not mine:
            return judged(reply.get("type"), _CLASSES)
        return refund_outcome(
            str(mine["id"]), "paid_out", _money(mine["amount"], ask.money.currency), _left(found)
        )

    def _wire(self) -> Wire:
        entry = base64.b64encode(f"{self.key}:".encode()).decode()
        return Wire(self.address, {"Authorization": f"Basic {entry}"}, self.seconds)


def _read(reply: Reply, name: str) -> Any:
    if reply.get(name) is not None:
        return reply.get(name)
    outcome = judged(reply.get("type"), _CLASSES)
    if outcome.code == "not_there":
        raise Nothing
    raise Never("not_allowed") if outcome.code == "not_allowed" else Later("broken")


def _money(amount: object, currency: str) -> Money:
    return Money(number(amount), currency.upper())


def _ours(payment: Mapping[str, Any], ask: Ask) -> Mapping[str, Any] | None:
    return next((one for one in payment.get("refunds") or [] if marked(one.get("note"), ask.ours)), None)


def _left(payment: Mapping[str, Any]) -> Money:
    taken, gone = (
        sum((number(one["amount"]) for one in payment.get(part) or []), Decimal(0))
        for part in ("captures", "refunds")
    )
    return Money(taken - gone, str(payment["currency_code"]).upper())


def _payment_told(one: Mapping[str, Any], order: str) -> list[Told]:
    currency, left = str(one["currency_code"]).upper(), _left(one)
    state = "voided" if one.get("canceled_at") else "taken" if one.get("captured_at") else "held"
    told = [
        tell(
            "payment",
            state,
            str(one["id"]),
            moment(one["updated_at"]),
            one,
            order=order,
            money=_money(one["amount"], currency),
            method=one.get("provider_id"),
            left_to_refund=left.amount,
        )
    ]
    for refund in one.get("refunds") or []:
        told.append(
            tell(
                "refund",
                "paid_out",
                str(refund["id"]),
                moment(refund["created_at"]),
                refund,
                order=order,
                money=_money(refund["amount"], currency),
                payment=str(one["id"]),
                reason=refund.get("note"),
            )
        )
    return told


def _order_told(one: Mapping[str, Any]) -> list[Told]:
    state = _ORDER.get(str(one["status"]), "open")
    if not state:
        return []
    code, owed = str(one["display_id"]), (one.get("summary") or {}).get("pending_difference")
    told = [
        tell(
            "order",
            state,
            str(one["id"]),
            moment(one["updated_at"]),
            one,
            order=code,
            money=_money(one["total"], str(one["currency_code"])),
            placed_at=one["created_at"],
            detail=one["status"],
            lines=[
                {
                    "ref": str(item["id"]),
                    "name": item["title"],
                    "quantity": int(item["quantity"]),
                    **({"price": str(item["unit_price"])} if item.get("unit_price") is not None else {}),
                }
                for item in one.get("items") or []
            ],
            x={"pending_difference": str(owed)} if owed is not None else None,
            customer=_buyer(one),
        )
    ]
    for collection in one.get("payment_collections") or []:
        for payment in collection.get("payments") or []:
            told += _payment_told(payment, code)
    for parcel in one.get("fulfillments") or []:
        told.append(_parcel_told(parcel, code))
    return told


def _buyer(one: Mapping[str, Any]) -> dict[str, str] | None:
    """A guest has only the email of the order; a customer with an account has a name and a phone beside it."""
    account = one.get("customer") or {}
    name = " ".join(filter(None, (account.get("first_name"), account.get("last_name"))))
    return buyer(name, one.get("email") or account.get("email"), account.get("phone"))


def _parcel_told(parcel: Mapping[str, Any], code: str) -> Told:
    state = (
        "cancelled" if parcel.get("canceled_at") else "delivered" if parcel.get("delivered_at") else "label"
    )
    at = (
        parcel.get("canceled_at")
        or parcel.get("delivered_at")
        or parcel.get("shipped_at")
        or parcel["created_at"]
    )
    label = (parcel.get("labels") or [{}])[0]
    return tell(
        "shipment",
        state,
        str(parcel["id"]),
        moment(at),
        parcel,
        order=code,
        direction="out",
        tracking=label.get("tracking_number"),
        lines=[{"name": one["title"], "quantity": int(one["quantity"])} for one in parcel.get("items") or []],
    )
