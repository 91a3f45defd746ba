"""The customer's own page: what is happening, the conversation, their word on it. Only POST changes anything.

Programs that look into letters open every address in them (GET, HEAD), some even follow buttons: an answer that a
link could give would close cases that nobody has read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from makegood.base.errors import DeskError, Refusal
from makegood.cases.models import Case
from makegood.desk import (
    closing,
    customer_page,
    following_up,
    remedy_choosing,
    remedy_page,
    talking,
    telling,
)
from makegood.people.actors import Actor
from makegood.web.customer_files import attachment_of, given_out, uploads
from makegood.web.customer_link import by_link

Act = Callable[[HttpRequest, Case, Actor], str]


@require_safe
@by_link
def show(request: HttpRequest, case: Case, customer: Actor, token: str) -> HttpResponse:
    """The page itself. Reading it leaves no trace on the case."""
    return _page(request, case, customer, token)


@require_safe
@by_link
def thanks(request: HttpRequest, case: Case, customer: Actor, token: str) -> HttpResponse:
    """After the report: its number, the customer's own address, and when the first word comes."""
    context = {
        "case": case,
        "token": token,
        "address": request.build_absolute_uri(f"/c/{token}/"),
        "word": customer_page.next_word(case),
        "mailed": case.deliveries.exists(),
    }
    return render(request, "customer/thanks.html", context)


@require_safe
@by_link
def file(request: HttpRequest, case: Case, customer: Actor, token: str, attachment_id: int) -> HttpResponse:
    """A file of a message that the customer may read."""
    return given_out(attachment_of(case, customer, attachment_id))


def say(request: HttpRequest, case: Case, customer: Actor) -> str:
    talking.customer_writes(case, by=customer, text=request.POST.get("text", ""), files=uploads(request))
    return _("We have your message.")


def confirm(request: HttpRequest, case: Case, customer: Actor) -> str:
    asked = request.POST.get("telling", "")
    answer = request.POST.get("answer", "")
    telling.confirm(
        case,
        by=customer,
        telling_id=int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0,
        answer=answer,
        words=request.POST.get("words", ""),
    )
    return (
        _("Thank you for telling us.")
        if answer == "all_good"
        else _("Thank you for telling us. We go on; below stands when you hear from us.")
    )


def reopen(request: HttpRequest, case: Case, customer: Actor) -> str:
    closing.reopen(case, by=customer, why=request.POST.get("why", ""))
    return _("It is open again. Below stands when you hear from us.")


def withdraw(request: HttpRequest, case: Case, customer: Actor) -> str:
    closing.withdraw(case, by=customer, seen=None, words=request.POST.get("words", ""))
    return _("You took your report back. You can open it again at any time.")


def held(request: HttpRequest, case: Case, customer: Actor) -> str:
    answer = request.POST.get("answer", "")
    following_up.answer_follow_up(case, by=customer, answer=answer, words=request.POST.get("words", ""))
    return (
        _("Thank you for telling us.")
        if answer == "yes"
        else _("It is open again. Below stands when you hear from us.")
    )


def choose(request: HttpRequest, case: Case, customer: Actor) -> str:
    remedy_choosing.choose_remedy(
        case,
        _row(request, "remedy"),
        by=customer,
        reason=request.POST.get("reason", ""),
        words=request.POST.get("why", ""),
    )
    return _("Thank you. Below stands by when it reaches you.")


def propose(request: HttpRequest, case: Case, customer: Actor) -> str:
    remedy_choosing.counter_propose(
        case, _row(request, "offer"), by=customer, words=request.POST.get("proposal", "")
    )
    return _("We have your proposal. A person reads it and answers.")


def _row(request: HttpRequest, name: str) -> int:
    """The id that a form sent; 0, which is no row's, for anything else."""
    value = request.POST.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0


ACTS: dict[str, Act] = {
    "choose": choose,
    "propose": propose,
    "held": held,
    "say": say,
    "confirm": confirm,
    "reopen": reopen,
    "withdraw": withdraw,
}


@by_link
def act(request: HttpRequest, case: Case, customer: Actor, token: str, name: str) -> HttpResponse:
    """One of the acts. A refusal shows the page again (its own status), with the words kept and the reason beside."""
    if request.method != "POST":
        return redirect("customer_case", token=token)
    try:
        done = ACTS[name](request, case, customer)
    except DeskError as error:
        case.refresh_from_db()
        return _page(request, case, customer, token, acted=name, error=error)
    messages.success(request, done)
    return redirect("customer_case", token=token)


def _page(
    request: HttpRequest,
    case: Case,
    customer: Actor,
    token: str,
    acted: str = "",
    error: DeskError | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "case": case,
        "page": customer_page.read(case, customer),
        "remedies": remedy_page.for_customer(case, customer),
        "token": token,
        "acted": acted,
        "error": error,
        # Only the form that was refused gets its words back; the others stand empty.
        "kept": request.POST if isinstance(error, Refusal) else {},
        "files_lost": bool(error and request.FILES),
    }
    return render(request, "customer/case.html", context, status=error.status if error else 200)
