"""Standard Webhooks (standardwebhooks.com): what comes signed to us, and what we sign.

The reference library makes the signatures. Its own ``verify`` is not used: it asks the system's clock and not the house's,
and a malformed header or body raises whatever it stumbles over (tried with 1.1.0) where a door needs yes or no.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from standardwebhooks import Webhook

from makegood.base import clock

#: How far the time in a signature may be from ours, in seconds.
WINDOW = 300


def new_secret() -> str:
    """A fresh shared secret as the standard writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, at: datetime, body: str) -> dict[str, str]:
    """The three headers of a message."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": _key(secret).sign(message_id, at.astimezone(UTC).replace(tzinfo=None), body),
    }


def signed(known: Iterable[str], headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the signatures is by one of the ``known`` secrets, over id, time and body, and the time is near.

    ``headers`` by lower-case name. Every pair is compared in constant time, and none is skipped.
    """
    name, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not name or len(name) > 200 or not (at.isascii() and at.isdigit() and len(at) < 12):
        return False
    if abs(clock.now().timestamp() - int(at)) > WINDOW:
        return False
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    moment = datetime.fromtimestamp(int(at), UTC).replace(tzinfo=None)
    given = [s.encode("ascii", "replace") for s in headers.get("webhook-signature", "").split()[:10]]
    good = False
    for secret in known:
        wanted = _key(secret).sign(name, moment, text).encode()
        for signature in given:
            good |= hmac.compare_digest(signature, wanted)
    return good


def _key(secret: str) -> Webhook:
    try:
        return Webhook(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        return Webhook(secret.encode())  # a plain passphrase, as people set one
