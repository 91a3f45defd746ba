"""Shifts as a lead writes them: wall times in the team's zone. Pure: nothing is read or stored here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
_TIMES = re.compile(r"(\d{1,2}):(\d{2})\s*[-–~〜～—]\s*(\d{1,2}):(\d{2})")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


class NoSuchTime(ValueError):
    """The clocks of the zone skip this wall time on that day (they go forward)."""


@dataclass(frozen=True)
class Wall:
    """One shift on the wall: on ``day`` from ``start`` until ``end``, or the next morning when that comes first."""

    day: date
    start: time
    end: time

    @property
    def last(self) -> date:
        return self.day if self.end > self.start else self.day + DAY

    def moments(self, zone: str) -> tuple[datetime, datetime]:
        """Beginning and end in UTC. An hour that comes twice is worked whole: it begins with the first, ends with the second.

        Raises NoSuchTime.
        """
        return _moment(self.day, self.start, zone, fold=0), _moment(self.last, self.end, zone, fold=1)

    def later(self, span: timedelta) -> Wall:
        """The same wall times so many days later, also where the clocks changed between."""
        return Wall(self.day + span, self.start, self.end)


def on_the_wall(starts_at: datetime, ends_at: datetime, zone: str) -> Wall:
    """A stored shift as the clocks of ``zone`` show it."""
    here = ZoneInfo(zone)
    start, end = starts_at.astimezone(here), ends_at.astimezone(here)
    return Wall(start.date(), start.time().replace(tzinfo=None), end.time().replace(tzinfo=None))


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_bounds(first: date, zone: str) -> tuple[datetime, datetime]:
    """From the midnight that begins Monday ``first`` until the one that ends Sunday, in UTC."""
    here = ZoneInfo(zone)
    begin, end = (datetime.combine(d, time(0), here) for d in (first, first + WEEK))
    return begin.astimezone(UTC), end.astimezone(UTC)


@dataclass(frozen=True)
class Line:
    """One line that was pasted: ``who`` as it was written, and the shift."""

    n: int
    who: str
    wall: Wall


class BadLine(ValueError):
    """Line ``n`` (from 1) cannot be read; ``text`` is what stands there."""

    def __init__(self, n: int, text: str) -> None:
        super().__init__(text)
        self.n, self.text = n, text


def pasted(text: str) -> list[Line]:
    """'Minji 2026-11-23 09:00-18:00', one a line, in any order of the three, tabs or commas between. Raises BadLine."""
    found = []
    for n, raw in enumerate(text.splitlines(), 1):
        if not raw.strip():
            continue
        times, day = _TIMES.search(raw), _DATE.search(raw)
        if times is None or day is None:
            raise BadLine(n, raw.strip())
        who = _without(raw, (times.span(), day.span())).strip(" \t,;|")
        try:
            start, end = time(int(times[1]), int(times[2])), _end(int(times[3]), int(times[4]))
            on = date(*(int(part) for part in day[0].split("-")))
        except ValueError:
            raise BadLine(n, raw.strip()) from None
        if not who:
            raise BadLine(n, raw.strip())
        found.append(Line(n, " ".join(who.replace("\t", " ").split()), Wall(on, start, end)))
    return found


def _end(hour: int, minute: int) -> time:
    """24:00 is the midnight that ends the day, as people write it."""
    return time(0) if (hour, minute) == (24, 0) else time(hour, minute)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for first, last in sorted(spans, reverse=True):
        text = f"{text[:first]}\t{text[last:]}"
    return text


def _moment(day: date, wall: time, zone: str, *, fold: int) -> datetime:
    here = datetime.combine(day, wall, ZoneInfo(zone)).replace(fold=fold)
    moment = here.astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0) != datetime.combine(day, wall):
        raise NoSuchTime(f"{day} {wall} in {zone}")
    return moment
