"""The search page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from makegood.desk import finding
from makegood.web.signin import actor, may


@require_GET
@may("see_queue")
def show(request: HttpRequest) -> HttpResponse:
    text, only = request.GET.get("q", ""), request.GET.get("only", "")
    only = only if only in ("open", "ended") else ""
    found = finding.find(actor(request), text, only=only, after=request.GET.get("page"))
    more = urlencode({"q": found.text, "only": only, "page": found.next}) if found.next else ""
    return render(
        request,
        "queue/search.html",
        {"here": "search", "found": found, "only": only, "more": more, "most": finding.MOST},
    )
