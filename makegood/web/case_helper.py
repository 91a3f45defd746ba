"""The helper's card on the sheet: looking whether it has written, and taking its draft into one's own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from makegood.base.errors import NotThere
from makegood.cases.access import case_for
from makegood.desk import drafting, helping
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.web import case as case_page
from makegood.web.case_draw import helper


@case_page.staff_page
@require_GET
def show(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """The card alone, as it is now. The page asks for it every two seconds until it no longer waits."""
    case = case_for(by, number)
    context = helper(case, by, drafting.of(case, by.person))
    if not context["helper"]:
        raise NotThere("helper_off", _("The helper is not switched on for this."))
    return render(request, "cases/_helper.html", {"case": case, "version": case.version, **context})


@case_page.staff_page
@require_POST
def use(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """Take the machine's draft into one's own, below what was typed; the sheet comes back with it in the editor."""
    case = case_for(by, number)
    roles.check(by, "reply")
    task = request.POST.get("task", "")
    helping.use(
        case,
        by.person,
        int(task) if task.isascii() and task.isdigit() and len(task) < 16 else 0,
        typed=request.POST.get("text"),
    )
    if getattr(request, "htmx", False):
        return case_page.page(request, by, case)
    response: HttpResponse = HttpResponseRedirect(reverse("case", args=[case.number]) + "#form-reply")
    response.status_code = 303
    return response
