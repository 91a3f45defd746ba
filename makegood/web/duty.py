"""Who is on duty: a team's week of shifts, who is away, how far each lead's arm reaches, and the ways to change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from makegood.base.errors import DeskError, NotThere
from makegood.desk import absence, duty_page, rostering
from makegood.desk.duty_page import DutyPage
from makegood.packs import escalation
from makegood.people.actors import Actor
from makegood.people.models import Team, User
from makegood.web.calendar_forms import SHORT
from makegood.web.duty_forms import AwayForm, PasteForm, ShiftForm
from makegood.web.signin import actor, may

Data = dict[str, Any]
FORMS: dict[str, Any] = {"shift": ShiftForm, "paste": PasteForm, "away": AwayForm}


@require_GET
@may("see_duty")
def show(request: HttpRequest) -> HttpResponse:
    return _page(request, _read(request, request.GET))


@require_POST
@may("keep_shifts")
def shift(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter a shift, and repeat it."""
    return _send(request, "shift", pk, lambda team, by, data: _said(rostering.add(team, by=by, **data)))


@require_POST
@may("keep_shifts")
def paste(request: HttpRequest, pk: int) -> HttpResponse:
    """Take in shifts that were pasted."""
    return _send(
        request, "paste", pk, lambda team, by, data: _said(rostering.paste(team, by=by, text=data["text"]))
    )


@require_POST
@may("keep_shifts")
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Copy the week before into the one that is shown."""
    page = _read(request, request.POST, pk)
    return _do(request, page, lambda team, by: _said(rostering.copy_week(team, page.monday, by=by)))


@require_POST
@may("keep_shifts")
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a shift out."""
    raw = request.POST.get("shift", "")
    shift_id = int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 18 else 0

    def run(team: Team, by: Actor) -> str:
        rostering.drop(team, shift_id, by=by)
        return gettext("Taken out.")

    return _do(request, _read(request, request.POST, pk), run)


@require_POST
@may("be_away")
def away(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter an absence: one's own, or as a lead somebody else's."""

    def run(team: Team, by: Actor, data: Data) -> str:
        user = data.get("user") or User.objects.get(pk=by.person)
        absence.go_away(user, by=by, starts_at=data["starts_at"], ends_at=data["ends_at"])
        return gettext("Entered. What they own goes back to their team when it begins.")

    return _send(request, "away", pk, run)


@require_POST
@may("be_away")
def back(request: HttpRequest, pk: int) -> HttpResponse:
    """End an absence, or take away one that lies ahead."""
    absence.come_back(pk, by=actor(request))
    messages.success(request, gettext("Here again."), "good")
    return redirect("duty")


def address(page: DutyPage, monday: date | None = None) -> str:
    """The address of the page of this team and week."""
    asked = {"team": page.team.pk if page.team else "", "week": (monday or page.monday).isoformat()}
    return f"{reverse('duty')}?{urlencode(asked)}"


def _send(request: HttpRequest, name: str, pk: int, run: Callable[[Team, Actor, Data], str]) -> HttpResponse:
    page = _read(request, request.POST, pk)
    form: forms.Form = FORMS[name](request.POST, page=page)
    if form.is_valid():
        try:
            assert page.team is not None, "_read found it"
            messages.success(request, run(page.team, actor(request), form.cleaned_data), "good")
            return redirect(address(page))
        except DeskError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.reason))
    return _page(request, page, **{name: form})


def _do(request: HttpRequest, page: DutyPage, run: Callable[[Team, Actor], str]) -> HttpResponse:
    try:
        assert page.team is not None, "_read found it"
        messages.success(request, run(page.team, actor(request)), "good")
    except NotThere:
        raise
    except DeskError as error:
        messages.error(request, str(error.reason), "bad")
    return redirect(address(page))


def _page(request: HttpRequest, page: DutyPage, **tried: forms.Form) -> HttpResponse:
    shown = {
        "here": "duty",
        "page": page,
        "days": list(zip(SHORT, page.days, strict=True)),
        "forms": {name: tried.get(name) or form(page=page) for name, form in FORMS.items()},
        "tried": next(iter(tried), ""),
        "earlier": address(page, page.before),
        "later": address(page, page.after),
        "warn_at": escalation().span_warning,
        "most_rooms": escalation().rooms,
    }
    return render(request, "duty/duty.html", shown, status=422 if tried else 200)


def _read(request: HttpRequest, asked: Any, pk: int | None = None) -> DutyPage:
    """The page that the address or the form asks for; nonsense in it is as if it were not there, but for a team that is none."""
    raw = asked.get("team", "")
    team = int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 18 else None
    try:
        found = date.fromisoformat(asked.get("week", ""))
        week = found if 2000 <= found.year <= 2199 else None
    except ValueError:
        week = None
    page = duty_page.read(actor(request), team_id=pk or team, week=week)
    if pk is not None and (page.team is None or page.team.pk != pk):
        raise NotThere("no_row", _("There is no such entry."))
    return page


def _said(n: int) -> str:
    return ngettext("%(n)s shift entered.", "%(n)s shifts entered.", n) % {"n": n}
