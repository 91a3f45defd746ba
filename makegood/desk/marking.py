"""Words with what was found in them: a text cut into pieces at offsets, pure. Offsets count characters of the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """What was found between two offsets; ``kind`` is order_no, amount, tracking, date or 'urgency'."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Piece:
    """A stretch of the text; ``kind`` is '' where nothing was found."""

    text: str
    kind: str = ""


def cut(text: str, spans: Iterable[Span]) -> tuple[Piece, ...]:
    """The whole text as pieces, in order. A span that overlaps an earlier given one, or lies outside, is left out."""
    kept: list[Span] = []
    for span in spans:
        inside = 0 <= span.start < span.end <= len(text)
        if inside and all(span.end <= k.start or span.start >= k.end for k in kept):
            kept.append(span)
    pieces, at = [], 0
    for span in sorted(kept, key=lambda s: s.start):
        pieces += [Piece(text[at : span.start]), Piece(text[span.start : span.end], span.kind)]
        at = span.end
    return tuple(p for p in [*pieces, Piece(text[at:])] if p.text)
