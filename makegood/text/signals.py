"""What a message says about how urgent it is, in the customer's own words: anger, loss, deadline, threat, repetition.

Signals raise a case; they never score a person. The quotation is kept with its place, not only the label.
"""

from __future__ import annotations

from dataclasses import dataclass

from makegood.text.lexicon import folded, pack
from makegood.text.matching import hits


@dataclass(frozen=True)
class Signal:
    """``id`` such as ``threat.legal``, its family and score (1 to 5), and the words with their original offsets."""

    id: str
    family: str
    score: int
    start: int
    end: int
    quote: str


def find(text: str, language: str) -> list[Signal]:
    """Every signal in ``text``, in its order; one signal may be there several times."""
    book, form = pack(language), folded(text)
    out = []
    for rule in book.signals:
        for hit in hits(book, rule, form.text):
            start, end = form.span(*hit)
            out.append(Signal(rule.id, rule.raw["family"], rule.raw["score"], start, end, text[start:end]))
    return sorted(out, key=lambda signal: (signal.start, -signal.score, signal.id))
