"""The moment that a due code of :mod:`makegood.text.times` means. Pure: words give the code, a calendar gives the hours.

| code | means |
|---|---|
| ``+30m`` ``+24h`` ``+1h30m`` | so long from now, to the minute |
| ``+2d`` ``+1w`` ``+1mo`` | the end of service hours that many days (weeks, months) from today |
| ``+3bd`` | the end of the third working day after today |
| ``+3bd..+5bd`` | a range: its later end, since that is what can be broken |
| ``d1@12:00`` ``d0@end`` | a day from today, by that hour or by the end of its service hours |
| ``wd0:fri@end`` ``wd1:tue@12:00`` | this week's Friday (the coming one, when it is behind us), next week's Tuesday |
| ``w0@end`` ``mo0@end`` | the end of this week's last working day; of the month's last day |
| ``date:5-3@end`` | May 3 of the year that is nearest |
| ``vague`` | no time at all |
"""

from __future__ import annotations

import calendar as months
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from makegood.base.calendar import Calendar, NeverOpen
from makegood.text.lexicon import folded, pack
from makegood.text.timewords import VAGUE, committed

_PIECE = re.compile(r"(\d+(?:\.\d+)?)(mo|bd|[mhdw])")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ONE = timedelta(days=1)
#: Beyond ten years a number is a slip of the finger, and dates end at the year 9999.
_MOST = {"m": 5_256_000, "h": 87_600, "d": 3_650, "w": 520, "mo": 120, "bd": 2_500}


@dataclass(frozen=True)
class Given:
    """A firm time in a sentence that commits: its place, words and code, and what is promised (refund, contact …)."""

    start: int
    end: int
    quote: str
    due: str
    kind: str


def given(text: str, language: str) -> list[Given]:
    """Every firm time that ``text`` promises, in its order; what it only mentions is not there."""
    book, form = pack(language), folded(text)
    out = []
    for _start, _end, kind, times in committed(book, form.text):
        for start, end, due in times:
            if due != VAGUE:
                first, last = form.span(start, end)
                out.append(Given(first, last, text[first:last], due, kind))
    return sorted(out, key=lambda one: one.start)


def resolve(code: str, now: datetime, calendar: Calendar) -> datetime | None:
    """The moment (UTC) of ``code`` said at ``now``; None for 'vague' and for what is no time ('25:00', February 30).

    Days and hours are those of the writer: the zone that ``now`` carries. The end of a day is that of the calendar's hours.
    A moment behind ``now`` is returned as it is ('by noon', said at three): who asks decides. Raises ValueError when
    ``now`` has no zone.
    """
    if now.tzinfo is None:
        raise ValueError("a moment needs its zone")
    try:
        return _resolve(code, now, calendar)
    except (OverflowError, NeverOpen):
        return None


def _resolve(code: str, now: datetime, calendar: Calendar) -> datetime | None:
    if code.startswith("+"):
        return _after(code.split("..")[-1].removeprefix("+"), now, calendar)
    head, _, at = code.partition("@")
    for form, read in _DAYS.items():
        if match := re.fullmatch(form, head):
            day = read(now, calendar, match)
            return None if day is None else _on(day, at, now, calendar)
    return None


def _after(span: str, now: datetime, calendar: Calendar) -> datetime | None:
    pieces = _PIECE.findall(span)
    if not pieces or "".join(number + unit for number, unit in pieces) != span:
        return None
    exact, day = timedelta(), None
    for written, unit in pieces:
        n = float(written)
        if n > _MOST[unit]:
            return None
        if unit in "mh":
            exact += timedelta(minutes=n) if unit == "m" else timedelta(hours=n)
        else:
            day = _later(day or now.date(), -int(-n // 1), unit, calendar)
    moment = calendar.end_of(day) if day else now.astimezone(UTC)
    return moment + exact


def _later(day: date, n: int, unit: str, calendar: Calendar) -> date:
    if unit == "bd":
        return calendar.add_days(day, n)
    if unit == "mo":
        year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
        return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))
    return day + _ONE * (n * 7 if unit == "w" else n)


def _on(day: date, at: str, now: datetime, calendar: Calendar) -> datetime | None:
    if at == "end":
        end = calendar.end_of(day)
        # 'Today', said after the last hour of service, is meant until midnight.
        return end if end > now or day != now.date() else _midnight(day + _ONE, now)
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", at)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    if (hour, minute) == (24, 0):
        return _midnight(day + _ONE, now)
    if hour > 23 or minute > 59:
        return None
    return datetime.combine(day, time(hour, minute), now.tzinfo).astimezone(UTC)


def _midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time(0), now.tzinfo).astimezone(UTC)


def _days_ahead(now: datetime, calendar: Calendar, match: re.Match[str]) -> date | None:
    return now.date() + _ONE * int(match[1])


def _weekday(now: datetime, calendar: Calendar, match: re.Match[str]) -> date | None:
    today = now.date()
    day = today - _ONE * today.weekday() + timedelta(weeks=int(match[1]), days=_WEEKDAYS.index(match[2]))
    return day + timedelta(weeks=1) if day < today else day


def _week(now: datetime, calendar: Calendar, match: re.Match[str]) -> date | None:
    monday = now.date() - _ONE * now.date().weekday() + timedelta(weeks=int(match[1]))
    days = [day for n in range(7) if (day := monday + _ONE * n) >= now.date()]
    return next((day for day in reversed(days) if calendar.is_working(day)), days[-1])


def _month(now: datetime, calendar: Calendar, match: re.Match[str]) -> date | None:
    day = _later(now.date().replace(day=1), int(match[1]), "mo", calendar)
    return day.replace(day=months.monthrange(day.year, day.month)[1])


def _dated(now: datetime, calendar: Calendar, match: re.Match[str]) -> date | None:
    today, found = now.date(), []
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            found.append(date(year, int(match[1]), int(match[2])))
        except ValueError:
            continue
    return min(found, key=lambda day: abs(day - today), default=None)


_Day = Callable[[datetime, Calendar, "re.Match[str]"], "date | None"]
_DAYS: dict[str, _Day] = {
    r"d(\d{1,3})": _days_ahead,
    rf"wd(\d):({'|'.join(_WEEKDAYS)})": _weekday,
    r"w(\d)": _week,
    r"mo(\d)": _month,
    r"date:(\d{1,2})-(\d{1,2})": _dated,
}
