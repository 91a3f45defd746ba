"""Stripe by its official client (optional extra ``stripe``), refunds and what it tells. A payment is a PaymentIntent (``pi_…``).

Ours            Stripe
payment         awaiting: requires_payment_method, requires_confirmation, requires_action, processing; held: requires_capture;
                taken: succeeded; voided: canceled; failed: the event payment_intent.payment_failed
refund          sent: pending; stuck: pending for insufficient_funds, requires_action; paid_out: succeeded; withdrawn: canceled;
                refused: failed, or reversed where it had succeeded (previous_attributes of the event, ``was`` of the ask)
dispute         warned: warning_*; needs_answer: needs_response; in_review: under_review; won: won, prevented; lost: lost
our reference   ``metadata.makegood`` of the refund
left            amount_captured - amount_refunded of the latest charge

charge_already_refunded                          already_done
invalid_request_error about ``amount``           over_balance (it has no code of its own)
balance_insufficient, insufficient_funds         funds_short
charge_disputed, refund_disputed_payment         locked
resource_missing                                 not_there
idempotency_error (the key with another ask)     changed_meanwhile
rate_limit                                       busy
key refused                                      not_allowed
no answer, idempotency_key_in_use, and the rest  unknown

Keeps a key for at least 24 hours and then takes the same ask as a new one. It compares no balance of ours. The client's own
retries are switched off: what is unknown is looked up. Its calls go over our wire.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

import stripe as official

from makegood.base import clock
from makegood.connectors.amounts import major, minor
from makegood.connectors.canon import Money, Told
from makegood.connectors.errors import Later, Never
from makegood.connectors.ports import Ask, Capabilities, Outcome
from makegood.connectors.steps import Nothing, Seen, Steps, judged, refund_outcome
from makegood.connectors.telling import moment, tell
from makegood.connectors.wire import Wire

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
_CLASSES = {
    "charge_already_refunded": "already_done",
    "invalid_request_error:amount": "over_balance",
    "balance_insufficient": "funds_short",
    "insufficient_funds": "funds_short",
    "charge_disputed": "locked",
    "refund_disputed_payment": "locked",
    "resource_missing": "not_there",
    "idempotency_error": "changed_meanwhile",
    "rate_limit": "busy",
    "not_allowed": "not_allowed",
    "idempotency_key_in_use": "unknown",
    "api_error": "unknown",
}
#: Stripe takes these two with two decimals that are always nought, though they have none.
_ODD = {"ISK": 2, "UGX": 2}
_WINDOW = timedelta(minutes=5)


class _OverWire(official.HTTPClient):
    """The client's calls over our wire: its guard, its limits, its three kinds of trouble."""

    name = "makegood"

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        parts = urlsplit(url)
        body = post_data.encode() if isinstance(post_data, str) else post_data
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        wire = Wire(f"{parts.scheme}://{parts.netloc}", seconds=self._seconds)
        reply = wire.ask(method.upper(), path, body or None, headers)
        return reply.raw.decode(errors="replace"), reply.status, reply.headers

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Stripe(Steps):
    """``key``: a secret or restricted key; ``secret``: of the webhook endpoint; ``account_id``: of a connected account."""

    key: str = field(repr=False)
    secret: str = field(default="", repr=False)
    account_id: str = ""
    address: str = "https://api.stripe.com"
    seconds: float = 60.0
    kind: ClassVar[str] = "stripe"
    ACTIONS = frozenset({"refund"})

    @property
    def account(self) -> str:  # type: ignore[override]
        return f"{self.address} {self.account_id}"

    def capabilities(self) -> Capabilities:
        with _reading():
            balance = self._client().v1.balance.retrieve()
        return Capabilities(
            actions=self.ACTIONS,
            partial=True,
            without_return=True,
            slow_refunds=True,
            finds_ours=True,
            proves_absence=True,
            keeps_keys_hours=24,
            tells_reversal=True,
            nouns=("payment", "refund"),
            pushes="signed" if self.secret else "",
            read_at=clock.now(),
            more={"live": "yes" if balance.livemode else "no"},
        )

    def _reads(self, noun: str, ref: str) -> list[Told]:
        if noun not in ("payment", "refund"):
            raise Never("not_able")
        at = clock.now()  # Stripe's objects bear no time of their last change
        try:
            with _reading():
                if noun == "refund":
                    return [_refund_told(self._client().v1.refunds.retrieve(ref).to_dict(), at)]
                payment, refunds = self._payment(ref)
        except Nothing:
            return []
        return [_payment_told(payment, at), *[_refund_told(one, at) for one in refunds]]

    def _hears(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        given = {name.lower(): value for name, value in headers.items()}.get("stripe-signature", "")
        try:
            if not self.secret:
                raise Never("secret")
            official.WebhookSignature.verify_header(body.decode(), given, self.secret, None)
            signed = next(int(part[2:]) for part in given.split(",") if part.startswith("t="))
        except (official.SignatureVerificationError, ValueError, StopIteration):
            raise Never("forged") from None
        if abs(clock.now() - moment(signed)) > _WINDOW:
            raise Never("stale")
        event = json.loads(body)
        return _event_told(event)

    def _look(self, ask: Ask) -> Seen:
        with _reading():
            payment, refunds = self._payment(ask.payment)
        charge = payment.get("latest_charge") or {}
        currency = str(payment["currency"]).upper()
        left = _money(charge.get("amount_captured", 0) - charge.get("amount_refunded", 0), currency)
        mine = next((one for one in refunds if (one.get("metadata") or {}).get("makegood") == ask.ours), None)
        ours = _outcome(mine, left) if mine else None
        why = "" if payment["status"] == "succeeded" else "locked"
        return Seen(ours=ours, left=left, why=why)

    def _send(self, ask: Ask, seen: Seen) -> Outcome:
        assert ask.money and seen.left
        asked: Any = {
            "payment_intent": ask.payment,
            "amount": minor(ask.money, _ODD.get(ask.money.currency)),
            "metadata": {"makegood": ask.ours, "reason": ask.reason[:400]},
        }
        try:
            made = self._client().v1.refunds.create(asked, {"idempotency_key": ask.key})
        except official.StripeError as error:
            return judged(_code(error), _CLASSES)
        return _outcome(made.to_dict(), Money(seen.left.amount - ask.money.amount, seen.left.currency))

    def _payment(self, ref: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        api = self._client().v1
        payment = api.payment_intents.retrieve(ref, {"expand": ["latest_charge"]}).to_dict()
        refunds = api.refunds.list({"payment_intent": ref, "limit": 100})
        return payment, [one.to_dict() for one in refunds.auto_paging_iter()]

    def _client(self) -> official.StripeClient:
        return official.StripeClient(
            self.key,
            stripe_account=self.account_id or None,
            http_client=_OverWire(self.seconds),
            max_network_retries=0,
            base_addresses={"api": self.address},
        )


def _code(error: official.StripeError) -> str:
    """Stripe's code; where it has none, its type and what it is about."""
    if isinstance(error, official.AuthenticationError | official.PermissionError):
        return "not_allowed"
    if error.code:
        return error.code
    body = error.json_body if isinstance(error.json_body, Mapping) else {}
    said = body.get("error")
    kind, about = (said.get("type"), said.get("param")) if isinstance(said, Mapping) else ("", "")
    return f"{kind}:{about}" if about else str(kind or "")


@contextmanager
def _reading() -> Iterator[None]:
    """A question's errors: Nothing, Never('not_allowed'), Later for the rest."""
    try:
        yield
    except official.StripeError as error:
        code = _code(error)
        if code == "resource_missing":
            raise Nothing from None
        raise Never("not_allowed") if code == "not_allowed" else Later("broken") from None


def _money(units: int, currency: str) -> Money:
    return major(units, currency, _ODD.get(currency.upper()))


def _refund_state(one: Mapping[str, Any]) -> str:
    if one.get("status") == "pending" and one.get("pending_reason") == "insufficient_funds":
        return "stuck"
    return _REFUND.get(str(one.get("status")), "sent")


def _outcome(one: Mapping[str, Any], left: Money) -> Outcome:
    money = _money(one["amount"], str(one["currency"]))
    return refund_outcome(
        str(one["id"]), _refund_state(one), money, left, str(one.get("failure_reason") or "")
    )


def _order(one: Mapping[str, Any]) -> str:
    """Stripe knows no orders; most shops write theirs into the metadata."""
    data = one.get("metadata") or {}
    return str(data.get("order") or data.get("order_id") or data.get("order_number") or "")[:60]


def _payment_told(one: Mapping[str, Any], at: datetime, state: str = "") -> Told:
    currency = str(one["currency"])
    charge = one["latest_charge"] if isinstance(one.get("latest_charge"), Mapping) else {}
    left = charge.get("amount_captured", 0) - charge.get("amount_refunded", 0)
    known: dict[str, Any] = (
        {"left_to_refund": _money(left, currency).amount, "locked": bool(charge.get("disputed"))}
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
        money=_money(one["amount"], currency),
        detail=one["status"],
        **known,
    )


def _refund_told(one: Mapping[str, Any], at: datetime, state: str = "") -> Told:
    return tell(
        "refund",
        state or _refund_state(one),
        str(one["id"]),
        at,
        one,
        order=_order(one),
        money=_money(one["amount"], str(one["currency"])),
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
        money=_money(one["amount"], str(one["currency"])),
        payment=one.get("payment_intent") if isinstance(one.get("payment_intent"), str) else "",
        answer_by=datetime.fromtimestamp(due, UTC).isoformat() if due else "",
        reason=one.get("reason"),
    )


def _event_told(event: Mapping[str, Any]) -> list[Told]:
    kind, at = str(event["type"]), moment(event["created"])
    one = event["data"]["object"]
    if kind in ("refund.created", "refund.updated", "refund.failed"):
        before = (event["data"].get("previous_attributes") or {}).get("status")
        back = before == "succeeded" and one.get("status") in ("failed", "canceled")
        return [_refund_told(one, at, "reversed" if back else "")]
    if kind.startswith("payment_intent."):
        return [_payment_told(one, at, "failed" if kind == "payment_intent.payment_failed" else "")]
    if kind.startswith("charge.dispute.") and one.get("object") == "dispute":
        return [_dispute_told(one, at)]
    return []
