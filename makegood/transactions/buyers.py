"""Whose order it is, as its shop told it: the customer of that shop whom the desk, the watch and the letters know."""

from __future__ import annotations

from typing import Any

from makegood.base.errors import Refusal
from makegood.base.languages import CODES, ZH
from makegood.people.customers import find_or_add
from makegood.people.models import Shop


def known(told: Any, shop: Shop) -> int | None:
    """The id of the shop's customer with this email or phone, added where new; None when neither can be used.

    Somebody of whom only a name is told could never be found again: each event would add one more.
    """
    if not isinstance(told, dict):
        return None
    email, phone = str(told.get("email") or "").strip(), str(told.get("phone") or "").strip()
    for mail, number in ((email, phone), ("", phone)):
        if mail or number:
            try:
                return find_or_add(shop, str(told.get("name") or ""), mail, number, _language(told, shop)).pk
            except Refusal:  # an address that is none; the phone may do
                continue
    return None


def _language(told: dict[str, Any], shop: Shop) -> str:
    said = str(told.get("language") or "").lower().replace("_", "-")
    code = ZH if said.startswith("zh") else said[:2]
    return code if code in CODES else shop.language
