"""The case sheet: one page to read, and one way in for every verb on it (law 7: stale 409, refused 422, words kept)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRedirect

from makegood.base.errors import DeskError, NotAllowed, NotThere, Refusal, Stale
from makegood.cases.access import case_for, cases_for
from makegood.cases.models import Case, CaseEvent
from makegood.desk import drafting, holding, presence, revealing, sheet, timeline
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.web import composer
from makegood.web.case_draw import drawn
from makegood.web.case_forms import VerbForm
from makegood.web.case_law import panel
from makegood.web.case_verbs import VERBS

View = Callable[..., HttpResponseBase]


def staff_page(view: View) -> View:
    """Signed in, of the desk (anybody else learns nothing: 404), in their own time zone, never from a cache."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            # A signed-out htmx press must not swap the sign-in page over words that were not sent.
            return (
                HttpResponse(status=401) if is_htmx(request) else redirect_to_login(request.get_full_path())
            )
        if not user.is_staff_here:
            raise NotThere("no_case", _("There is no such case."))
        with timezone.override(ZoneInfo(user.zone)):
            return view(request, actors.user(user), *args, **kwargs)

    return never_cache(run)


@staff_page
@require_GET
def show(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """The sheet; the number of a merged case leads to the one that it went into."""
    case = case_for(by, number)
    if case.number != number:
        return HttpResponseRedirect(f"{reverse('case', args=[case.number])}?from={number}")
    presence.be_here(case.pk, by.user_id or 0)
    return page(request, by, case)


@staff_page
def act(request: HttpRequest, by: Actor, number: int, verb: str) -> HttpResponseBase:
    """Do a verb. Success leads to the sheet; else the same sheet comes back with what was typed and the reason."""
    case = case_for(by, number)
    if request.method != "POST":  # the address of a refused form, loaded again
        return HttpResponseRedirect(reverse("case", args=[case.number]))
    form = VERBS[verb].form(request.POST, request.FILES, case=case, by=by, verb=verb)
    seen = 0
    try:
        if case.number != number:
            seen = _before_merge(case, number)
            raise Stale(_("This case was merged into another one."), seen=seen, now_at=case.version)
        if form.is_valid():
            if verb in holding.VERBS:
                event = composer.send(case, verb, by, form.cleaned_data)
            else:
                event = VERBS[verb].call(case, by, form.cleaned_data)
            return done(request, by, case, event)
        status = 422
    except (Stale, Refusal, NotAllowed) as error:
        form.refuse(error)
        status, seen = error.status, error.seen if isinstance(error, Stale) else 0
    _keep(form, by)
    return page(request, by, case_for(by, number), tried=form, status=status, seen=seen)


def done(request: HttpRequest, by: Actor, case: Case, event: CaseEvent | None) -> HttpResponseBase:
    """After a verb: the sheet as it is now, or on to the case where the event stands (a merge). No event: it is held."""
    if not cases_for(by).filter(pk=event.case_id if event else case.pk).exists():
        # Sorted as a matter of security, or handed on: it is out of this person's sight now, and its sheet would be a 404.
        messages.info(request, gettext("Done. The case is restricted now and no longer among yours."))
        return HttpResponseClientRedirect(reverse("queue")) if is_htmx(request) else redirect("queue")
    if event is None:
        return page(request, by, case_for(by, case.number)) if is_htmx(request) else _back(case)
    if event.kind == "revealed":
        # Drawn into this one answer and nowhere else: a page behind a redirect could be loaded again.
        told = gettext("Shown once: %(value)s") % {"value": revealing.value_of(event, by=by)}
        return page(request, by, case_for(by, case.number), event=event, told=told)
    shared = f"?link={event.data['link']}" if event.kind == "link_shared" else ""
    if event.case_id != case.pk:
        address = reverse("case", args=[event.case.number])
        return HttpResponseClientRedirect(address) if is_htmx(request) else HttpResponseRedirect(address)
    if is_htmx(request):
        return page(request, by, case_for(by, case.number), event=event)
    return _back(case, shared)


def _back(case: Case, more: str = "") -> HttpResponseRedirect:
    response = HttpResponseRedirect(reverse("case", args=[case.number]) + more)
    response.status_code = 303
    return response


def page(
    request: HttpRequest,
    by: Actor,
    case: Case,
    *,
    tried: VerbForm | None = None,
    status: int = 200,
    seen: int = 0,
    event: CaseEvent | None = None,
    told: Any = None,
    bad: bool = False,
) -> HttpResponse:
    """The whole page, or only the sheet where htmx asks for it. ``told`` is a sentence above it."""
    read = sheet.read(case, by=by, everything="all" in request.GET)
    changed = timeline.of_case(case, since=seen) if status == 409 and seen is not None else []
    said = timeline.render([event], case)[0] if event else None
    link_id = event.data.get("link") if event else request.GET.get("link")
    context = drawn(read, by, tried=tried, changed=changed, said=said, link=link_id)
    context["panel"] = panel(read, by, tried)
    context |= {**composer.composer(read, by), "told": told, "told_bad": bad}
    template = "cases/_sheet.html" if is_htmx(request) else "cases/case.html"
    return render(request, template, context, status=status)


def is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _before_merge(case: Case, number: int) -> int:
    """The version of the survivor just before it took in the case ``number``."""
    taken = case.events.filter(kind="absorbed", data__case=number).order_by("-seq").first()
    return taken.seq - 1 if taken else 0


def _keep(form: VerbForm, by: Actor) -> None:
    """What was meant for the customer is kept as a draft too, whatever the browser does with the answer."""
    if form.verb in ("reply", "tell") and by.user_id:
        try:
            drafting.keep(
                form.case, by.user_id, str(form.data.get("text", "")), str(form.data.get("tab", ""))
            )
        except DeskError:
            pass  # too long to keep: it stands in the form that goes back
