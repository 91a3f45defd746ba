"""A business calendar: when somebody works, and arithmetic over it. Pure; its rows stand in ``people/calendars.py``.

Hours are what the clock on the wall shows in the calendar's zone; what lies between two moments is measured in real,
elapsed time. A wall time means *the first moment at which the local clock shows it or a later one*. So when clocks go
forward, a span that begins inside the hour that does not exist begins when that hour is skipped, and one that lies
wholly inside it is empty; when clocks go back, the repeated hour belongs to the span that contains it, once begun,
and lasts two real hours. Spans that do not overlap on the wall never overlap in fact.

Moments go in with their zone and come out in UTC: Python compares two moments of one zone by the wall, which is wrong
in a repeated hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from makegood.base.languages import Text3

#: How far a search goes before it says that there is none: a calendar that never opens must not loop.
HORIZON = timedelta(days=366 * 20)
DAY = timedelta(days=1)
MIDNIGHT = time(0)
#: A name as somebody typed it, or in three languages (``str()`` speaks the active one).
Name = str | Text3


class BadCalendar(ValueError):
    """These data are no calendar; says what is wrong, for whoever wrote them."""


class NeverOpen(ValueError):
    """Within ``HORIZON`` there is not so much working time: the calendar is closed for good, or too much was asked."""


@dataclass(frozen=True, order=True)
class Span:
    """Open from ``start`` until ``end`` on the wall of one day; an ``end`` of 00:00 is midnight, when the day ends."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start.tzinfo or self.end.tzinfo:
            raise BadCalendar("the hours of a span have no zone of their own: the calendar has one")
        if self.end != MIDNIGHT and self.end <= self.start:
            raise BadCalendar(f"a span must end after it begins: {self}")

    def __str__(self) -> str:
        end = "24:00" if self.end == MIDNIGHT else f"{self.end:%H:%M}"
        return f"{self.start:%H:%M}-{end}"

    @classmethod
    def of(cls, text: str) -> Span:
        """From '09:00-18:00' ('24:00' ends the day); raises BadCalendar."""
        start, _dash, end = text.replace("–", "-").replace(" ", "").partition("-")
        try:
            return cls(time.fromisoformat(start), MIDNIGHT if end == "24:00" else time.fromisoformat(end))
        except ValueError as error:
            if isinstance(error, BadCalendar):
                raise
            raise BadCalendar(f"not a span of hours: {text!r} (write 09:00-18:00)") from None


Spans = tuple[Span, ...]
ALL_DAY: Spans = (Span(MIDNIGHT, MIDNIGHT),)


