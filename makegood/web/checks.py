"""Every check of a reply (``/checks/``): why it is there, examples, what a team has, and how often it was overridden."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from makegood.base.errors import NotThere
from makegood.base.languages import closest
from makegood.conversations.models import RuleLevel
from makegood.desk import ready, switching
from makegood.people import roles
from makegood.people.models import Team
from makegood.web.signin import actor, may


def _team(request: HttpRequest, wanted: str) -> Team | None:
    """The team that is asked for among the person's own, else their first."""
    teams = list(ready.teams_of(actor(request)))
    return next((team for team in teams if str(team.pk) == wanted), teams[0] if teams else None)


@may("see_queue")
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    by = actor(request)
    team = _team(request, request.GET.get("team", ""))
    context = {
        "here": "replies",
        "team": team,
        "teams": [(t.pk, t.name) for t in ready.teams_of(by)],
        "rows": switching.shown(team, closest(request.LANGUAGE_CODE)),
        "levels": RuleLevel.Level.choices,
        "switches": roles.may(by, "switch_checks") and team is not None,
    }
    return render(request, "replies/checks.html", context)


@may("switch_checks")
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Switch one check for one team."""
    team = Team.objects.filter(
        pk=request.POST.get("team", "0") if request.POST.get("team", "0").isdecimal() else 0
    ).first()
    if team is None:
        raise NotThere("no_team", _("There is no such team."))
    rule = request.POST.get("rule", "")
    switching.switch(team, rule, request.POST.get("level", ""), by=actor(request))
    messages.success(request, gettext("Saved."), "good")
    return HttpResponseRedirect(f"{reverse('checks')}?team={team.pk}#{rule}")
