"""The JSON Schemas (2020-12) of the 48 types and the AsyncAPI 3 document, made from ``fields.py`` and ``canon.py``.

``python -m makegood.transactions.schemas.making`` writes them; a test says when the files are not what this makes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from makegood.connectors.canon import TYPES, noun_of
from makegood.transactions.fields import Field, fields_of

HERE = Path(__file__).parent
_DRAFT = "https://json-schema.org/draft/2020-12/schema"
AMOUNT = r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,3})?$"
_MONEY = {
    "type": "object",
    "description": "Major units as a decimal string, with as many places as the currency has at most, and its ISO 4217 code.",
    "properties": {"amount": {"type": "string", "pattern": AMOUNT}, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
    "required": ["amount", "currency"],
    "additionalProperties": False,
}  # fmt: skip
_LINE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 300},
        "ref": {
            "type": "string",
            "maxLength": 120,
            "description": "The source's own name of the line, by which a part of the order can be given back.",
        },
        "sku": {"type": "string", "maxLength": 120},
        "quantity": {"type": "integer", "minimum": 0},
        "price": {"type": "string", "pattern": AMOUNT},
        **{n: {"type": "integer", "minimum": 0} for n in ("expected", "received", "written_off")},
    },
    "required": ["name"],
    "additionalProperties": False,
}
_PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 120},
        "email": {"type": "string", "maxLength": 254},
        "phone": {"type": "string", "maxLength": 40},
        "language": {"type": "string", "maxLength": 20, "description": "ko, zh, en; else that of the shop."},
    },
    "additionalProperties": False,
}
#: Where money moves, the amount must be told.
_PAYING = frozenset({"order.placed", "payment.captured", "refund.sent", "refund.paid_out", "credit.granted"})
_EXAMPLE = {
    "time": "2026-11-03T14:20:00Z",
    "date": "2026-11-10",
    "amount": "12000",
    "flag": True,
    "person": {"name": "Jiwoo", "email": "jiwoo@customer.example"},
}


def _kind(field: Field) -> dict[str, Any]:
    shapes: dict[str, dict[str, Any]] = {
        "text": {"type": "string", "minLength": 1, "maxLength": field.limit},
        "code": {"type": "string", "enum": list(field.choices)},
        "time": {"type": "string", "format": "date-time", "maxLength": 40},
        "date": {"type": "string", "format": "date", "maxLength": 10},
        "amount": {"type": "string", "pattern": AMOUNT},
        "flag": {"type": "boolean"},
        "lines": {"type": "array", "maxItems": 500, "items": _LINE},
        "person": _PERSON,
    }
    return {**shapes[field.kind], "description": field.help}


def schema_of(type_: str) -> dict[str, Any]:
    """The schema of the ``data`` of one type of event."""
    noun = noun_of(type_)
    required = ([] if noun == "order" else ["ref"]) + (["money"] if type_ in _PAYING else [])
    return {
        "$schema": _DRAFT,
        "$id": f"urn:makegood:{type_}.v1",
        "title": f"{type_}.v1",
        "type": "object",
        "properties": {
            "ref": {"type": "string", "minLength": 1, "maxLength": 120, "description": f"The source's own name of the {noun}."},
            "order": {"type": "string", "minLength": 1, "maxLength": 60, "description": "The number that the customer knows."},
            "money": _MONEY,
            **{name: _kind(field) for name, field in fields_of(noun).items()},
            "x": {
                "type": "object",
                "description": "Anything else, kept as it is: up to 20 plain values.",
                "maxProperties": 20,
                "additionalProperties": {"type": ["string", "number", "boolean", "null"], "maxLength": 500},
            },
        },
        "required": required,
        "additionalProperties": False,
    }  # fmt: skip


def example_of(type_: str) -> dict[str, Any]:
    """A whole event of one type, as a source would send it."""
    noun = noun_of(type_)
    data: dict[str, Any] = {
        "ref": f"{noun}-81",
        "order": "HN-20261101",
        "money": {"amount": "39000", "currency": "KRW"},
    }
    for name, field in fields_of(noun).items():
        if field.kind == "lines":
            data[name] = [{"name": "Blue tea cup", "quantity": 2}]
        else:
            data[name] = _EXAMPLE.get(field.kind) or (field.choices[0] if field.choices else "card")
    return {
        "specversion": "1.0",
        "id": "9c1f-0001",
        "source": "/shops/haneul",
        "type": f"{type_}.v1",
        "subject": "HN-20261101",
        "time": "2026-11-03T14:20:00Z",
        "sequence": "7",
        "datacontenttype": "application/json",
        "data": data,
    }  # fmt: skip


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document of the door."""
    names = {type_: type_.replace(".", "_") for type_ in TYPES}
    headers = {
        "type": "object",
        "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
        "properties": {
            n: {"type": "string"} for n in ("webhook-id", "webhook-timestamp", "webhook-signature")
        },
    }
    messages = {
        names[type_]: {
            "name": f"{type_}.v1",
            "title": f"{type_}.v1",
            "contentType": "application/cloudevents+json",
            "headers": {"$ref": "#/components/schemas/signature"},
            "payload": {
                "allOf": [
                    {"$ref": "#/components/schemas/cloudevent"},
                    {"type": "object", "properties": {"type": {"const": f"{type_}.v1"}, "data": {"$ref": f"{type_}.json"}}},
                ]
            },
            "examples": [{"name": type_, "payload": example_of(type_)}],
        }
        for type_ in TYPES
    }  # fmt: skip
    envelope = {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "minLength": 1, "maxLength": 200},
            "source": {"type": "string", "minLength": 1, "maxLength": 200},
            "subject": {"type": "string", "minLength": 1, "maxLength": 120},
            "time": {"type": "string", "format": "date-time"},
            "sequence": {
                "type": ["string", "integer"],
                "description": "The source's own version of the thing.",
            },
            "correlation": {"type": "string"},
        },
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Makegood: events in",
            "version": "1.0.0",
            "description": "CloudEvents 1.0, structured (one) or batch, signed by Standard Webhooks.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "events": {
                "address": "/events/{store}/",
                "description": "POST; answered by 202 with one result an event.",
                "parameters": {"store": {"description": "The code of the store."}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names.values()},
            },
            "stream": _stream(),
        },
        "operations": {
            "take_in": {"action": "receive", "channel": {"$ref": "#/channels/events"}},
            "take_stream": {"action": "receive", "channel": {"$ref": "#/channels/stream"}},
        },
        "components": {"schemas": {"cloudevent": envelope, "signature": headers}, "messages": messages},
    }


