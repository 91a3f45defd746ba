"""A clock of working hours as a table: how much was worked by a moment, and when so much more will have been. Pure.

A step that people do on working days is no later for a weekend that lies in it. Its durations are learned, and its due time
is set, on such a clock: the spans of a calendar (base/calendar.py) laid end to end, so that both ways are one look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from makegood.base.calendar import Calendar
from makegood.packs.working_days import calendars

I64 = npt.NDArray[np.int64]
_NEVER = np.int64(1 << 61)
#: The days that a table covers: no log is older, and a step that lasts longer than the rest is due never.
FIRST, LAST = date(2015, 1, 1), date(2045, 1, 1)
_EPOCH, _MICRO = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True)
class Clock:
    """Spans of work in µs, rising and apart; ``before``: what was worked before each of them, and last the whole."""

    opens: I64
    closes: I64
    before: I64

    def worked(self, at: I64) -> I64:
        """Working time from the beginning of the table to each moment."""
        span = np.searchsorted(self.opens, at, side="right") - 1
        inside = np.maximum(span, 0)
        own = np.minimum(at, self.closes[inside]) - self.opens[inside]
        return np.where(span < 0, 0, self.before[inside] + np.maximum(own, 0))

    def after(self, first: I64, wait: I64) -> I64:
        """When ``wait`` of working time will have passed since ``first``; never, when the table ends before."""
        goal = self.worked(first) + wait
        span = np.maximum(np.searchsorted(self.before, goal, side="left") - 1, 0)
        inside = np.minimum(span, len(self.opens) - 1)
        return np.where(goal <= self.before[-1], self.opens[inside] + goal - self.before[inside], _NEVER)


def of_calendar(calendar: Calendar, first: date = FIRST, last: date = LAST) -> Clock:
    """The table of a calendar. Raises ValueError where it never opens."""
    spans: list[tuple[int, int]] = []
    day = first
    while day < last:
        for span in calendar.spans(day):
            begin, end = (
                calendar.at(day, span.start),
                calendar.at(day + timedelta(days=span.end <= span.start), span.end),
            )
            if begin < end:
                spans.append(((begin - _EPOCH) // _MICRO, (end - _EPOCH) // _MICRO))
        day += timedelta(days=1)
    if not spans:
        raise ValueError("a calendar that never opens is no clock")
    opens, closes = np.array(spans, np.int64).T
    return Clock(opens, closes, np.concatenate([[0], np.cumsum(closes - opens)]))


@lru_cache(maxsize=16)
def of_country(code: str) -> Clock:
    """The clock of a shipped calendar (packs/calendars)."""
    return of_calendar(calendars()[code].calendar)