@dataclass(frozen=True)
class Calendar:
    """``week`` has the spans of Monday to Sunday; ``closed`` days have none; ``extra`` days have their own instead.

    ``closed`` gives each day its name; ``extra_names`` those of the make-up days that have one. Raises BadCalendar
    when the zone is unknown, the week has not seven days, spans overlap, or a day is both closed and extra.
    """

    zone: str
    week: tuple[Spans, ...]
    closed: Mapping[date, Name] = field(default_factory=dict)
    extra: Mapping[date, Spans] = field(default_factory=dict)
    extra_names: Mapping[date, Name] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("closed", "extra", "extra_names"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        _zone(self.zone)
        if len(self.week) != 7:
            raise BadCalendar(f"a week has seven days, not {len(self.week)}")
        for spans in (*self.week, *self.extra.values()):
            _in_order(spans)
        if both := self.closed.keys() & self.extra.keys():
            raise BadCalendar(f"{min(both)} is both a closed day and a make-up day")
        if odd := self.extra_names.keys() - self.extra.keys():
            raise BadCalendar(f"{min(odd)} has a name but no hours")

    # ------------------------------------------------------------------ days

    def spans(self, day: date) -> Spans:
        """The hours of ``day``; none when it is closed."""
        if day in self.closed:
            return ()
        return self.extra[day] if day in self.extra else self.week[day.weekday()]

    def is_working(self, day: date) -> bool:
        """Whether anybody works on ``day``."""
        return bool(self.spans(day))

    def local(self, moment: datetime) -> date:
        """The day that it is in the calendar's zone at ``moment``."""
        return _aware(moment).astimezone(_zone(self.zone)).date()

    def at(self, day: date, wall: time) -> datetime:
        """The first moment (UTC) at which the clock of the zone shows ``wall`` on ``day``, or a later time."""
        return _moment(self.zone, datetime.combine(day, wall))

    def add_days(self, day: date, n: int) -> date:
        """The ``n``-th working day after ``day`` (before it, when ``n`` is negative); ``day`` itself for 0.

        ``day`` need not be a working day; it is never counted itself. Raises NeverOpen.
        """
        step = DAY if n > 0 else -DAY
        left, last = abs(n), HORIZON.days
        while left:
            day, last = _stepped(day, step), last - 1
            if last < 0:
                raise NeverOpen(f"there are not {abs(n)} working days within {HORIZON.days} days")
            left -= self.is_working(day)
        return day

    def roll(self, day: date) -> date:
        """``day`` when it is a working day, else the next one after it. Raises NeverOpen."""
        return day if self.is_working(day) else self.add_days(day, 1)

    def end_of(self, day: date) -> datetime:
        """When the last span of ``day`` ends; when the day ends (24:00 in the zone), if it is closed. In UTC."""
        spans = self.spans(day)
        return self._span(day, spans[-1])[1] if spans else self.midnight_after(day)

    def midnight_after(self, day: date) -> datetime:
        """When ``day`` is over in the zone (24:00), in UTC, whatever the hours are."""
        return self.at(day + DAY, MIDNIGHT)

    # ------------------------------------------------------------------ working time

    def next_open(self, moment: datetime) -> datetime:
        """``moment`` itself while open, else when it opens next; in UTC. Raises NeverOpen."""
        moment = _aware(moment)
        for start, end in self._open_from(moment, moment + HORIZON):
            if moment < end:
                return max(start, moment)
        raise NeverOpen(f"the calendar does not open within {HORIZON.days} days")

    def is_open(self, moment: datetime) -> bool:
        """Whether somebody works at ``moment``."""
        moment = _aware(moment)
        return any(start <= moment < end for start, end in self._open_from(moment, moment))

    def add(self, start: datetime, span: timedelta) -> datetime:
        """The earliest moment (UTC) by which ``span`` of working time has passed since ``start``.

        So ``measure(start, add(start, span)) == span``; a span of nothing ends where it starts. Raises ValueError for
        a negative span, NeverOpen when there is not so much working time within ``HORIZON``.
        """
        start = _aware(start)
        if span < timedelta():
            raise ValueError("working time is added forwards only")
        if not span:
            return start
        left = span
        for opens, closes in self._open_from(start, start + HORIZON):
            here = closes - max(opens, start)
            if here >= left:
                return max(opens, start) + left
            left -= max(here, timedelta())
        raise NeverOpen(f"there is not so much working time ({span}) within {HORIZON.days} days")

    def measure(self, a: datetime, b: datetime) -> timedelta:
        """The working time between ``a`` and ``b``, real and elapsed; negative when ``b`` lies before ``a``."""
        a, b = _aware(a), _aware(b)
        if b < a:
            return -self.measure(b, a)
        found = (min(end, b) - max(start, a) for start, end in self._open_from(a, b))
        return sum((part for part in found if part > timedelta()), timedelta())

    def _open_from(self, moment: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open stretches (UTC) of the days from that of ``moment`` to that of ``until``, in order."""
        day, last = self.local(moment), self.local(until)
        while day <= last:
            for span in self.spans(day):
                start, end = self._span(day, span)
                if start < end:  # a span that lies wholly in a skipped hour is empty
                    yield start, end
            day = _stepped(day, DAY)

    def _span(self, day: date, span: Span) -> tuple[datetime, datetime]:
        end = self.midnight_after(day) if span.end == MIDNIGHT else self.at(day, span.end)
        return self.at(day, span.start), end

    # ------------------------------------------------------------------ as data

    def to_data(self) -> dict[str, Any]:
        """As JSON holds it; ``from_data`` reads it back the same."""
        return {
            "zone": self.zone,
            "week": [[str(span) for span in spans] for spans in self.week],
            "closed": {str(day): _named(name) for day, name in sorted(self.closed.items())},
            "extra": {
                str(day): {
                    "spans": [str(span) for span in spans],
                    "name": _named(self.extra_names.get(day, "")),
                }
                for day, spans in sorted(self.extra.items())
            },
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Calendar:
        """From what ``to_data`` gave; raises BadCalendar when it is anything else."""
        try:
            extra = {_day(day): one for day, one in data.get("extra", {}).items()}
            return cls(
                zone=data["zone"],
                week=tuple(tuple(Span.of(span) for span in spans) for spans in data["week"]),
                closed={_day(day): _name(name) for day, name in data.get("closed", {}).items()},
                extra={day: tuple(Span.of(span) for span in one["spans"]) for day, one in extra.items()},
                extra_names={day: _name(one["name"]) for day, one in extra.items() if one.get("name")},
            )
        except BadCalendar:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise BadCalendar(f"these data are no calendar: {error!r}") from None


def always(zone: str) -> Calendar:
    """Open day and night, every day."""
    return Calendar(zone, (ALL_DAY,) * 7)


def _in_order(spans: Spans) -> None:
    for index, later in enumerate(spans[1:]):
        if spans[index].end == MIDNIGHT or later.start < spans[index].end:
            raise BadCalendar(f"the spans of a day overlap or stand in the wrong order: {later}")


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return moment.astimezone(UTC)


def _stepped(day: date, step: timedelta) -> date:
    try:
        return day + step
    except OverflowError:
        raise NeverOpen("the days of the calendar are used up") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError, TypeError):  # unknown, or a hostile name such as '../x'
        raise BadCalendar(f"no time zone has the name {name!r}") from None


@lru_cache(maxsize=16384)
def _moment(zone: str, wall: datetime) -> datetime:
    """The first moment (UTC) at which the clock of ``zone`` shows ``wall`` (without a zone) or later."""
    place = ZoneInfo(zone)
    here = wall.replace(tzinfo=place, fold=0)
    moment = here.astimezone(UTC)
    if moment.astimezone(place).replace(tzinfo=None) == wall:
        return moment
    # The wall time is skipped: find the moment of the skip, between the two readings of it.
    early, late = wall.replace(tzinfo=place, fold=1).astimezone(UTC), moment
    before = early.astimezone(place).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // 2
        if middle.astimezone(place).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except (ValueError, TypeError):
        raise BadCalendar(f"not a day: {text!r} (write 2026-12-25)") from None


def _named(name: Name) -> str | dict[str, str]:
    return {"ko": name.ko, "zh": name.zh, "en": name.en} if isinstance(name, Text3) else name


def _name(raw: Any) -> Name:
    if isinstance(raw, str):
        return raw
    return Text3.of(raw)
