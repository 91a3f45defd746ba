"""Money between decimals in major units, as everywhere in the house, and the smallest units of many providers. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from makegood.connectors.canon import Money
from makegood.connectors.errors import Never

#: ISO 4217 currencies whose smallest unit is not a hundredth.
DECIMALS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


def decimals(currency: str) -> int:
    return DECIMALS.get(currency.upper(), 2)


def minor(money: Money, places: int | None = None) -> int:
    """12.34 USD -> 1234, 12000 KRW -> 12000. Raises Never('unfit') for a part of the smallest unit: rounding moves money."""
    shifted = money.amount.scaleb(decimals(money.currency) if places is None else places)
    if shifted != shifted.to_integral_value() or abs(shifted) >= 2**53:
        raise Never("unfit")
    return int(shifted)


def major(units: int, currency: str, places: int | None = None) -> Money:
    """1234 of USD -> 12.34; exact."""
    currency = currency.upper()
    return Money(Decimal(units).scaleb(-(decimals(currency) if places is None else places)), currency)


def number(value: object) -> Decimal:
    """A JSON number or string as a decimal. Raises Never('garbage')."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise Never("garbage")
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        raise Never("garbage") from None
    if not found.is_finite():
        raise Never("garbage")
    return found
