"""Small answers to the open sheet: who else is here, whether the case moved on, and the draft that is kept."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases.access import case_for
from makegood.cases.models import Case
from makegood.conversations.models import Draft
from makegood.desk import drafting, presence
from makegood.people.actors import Actor
from makegood.web.case import staff_page


@staff_page
@require_POST
def here(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """Say that I am here, and learn who else is, and whether the case moved on since the version that I see."""
    case = case_for(by, number)
    user = by.user_id or 0
    presence.be_here(case.pk, user, writing=_writing(request, case, user))
    raw = request.POST.get("version", "")
    seen = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else case.version
    context = {"others": presence.others(case, user), "case": case, "moved": seen != case.version}
    return render(request, "cases/_presence.html", context)


def _writing(request: HttpRequest, case: Case, user: int) -> bool:
    """Whether the composer holds words, as the page says; a page that says nothing has kept a draft a moment ago."""
    said = request.POST.get("writing", "")
    if said:
        return said == "1"
    since = clock.now() - timedelta(seconds=20)
    return Draft.objects.filter(case=case, user_id=user, at__gt=since).exists()


@staff_page
@require_POST
def draft(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """Keep what is being written to the customer; nothing is drawn."""
    case = case_for(by, number)
    try:
        drafting.keep(case, by.user_id or 0, request.POST.get("text", ""), request.POST.get("tab", ""))
    except Refusal:
        return HttpResponse(status=422)
    return HttpResponse(status=204)


def no_stream(request: HttpRequest) -> HttpResponse:
    """Where Django itself is asked for a stream (``runserver``, WSGI) there is none: 204 tells a browser not to come back."""
    return HttpResponse(status=204)
