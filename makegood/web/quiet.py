"""'Do not ask me again': the address in letters that only ask. Opening it changes nothing; the press does, or one click (RFC 8058)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from makegood.cases.models import Case
from makegood.conversations import outbox
from makegood.desk import resending
from makegood.people.actors import Actor
from makegood.web.customer_link import by_quiet_link


# No cookie comes with the post of a mail provider (RFC 8058 3.1), and a stranger's page cannot know the signed address.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@by_quiet_link
def quiet(request: HttpRequest, case: Case, customer: Actor, token: str) -> HttpResponse:
    """What it stops and what not, with one button; afterwards, that it is so."""
    if request.method == "POST":
        resending.decline_asks(case, by=customer)
    context = {
        "shop": case.shop.name,
        "number": case.number,
        "token": token,
        "declined": outbox.declined(case),
    }
    return render(request, "customer/quiet.html", context)
