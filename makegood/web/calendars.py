"""Business calendars: the list, a year at a glance, its hours and days, what an iCal file would change, its versions."""

from __future__ import annotations

import calendar as months
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from makegood.base import clock
from makegood.base.calendar import Calendar
from makegood.base.errors import DeskError, NotThere, Refusal
from makegood.base.words import file_name
from makegood.desk import calendars as desk
from makegood.people import calendars, ical
from makegood.people.calendars import Calendar as Row
from makegood.web.calendar_forms import SHORT, WEEK, DaysForm, FileForm, NewForm, WeekForm
from makegood.web.signin import actor, may

_SALT = "calendar-import"
_KEPT = 2 * 60 * 60
VERSIONS = 30


@dataclass(frozen=True)
class Day:
    """One day of the grid: ``kind`` is open, off (as every week), closed or make_up."""

    day: date
    kind: str
    name: str
    today: bool


@dataclass
class Shown:
    """The forms of the page of one calendar; the one that was refused comes back as it was filled in."""

    week: WeekForm
    days: DaysForm
    file: FileForm = field(default_factory=lambda: FileForm())


@require_GET
@may("keep_calendars")
def lists(request: HttpRequest) -> HttpResponse:
    return render(request, "people/calendars.html", {"here": "people", "rows": list(desk.listed())})


@require_http_methods(["GET", "HEAD", "POST"])
@may("keep_calendars")
def new(request: HttpRequest) -> HttpResponse:
    """A new calendar."""
    form = NewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            given = {name: form.cleaned_data[name] for name in ("name", "code", "zone")}
            row = desk.new_calendar(by=actor(request), week=form.week, **given)
            return redirect("calendar", row.pk)
        except DeskError as error:
            _refuse(form, error)
    status = 422 if form.errors else 200
    return render(request, "people/calendar_new.html", {"here": "people", "form": form}, status=status)


@require_GET
@may("keep_calendars")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One calendar: a year as months, the forms, the versions."""
    return _page(request, _row(pk))


@require_POST
@may("keep_calendars")
def week(request: HttpRequest, pk: int) -> HttpResponse:
    """Change name, zone and weekly hours."""
    row, form = _row(pk), WeekForm(request.POST)
    if form.is_valid():
        try:
            given = {name: form.cleaned_data[name] for name in ("name", "zone")}
            desk.save_week(row, by=actor(request), seen=_seen(request), week=form.week, **given)
            return _saved(request, row)
        except DeskError as error:
            _refuse(form, error)
    return _page(request, row, week=form)


@require_POST
@may("keep_calendars")
def days(request: HttpRequest, pk: int) -> HttpResponse:
    """Close days, or make them working days."""
    row, form = _row(pk), DaysForm(request.POST)
    if form.is_valid():
        try:
            desk.add_days(row, by=actor(request), seen=_seen(request), **form.cleaned_data)
            return _saved(request, row, year=form.cleaned_data["first"].year)
        except DeskError as error:
            _refuse(form, error)
    return _page(request, row, days=form)


@require_POST
@may("keep_calendars")
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a day an ordinary one again."""
    row = _row(pk)
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        raise NotThere("no_day", _("There is no such entry.")) from None
    try:
        desk.remove_day(row, day, by=actor(request), seen=_seen(request))
    except DeskError as error:
        messages.error(request, str(error.reason), "bad")
    else:
        messages.success(request, gettext("Saved."), "good")
    return _back(row, day.year)


@require_POST
@may("keep_calendars")
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """What an iCal file would change. Nothing is stored: the page carries the changes, signed, until they are taken in."""
    row, form = _row(pk), FileForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file.size > ical.LARGEST:
                raise Refusal("too_large", _("This file is too large: at most 10 MB."), field="file")
            changes, left_out = desk.preview(row, file.read(), by=actor(request))
        except DeskError as error:
            _refuse(form, error)
        else:
            kept = {
                "row": row.pk,
                "seen": calendars.newest(row.pk).n,
                "file": file_name(file.name or "")[:80],
                "changes": [{**asdict(c), "day": c.day.isoformat()} for c in changes],
            }
            shown = {
                "here": "people",
                "row": row,
                "changes": changes,
                "left_out": left_out,
                "file": kept["file"],
                "kept": signing.dumps(kept, salt=_SALT, compress=True),
            }
            return render(request, "people/calendar_import.html", shown)
    return _page(request, row, file=form)


