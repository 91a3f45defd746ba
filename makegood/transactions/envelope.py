"""Our own strict reader of CloudEvents 1.0: what is not exactly right is said to be wrong, by a code and the place.

The official SDK fills a missing id with a fresh one, so that the same bytes become two events: nothing here is filled in.
``id``, ``time`` and ``subject`` must be there. Amounts are text in major units, with no more places than their currency has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from babel.numbers import get_currency_precision, list_currencies
from jsonschema_rs import Draft202012Validator

from makegood.base import clock
from makegood.connectors.canon import TYPES, Money, Told, noun_of
from makegood.transactions.facts import Fact
from makegood.transactions.fields import amount, fields_of
from makegood.transactions.models import Store

#: The largest body, event and batch that are taken, in bytes and events.
BODY, EVENT, BATCH = 4 * 2**20, 256 * 1024, 1000
#: How far the source's clock may be ahead of ours after its known skew is taken off.
AHEAD = timedelta(minutes=5)
_TYPE = re.compile(r"([a-z_]+\.[a-z_]+)(?:\.v1)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_NAME = re.compile(r"[a-z0-9]{1,20}")
_SCHEMAS = Path(__file__).parent / "schemas"


class Bad(ValueError):
    """An event that cannot be taken: ``code`` for the page, ``detail`` for whoever wrote the sender."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail[:300]


def parsed(body: bytes | str) -> Any:
    """JSON, or Bad: no NaN, not deeper than Python itself reads."""
    try:
        return json.loads(body, parse_constant=_refused)
    except RecursionError:
        raise Bad("too_deep") from None
    except ValueError as error:
        raise Bad("not_json", str(error)) from None


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def written(event: Any) -> str:
    """An event as text for the log. Raises Bad for characters that PostgreSQL cannot keep."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Bad("bad_text", "half a character") from None
    if "\\u0000" in text:
        raise Bad("bad_text", "a NUL")
    if size > EVENT:
        raise Bad("too_large", f"{size} bytes")
    return text


def check(event: Any, store: Store) -> Fact:
    """The fact that an event tells. Raises Bad."""
    if not isinstance(event, dict):
        raise Bad("no_object", "an event is an object")
    raw = written(event)
    if event.get("specversion") != "1.0":
        raise Bad("specversion", "specversion must be 1.0")
    id_, source = _text(event, "id", 200), _text(event, "source", 200)
    type_ = _type(_text(event, "type", 60))
    subject = _text(event, "subject", 120)
    at = _moment(_text(event, "time", 40), store)
    kind = event.get("datacontenttype", "application/json")
    if kind != "application/json" or "data_base64" in event:
        raise Bad("datacontenttype", "data must be JSON")
    for name, value in event.items():
        if name != "data" and (not _NAME.fullmatch(name) or isinstance(value, dict | list)):
            raise Bad("attribute", f"{name[:40]} is no attribute")
    data = event.get("data")
    _fits(type_, data)
    assert isinstance(data, dict)
    told = _told(type_, subject, at, _sequence(event.get("sequence")), data, store)
    return Fact(told=told, event_id=id_, source=source, raw=raw)


def _text(event: Mapping[str, Any], name: str, limit: int) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Bad(f"no_{name}", f"{name} must be there, as text")
    if len(value) > limit:
        raise Bad("too_long", f"{name} may have {limit} characters")
    return value


def _type(written_: str) -> str:
    found = _TYPE.fullmatch(written_)
    if not found or found[1] not in TYPES:
        raise Bad("unknown_type", written_)
    return found[1]


def _moment(text: str, store: Store) -> datetime:
    if not _TIME.fullmatch(text):
        raise Bad("bad_time", "time must be RFC 3339 with its zone")
    try:
        at = datetime.fromisoformat(text.upper()) - timedelta(seconds=store.skew)
    except (ValueError, OverflowError):
        raise Bad("bad_time", "there is no such time") from None
    if at > clock.now() + AHEAD:
        raise Bad("from_the_future", text)
    return at


def _sequence(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise Bad("sequence", "sequence must be a whole number")
    return value


@cache
def _validator(type_: str) -> Draft202012Validator:
    schema = json.loads((_SCHEMAS / f"{type_}.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema, validate_formats=True)


def _fits(type_: str, data: Any) -> None:
    if not isinstance(data, dict):
        raise Bad("schema", "data must be an object")
    validator = _validator(type_)
    if validator.is_valid(data):
        return
    error = next(validator.iter_errors(data))
    place = "/".join(str(part) for part in error.instance_path)
    raise Bad("schema", f"{place}: {error.message}" if place else error.message)


def _told(
    type_: str, subject: str, at: datetime, sequence: int | None, data: dict[str, Any], store: Store
) -> Told:
    noun = noun_of(type_)
    ref = data.get("ref", subject)
    order = data.get("order") or (subject if noun == "order" or subject != ref else "")
    if len(order) > 60:
        raise Bad("too_long", "an order number may have 60 characters")
    more = {name: value for name, value in data.items() if name not in ("ref", "order", "money")}
    money = money_of(data["money"], store) if "money" in data else None
    for name, field in fields_of(noun).items():
        if field.kind == "amount" and name in more and money:
            _places(more[name], money.currency)
    return Told(type_, noun, ref, at, TYPES[type_], order, sequence, money, more)


def money_of(money: Mapping[str, str], store: Store) -> Money:
    """An amount that its currency can have. Raises Bad."""
    currency = money["currency"]
    if currency not in _currencies() or (store.currencies and currency not in store.currencies):
        raise Bad("currency", f"{currency} is not a currency of this store")
    _places(money["amount"], currency)
    return Money(amount(money["amount"]), currency)


def _places(text: str, currency: str) -> None:
    if len(text.partition(".")[2]) > _precision(currency):
        raise Bad("decimals", f"{text} {currency} has too many places")


def is_currency(code: str) -> bool:
    """Whether there is, or was, such a currency (ISO 4217)."""
    return code in _currencies()


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


@cache
def _precision(currency: str) -> int:
    return min(int(get_currency_precision(currency)), 3)
