"""Times that a text names, and promises: a sentence that commits somebody, with the time that it gives.

A due code says when, to be resolved with the team's calendar and zone: ``+30m`` from sending, ``+3bd..+5bd``
business days, ``d1@12:00`` tomorrow noon, ``d0@end`` the end of today's service hours, ``wd0:fri@end`` this Friday,
``w0@end``, ``mo0@end``, ``date:5-3@end``, and ``vague`` for "as soon as possible", which is no time at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from makegood.text.lexicon import folded, pack
from makegood.text.timewords import VAGUE, committed, named

if TYPE_CHECKING:
    from makegood.text.fold import Folded


@dataclass(frozen=True)
class PromisedTime:
    """A time in the words of the text; offsets and quote are those of the original."""

    start: int
    end: int
    quote: str
    due: str


@dataclass(frozen=True)
class Promise:
    """A sentence that commits. ``time`` is its first firm time, else its first vague one, else None.

    ``kind`` is refund, reship, deliver, pickup, contact, investigate, fix or other.
    """

    start: int
    end: int
    quote: str
    kind: str
    time: PromisedTime | None


def mentioned(text: str, language: str) -> list[PromisedTime]:
    """Every time that ``text`` names, promised or not, in its order."""
    book, form = pack(language), folded(text)
    return [_time(form, *hit) for hit in named(book, form.text)]


def promises(text: str, language: str) -> list[Promise]:
    """The sentences of ``text`` that commit somebody to something."""
    book, form = pack(language), folded(text)
    out = []
    for start, end, kind, times in committed(book, form.text):
        firm = [time for time in times if time[2] != VAGUE] or times
        first, last = form.span(start, end)
        out.append(Promise(first, last, text[first:last], kind, _time(form, *firm[0]) if firm else None))
    return out


def promised(text: str, language: str) -> list[PromisedTime]:
    """The times that stand in sentences that commit: what a sent reply will be held to, vague ones included."""
    book, form = pack(language), folded(text)
    return [_time(form, *hit) for _, _, _, times in committed(book, form.text) for hit in times]


def _time(form: Folded, start: int, end: int, due: str) -> PromisedTime:
    first, last = form.span(start, end)
    return PromisedTime(first, last, form.original[first:last], due)
