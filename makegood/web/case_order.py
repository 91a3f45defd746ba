"""The order on the case sheet, read anew at its store when somebody presses the button."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from makegood.base.errors import Refusal
from makegood.cases.access import case_for
from makegood.desk import order_seen, remedy_preview
from makegood.people.actors import Actor
from makegood.web.case import is_htmx, staff_page


@staff_page
@require_POST
def refresh(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """Ask the store now; the panel comes back with what it said, or plainly with why it could not be asked."""
    case = case_for(by, number)
    try:
        read = order_seen.read_again(case, by=by)
        sentence, good = order_seen.told(read), not read.trouble
    except Refusal as error:
        sentence, good = str(error), False
    if not is_htmx(request):
        (messages.success if good else messages.warning)(request, sentence, "good" if good else "warn")
        response: HttpResponse = HttpResponseRedirect(reverse("case", args=[case.number]) + "#order")
        response.status_code = 303
        return response
    context = {
        "case": case,
        "sheet": {"order": order_seen.order_seen(case)},
        "read": sentence,
        "read_good": good,
    }
    return render(request, "cases/_order.html", context)


@staff_page
@require_POST
def preview_remedy(request: HttpRequest, by: Actor, number: int) -> HttpResponseBase:
    """What the shop would do with a remedy of the case, asked now; nothing is sent that changes anything."""
    case = case_for(by, number)
    given = request.POST.get("remedy", "")
    try:
        pk = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
        looked, sentence = remedy_preview.preview(case, pk, by=by), ""
    except Refusal as error:
        looked, sentence = [], str(error)
    if not is_htmx(request):
        for one in looked:
            messages.info(request, f"{one.action}: {one.words}", "good" if one.goes else "warn")
        if sentence:
            messages.warning(request, sentence, "warn")
        response: HttpResponse = HttpResponseRedirect(reverse("case", args=[case.number]) + "#remedies")
        response.status_code = 303
        return response
    return render(request, "cases/_preview.html", {"looked": looked, "sentence": sentence})
