"""Events that a shop posts by itself: CloudEvents 1.0 (one or a batch), signed by Standard Webhooks.

The strict reader, with a schema for each type, is the door's (``transactions``); here what came in one connector's own name is
translated, and what is not wholly clear is not guessed: Never('garbage'). The same wire names: ``data`` has ref, order, money, more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from makegood.connectors.amounts import number
from makegood.connectors.canon import TYPES, Money, Told, noun_of
from makegood.connectors.errors import Never
from makegood.connectors.telling import checked, moment


def told(secret: str, headers: Mapping[str, str], body: bytes) -> list[Told]:
    """What a signed body tells; types that we do not know are left out. Raises Never('forged'), ('stale') or ('garbage')."""
    checked(secret, headers, body)
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise Never("garbage") from None
    events = found if isinstance(found, list) else [found]
    return [one for event in events[:1000] if (one := _one(event))]


def _one(event: Any) -> Told | None:
    if not isinstance(event, dict) or event.get("specversion") != "1.0":
        raise Never("garbage")
    type_, subject, data = (event.get(name) for name in ("type", "subject", "data"))
    # An id and a time of our own making would make two events of one: they must have come.
    if not all(
        isinstance(one, str) and one for one in (type_, subject, event.get("id"), event.get("source"))
    ):
        raise Never("garbage")
    if not isinstance(data, dict):
        raise Never("garbage")
    assert isinstance(type_, str) and isinstance(subject, str)
    type_ = type_.removesuffix(".v1")
    if type_ not in TYPES:
        return None
    noun, ref = noun_of(type_), str(data.get("ref") or subject)
    order = str(data.get("order") or (subject if noun == "order" or subject != ref else ""))
    more = {name: value for name, value in data.items() if name not in ("ref", "order", "money")}
    return Told(
        type_,
        noun,
        ref,
        moment(event.get("time")),
        TYPES[type_],
        order,
        _sequence(event.get("sequence")),
        money_of(data["money"]) if "money" in data else None,
        more,
        event,
    )


def _sequence(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise Never("garbage")
    return value


def money_of(found: object) -> Money:
    """``{"amount": "12.34", "currency": "USD"}``. Raises Never('garbage')."""
    if not isinstance(found, Mapping):
        raise Never("garbage")
    currency = found.get("currency")
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise Never("garbage")
    return Money(number(found.get("amount")), currency)


def money_out(money: Money | None) -> dict[str, str] | None:
    """The same on the way out."""
    return {"amount": format(money.amount, "f"), "currency": money.currency} if money else None
