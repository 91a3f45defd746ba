"""Which lines of the order a remedy is about: what can be named at the shop, how many of each are left, and what they are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.connectors.canon import Money
from makegood.remedies.models import Remedy
from makegood.transactions.models import Order

#: Kinds of which a part of the order can be meant; for the others lines say nothing.
LINED = frozenset({"refund", "partial_refund", "exchange", "resend", "repair"})
#: A remedy in one of these states has taken its lines: a cup that was sent again is not sent again once more.
_HAS = ("waiting", "accepted", "carrying", "done", "arrived")
MOST = 50


@dataclass(frozen=True)
class OrderLine:
    """A line that the shop can be asked about. ``left``: pieces that no standing remedy of this sort has taken."""

    ref: str
    name: str
    quantity: int
    left: int
    price: Decimal | None


def lines_of(order: Order | None) -> list[OrderLine]:
    """The lines of an order that bear a name of the shop's own (its ref, else the sku); one query where there are any."""
    rows = [row for row in (order.lines if order else [])[:MOST] if isinstance(row, dict) and _ref(row)]
    if order is None or not rows:
        return []
    taken = _taken(order)
    return [
        OrderLine(
            _ref(row),
            str(row.get("name") or _ref(row)),
            _count(row),
            max(_count(row) - taken[_ref(row)], 0),
            _price(row),
        )
        for row in rows
        if _count(row)
    ]


def chosen(kind: str, wanted: Sequence[tuple[str, int]], known: Sequence[OrderLine]) -> list[dict[str, Any]]:
    """The chosen lines as a remedy keeps them; empty: the whole order. Raises Refusal beside 'lines'."""
    if not wanted or kind not in LINED:
        return []
    by_ref = {line.ref: line for line in known}
    counted: Counter[str] = Counter()
    for ref, quantity in wanted:
        if ref not in by_ref or quantity < 1:
            raise Refusal("no_line", _("This line is not in the order."), field="lines")
        counted[ref] += quantity
    for ref, quantity in counted.items():
        line = by_ref[ref]
        if quantity > line.left:
            raise Refusal(
                "too_many",
                _("Of %(name)s there are only %(left)s left.") % {"name": line.name, "left": line.left},
                field="lines",
            )
    return [{"ref": ref, "name": by_ref[ref].name, "quantity": n} for ref, n in counted.items()]


def worth(lines: Sequence[dict[str, Any]], known: Sequence[OrderLine], currency: str) -> Money | None:
    """What the chosen lines cost; None where the shop does not tell a price of each."""
    prices = {line.ref: line.price for line in known}
    found = [prices.get(one["ref"]) for one in lines]
    if not lines or any(price is None for price in found):
        return None
    total = sum(
        (p * one["quantity"] for p, one in zip(found, lines, strict=True) if p is not None), Decimal(0)
    )
    return Money(total, currency)


def in_words(lines: Sequence[dict[str, Any]]) -> str:
    """'Blue tea cup × 1, Saucer × 2'."""
    return ", ".join(f"{one['name']} × {one['quantity']}" for one in lines)


def _taken(order: Order) -> Counter[str]:
    found: Counter[str] = Counter()
    for lines in (
        Remedy.objects.filter(order=order, state__in=_HAS).exclude(lines=[]).values_list("lines", flat=True)
    ):
        found.update({one["ref"]: one["quantity"] for one in lines})
    return found


def _ref(row: dict[str, Any]) -> str:
    return str(row.get("ref") or row.get("sku") or "")[:120]


def _count(row: dict[str, Any]) -> int:
    quantity = row.get("quantity", 1)
    return quantity if isinstance(quantity, int) and not isinstance(quantity, bool) else 0


def _price(row: dict[str, Any]) -> Decimal | None:
    try:
        price = Decimal(str(row["price"]))
    except (LookupError, ArithmeticError):
        return None
    return price if price.is_finite() and price >= 0 else None
