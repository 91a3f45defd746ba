"""The small line of promises over time on the case sheet: one bar each, from when it was given to when it was due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from makegood.promises.models import Promise

MOST, ROW = 12, 7


@dataclass(frozen=True)
class Bar:
    """In units of the drawing: 0 to 100 wide. ``ended`` is where it was kept, replaced or withdrawn, None while open."""

    promise: Promise
    x: float
    y: int
    width: float
    ended: float | None


@dataclass(frozen=True)
class Line:
    now: float
    height: int
    bars: list[Bar]


def of(promises: Iterable[Promise], now: datetime) -> Line | None:
    """The newest promises by when they were given; None when there are fewer than two: one bar says nothing."""
    rows = sorted(promises, key=lambda p: (p.made_at, p.pk))[-MOST:]
    if len(rows) < 2:
        return None
    begin = min(p.made_at for p in rows)
    span = (max(now, *(p.due_at for p in rows)) - begin).total_seconds() or 1.0

    def x(moment: datetime) -> float:
        return round(100 * (moment - begin).total_seconds() / span, 2)

    bars = [
        Bar(
            p,
            x(p.made_at),
            n * ROW,
            max(round(x(p.due_at) - x(p.made_at), 2), 0.8),
            x(p.settled_at) if p.settled_at else None,
        )
        for n, p in enumerate(rows)
    ]
    return Line(x(now), len(rows) * ROW, bars)
