"""Keeping business calendars: every change is a new version with who made it and when; promises given keep theirs.

These are not verbs of a case: they write no case event. Each checks the role, refuses beside the field, and saves in
one transaction. ``seen`` is the version that the form was drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base.calendar import ALL_DAY, BadCalendar, Calendar, Span, Spans
from makegood.base.errors import Refusal, Stale
from makegood.base.words import clean_line
from makegood.people import calendars, ical, roles
from makegood.people.actors import Actor
from makegood.people.calendars import Calendar as Row
from makegood.people.calendars import CalendarVersion
from makegood.people.models import Shop

#: A stretch of days added at once is at most a year.
LONGEST = 366


@dataclass(frozen=True)
class Change:
    """What an import would do to one day: ``kind`` is closed or make_up, ``was`` the kind before ('' for an ordinary day)."""

    day: date
    kind: str
    name: str
    was: str
    was_name: str


def listed() -> QuerySet[Any]:
    """Every calendar with how many shops and teams go by it and when it changed last; those of countries are made first."""
    for code in set(calendars.COUNTRY.values()):
        calendars.of_country(code)
    counted = Row.objects.annotate(
        n_shops=Count("shops", distinct=True), n_teams=Count("teams", distinct=True), last=Max("versions__n")
    )
    return counted.order_by("name", "id")


def new_calendar(*, by: Actor, name: str, code: str, zone: str, week: Sequence[str]) -> Row:
    """A new calendar without days off. ``week``: the hours of Monday to Sunday, as '09:00-12:00, 13:00-18:00'."""
    roles.check(by, "keep_calendars")
    title, short = clean_line(name, limit=120, field="name"), clean_line(code, limit=40, field="code").lower()
    if (
        not short.replace("-", "").replace("_", "").isascii()
        or not short.replace("-", "").replace("_", "").isalnum()
    ):
        raise Refusal("bad_code", _("Use letters, digits, hyphens and underscores."), field="code")
    data = Calendar(_zone(zone), _week(week))
    try:
        with transaction.atomic():
            row = Row.objects.create(code=short, name=title)
            calendars.add(row, data, by=by.person, source="")
    except IntegrityError:
        raise Refusal("taken", _("This short code is taken."), field="code") from None
    return row


def save_week(
    row: Row, *, by: Actor, seen: int, name: str, zone: str, week: Sequence[str]
) -> CalendarVersion:
    """Change name, zone and weekly hours."""
    title = clean_line(name, limit=120, field="name")
    with transaction.atomic():
        now = _now(row, by, seen)
        if title != row.name:
            Row.objects.filter(pk=row.pk).update(name=title)
        return _store(row, replace(now, zone=_zone(zone), week=_week(week)), by)


def add_days(
    row: Row, *, by: Actor, seen: int, kind: str, first: date, last: date | None, name: str, hours: str = ""
) -> CalendarVersion:
    """Close the days from ``first`` to ``last``, or (``kind`` 'make_up') work on them within ``hours``.

    Without hours a make-up day has those of the first working day of the week. Replaces what the days were.
    """
    if kind not in ("closed", "make_up"):
        raise Refusal("unknown_code", _("This is not in the list."), field="kind")
    last = last or first
    if not first <= last < first + timedelta(days=LONGEST):
        raise Refusal(
            "bad_days", _("The last day is not before the first, and within a year of it."), field="last"
        )
    title = clean_line(name, limit=120, field="name")
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    with transaction.atomic():
        now = _now(row, by, seen)
        spans = _hours(hours, "hours") or usual(now)
        changes = [Change(day, kind, title, "", "") for day in days]
        return _store(row, changed(now, changes, spans), by)


def remove_day(row: Row, day: date, *, by: Actor, seen: int) -> CalendarVersion:
    """Make a closed or a make-up day an ordinary one again."""
    with transaction.atomic():
        now = _now(row, by, seen)
        if day not in now.closed and day not in now.extra:
            raise Refusal("no_day", _("This day is an ordinary one already."), field="day")
        return _store(row, _without(now, {day}), by)


def preview(row: Row, raw: bytes, *, by: Actor) -> tuple[list[Change], int]:
    """What importing this iCal file would change, and how many of its events say nothing about days. Stores nothing.

    Raises Refusal beside 'file' when it cannot be read, or changes nothing.
    """
    roles.check(by, "keep_calendars")
    now = calendars.read(calendars.newest(row.pk))
    found = ical.read(raw)
    changes = []
    for one in found.days:
        was, was_name = _was(now, one.day)
        kind = "make_up" if one.works else "closed"
        if kind == "make_up" and was == "" and now.week[one.day.weekday()]:
            continue  # an ordinary working day needs no mark
        if (kind, one.name) != (was, was_name):
            changes.append(Change(one.day, kind, one.name, was, was_name))
    if not changes:
        raise Refusal(
            "no_change", _("This file changes nothing: the calendar has these days already."), field="file"
        )
    return changes, found.left_out


def take_in(row: Row, changes: Sequence[Change], *, by: Actor, seen: int, source: str) -> CalendarVersion:
    """Store what a preview showed, as one new version."""
    with transaction.atomic():
        now = _now(row, by, seen)
        return _store(row, changed(now, changes, usual(now)), by, source=source)


def usual(calendar: Calendar) -> Spans:
    """The hours of the first working day of the week; all day when no day has any."""
    return next((spans for spans in calendar.week if spans), ALL_DAY)


def changed(calendar: Calendar, changes: Sequence[Change], spans: Spans) -> Calendar:
    """The calendar with these days closed or worked on."""
    bare = _without(calendar, {c.day for c in changes})
    closed = {c.day: c.name for c in changes if c.kind == "closed"}
    extra = [c for c in changes if c.kind == "make_up"]
    return replace(
        bare,
        closed={**bare.closed, **closed},
        extra={**bare.extra, **{c.day: spans for c in extra}},
        extra_names={**bare.extra_names, **{c.day: c.name for c in extra if c.name}},
    )


def choices() -> list[Row]:
    """The calendars that a shop or a team may be given."""
    return list(listed())


def used_by(row: Row) -> tuple[list[str], list[str]]:
    """The names of the shops and teams that were given this calendar."""
    return (
        list(row.shops.order_by("name").values_list("name", flat=True)),
        list(row.teams.order_by("name").values_list("name", flat=True)),
    )


def by_country(row: Row) -> bool:
    """Whether shops go by this calendar because of where they are."""
    zones = [zone for zone, code in calendars.COUNTRY.items() if code == row.code]
    return bool(zones) and Shop.objects.filter(zone__in=zones, calendar__isnull=True).exists()


def _was(calendar: Calendar, day: date) -> tuple[str, str]:
    if day in calendar.closed:
        return "closed", str(calendar.closed[day])
    if day in calendar.extra:
        return "make_up", str(calendar.extra_names.get(day, ""))
    return "", ""


def _without(calendar: Calendar, days: set[date]) -> Calendar:
    def kept(rows: Mapping[date, Any]) -> dict[date, Any]:
        return {day: value for day, value in rows.items() if day not in days}

    return replace(
        calendar,
        closed=kept(calendar.closed),
        extra=kept(calendar.extra),
        extra_names=kept(calendar.extra_names),
    )


def _now(row: Row, by: Actor, seen: int) -> Calendar:
    """What the calendar says now, locked; raises Stale when it is no longer what the form was drawn from."""
    roles.check(by, "keep_calendars")
    Row.objects.select_for_update().get(pk=row.pk)
    version = calendars.newest(row.pk)
    if version.n != seen:
        raise Stale(_("Somebody else changed this calendar meanwhile."), seen=seen, now_at=version.n)
    return calendars.read(version)


def _store(row: Row, data: Calendar, by: Actor, *, source: str = "") -> CalendarVersion:
    return calendars.add(row, data, by=by.person, source=source)


def _zone(zone: str) -> str:
    try:
        return Calendar(zone, ((),) * 7).zone
    except BadCalendar:
        raise Refusal("unknown_code", _("This is not in the list."), field="zone") from None


def _week(week: Sequence[str]) -> tuple[Spans, ...]:
    return tuple(_hours(hours, f"day{n}") for n, hours in enumerate(week))


def _hours(text: str, field: str) -> Spans:
    parts = (
        clean_line(text, limit=200, field=field, required=False)
        .replace("，", ",")
        .replace("、", ",")
        .split(",")
    )
    try:
        spans = tuple(Span.of(part) for part in parts if part.strip())
        Calendar("UTC", (spans,) * 7)
    except BadCalendar:
        raise Refusal(
            "bad_hours",
            _("Write hours as 09:00-12:00, 13:00-18:00, in order; empty when closed."),
            field=field,
        ) from None
    return spans
