"""Any shop that answers our signed calls: four questions and seven actions, over one address. ``examples/shop/`` is one.

Every call is ``POST {address}/{call}`` with a JSON body, signed by Standard Webhooks (``webhook-id`` of an action is its idempotency
key, so the same ask bears the same id for ever); the body names the call too, for a signature does not cover the address.

call                          body                                       answer
able                          {}                                         actions, and any of Capabilities' fields
read                          noun, ref                                  things: CloudEvents as the shop would post them
look                          the ask                                    ours (an outcome) or null, left, why, will, fee; or there: false
refund cancel return_open     the ask                                    an outcome
replace credit
invoice_correct freeze

An ask is action, ours, order, payment, money {amount, currency}, lines [{ref, quantity}], reason, expected_left. An outcome is
outcome (done, refused, unknown), code (of ports.REFUSALS), ref, state (of canon.STATES), money, left.

The shop speaks our words, so there is no table: states, types and codes are ours; a code that we do not know is unknown.
Events come in as CloudEvents, signed with the same secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4

from makegood.base import clock
from makegood.connectors.canon import NOUNS, STATES, Money, Told
from makegood.connectors.cloudevents import money_of, money_out
from makegood.connectors.cloudevents import told as told_by_event
from makegood.connectors.errors import Later, Never
from makegood.connectors.ports import (
    ACTIONS,
    MAKES,
    REFUSALS,
    Ask,
    Capabilities,
    Clock,
    Outcome,
    refused,
    unknown,
)
from makegood.connectors.steps import Nothing, Seen, Steps
from makegood.connectors.telling import signed
from makegood.connectors.wire import Reply, Wire

_FLAGS = (
    "partial",
    "without_return",
    "slow_refunds",
    "finds_ours",
    "proves_absence",
    "checks_left",
    "tells_reversal",
)


@dataclass(frozen=True)
class Generic(Steps):
    """``secret``: ``whsec_`` and base64, for both ways."""

    address: str
    secret: str = field(repr=False)
    seconds: float = 60.0
    kind: ClassVar[str] = "generic"
    ACTIONS = frozenset(ACTIONS)

    @property
    def account(self) -> str:  # type: ignore[override]
        return self.address

    def capabilities(self) -> Capabilities:
        told = self._question("able", {}, uuid4().hex)
        actions = told.get("actions")
        if not isinstance(actions, list):
            raise Later("garbage")
        flags: dict[str, Any] = {name: told.get(name) is True for name in _FLAGS}
        hours = told.get("keeps_keys_hours", 0)
        nouns = told.get("nouns")
        return Capabilities(
            actions=frozenset(one for one in actions if one in ACTIONS),
            **flags,
            keeps_keys_hours=hours if isinstance(hours, int) or hours is None else 0,
            reasons=tuple(str(one) for one in told.get("reasons") or []),
            clocks=tuple(_clocks(told.get("clocks") or [])),
            nouns=tuple(one for one in nouns if one in NOUNS) if isinstance(nouns, list) else (),
            pushes="signed",
            read_at=clock.now(),
        )

    def _reads(self, noun: str, ref: str) -> list[Told]:
        body = json.dumps({"noun": noun, "ref": ref})
        things = self._question("read", json.loads(body), uuid4().hex).get("things")
        if not isinstance(things, list):
            raise Later("garbage")
        raw = json.dumps(things).encode()
        return told_by_event(self.secret, signed(self.secret, "read", raw), raw) if things else []

    def _hears(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        return told_by_event(self.secret, headers, body)

    def _look(self, ask: Ask) -> Seen:
        found = self._question("look", _out(ask), uuid4().hex)
        if found.get("there") is False:
            raise Nothing
        if "ours" not in found:
            raise Later("garbage")  # an answer that does not say must not be read as 'there is nothing'
        ours = found["ours"]
        why = found.get("why") or ""
        return Seen(
            ours=_outcome(ours, ask) if ours is not None else None,
            left=_money(found.get("left")),
            why=why if why in REFUSALS or not why else "declined",
            will=tuple(str(one) for one in found.get("will") or []),
            fee=_money(found.get("fee")),
        )

    def _send(self, ask: Ask, seen: Seen) -> Outcome:
        return _outcome(self._call(ask.action, _out(ask), ask.key).json, ask)

    def _question(self, call: str, body: Mapping[str, Any], id_: str) -> Mapping[str, Any]:
        found = self._call(call, body, id_).json
        if not isinstance(found, Mapping):
            raise Later("garbage")
        if found.get("code") == "not_allowed":
            raise Never("not_allowed")
        if found.get("code"):
            raise Later("broken")
        return found

    def _call(self, call: str, body: Mapping[str, Any], id_: str) -> Reply:
        raw = json.dumps({"call": call, **body}).encode()
        return Wire(self.address, seconds=self.seconds).ask(
            "POST", f"/{call}", raw, signed(self.secret, id_, raw)
        )


def _out(ask: Ask) -> dict[str, Any]:
    return {
        "action": ask.action,
        "ours": ask.ours,
        "order": ask.order,
        "payment": ask.payment,
        "money": money_out(ask.money),
        "lines": [{"ref": line.ref, "quantity": line.quantity} for line in ask.lines],
        "reason": ask.reason,
        "expected_left": money_out(ask.expected_left),
    }


def _outcome(found: Any, ask: Ask) -> Outcome:
    """An outcome in the shop's words; whatever is not exactly one is unknown."""
    if not isinstance(found, Mapping):
        return unknown("strange")
    code, result = str(found.get("code") or ""), found.get("outcome")
    try:
        money, left = _money(found.get("money")), _money(found.get("left"))
    except Never:
        return unknown("strange", code)
    ref, state = str(found.get("ref") or ""), str(found.get("state") or "")
    if result == "refused" and code in REFUSALS:
        return refused(code, ref=ref, state=state if state in STATES[MAKES[ask.action]] else "", left=left)
    if result == "done" and ref and state in STATES[MAKES[ask.action]]:
        return Outcome("done", "", ref, state, money, left)
    return unknown("strange", code)


def _money(found: object) -> Money | None:
    return None if found is None else money_of(found)


def _clocks(found: Any) -> list[Clock]:
    try:
        return [Clock(str(one["name"]), one["noun"], one["state"], int(one["hours"])) for one in found]
    except (LookupError, TypeError, ValueError):
        raise Later("garbage") from None
