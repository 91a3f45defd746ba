"""PortOne V2: refund and look-up. A payment is named by the id that the shop chose (paymentId).

Ours            PortOne
payment         awaiting: READY, PENDING, PAY_PENDING, VIRTUAL_ACCOUNT_ISSUED; taken: PAID, PARTIAL_CANCELLED, CANCELLED (after
                money was taken); failed: FAILED; voided: CANCELLED before money was taken
refund          one of cancellations[]: sent: REQUESTED; paid_out: SUCCEEDED; refused: FAILED
our reference   at the end of ``reason``, found again in cancellations[]
left            amount.paid + amount.discount - amount.cancelled, in the currency's smallest unit

PAYMENT_ALREADY_CANCELLED                     already_done       CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT          over_balance
CANCEL_TAX_*, SUM_OF_PARTS_EXCEEDS_..         no_partial         CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN             changed_meanwhile
PAYMENT_NOT_FOUND                             not_there          UNAUTHORIZED, FORBIDDEN                           not_allowed
PAYMENT_NOT_PAID                              locked             INVALID_REQUEST                                   unfit
PG_PROVIDER (the provider behind it said something we cannot class), an outstanding request with the same key, and the rest: unknown

Keeps an idempotency key (16 to 256 characters of ASCII in quotes) for 3 hours; its own Python client cannot send one, so calls go
over the wire. ``currentCancellableAmount`` is compared in the same step: always sent. Webhooks are Standard Webhooks and name the
payment only: it is read. A payment may be reported paid after it was reported failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

from makegood.connectors.amounts import major, minor
from makegood.connectors.canon import Money, Told
from makegood.connectors.errors import Later, Never
from makegood.connectors.ports import Ask, Capabilities, Outcome
from makegood.connectors.steps import Nothing, Seen, Steps, judged, mark, marked, refund_outcome
from makegood.connectors.telling import checked, moment, tell
from makegood.connectors.wire import Wire

_PAYMENT = {
    "READY": "awaiting",
    "PENDING": "awaiting",
    "PAY_PENDING": "awaiting",
    "VIRTUAL_ACCOUNT_ISSUED": "awaiting",
    "PAID": "taken",
    "PARTIAL_CANCELLED": "taken",
    "FAILED": "failed",
}
_REFUND = {"REQUESTED": "sent", "SUCCEEDED": "paid_out", "FAILED": "refused"}
_CLASSES = {
    "PAYMENT_ALREADY_CANCELLED": "already_done",
    "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT": "over_balance",
    "CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT": "no_partial",
    "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT": "no_partial",
    "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT": "no_partial",
    "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN": "changed_meanwhile",
    "PAYMENT_NOT_FOUND": "not_there",
    "PAYMENT_NOT_PAID": "locked",
    "UNAUTHORIZED": "not_allowed",
    "FORBIDDEN": "not_allowed",
    "INVALID_REQUEST": "unfit",
    "PG_PROVIDER": "unknown",
}


@dataclass(frozen=True)
class PortOne(Steps):
    """``key``: the API secret of V2; ``secret``: that of the webhooks; ``store``: the storeId, where a key has several."""

    key: str = field(repr=False)
    secret: str = field(default="", repr=False)
    store: str = ""
    address: str = "https://api.portone.io"
    seconds: float = 60.0
    kind: ClassVar[str] = "portone"
    ACTIONS = frozenset({"refund"})

    @property
    def account(self) -> str:  # type: ignore[override]
        return f"{self.address} {self.store}"

    def capabilities(self) -> Capabilities:
        # PortOne tells nothing about the channel behind a payment before one asks: what its documents say of every payment.
        return Capabilities(
            actions=self.ACTIONS,
            partial=True,
            without_return=True,
            slow_refunds=True,
            finds_ours=True,
            proves_absence=True,
            keeps_keys_hours=3,
            checks_left=True,
            nouns=("payment", "refund"),
            pushes="signed" if self.secret else "",
        )

    def _reads(self, noun: str, ref: str) -> list[Told]:
        if noun != "payment":
            raise Never("not_able")
        try:
            return _told(self._payment(ref))
        except Nothing:
            return []

    def _hears(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        checked(self.secret, headers, body)
        try:
            came = json.loads(body)
            kind, payment = came["type"], came["data"].get("paymentId")
        except (ValueError, RecursionError, TypeError, AttributeError, LookupError):
            raise Never("garbage") from None
        if not (isinstance(kind, str) and kind.startswith("Transaction.") and isinstance(payment, str)):
            return []  # its documents: unknown types are to be passed over
        return self._reads("payment", payment)

    def _look(self, ask: Ask) -> Seen:
        found = self._payment(ask.payment)
        currency, left = str(found["currency"]), _left(found)
        mine = next(
            (one for one in found.get("cancellations") or [] if marked(one.get("reason"), ask.ours)), None
        )
        ours = mine and _refund(mine, currency, left)
        taken = _PAYMENT.get(found["status"]) == "taken" or found["status"] == "CANCELLED"
        return Seen(ours=ours, left=left, why="" if taken else "locked")

    def _send(self, ask: Ask, seen: Seen) -> Outcome:
        assert ask.money and seen.left
        body = {
            "amount": minor(ask.money),
            "reason": mark(ask.ours, ask.reason, 200),
            "currentCancellableAmount": minor(ask.expected_left or seen.left),
            **self._storeless(),
        }
        path = f"/payments/{quote(ask.payment, safe='')}/cancel"
        reply = self._wire().ask("POST", path, body, {"Idempotency-Key": f'"{ask.key}"'})
        made = reply.get("cancellation")
        if not isinstance(made, Mapping):
            return judged(reply.get("type"), _CLASSES)
        left = Money(seen.left.amount - ask.money.amount, ask.money.currency)
        return _refund(made, ask.money.currency, left)

    def _payment(self, ref: str) -> Mapping[str, Any]:
        path = f"/payments/{quote(ref, safe='')}"
        reply = self._wire().ask("GET", path, params=self._storeless())
        if isinstance(reply.get("amount"), Mapping) and reply.get("currency"):
            return reply.json
        outcome = judged(reply.get("type"), _CLASSES)
        if outcome.code == "not_there":
            raise Nothing
        raise Never("not_allowed") if outcome.code == "not_allowed" else Later("broken")

    def _storeless(self) -> dict[str, str]:
        return {"storeId": self.store} if self.store else {}

    def _wire(self) -> Wire:
        return Wire(self.address, {"Authorization": f"PortOne {self.key}"}, self.seconds)


def _left(found: Mapping[str, Any]) -> Money:
    amount = found["amount"]
    try:
        units = amount["paid"] + amount.get("discount", 0) - amount["cancelled"]
    except (LookupError, TypeError):
        raise Later("garbage") from None
    return major(units, str(found["currency"]))


def _refund(one: Mapping[str, Any], currency: str, left: Money) -> Outcome:
    theirs = str(one.get("status"))
    money = major(one["totalAmount"], currency)
    return refund_outcome(str(one["id"]), _REFUND.get(theirs, "sent"), money, left, theirs)


def _told(found: Mapping[str, Any]) -> list[Told]:
    currency, ref = str(found["currency"]), str(found["id"])
    left = _left(found)
    total = major(found["amount"]["total"], currency)
    state = _PAYMENT.get(str(found["status"]), "awaiting")
    if found["status"] == "CANCELLED":
        state = "taken" if found["amount"]["cancelled"] else "voided"
    told = [
        tell(
            "payment",
            state,
            ref,
            moment(found.get("statusChangedAt") or found.get("requestedAt")),
            found,
            money=total,
            refunded=major(found["amount"]["cancelled"], currency).amount,
            left_to_refund=left.amount,
            detail=found["status"],
        )
    ]
    for one in found.get("cancellations") or []:
        told.append(
            tell(
                "refund",
                _REFUND.get(str(one["status"]), "sent"),
                str(one["id"]),
                moment(one.get("cancelledAt") or one["requestedAt"]),
                one,
                money=major(one["totalAmount"], currency),
                payment=ref,
                reason=one.get("reason"),
            )
        )
    return told
