"""Incidents: the list with what is suggested, one incident, how far its acts are (polled), and one way in for every verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from makegood.base.errors import NotAllowed, NotThere, Refusal, Stale
from makegood.desk import (
    incident_acts,
    incident_affected,
    incident_again,
    incident_finding,
    incident_page,
    incidents,
)
from makegood.desk.incident_affected import Affected
from makegood.desk.incident_page import IncidentPage
from makegood.incidents.models import Incident
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.web.case import staff_page
from makegood.web.incident_forms import APART, FORMS, Asked, Dismiss, IncidentForm, Open, carried, left_out

Data = dict[str, Any]

CALLS: dict[str, Callable[[Incident, Actor, IncidentForm, Data], object]] = {
    "word": lambda one, by, form, d: incident_acts.tell_incident(
        one, by=by, texts=form.texts, next_word_at=d["next_word_at"], reason=d["reason"]
    ),
    "mended": lambda one, by, form, d: incident_acts.tell_mended(
        one, by=by, texts=form.texts, next_word_at=d["next_word_at"], reason=d["reason"]
    ),
    "fix": lambda one, by, form, d: incident_acts.fix_incident(
        one, by=by, done=d["done"], cause=d["cause"], remedy=d["remedy"]
    ),
    "verify": lambda one, by, form, d: incident_acts.verify_incident(
        one, by=by, proof=d["proof"], what_was_seen=d["what_was_seen"], reference=d["reference"]
    ),
    "join": lambda one, by, form, d: incident_acts.bring_in(one, by=by),
    "open": lambda one, by, form, d: incident_acts.open_for_affected(
        one,
        by=by,
        texts=form.texts,
        since=d["since"],
        until=d["until"],
        without=[*d["out"], *carried(d["left"])],
    ),
    "again": lambda one, by, form, d: incident_again.try_again(one, d["act"], by=by),
    "close": lambda one, by, form, d: incidents.close_incident(one, by=by),
}


@staff_page
@require_GET
def lists(request: HttpRequest, by: Actor) -> HttpResponseBase:
    """The open incidents, and what looks like one; or the closed ones."""
    closed = request.GET.get("view") == "closed"
    return render(request, "incidents/incidents.html", _listed(by, closed))


@staff_page
@require_GET
def show(request: HttpRequest, by: Actor, pk: int) -> HttpResponseBase:
    """One incident: its card, its progress, its cases a page at a time, what can be done on all of them."""
    page = _page(request, by, pk)
    return render(request, "incidents/incident.html", drawn(request, page))


@staff_page
@require_GET
def now(request: HttpRequest, by: Actor, pk: int) -> HttpResponseBase:
    """How far it is: asked every few seconds while an act is being carried out."""
    return render(request, "incidents/_progress.html", {"page": _page(request, by, pk)})


@staff_page
def act(request: HttpRequest, by: Actor, pk: int, verb: str) -> HttpResponseBase:
    """Do a verb of the incident. What is refused comes back with what was typed, and the reason beside it."""
    if verb not in FORMS:
        raise NotThere("no_incident", _("There is no such incident."))
    page = _page(request, by, pk)
    address = reverse("incident", args=[pk])
    if request.method != "POST":  # the address of a refused form, loaded again
        return HttpResponseRedirect(address)
    if verb == "open" and "at" in request.POST:  # another page of those whom it struck; nothing is done yet
        return render(request, "incidents/incident.html", drawn(request, page))
    form = FORMS[verb](request.POST, page=page, needed=_needed(page, verb, request))
    status = 422
    try:
        if form.is_valid():
            CALLS[verb](page.incident, by, form, form.cleaned_data)
            return _see(address)
    except (Stale, Refusal, NotAllowed) as error:
        form.refuse(error)
        status = error.status
    return render(request, "incidents/incident.html", drawn(request, page, tried=form), status=status)


@staff_page
@require_POST
def settle(request: HttpRequest, by: Actor, pk: int, answer: str) -> HttpResponseBase:
    """Accept or dismiss a suggestion."""
    if answer not in ("accept", "dismiss"):
        raise NotThere("no_suggestion", _("There is no such suggestion."))
    try:
        if answer == "accept":
            event = incident_finding.accept_suggestion(pk, by=by)
            return _see(reverse("incident", args=[event.data["incident"]]))
        incident_finding.dismiss_suggestion(pk, by=by, reason=request.POST.get("reason", ""))
        return _see(reverse("incidents"))
    except (Refusal, NotAllowed) as error:
        shown = {
            **_listed(by, False),
            "refused": pk,
            "why": error.reason,
            "typed": request.POST.get("reason", ""),
        }
        return render(request, "incidents/incidents.html", shown, status=error.status)


def drawn(request: HttpRequest, page: IncidentPage, *, tried: IncidentForm | None = None) -> Data:
    """The context of an incident's page; ``tried`` is the form that was refused."""
    forms: dict[str, IncidentForm] = {}
    if page.incident.is_open:
        forms = {verb: form(page=page) for verb, form in FORMS.items() if verb not in APART}
    sent = request.POST if "since" in request.POST else request.GET
    asked = Asked(sent if "since" in sent else None)
    found = _affected(page, asked, sent) if asked.is_bound and page.leads else None
    if found and page.incident.is_open and (found.rows or found.at):
        typed = {name: value for name, value in request.POST.items() if name.startswith("text_")}
        times = {"since": found.since, "until": found.until, "left": found.elsewhere}
        forms["open"] = Open(page=page, needed=found.languages, initial={**typed, **times})
    if tried is not None:
        forms[tried.verb] = tried
    return {
        "here": "incidents",
        "page": page,
        "incident": page.incident,
        "forms": {
            verb: form for verb, form in forms.items() if _may(page, verb) and (form.ready or form is tried)
        },
        "tried": tried,
        "asked": asked,
        "affected": found,
    }


def _may(page: IncidentPage, verb: str) -> bool:
    return page.verifies if verb == "verify" else page.leads


def _affected(page: IncidentPage, asked: Asked, sent: QueryDict) -> Affected | None:
    """Whom else it struck in the time that was asked for; a wrong time says so beside its control."""
    if not asked.is_valid():
        return None
    times = asked.cleaned_data
    try:
        return incident_affected.read(
            page.incident, by=page.by, **times, at=_place(sent, "at"), left=left_out(sent)
        )
    except Refusal as refusal:
        asked.add_error(refusal.field, str(refusal.reason))
        return None


def _needed(page: IncidentPage, verb: str, request: HttpRequest) -> dict[str, int] | None:
    """The languages of those for whom cases would be opened, as the form that was sent names its time."""
    if verb != "open":
        return None
    found = _affected(page, Asked(request.POST), request.POST)
    return found.languages if found else {}


def _page(request: HttpRequest, by: Actor, pk: int) -> IncidentPage:
    asked = request.GET
    return incident_page.read(
        incidents.incident_for(by, pk),
        by=by,
        stage=asked.get("stage", ""),
        after=_place(asked, "after"),
        failed_of=_place(asked, "failed"),
        failed_after=_place(asked, "from"),
    )


def _place(asked: QueryDict, name: str) -> int:
    """An id from the address; 0 for what is none."""
    value = asked.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else 0


def _listed(by: Actor, closed: bool) -> Data:
    return {
        "here": "incidents",
        "listed": incident_page.listed(by, closed=closed),
        "suggested": [] if closed else incident_page.suggested(by),
        "closed": closed,
        "dismiss": Dismiss(),
        "leads": roles.may(by, "lead_incident"),
    }


def _see(address: str) -> HttpResponseRedirect:
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response
