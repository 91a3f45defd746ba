"""A letter as it was sent, on a page of its own (or in place, by htmx)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from makegood.desk.letter_shown import shown
from makegood.web.signin import actor, may


@require_safe
@may("see_letters")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    pictures = "pictures" in request.GET
    found = shown(actor(request), min(pk, 2**63 - 1), pictures=pictures)
    part = bool(getattr(request, "htmx", False))
    response = render(
        request, "cases/_letter_html.html" if part else "cases/letter_html.html", {"shown": found}
    )
    response["Cache-Control"] = "private, no-store"
    return response
