"""Days off and make-up working days from an iCal file (RFC 5545), as governments, Google, Apple and Outlook give them.

All-day events are days off. One whose category or summary says work ('班', 'WORK', '근무', 'make-up') is a working
day. Timed events are meetings and are left out. Recurring events are expanded within the years that a calendar needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

import icalendar
from dateutil.rrule import rrule, rrulestr
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean_line

LARGEST = 10 * 2**20
MOST_EVENTS, MOST_LINES, MOST_DAYS, LONGEST = 5_000, 200_000, 5_000, 366
#: Days that the repetitions of one file may run over, all together: a few seconds of work.
MOST_REPEATED = 2_000_000
#: The years beside this one for which days are taken.
BACK, AHEAD = 2, 5
_WORK = re.compile(r"班|근무|(?<!no )\bwork(ing)?\b|make-?up", re.IGNORECASE)
_COARSE = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}


@dataclass(frozen=True)
class IcalDay:
    """One day that a file names."""

    day: date
    name: str
    works: bool


@dataclass(frozen=True)
class IcalDays:
    """What a file says, and how many of its events say nothing about days (they have hours, or lie in other years)."""

    days: list[IcalDay]
    left_out: int


def read(raw: bytes) -> IcalDays:
    """The days of an iCal file; of two events on one day the one that says work counts. Raises Refusal beside 'file'."""
    if len(raw) > LARGEST:
        raise _bad("too_large", _("This file is too large: at most 10 MB."))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _bad("not_text", _("This file is not UTF-8 text.")) from None
    if text.upper().count("BEGIN:VEVENT") > MOST_EVENTS or text.count("\n") > MOST_LINES:
        raise _bad("too_many", _("This file has too many events."))
    try:
        calendar = icalendar.Calendar.from_ical(text)
        return _collected(calendar.walk("VEVENT"))
    except Refusal:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        raise _bad("not_ical", _("This file is no iCal file, or is damaged.")) from None


def _collected(events: list[Any]) -> IcalDays:
    found: dict[date, IcalDay] = {}
    left_out = 0
    if sum(_repeated_over(event) for event in events) > MOST_REPEATED:
        raise _bad("too_many", _("This file has too many events."))
    for event in events:
        named = list(_days(event))
        left_out += not named
        for one in named:
            if one.works or one.day not in found:
                found[one.day] = one
        if len(found) > MOST_DAYS:
            raise _bad("too_many", _("This file has too many days."))
    if not found:
        raise _bad("no_days", _("This file names no whole days of these years."))
    return IcalDays(sorted(found.values(), key=lambda d: d.day), left_out)


def _days(event: Any) -> Iterator[IcalDay]:
    start = event.get("DTSTART")
    first = start.dt if start is not None else None
    if not isinstance(first, date) or isinstance(first, datetime):
        return
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    name = clean_line(str(event.get("SUMMARY", ""))[:120], limit=120, field="file", required=False)
    works = bool(_WORK.search(f"{name} {_categories(event)}"))
    low, high = _window()
    for begin in _starts(event, first, low, high):
        for n in range(_length(event, first)):
            if low <= (day := begin + timedelta(days=n)) <= high:
                yield IcalDay(day, name, works)


def _window() -> tuple[date, date]:
    this = clock.today().year
    return date(this - BACK, 1, 1), date(this + AHEAD, 12, 31)


def _length(event: Any, first: date) -> int:
    """How many days the event lasts; DTEND is the day after its last (RFC 5545, 3.6.1)."""
    if event.get("DTEND") is not None:
        end = event["DTEND"].dt
        last = end.date() if isinstance(end, datetime) else end
        return max(1, min((last - first).days, LONGEST))
    if event.get("DURATION") is not None:
        return max(1, min(event["DURATION"].dt.days, LONGEST))
    return 1


def _starts(event: Any, first: date, low: date, high: date) -> Iterator[date]:
    """The first days of the event and of its repetitions, up to ``high``."""
    rule, more, without = event.get("RRULE"), _dates(event, "RDATE"), set(_dates(event, "EXDATE"))
    found = {first, *more}
    if rule is not None:
        if not {str(f).upper() for f in rule.get("FREQ", [])} <= _COARSE:
            raise _bad("too_many", _("An event of this file repeats more often than daily."))
        until = datetime(high.year, 12, 31)  # noqa: DTZ001  whole days have no zone
        repeated = rrulestr(_text(rule), dtstart=datetime(first.year, first.month, first.day))  # noqa: DTZ001
        if isinstance(repeated, rrule):  # an end for a rule that has none, or never fits
            repeated = repeated.replace(until=min(_until(repeated) or until, until))
        count = rule.get("COUNT")
        moments = islice(repeated, int(count[0])) if count else iter(repeated)
        soon = low - timedelta(LONGEST)
        found |= {day for day in (moment.date() for moment in moments) if day >= soon}
    yield from sorted(found - without)


def _repeated_over(event: Any) -> int:
    """Over how many days the event is repeated at most; what began in the year 1 would keep us for minutes."""
    start = event.get("DTSTART")
    if event.get("RRULE") is None or not isinstance(getattr(start, "dt", None), date):
        return 0
    return max(0, (_window()[1] - date(start.dt.year, start.dt.month, start.dt.day)).days)


def _until(rule: rrule) -> datetime | None:
    until: datetime | None = getattr(rule, "_until", None)
    return until.astimezone(UTC).replace(tzinfo=None) if until and until.tzinfo else until


def _text(rule: Any) -> str:
    """The rule with an UNTIL that has no zone (whole days have none, dateutil refuses a mixture), and without COUNT."""
    text: str = rule.to_ical().decode()
    return re.sub(r"UNTIL=(\d{8})T\d{6}Z?", r"UNTIL=\1", re.sub(r";?COUNT=\d+", "", text))


def _dates(event: Any, key: str) -> list[date]:
    given = event.get(key)
    lists = given if isinstance(given, list) else [given] if given is not None else []
    moments = [one.dt for part in lists for one in part.dts]
    return [m.date() if isinstance(m, datetime) else m for m in moments if isinstance(m, date)]


def _categories(event: Any) -> str:
    given = event.get("CATEGORIES")
    lists = given if isinstance(given, list) else [given] if given is not None else []
    return " ".join(str(c) for part in lists for c in getattr(part, "cats", [part]))


def _bad(code: str, reason: Any) -> Refusal:
    return Refusal(code, reason, field="file")
