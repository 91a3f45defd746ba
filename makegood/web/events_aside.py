"""Events: the stores that tell us, and what they sent that could not be taken, to be tried again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_http_methods

from makegood.base.errors import Refusal
from makegood.desk import events_in
from makegood.web.signin import actor, may


@require_http_methods(["GET", "HEAD", "POST"])
@may("keep_stores")
def show(request: HttpRequest) -> HttpResponse:
    """The page. POST tries one again (``pk``), all of a reason (``reason``), or lets one go (``away``)."""
    by = actor(request)
    if request.method == "POST":
        _act(request)
        return redirect("events_aside")
    shown = {
        "here": "events",
        "stores": events_in.stores(by=by),
        "behind": events_in.behind(),
        "heaps": events_in.heaps(by=by),
        "rows": events_in.newest(by=by, reason=request.GET.get("reason", "")),
        "reason": request.GET.get("reason", ""),
    }
    return render(request, "events/aside.html", shown)


def _act(request: HttpRequest) -> None:
    by, away = actor(request), _number(request.POST.get("away", ""))
    if away is not None:
        events_in.let_go(by=by, pk=away)
        messages.success(request, gettext("It is off the page. If it is sent again, it comes back."), "good")
        return
    try:
        taken, left = events_in.replay(
            by=by, pk=_number(request.POST.get("pk", "")), reason=request.POST.get("reason", "")
        )
    except Refusal as error:
        messages.error(request, str(error), "bad")
        return
    if taken:
        told = ngettext("%(n)s event is taken now.", "%(n)s events are taken now.", taken) % {"n": taken}
        messages.success(request, told, "good")
    if left:
        told = ngettext("%(n)s event still cannot be taken.", "%(n)s events still cannot be taken.", left)
        messages.warning(request, told % {"n": left}, "warn")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
