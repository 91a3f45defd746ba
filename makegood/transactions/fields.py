"""What a source may tell of each noun, in one table: the schemas, the validator and the tables are all made from it.

A field has a kind (text, code, time, date, amount, flag, lines, person), the column that keeps it ('' for ``more``) and a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Field:
    """``limit``: the longest text; ``choices``: the only values. ``column`` '': it is kept in ``more``."""

    kind: str
    help: str
    column: str = ""
    limit: int = 120
    choices: tuple[str, ...] = ()


_PAYMENT = Field("text", "The ref of the payment that it belongs to.", "payment_ref")
_LINES = Field(
    "lines", "What it is about: name, quantity, and where known ref, price of one, and sku.", "lines"
)

#: What every noun may tell.
SHARED: Mapping[str, Field] = {
    "reason": Field("text", "Why, in the source's own code or words.", limit=200),
    "detail": Field("text", "The source's finer state, for example 'left with a neighbour'.", limit=200),
    "held_by": Field("text", "Who looks at it by hand, when it is held for review.", limit=80),
    "held_until": Field("time", "By when whoever holds it decides."),
}

FIELDS: Mapping[str, Mapping[str, Field]] = {
    "order": {
        "placed_at": Field("time", "When it was placed.", "placed_at"),
        "promised_at": Field("time", "By when the customer was promised to have all of it."),
        "lines": _LINES,
        "made_for": Field("text", "The number of the order that this one makes good.", "made_for", 60),
        "customer": Field("person", "Who ordered: an email or a phone by which they are known here and can be told.", "customer"),
    },
    "payment": {
        "method": Field("text", "card, transfer, phone bill …", "method", 40),
        "refunded": Field("amount", "How much went back so far.", "refunded"),
        "left_to_refund": Field(
            "amount", "How much can still go back, as the provider says it.", "left_to_refund"
        ),
        "locked": Field("flag", "The provider takes no more refunds for it.", "locked"),
    },
    "refund": {
        "payment": _PAYMENT,
        "our_key": Field("text", "The reference that we chose for it.", "our_key"),
        "destination": Field("text", "Where it goes: same card, bank, store credit.", "destination", 40),
        "expected_by": Field("date", "By which day it should have arrived.", "expected_by"),
    },
    "dispute": {
        "payment": _PAYMENT,
        "answer_by": Field("time", "By when it must be answered.", "answer_by"),
    },
    "shipment": {
        "direction": Field("code", "To the customer, back, or sent again.", "direction", choices=("out", "back", "again")),
        "carrier": Field("text", "Who carries it.", "carrier", 60),
        "tracking": Field("text", "The carrier's number.", "tracking", 60),
        "lines": _LINES,
        "promised_by": Field("date", "The day by which it was promised.", "promised_by"),
        "last_scan_at": Field("time", "When the carrier last scanned it.", "last_scan_at"),
    },
    "return": {
        "lines": Field("lines", "Per line: name, expected, received, written off.", "lines"),
        "answer_by": Field("time", "When the platform decides by itself.", "answer_by"),
    },
    "invoice": {
        "kind": Field("text", "simple, tax_invoice, cash_receipt …", "kind", 20),
        "office_no": Field("text", "The tax office's number.", "office_no", 60),
        "file_by": Field("date", "The day by which it must be filed.", "file_by"),
        "corrects": Field("text", "The ref of the invoice that it corrects.", "corrects"),
    },
    "credit": {
        "kind": Field("text", "coupon, gift card, store credit.", "kind", 20),
        "valid_until": Field("date", "The last day on which it can be used.", "valid_until"),
    },
}  # fmt: skip


def fields_of(noun: str) -> dict[str, Field]:
    """Every field of a noun by its name on the wire."""
    return {**FIELDS[noun], **SHARED}


def plain(value: Any) -> Any:
    """A value as JSON keeps it: amounts and moments as text. Raises TypeError for what no source should tell."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{type(value).__name__} cannot be kept")


def typed(field: Field, value: Any) -> Any:
    """What the column takes for a value of :func:`plain`. Raises ValueError for one that is not of its kind."""
    if value is None:
        return None
    if field.kind == "time":
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return moment
    if field.kind == "date":
        return date.fromisoformat(str(value)[:10])
    if field.kind == "amount":
        return amount(str(value))
    if field.kind == "flag":
        return bool(value)
    if field.kind == "lines":
        return value if isinstance(value, list) else []
    if field.kind == "code":
        return value if value in field.choices else field.choices[0]
    return str(value)[: field.limit]


def amount(text: str) -> Decimal:
    """An amount from its text. Raises ValueError for what is none, or is too large for the tables."""
    try:
        found = Decimal(text)
    except ArithmeticError:
        raise ValueError("not an amount") from None
    if not found.is_finite() or abs(found) >= Decimal(10) ** 15:
        raise ValueError("not an amount")
    return found
