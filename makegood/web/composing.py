"""The editor's own calls: what is found in a reply, ready-made ones, the ten seconds, and words that were covered."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from makegood.base.languages import LANGUAGES
from makegood.cases.access import case_for
from makegood.cases.models import Case
from makegood.conversations.models import HeldReply
from makegood.desk import checking, drafting, holding, ready
from makegood.people.actors import Actor
from makegood.web import case as sheet_page
from makegood.web import checks_draw
from makegood.web.case import staff_page
from makegood.web.case_verbs import VERBS


@staff_page
@require_POST
def check(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """What stands in the words so far; nothing is stored."""
    case = case_for(by, number)
    verb = request.POST.get("verb", "reply")
    if verb not in holding.VERBS:
        return HttpResponse(status=404)
    form = VERBS[verb].form(request.POST, case=case, by=by, verb=verb)
    form.is_valid()
    text = request.POST.get("text", "").replace("\r\n", "\n")
    look = checking.look(case, text, by=by, verb=verb)
    at = getattr(form, "cleaned_data", {}).get("next_word_at")
    open_next = not request.POST.get("next_word_at") and request.POST.get("next_word", "rule") == "rule"
    found = checks_draw.drawn(look, request.POST, at, open_next=open_next)
    return render(
        request, "cases/_checks.html", {"found": found, "verb": verb, "written": bool(text.strip())}
    )


@staff_page
@require_GET
def snippet(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """A ready-made reply filled for this case, for the editor's script."""
    case = case_for(by, number)
    made = ready.filled(case, request.GET.get("pick", ""), by=by, team_id=checking.team_of(case, by))
    note = ""
    if made.language != made.asked:
        note = _("There is none in the customer's language; this one is in %(language)s.") % {
            "language": dict(LANGUAGES)[made.language]
        }
    return JsonResponse({"text": made.text, "note": note, "at": checks_draw.local(made.next_word_at)})


@staff_page
@require_POST
def insert(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """Without script: a ready-made reply below what was written, kept as the draft."""
    case = case_for(by, number)
    text = request.POST.get("text", "").strip()
    if pick := request.POST.get("snippet", ""):
        made = ready.filled(case, pick, by=by, team_id=checking.team_of(case, by))
        text = f"{text}\n\n{made.text}".strip()
    drafting.keep(case, by.user_id or 0, text)
    return _to(case)


@staff_page
@require_POST
def undo(request: HttpRequest, by: Actor, number: int, held_id: int) -> HttpResponseBase:
    """Take back what is about to go out."""
    case = case_for(by, number)
    held = holding.undo(held_id, by=by)
    if held.state == HeldReply.State.UNDONE:
        told = gettext_lazy("Taken back. Your words are in the editor again; files must be chosen again.")
    else:
        told = gettext_lazy("It was too late: the answer has gone out already.")
    return _again(request, by, case, told)


@staff_page
@require_POST
def go_out(request: HttpRequest, by: Actor, number: int, held_id: int) -> HttpResponseBase:
    """The ten seconds are over: the page's own call. Whoever calls twice sends once."""
    case = case_for(by, number)
    holding.mine(held_id, by=by)
    held, error = holding.send(held_id)
    if error is not None:
        told = _("Your answer was not sent: %(why)s Your words are in the editor again.") % {
            "why": error.reason
        }
        return _again(request, by, case, told, status=error.status, bad=True)
    sent = held.state == HeldReply.State.SENT
    event = case.events.filter(kind__in=("replied", "told"), actor_id=by.user_id).order_by("-seq").first()
    if sheet_page.is_htmx(request):
        return sheet_page.page(request, by, case_for(by, number), event=event if sent else None)
    return _to(case)


@staff_page
@require_POST
def version(request: HttpRequest, by: Actor, number: int, version_id: int) -> HttpResponseBase:
    """Take earlier words back into the editor."""
    case = case_for(by, number)
    drafting.take_version(case, by.user_id or 0, version_id)
    return _to(case)


def _again(
    request: HttpRequest, by: Actor, case: Case, told: Any, *, status: int = 200, bad: bool = False
) -> HttpResponseBase:
    if sheet_page.is_htmx(request):
        return sheet_page.page(request, by, case_for(by, case.number), status=status, told=told, bad=bad)
    messages.add_message(
        request, messages.WARNING if bad else messages.SUCCESS, str(told), "bad" if bad else "good"
    )
    return _to(case)


def _to(case: Case) -> HttpResponseRedirect:
    response = HttpResponseRedirect(reverse("case", args=[case.number]) + "#form-reply")
    response.status_code = 303
    return response
