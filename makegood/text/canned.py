"""Ready-made replies with blanks: ``{{customer}}``, and ``{{customer|dear customer}}`` where nothing may be known. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NAMES = ("customer", "order", "number", "shop", "agent", "next_word")
"""What may stand in a blank: the customer's name, their order number, the case's number, shop, writer, next word's time."""

_BLANK = re.compile(r"\{\{\s*([^{}|]*?)\s*(?:\|([^{}]*))?\}\}")
_BRACES = re.compile(r"\{\{|\}\}")


@dataclass(frozen=True)
class Wrong:
    """A blank that cannot be filled: what stands there, and its line and column, counted from 1."""

    words: str
    line: int
    column: int


def wrong(text: str) -> list[Wrong]:
    """Every blank with an unknown name, and every pair of braces that opens or closes nothing."""
    found = [(m.start(), m.group()) for m in _BLANK.finditer(text) if m.group(1) not in NAMES]
    # Blanked out one for one, so that the places of what is left stay true.
    rest = _BLANK.sub(lambda m: " " * len(m.group()), text)
    found += [(m.start(), text[m.start() : m.start() + 20].split("\n")[0]) for m in _BRACES.finditer(rest)]
    return [
        Wrong(words, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)) for at, words in sorted(found)
    ]


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its blanks filled; one without a value takes what stands behind its '|', else it stays as it is.

    A blank that stays is found by the check 'leftover' before anything is sent.
    """

    def put(blank: re.Match[str]) -> str:
        value = values.get(blank.group(1), "") if blank.group(1) in NAMES else ""
        return value or (blank.group(2) if blank.group(2) is not None else blank.group())

    return _BLANK.sub(put, text)
