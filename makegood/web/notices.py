"""What a person of the desk was told, newest first; seen with a press, never by only loading the page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from makegood.desk import notices
from makegood.people.actors import Actor
from makegood.web.case import staff_page


@staff_page
@require_safe
def show(request: HttpRequest, by: Actor) -> HttpResponse:
    """The list. A program that loads pages ahead must not mark anything as seen."""
    told = notices.read(by.person)
    new = sum(t.notice.seen_at is None for t in told)
    return render(request, "notices/notices.html", {"told": told, "new": new, "here": "notices"})


@staff_page
@require_POST
def seen(request: HttpRequest, by: Actor) -> HttpResponse:
    """Seen: one of the reader's own (``notice``), or all of them."""
    one = request.POST.get("notice", "")
    if one and not (one.isascii() and one.isdigit() and len(one) < 19):
        return redirect("notices")
    notices.mark_seen(by.person, [int(one)] if one else None)
    return redirect("notices")
