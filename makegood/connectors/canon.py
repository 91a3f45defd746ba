"""The canonical model of a transaction: nine nouns, their states, 48 types of event. Pure tables and frozen values.

Every shop, payment provider and carrier is translated into these at its edge (the mapping table stands in the docstring of its
connector). States may go back: a refund that was paid out can be reversed, so nothing here forbids an older status, only an
older *version* of the same source. Amounts are decimals with a currency; every fact keeps the source's own time.
Source of nouns, states and types: docs/decisions/0003.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

NOUNS = ("store", "order", "payment", "refund", "dispute", "shipment", "return", "invoice", "credit")

#: noun -> its states, in the order in which they usually come. A store has none.
STATES: Mapping[str, tuple[str, ...]] = {
    "order": ("open", "cancelled", "closed"),
    "payment": ("awaiting", "held", "taken", "failed", "voided", "expired"),
    "refund": (
        "asked",
        "approved",
        "declined",
        "sent",
        "paid_out",
        "refused",
        "stuck",
        "reversed",
        "withdrawn",
    ),
    "dispute": ("warned", "needs_answer", "in_review", "won", "lost", "settled"),
    "shipment": (
        "label",
        "collected",
        "moving",
        "out_for_delivery",
        "attempt_failed",
        "ready_for_pickup",
        "delivered",
        "coming_back",
        "came_back",
        "exception",
        "silent",
        "cancelled",
    ),
    "return": (
        "asked",
        "approved",
        "declined",
        "on_its_way",
        "part_received",
        "received",
        "closed",
        "withdrawn",
    ),
    "invoice": (
        "asked",
        "drafted",
        "issued",
        "filed",
        "filing_failed",
        "cancelled",
        "correction_waiting",
        "corrected",
    ),
    "credit": ("granted", "used", "expired", "revoked"),
}

#: type of event -> the state of its noun that it tells; '' where it tells none by itself.
TYPES: Mapping[str, str] = {
    "order.placed": "open",
    "order.changed": "",
    "order.accepted": "open",
    "order.cancelled": "cancelled",
    "order.closed": "closed",
    "payment.awaiting": "awaiting",
    "payment.authorised": "held",
    "payment.captured": "taken",
    "payment.failed": "failed",
    "payment.voided": "voided",
    "payment.expired": "expired",
    "refund.asked": "asked",
    "refund.approved": "approved",
    "refund.declined": "declined",
    "refund.sent": "sent",
    "refund.paid_out": "paid_out",
    "refund.failed": "refused",
    "refund.stuck": "stuck",
    "refund.reversed": "reversed",
    "shipment.packed": "label",
    "shipment.handed_over": "collected",
    "shipment.moving": "moving",
    "shipment.out_for_delivery": "out_for_delivery",
    "shipment.attempt_failed": "attempt_failed",
    "shipment.ready_for_pickup": "ready_for_pickup",
    "shipment.delivered": "delivered",
    "shipment.exception": "exception",
    "shipment.returning": "coming_back",
    "shipment.returned": "came_back",
    "return.asked": "asked",
    "return.approved": "approved",
    "return.declined": "declined",
    "return.shipped": "on_its_way",
    "return.received": "received",
    "return.closed": "closed",
    "invoice.asked": "asked",
    "invoice.issued": "issued",
    "invoice.filed": "filed",
    "invoice.filing_failed": "filing_failed",
    "invoice.corrected": "corrected",
    "invoice.cancelled": "cancelled",
    "dispute.opened": "warned",
    "dispute.needs_answer": "needs_answer",
    "dispute.won": "won",
    "dispute.lost": "lost",
    "credit.granted": "granted",
    "credit.used": "used",
    "credit.expired": "expired",
}


@dataclass(frozen=True)
class Money:
    """An amount in major units with its ISO 4217 currency: 12000 KRW, 12.34 USD."""

    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Told:
    """What a source said of one thing at one moment: an event that came, or a state that was read.

    ``noun`` and ``ref`` name the thing as the source does; ``order`` is the number that the customer knows ('' where the source does
    not say). ``at`` is the source's own clock; ``sequence`` its own version, compared within one (noun, ref) only.
    ``money``: what moved, or what the thing is worth. ``more``: what else a case needs (lines, carrier, tracking, promised_by,
    left_to_refund, expected_by, reason, made_for …), by names that are documented with the schemas. ``raw``: what came.
    """

    type: str
    noun: str
    ref: str
    at: datetime
    state: str = ""
    order: str = ""
    sequence: int | None = None
    money: Money | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)


def noun_of(type_: str) -> str:
    """The noun that a type of event is about ('refund' of 'refund.sent')."""
    return type_.partition(".")[0]
