"""A store of Haneul that tells us things, and how it sends them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from makegood.base import clock, webhooks
from makegood.base.seal import seal
from makegood.people.models import Shop
from makegood.transactions import applying
from makegood.transactions.models import Store, StoreFact

SECRET = webhooks.new_secret()
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"


def store_of(shop: Shop, code: str = "haneul-shop", **more: Any) -> Store:
    values = {"name": "Haneul's shop", "hook_secret": seal({"now": SECRET}), "currencies": ["KRW"], **more}
    return Store.objects.create(shop=shop, code=code, **values)


def event(type_: str, id_: str = "e1", **more: Any) -> dict[str, Any]:
    """An event of the order HN-20261101, ten minutes old; ``data`` and attributes by name."""
    data = more.pop("data", {})
    at = more.pop("time", clock.now() - timedelta(minutes=10))
    noun = type_.partition(".")[0]
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/shops/haneul",
        "type": type_ + ".v1",
        "subject": "HN-20261101",
        "time": at.isoformat() if isinstance(at, datetime) else at,
        "data": ({} if noun == "order" else {"ref": f"{noun}-1"}) | data,
        **more,
    }


def won(amount: str) -> dict[str, Any]:
    return {"money": {"amount": amount, "currency": "KRW"}}


def send(
    content: Any, *, code: str = "haneul-shop", secret: str = SECRET, at: datetime | None = None, **more: Any
) -> Any:
    """POST an event, a list of them, or bytes; signed as Standard Webhooks says."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    kind = more.pop("kind", MANY if isinstance(content, list) else ONE)
    signed = webhooks.sign(secret, more.pop("message_id", "msg_1"), at or clock.now(), body.decode("utf-8", "replace"))
    headers = {**signed, **more.pop("headers", {})}
    return Client().post(f"/events/{code}/", body, content_type=kind, headers=headers)


def settle() -> None:
    """Apply what is in the log, as the job does; here within the test's own transaction, whose rows no cursor shows yet."""
    found = StoreFact.objects.filter(pk__gt=settle.last).order_by("pk")  # type: ignore[attr-defined]
    came = list(found.select_related("store"))
    if came:
        settle.last = came[-1].pk  # type: ignore[attr-defined]
        applying.apply(came)


settle.last = 0  # type: ignore[attr-defined]
