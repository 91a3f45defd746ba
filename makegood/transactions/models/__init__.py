"""Tables of the transaction: the store that tells, the eight things that it tells of, the log of what it told, and what waits."""

from typing import Any

from makegood.transactions.models.goods import Return, Shipment
from makegood.transactions.models.log import EventAside, FactCursor, FactKey, StoreFact, StreamChunk, ToRead
from makegood.transactions.models.money import Credit, Dispute, Invoice, Refund
from makegood.transactions.models.orders import Order, Payment
from makegood.transactions.models.store import Store
from makegood.transactions.models.thing import Thing

#: noun -> its table (a type[Thing]; Any, for the columns differ)
MODELS: dict[str, Any] = {
    "order": Order,
    "payment": Payment,
    "refund": Refund,
    "dispute": Dispute,
    "shipment": Shipment,
    "return": Return,
    "invoice": Invoice,
    "credit": Credit,
}

__all__ = [
    "MODELS",
    "Credit",
    "Dispute",
    "EventAside",
    "FactCursor",
    "FactKey",
    "Invoice",
    "Order",
    "Payment",
    "Refund",
    "Return",
    "Shipment",
    "Store",
    "StoreFact",
    "StreamChunk",
    "Thing",
    "ToRead",
]
