"""The merchant's pages: the cases of their shops, one case, a word to us, a case for a customer of theirs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from makegood.base.errors import DeskError, NotThere, Refusal
from makegood.cases.access import case_for, is_restricted
from makegood.cases.models import Case
from makegood.desk import merchant_page, remedy_page, talking
from makegood.desk.merchant_page import ORDERS, STATES, Wish
from makegood.desk.opening import open_case
from makegood.people import actors, roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.web.customer_files import attachment_of, given_out, uploads
from makegood.web.report import refuse
from makegood.web.report_forms import ReportForm

View = Callable[..., HttpResponse]


def for_merchants(view: View) -> View:
    """Merchants only: others are asked to sign in; staff who come here to read are sent to their queue."""

    @never_cache
    @functools.wraps(view)
    def run(request: HttpRequest, **more: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        by = actors.user(request.user)
        if by.is_staff and request.method in ("GET", "HEAD"):
            return redirect("queue")
        roles.check(by, "see_as_merchant")
        return view(request, by, **more)

    return run


@require_safe
@for_merchants
def cases(request: HttpRequest, by: Actor) -> HttpResponse:
    """The list: open by urgency at first."""
    wish = Wish(
        state=_one_of(request.GET.get("state"), STATES),
        order=_one_of(request.GET.get("order"), ORDERS),
        shop=request.GET.get("shop", "").replace("\x00", ""),
        after=request.GET.get("after", ""),
    )
    context = {
        "here": "merchant",
        "wish": wish,
        "list": merchant_page.listed(by, wish),
        "counts": merchant_page.counts(by),
        "shops": _shops(by),
    }
    return render(request, "merchant/cases.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_merchants
def case(request: HttpRequest, by: Actor, number: int) -> HttpResponse:
    """One case; POST writes to us (the customer does not read it)."""
    found = _case(by, number)
    if request.method != "POST":
        return _page(request, found, by)
    try:
        talking.merchant_says(found, by=by, text=request.POST.get("text", ""), files=uploads(request))
    except DeskError as error:
        return _page(request, found, by, error=error)
    messages.success(request, _("We have your message."))
    return redirect("merchant_case", number=found.number)


@require_safe
@for_merchants
def file(request: HttpRequest, by: Actor, number: int, attachment_id: int) -> HttpResponse:
    """A file of a message that the merchant may read."""
    return given_out(attachment_of(_case(by, number), by, attachment_id))


@require_http_methods(["GET", "HEAD", "POST"])
@for_merchants
def new(request: HttpRequest, by: Actor) -> HttpResponse:
    """Open a case for a customer of one of their shops."""
    shops = _shops(by)
    code = request.POST.get("shop") or request.GET.get("shop") or ""
    shop = next((s for s in shops if s.code == code), shops[0] if shops and not code else None)
    if shop is None:
        raise NotThere("no_shop", _("There is no such shop."))
    form = ReportForm(shop, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and request.POST.get("step") == "next":
        form.is_valid()
        form.errors.clear()
    elif request.method == "POST":
        status = 422
        try:
            if form.is_valid():
                event = open_case(shop, form.report(get_language() or "", uploads(request)), by=by)
                if is_restricted(event.case):
                    # A matter of security is for a few of the desk alone: its page would be a 404 for them.
                    messages.success(
                        request, _("We have your report. A few people of the desk look at it at once.")
                    )
                    return redirect("merchant")
                return redirect("merchant_case", number=event.case.number)
        except Refusal as error:
            refuse(form, error)
    context = {"here": "merchant", "form": form, "shop": shop, "shops": shops}
    context["files_lost"] = bool(request.FILES)
    return render(request, "merchant/new.html", context, status=status)


def _shops(by: Actor) -> list[Shop]:
    return list(Shop.objects.filter(merchants=by.user_id).order_by("name", "id"))


def _case(by: Actor, number: int) -> Case:
    if not 0 < number < 2**63:
        raise NotThere("no_case", _("There is no such case."))
    return case_for(by, number)


def _one_of(value: str | None, known: tuple[str, ...]) -> str:
    return value if value in known else known[0]


def _page(request: HttpRequest, found: Case, by: Actor, error: DeskError | None = None) -> HttpResponse:
    context = {
        "here": "merchant",
        "case": found,
        "page": merchant_page.read(found, by),
        "remedies": remedy_page.for_customer(found, by),
        "error": error,
        "kept": request.POST if error else {},
        "files_lost": bool(error and request.FILES),
    }
    return render(request, "merchant/case.html", context, status=error.status if error else 200)
