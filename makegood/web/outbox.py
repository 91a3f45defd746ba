"""The page of letters on their way, for leads and managers: what waits, what failed, what came back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from makegood.base.errors import DeskError
from makegood.cases.access import case_for
from makegood.conversations.models import Delivery
from makegood.desk import letters_out, resending
from makegood.desk.delivering import MARKED
from makegood.people import roles
from makegood.web.signin import actor, signed_in

NAMES = dict(Delivery.State.choices)


@never_cache
@require_GET
@signed_in
def show(request: HttpRequest) -> HttpResponse:
    """One view of it, oldest first; its address is its state."""
    by = actor(request)
    roles.check(by, "see_outbox")
    after = request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
    read = letters_out.read(by, request.GET.get("view", ""), number)
    context = {
        "here": "outbox",
        "read": read,
        "views": [(state, NAMES[state], read.counts[state]) for state in letters_out.VIEWS],
        "most": letters_out.MOST_COUNTED,
        "marked": MARKED,
    }
    return render(request, "queue/outbox.html", context)


@require_POST
@signed_in
def send_again(request: HttpRequest, number: int, delivery_id: int) -> HttpResponse:
    """Send one letter again, to the address that the customer has; a corrected one is typed on the sheet."""
    by = actor(request)
    roles.check(by, "see_outbox")
    try:
        resending.send_again(case_for(by, number), delivery_id, by=by, seen=None)
    except DeskError as error:
        messages.error(request, f"{number}: {error}")
    else:
        messages.success(request, gettext("The letter is on its way again."))
    view = request.POST.get("view", "")
    return redirect(reverse("outbox") + (f"?view={view}" if view in letters_out.VIEWS else ""))