def _stream() -> dict[str, Any]:
    """The channel of streams. Which attributes and moments an event may have, the processes of the site say (docs/mechanisms/watch.md)."""
    text = {"type": ["string", "integer"]}
    event = {
        "type": "object",
        "required": ["tx", "at", "event"],
        "properties": {
            "tx": {**text, "maxLength": 120, "description": "The order's number, or a thing's own name (payment:P-7)."},
            "at": {"type": ["string", "number"], "description": "ISO 8601 (UTC where it has no zone), or seconds since 1970."},
            "event": {"type": "string", "description": "A code of a process."},
            "id": {**text, "maxLength": 200},
            "amount": {"type": ["string", "number"]},
            "currency": {"type": "string"},
        },
        "additionalProperties": {"type": ["string", "number"]},
    }  # fmt: skip
    return {
        "address": "/events/{store}/stream/",
        "description": "POST; NDJSON or one JSON array, at most 10,000 events and 4 MB, for the watch alone; answered by 202 with what was set aside.",
        "parameters": {"store": {"description": "The code of the store."}},
        "messages": {
            "stream": {
                "name": "stream",
                "title": "Events of a stream",
                "contentType": "application/x-ndjson",
                "headers": {"$ref": "#/components/schemas/signature"},
                "payload": event,
            }
        },
    }


def files() -> dict[str, str]:
    """Every file of this folder that is made, with its content."""
    made = {f"{type_}.json": schema_of(type_) for type_ in TYPES} | {"asyncapi.json": asyncapi()}
    return {name: json.dumps(content, indent=1, ensure_ascii=False) + "\n" for name, content in made.items()}


def write() -> None:
    """Write them all, and take away those of types that are gone."""
    made = files()
    for old in HERE.glob("*.json"):
        if old.name not in made:
            old.unlink()
    for name, content in made.items():
        (HERE / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write()
