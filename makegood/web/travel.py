"""How cases travel between teams: for leads and managers."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from makegood.base import clock
from makegood.cases.access import shops_for
from makegood.insight import travel
from makegood.people import roles
from makegood.web.signin import actor, signed_in

SPANS = {7: _("7 days"), 30: _("30 days"), 90: _("90 days"), 365: _("A year")}


@require_GET
@signed_in
def show(request: HttpRequest) -> HttpResponse:
    """The hops of the cases opened in the last days: by pair of teams, bounces, and who waits for the customer how often."""
    by = actor(request)
    roles.check(by, "see_travel")
    asked = request.GET.get("days", "")
    days = int(asked) if asked.isdecimal() and int(asked) in SPANS else 30
    now = clock.now()
    found = travel.between(now - timedelta(days=days), now, shops=shops_for(by))
    shown = {"here": "travel", "travel": found, "days": days, "spans": SPANS}
    return render(request, "insight/travel.html", shown)
