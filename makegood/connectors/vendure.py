"""Vendure 3.7 by its admin API (GraphQL). An order is named by its code, a payment by its id, and a payment needs its order.

Ours            Vendure
order           open: PaymentAuthorized … Delivered, Modifying, ArrangingAdditionalPayment; cancelled: Cancelled. Carts are none
payment         awaiting: Created; held: Authorized; taken: Settled; failed: Declined, Error; voided: Cancelled
refund          sent: Pending; paid_out: Settled; refused: Failed (it comes back as a normal object)
shipment        label: Created, Pending, Shipped (a number was typed in, no carrier has scanned it); delivered: Delivered;
                cancelled: Cancelled
whose it is     customer: firstName lastName, emailAddress, phoneNumber
our reference   at the end of ``reason`` of the refund, and of the cancellation in the order's history

AlreadyRefundedError                           already_done      RefundAmountError, QuantityTooGreatError   over_balance
RefundOrderStateError, OrderStateTransitionError, CancelActiveOrderError   locked
NothingToRefundError, PaymentOrderMismatchError, MultipleOrderError, EmptyOrderLineSelectionError   unfit
RefundStateTransitionError                     unknown: it may have left a refund behind that is Pending (seen in 3.7.3)
errors[].extensions.code FORBIDDEN             not_allowed

Vendure asks the provider first and writes its own row afterwards: an error in between leaves a refund that it does not know. So what
cannot be found proves nothing; the look-up says 'behind' and a person asks the provider.

Remembers no key and compares no balance of ours: only what is left of the payment stops a second refund. Its money has as many
decimals as ``moneyStrategyPrecision`` says, for every currency alike: 12,000 KRW are 1200000 where it says 2. It pushes nothing by
itself; a plug-in in the shop may post events to the generic door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from makegood.base import clock
from makegood.connectors.amounts import major, minor
from makegood.connectors.canon import Money, Told
from makegood.connectors.cloudevents import told as told_by_event
from makegood.connectors.errors import Later, Never
from makegood.connectors.graph import GraphTrouble, data, read
from makegood.connectors.ports import Ask, Capabilities, Outcome, done
from makegood.connectors.steps import Nothing, Seen, Steps, judged, mark, marked, refund_outcome, sum_left
from makegood.connectors.vendure_told import order_state, order_told, refund_state
from makegood.connectors.wire import Reply, Wire

_CLASSES = {
    "AlreadyRefundedError": "already_done",
    "RefundAmountError": "over_balance",
    "QuantityTooGreatError": "over_balance",
    "RefundOrderStateError": "locked",
    "OrderStateTransitionError": "locked",
    "CancelActiveOrderError": "locked",
    "NothingToRefundError": "unfit",
    "PaymentOrderMismatchError": "unfit",
    "MultipleOrderError": "unfit",
    "EmptyOrderLineSelectionError": "unfit",
    "RefundStateTransitionError": "unknown",
    "FORBIDDEN": "not_allowed",
    "UNAUTHENTICATED": "not_allowed",
    "GRAPHQL_VALIDATION_FAILED": "unfit",
    "BAD_USER_INPUT": "unfit",
}
_READ = """query($code: String!) {
  globalSettings { serverConfig { moneyStrategyPrecision } }
  orders(options: {filter: {code: {eq: $code}}, take: 1}) { items {
    id code state currencyCode totalWithTax orderPlacedAt createdAt updatedAt
    customer { firstName lastName emailAddress phoneNumber }
    lines { id quantity proratedUnitPriceWithTax productVariant { name sku } }
    payments { id amount state method createdAt updatedAt
      refunds { id total state reason transactionId createdAt updatedAt } }
    fulfillments { id state method trackingCode createdAt updatedAt lines { orderLineId quantity } }
    history(options: {filter: {type: {eq: "ORDER_CANCELLATION"}}, take: 50}) { items { createdAt data } }
  } } }"""
_REFUND_IT = """mutation($input: RefundOrderInput!) { done: refundOrder(input: $input) {
  __typename ... on Refund { id total state reason } ... on ErrorResult { errorCode message } } }"""
_CANCEL_IT = """mutation($input: CancelOrderInput!) { done: cancelOrder(input: $input) {
  __typename ... on Order { id code state } ... on ErrorResult { errorCode message } } }"""
_LOGIN = """mutation($username: String!, $password: String!) { login(username: $username, password: $password) {
  __typename } }"""
_ABLE = "{ globalSettings { serverConfig { moneyStrategyPrecision } } me { id } }"


@dataclass(frozen=True)
class Vendure(Steps):
    """``key``: an API key; without one, ``user`` and ``password`` of an administrator sign in, once an instance."""

    address: str
    key: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    seconds: float = 60.0
    _session: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    kind: ClassVar[str] = "vendure"
    PROVES = False
    ACTIONS = frozenset({"refund", "cancel"})

    @property
    def account(self) -> str:  # type: ignore[override]
        return self.address

    def capabilities(self) -> Capabilities:
        places = _places(self._read(_ABLE, {}))
        return Capabilities(
            actions=self.ACTIONS,
            partial=True,
            without_return=True,
            slow_refunds=True,
            finds_ours=True,
            nouns=("order",),
            pushes="signed" if self.secret else "",
            decimals=places,
            read_at=clock.now(),
        )

    def _reads(self, noun: str, ref: str) -> list[Told]:
        """Only ``order`` by its code: Vendure finds nothing else by itself; what hangs on it comes along."""
        if noun != "order":
            raise Never("not_able")
        found = self._order(ref)
        return [] if found is None else order_told(*found)

    def _hears(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        return told_by_event(self.secret, headers, body)

    def _look(self, ask: Ask) -> Seen:
        found = self._order(ask.order)
        if found is None:
            raise Nothing
        order, places = found
        if ask.action == "cancel":
            return _cancel_seen(order, ask)
        payment = next((one for one in order["payments"] if str(one["id"]) == ask.payment), None)
        if payment is None:
            raise Nothing
        currency = order["currencyCode"]
        gone = [
            major(one["total"], currency, places) for one in payment["refunds"] if one["state"] != "Failed"
        ]
        left = sum_left(major(payment["amount"], currency, places), gone)
        mine = next((one for one in payment["refunds"] if marked(one["reason"], ask.ours)), None)
        ours = mine and refund_outcome(
            str(mine["id"]),
            refund_state(mine["state"]),
            major(mine["total"], currency, places),
            left,
            mine["state"],
        )
        why = "" if payment["state"] == "Settled" else "locked"
        return Seen(ours=ours, left=left, why=why, more=(order["id"], places))

    def _send(self, ask: Ask, seen: Seen) -> Outcome:
        if ask.action == "cancel":
            lines = [{"orderLineId": line.ref, "quantity": line.quantity} for line in ask.lines]
            asked = {
                "orderId": seen.more,
                "reason": mark(ask.ours, ask.reason, 250),
                "cancelShipping": not lines,
                **({"lines": lines} if lines else {}),
            }
            return self._judge(self._post(_CANCEL_IT, {"input": asked}), seen)
        assert ask.money
        asked = {
            "paymentId": ask.payment,
            "amount": minor(ask.money, seen.more[1]),
            # Called deprecated, and yet the database refuses a refund without them (3.7.3) – after the provider has been asked.
            "lines": [{"orderLineId": line.ref, "quantity": line.quantity} for line in ask.lines],
            "shipping": 0,
            "adjustment": 0,
            "reason": mark(ask.ours, ask.reason, 250),
        }
        return self._judge(self._post(_REFUND_IT, {"input": asked}), seen, ask.money)

    def _judge(self, reply: Reply, seen: Seen, money: Money | None = None) -> Outcome:
        try:
            answer = data(reply)["done"]
        except GraphTrouble as trouble:
            return judged(trouble.code, _CLASSES)
        except (Later, LookupError):
            return judged("", _CLASSES)
        kind = answer.get("__typename") if isinstance(answer, Mapping) else ""
        if kind == "Order":
            return done(str(answer["id"]), "cancelled" if answer["state"] == "Cancelled" else "open")
        if kind == "Refund":
            left = sum_left(seen.left, [money]) if seen.left and money else None
            return refund_outcome(
                str(answer["id"]), refund_state(answer["state"]), money, left, answer["state"]
            )
        return judged(kind, _CLASSES)

    def _order(self, code: str) -> tuple[Mapping[str, Any], int] | None:
        found = self._read(_READ, {"code": code})
        try:
            items = found["orders"]["items"]
            return (items[0], _places(found)) if items else None
        except (LookupError, TypeError):
            raise Later("garbage") from None

    def _read(self, question: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return read(self._post(question, values))
        except Never:
            if not self._session:
                raise
            self._session.clear()  # it has run out; a question may be asked twice, a deed never is
            return read(self._post(question, values))

    def _post(self, question: str, values: Mapping[str, Any]) -> Reply:
        wire = Wire(self.address, self._entry(), self.seconds)
        return wire.ask("POST", "", {"query": question, "variables": values})

    def _entry(self) -> dict[str, str]:
        if self.key:
            return {"vendure-api-key": self.key}
        if self._session:
            return self._session
        reply = Wire(self.address, seconds=self.seconds).ask(
            "POST", "", {"query": _LOGIN, "variables": {"username": self.user, "password": self.password}}
        )
        token = reply.headers.get("vendure-auth-token", "")
        if not token:
            raise Never("not_allowed") if reply.get("data", "login") else Later("broken")
        self._session["Authorization"] = f"Bearer {token}"
        return self._session


def _places(found: Mapping[str, Any]) -> int:
    try:
        return int(found["globalSettings"]["serverConfig"]["moneyStrategyPrecision"])
    except (LookupError, TypeError, ValueError):
        raise Later("garbage") from None


def _cancel_seen(order: Mapping[str, Any], ask: Ask) -> Seen:
    entries = order["history"]["items"]
    mine = any(marked(one["data"].get("reason"), ask.ours) for one in entries)
    state = order_state(order)
    ours = done(str(order["id"]), state) if mine else None
    return Seen(ours=ours, why="already_done" if state == "cancelled" and not mine else "", more=order["id"])