@require_POST
@may("keep_calendars")
def take_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Store what the preview showed."""
    row = _row(pk)
    try:
        kept = signing.loads(request.POST.get("kept", ""), salt=_SALT, max_age=_KEPT)
        if kept["row"] != row.pk:
            raise signing.BadSignature
    except signing.BadSignature:
        raise NotThere(
            "no_preview", _("This preview is no longer valid. Please choose the file again.")
        ) from None
    changes = [desk.Change(**{**c, "day": date.fromisoformat(c["day"])}) for c in kept["changes"]]
    try:
        desk.take_in(row, changes, by=actor(request), seen=kept["seen"], source=kept["file"])
    except DeskError as error:
        messages.error(request, str(error.reason), "bad")
        return _back(row)
    said = ngettext("%(n)s day was taken in.", "%(n)s days were taken in.", len(changes)) % {
        "n": len(changes)
    }
    messages.success(request, said, "good")
    return _back(row, changes[0].day.year)


def _page(request: HttpRequest, row: Row, **tried: Any) -> HttpResponse:
    version = calendars.newest(row.pk)
    now = calendars.read(version)
    year = _year(request, now)
    hours = {f"day{n}": ", ".join(str(s) for s in spans) for n, spans in enumerate(now.week)}
    shown = Shown(
        **{
            "week": WeekForm(initial={"name": row.name, "zone": now.zone, **hours}),
            "days": DaysForm(),
            **tried,
        }
    )
    context = {
        "here": "people",
        "row": row,
        "version": version,
        "calendar": now,
        "year": year,
        "before": year - 1 if year > 1971 else None,
        "after": year + 1,
        "months": _months(now, year),
        "named": [
            d
            for month in _months(now, year)
            for w in month[1]
            for d in w
            if d and d.kind in ("closed", "make_up")
        ],
        "weekdays": list(zip(SHORT, WEEK, strict=True)),
        "forms": shown,
        "tried": next(iter(tried), ""),
        "versions": list(row.versions.select_related("by").order_by("-n")[:VERSIONS]),
        "used_by": desk.used_by(row),
        "by_country": desk.by_country(row),
    }
    return render(request, "people/calendar.html", context, status=422 if tried else 200)


def _months(calendar: Calendar, year: int) -> list[tuple[date, list[list[Day | None]]]]:
    today = clock.today(calendar.zone)
    grid = months.Calendar()
    return [
        (
            date(year, month, 1),
            [
                [_day(calendar, d, today) if d.month == month else None for d in w]
                for w in grid.monthdatescalendar(year, month)
            ],
        )
        for month in range(1, 13)
    ]


def _day(calendar: Calendar, day: date, today: date) -> Day:
    if day in calendar.closed:
        kind, name = "closed", str(calendar.closed[day])
    elif day in calendar.extra:
        kind, name = "make_up", str(calendar.extra_names.get(day, ""))
    else:
        kind, name = ("open" if calendar.is_working(day) else "off"), ""
    return Day(day, kind, name, day == today)


def _year(request: HttpRequest, calendar: Calendar) -> int:
    asked = request.GET.get("year", "")
    if asked.isascii() and asked.isdigit() and 1970 < int(asked[:6]) < 2200:
        return int(asked)
    return clock.today(calendar.zone).year


def _row(pk: int) -> Row:
    row = Row.objects.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise NotThere("no_row", _("There is no such entry."))
    return row


def _seen(request: HttpRequest) -> int:
    seen = request.POST.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else 0


def _saved(request: HttpRequest, row: Row, year: int | None = None) -> HttpResponse:
    messages.success(request, gettext("Saved."), "good")
    return _back(row, year)


def _back(row: Row, year: int | None = None) -> HttpResponse:
    response = redirect("calendar", row.pk)
    if year:
        response["Location"] += f"?year={year}"
    return response


def _refuse(form: forms.Form, error: DeskError) -> None:
    form.add_error(error.field if error.field in form.fields else None, str(error.reason))
