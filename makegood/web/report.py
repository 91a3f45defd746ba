"""Reporting a problem, without an account: which shop, what happened, how to reach you."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from makegood.base.errors import NotThere, Refusal
from makegood.cases import links
from makegood.cases.access import token_of
from makegood.desk.opening import open_case
from makegood.packs import taxonomy
from makegood.people.actors import CUSTOMER, Actor
from makegood.people.models import Shop
from makegood.web import report_limit
from makegood.web.customer_files import uploads
from makegood.web.report_forms import ReportForm

#: Where the desk names a field that the form calls otherwise.
FIELDS = {"subject": "text"}


@require_safe
def shops(request: HttpRequest) -> HttpResponse:
    """Which shop it is about; with one shop there is nothing to ask."""
    every = list(Shop.objects.order_by("name", "id"))
    if len(every) == 1:
        return redirect("report", code=every[0].code)
    return render(request, "customer/shops.html", {"shops": every})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, code: str) -> HttpResponse:
    """The form; a good one becomes a case and leads to the customer's own page."""
    shop = shop_of(code)
    if request.method != "POST":
        return _form(request, ReportForm(shop, type_code=request.GET.get("type", "")))
    form = ReportForm(shop, request.POST)
    if request.POST.get("step") == "next":
        # Without script: the questions of the chosen kind, with everything typed so far.
        form.is_valid()
        form.errors.clear()
        return _form(request, form)
    if report_limit.exceeded(request):
        form.is_valid()
        form.errors.clear()
        form.add_error(None, _("Many reports came from your address in this hour. Please try again later."))
        return _form(request, form, status=429)
    if token := _opened(request, shop, form):
        report_limit.count(request)
        return redirect("customer_thanks", token=token)
    return _form(request, form, status=422)


@require_safe
def questions(request: HttpRequest, code: str) -> HttpResponse:
    """The further questions of one kind of problem, for the form when the choice changes."""
    shop = shop_of(code)
    chosen = request.GET.get("type", "")
    form = ReportForm(shop, type_code=chosen if chosen in taxonomy().types else "")
    return render(request, "customer/_questions.html", {"form": form})


def shop_of(code: str) -> Shop:
    shop = Shop.objects.filter(code=code).first()
    if shop is None:
        raise NotThere("no_shop", _("There is no such shop."))
    return shop


def _opened(request: HttpRequest, shop: Shop, form: ReportForm) -> str:
    """Open the case and return the token of its link; '' when something was refused, with the reason in the form."""
    if not form.is_valid():
        return ""
    # Not the customer whose address was typed: whoever types it has proved nothing, and sees this one case only.
    somebody = Actor(role=CUSTOMER, door="page")
    try:
        event = open_case(shop, form.report(get_language() or "", uploads(request)), by=somebody)
    except Refusal as error:
        refuse(form, error)
        return ""
    return token_of(links.make(event.case, shown=True))


def refuse(form: ReportForm, error: Refusal) -> None:
    """Put the desk's reason beside the field that it names; for the files and unknown fields over the whole form."""
    field = FIELDS.get(error.field, error.field)
    if field == "files":
        form.files_error = str(error)  # type: ignore[attr-defined]
        form.add_error(None, "")
        return
    form.add_error(field if field in form.fields else None, str(error))


def _form(request: HttpRequest, form: ReportForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "shop": form.shop, "files_lost": bool(request.FILES)}
    return render(request, "customer/report.html", context, status=status)
