"""Finding a shop's orders by what customers write down of their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from makegood.base import rows
from makegood.people.models import Shop
from makegood.transactions.models import Order

_BY_NUMBER = "SELECT id, number FROM makegood_order WHERE shop_id = $1 AND number = ANY($2)"


def known(shop: Shop, numbers: Sequence[str]) -> tuple[int, str] | None:
    """Id and number of the first of ``numbers`` that is an order of the shop (as written, or in capitals); None when none is."""
    found = rows.ask(_BY_NUMBER, shop.pk, sorted({*numbers, *(n.upper() for n in numbers)}))
    orders = {number.lower(): (pk, number) for pk, number in found}
    return next((orders[n.lower()] for n in numbers if n.lower() in orders), None)


def of_case(shop_id: int, order: Order | None, number: str) -> Order | None:
    """The order that is known, else the shop's one with this number: a store may have told of it after the case was opened."""
    if order is not None or not number:
        return order
    return Order.objects.filter(shop_id=shop_id, number=number).first()
