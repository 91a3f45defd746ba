"""The calendars that are shipped: working days of Korea and China, with substitute holidays and make-up working days.

They begin as packs and become rows (``people/calendars.py``) that a team edits by hand or from an iCal file.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from makegood.base.calendar import BadCalendar, Calendar, Span, Spans
from makegood.base.languages import Text3
from makegood.packs.reading import TEXT3, Entry, locate, overlay, read, refuse_twice

CODES = ("kr", "cn")


@dataclass(frozen=True)
class ShippedCalendar:
    """``source`` says where the days are from, for whoever checks them."""

    code: str
    name: Text3
    source: str
    calendar: Calendar


def calendars() -> Mapping[str, ShippedCalendar]:
    """Every shipped calendar by its code; raises PackError when one is wrong."""
    return _calendars(overlay())


@lru_cache(maxsize=8)
def _calendars(folder: str) -> Mapping[str, ShippedCalendar]:
    return MappingProxyType({code: _calendar(code, folder) for code in CODES})


def _calendar(code: str, folder: str) -> ShippedCalendar:
    root = read(locate(f"calendars/{code}.toml", folder))
    root.only("zone", "name", "source", "week", "closed", "extra")
    week = root.get("week", list, "seven lists of hours")
    closed, extra = root.entries("closed", low=0, name="day"), root.entries("extra", low=0, name="day")
    refuse_twice([*closed, *extra], "day")
    for entry in closed:
        entry.only("day", *TEXT3)
    for entry in extra:
        entry.only("day", "hours", *TEXT3)
    try:
        calendar = Calendar(
            zone=root.get("zone", str, "the name of a time zone"),
            week=tuple(_spans(root, day) for day in week),
            closed={_day(e): e.own_text() for e in closed},
            extra={_day(e): _spans(e, e.get("hours", list, "a list of hours")) for e in extra},
            extra_names={_day(e): e.own_text() for e in extra},
        )
    except BadCalendar as error:
        raise root.wrong(str(error)) from None
    source: str = root.get("source", str, "where the days are from")
    return ShippedCalendar(code, root.text("name"), source, calendar)


def _day(entry: Entry) -> datetime.date:
    day = entry.get("day", datetime.date, "a day such as 2026-12-25")
    if isinstance(day, datetime.datetime):
        raise entry.wrong(f"'day' must be a day without hours, not {day}")
    return datetime.date(day.year, day.month, day.day)


def _spans(entry: Entry, hours: object) -> Spans:
    if not isinstance(hours, list) or not all(isinstance(h, str) for h in hours):
        raise entry.wrong(f'hours must be a list such as ["09:00-18:00"], not {hours!r}')
    try:
        return tuple(Span.of(h) for h in hours)
    except BadCalendar as error:
        raise entry.wrong(str(error)) from None
