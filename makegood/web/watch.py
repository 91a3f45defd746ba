"""The watch: its processes, one of them, one finding; and the two things that are sent."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from makegood.base.errors import DeskError
from makegood.desk import watch_dismissing, watch_finding, watch_page, watch_wishes
from makegood.desk.watch_wishes import Wanted
from makegood.web.signin import actor, may


@require_GET
@may("see_watch")
def lists(request: HttpRequest) -> HttpResponse:
    """Every process that is watched."""
    lines, kept_at = watch_page.lines(actor(request))
    return render(request, "watch/processes.html", {"lines": lines, "kept_at": kept_at, "here": "watch"})


@require_GET
@may("see_watch")
def show(request: HttpRequest, code: str) -> HttpResponse:
    """One process, step by step; asked by htmx only the part that changes."""
    page = watch_page.process_page(actor(request), code)
    whole = "watch/_now.html" if request.headers.get("HX-Request") else "watch/process.html"
    return render(request, whole, {"page": page, "here": "watch"})


@require_GET
@may("see_watch")
def finding(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding with its picture."""
    page = watch_finding.finding_page(actor(request), pk)
    return render(request, "watch/finding.html", {"page": page, "finding": page.finding, "here": "watch"})


@require_POST
@may("dismiss_finding")
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """It is no trouble, and why."""
    by = actor(request)
    one = watch_dismissing.finding_for(by, pk)
    reason, words = request.POST.get("reason", ""), request.POST.get("words", "")
    try:
        watch_dismissing.dismiss(one, by=by, reason=reason, words=words)
    except DeskError as error:
        messages.error(request, str(error), extra_tags="bad")
        page = watch_finding.finding_page(by, pk)
        tried = {"page": page, "finding": one, "here": "watch", "reason": reason, "words": words}
        return render(request, "watch/finding.html", tried, status=422)
    messages.success(request, gettext("Dismissed. The watch learns from it."), extra_tags="good")
    return redirect("watch_finding", pk)


@require_POST
@may("keep_watch")
def settings(request: HttpRequest, code: str) -> HttpResponse:
    """What is wanted of a process."""
    sent = request.POST
    numbers = [int(n) for n in sent.getlist("shop") if n.isascii() and n.isdecimal() and len(n) < 18]
    shops = {n: Wanted(f"on-{n}" in sent, f"first-{n}" in sent, sent.get(f"alpha-{n}", "")) for n in numbers}
    by = actor(request)
    try:
        watch_wishes.keep(code, by=by, on="on" in sent, alpha=sent.get("alpha", ""), shops=shops)
    except DeskError as error:
        messages.error(request, str(error), extra_tags="bad")
        page = watch_page.process_page(by, code)
        tried = {"page": page, "here": "watch", "alpha": sent.get("alpha", "")}
        return render(request, "watch/process.html", tried, status=422)
    messages.success(
        request, gettext("Kept. The watch goes on with it within ten seconds."), extra_tags="good"
    )
    return redirect("watch_process", code)
