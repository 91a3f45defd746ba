"""Pages about remedies beside the case: what waits for a second person, like cases with unlike remedies, a shop's budget."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from makegood.base.errors import DeskError, NotThere
from makegood.desk import budgets, remedy_approving, remedy_likeness
from makegood.packs.remedying import remedy_policy
from makegood.people import roles
from makegood.people.models import Shop
from makegood.web.signin import actor, signed_in


@never_cache
@require_GET
@signed_in
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, due first. It is decided on the case, where all of it can be read."""
    by = actor(request)
    roles.check(by, "approve_remedy")
    context = {
        "here": "approvals",
        "waiting": remedy_approving.waiting(by),
        "read_by": remedy_policy().read_by,
    }
    return render(request, "remedies/approvals.html", context)


@never_cache
@require_GET
@signed_in
def likeness(request: HttpRequest) -> HttpResponse:
    """Like cases, unlike remedies."""
    by = actor(request)
    return render(request, "remedies/likeness.html", {"here": "approvals", "read": remedy_likeness.read(by)})


class BudgetForm(forms.Form):
    limit = forms.DecimalField(
        label=_("This month at most"),
        min_value=0,
        max_digits=15,
        decimal_places=2,
        help_text=_("In the shop's currency."),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def budget(request: HttpRequest, pk: int) -> HttpResponse:
    """What a shop may give away this month beyond what the law demands, and what is used of it."""
    by = actor(request)
    roles.check(by, "keep_budgets")
    shop = Shop.objects.filter(pk=pk).first() if pk < 2**63 else None
    if shop is None:
        raise NotThere("no_row", _("There is no such entry."))
    form = BudgetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            budgets.set_budget(shop, form.cleaned_data["limit"], by=by)
            messages.success(request, gettext("Saved."), "good")
            return redirect("shop_budget", shop.pk)
        except DeskError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error.reason))
    context = {"here": "people", "shop": shop, "form": form, "rows": budgets.seen(shop)}
    return render(request, "remedies/budget.html", context, status=422 if form.errors else 200)
