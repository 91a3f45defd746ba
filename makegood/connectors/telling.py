"""Small makers of Told for connectors: types from states, moments from text, signatures by Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from makegood.base import clock
from makegood.connectors.canon import TYPES, Money, Told, noun_of
from makegood.connectors.errors import Never

_WINDOW = timedelta(minutes=5)
#: States that no type tells by itself: the nearest type, with the state said beside it.
_NEAREST = {
    ("refund", "withdrawn"): "refund.failed",
    ("dispute", "in_review"): "dispute.needs_answer",
    ("dispute", "settled"): "dispute.lost",
    ("shipment", "silent"): "shipment.exception",
    ("shipment", "cancelled"): "shipment.exception",
    ("return", "part_received"): "return.received",
    ("return", "withdrawn"): "return.closed",
    ("invoice", "drafted"): "invoice.asked",
    ("invoice", "correction_waiting"): "invoice.asked",
    ("credit", "revoked"): "credit.expired",
}
_BY_STATE = {(noun_of(type_), state): type_ for type_, state in reversed(list(TYPES.items())) if state}


def type_of(noun: str, state: str) -> str:
    """The type of event that tells a state. KeyError for a state that the noun has not."""
    return _BY_STATE.get((noun, state)) or _NEAREST[noun, state]


def tell(
    noun: str,
    state: str,
    ref: str,
    at: datetime,
    raw: Mapping[str, Any],
    *,
    order: str = "",
    sequence: int | None = None,
    money: Money | None = None,
    **more: Any,
) -> Told:
    """One fact as a source said it; ``more`` without what is empty."""
    kept = {name: value for name, value in more.items() if value not in (None, "", [])}
    return Told(type_of(noun, state), noun, ref, at, state, order, sequence, money, kept, raw)


def buyer(name: object, email: object, phone: object) -> dict[str, str] | None:
    """Who ordered, for ``customer``; None where the source tells neither an email nor a phone."""
    told = {"name": name, "email": email, "phone": phone}
    kept = {
        key: str(value).strip()[:limit]
        for key, value, limit in zip(told, told.values(), (120, 254, 40), strict=True)
        if value
    }
    return kept if "email" in kept or "phone" in kept else None


def moment(value: object) -> datetime:
    """ISO 8601 with a zone, or seconds since 1970. Raises Never('garbage')."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            if found.tzinfo:
                return found
    except (ValueError, OverflowError, OSError):
        pass
    raise Never("garbage")


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise Never("secret") from None
    if len(key) < 16:
        raise Never("secret")  # an empty secret would accept everybody
    return key


def signature(secret: str, id_: str, seconds: int, body: bytes) -> str:
    """Standard Webhooks, version 1."""
    digest = hmac.new(_key(secret), f"{id_}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def signed(secret: str, id_: str, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks for a call of ours. ``id_`` stays the same when the call is made again."""
    seconds = int(clock.now().timestamp())
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(secret, id_, seconds, body),
    }


def checked(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """The id of a message by Standard Webhooks. Raises Never('forged') or Never('stale') (five minutes)."""
    low = {name.lower(): value for name, value in headers.items()}
    id_, when, given = (low.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    if not (id_ and given and when.isascii() and when.isdigit() and len(when) < 12):
        raise Never("forged")
    wanted = signature(secret, id_, int(when), body).encode()
    # Several, while a key is being changed.
    if not any(hmac.compare_digest(wanted, one.encode()) for one in given.split(" ")[:10]):
        raise Never("forged")
    if abs(clock.now() - datetime.fromtimestamp(int(when), UTC)) > _WINDOW:
        raise Never("stale")
    return id_
