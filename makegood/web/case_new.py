"""Staff open a case for a customer who called or wrote elsewhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import DeskError, Refusal
from makegood.cases.access import shops_served
from makegood.desk.opening import Report, open_case
from makegood.people.actors import Actor
from makegood.people.models import Role, Shop
from makegood.web.case import staff_page
from makegood.web.case_fields import Files, line, lines, types


class NewCase(forms.Form):
    """What staff know when they open a case; the desk says what must be there."""

    aliases: ClassVar[dict[str, str]] = {
        "name": "customer_name",
        "email": "customer_email",
        "phone": "customer_phone",
    }
    shop = forms.ModelChoiceField(label=_("Shop"), queryset=Shop.objects.none(), empty_label="—")
    customer_name = line(_("Customer's name"))
    customer_email = line(_("Email"))
    customer_phone = line(_("Phone"))
    text = lines(_("What went wrong, in the customer's words"), rows=6)
    order_number = line(_("Order number"))
    type = forms.ChoiceField(label=_("Problem type"), required=False)
    files = Files(label=_("Files"), required=False)  # type: ignore[assignment]

    def __init__(self, *args: Any, shops: QuerySet[Shop], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["shop"].queryset = shops  # type: ignore[attr-defined]
        self.fields["type"].choices = types(_("not yet"))  # type: ignore[attr-defined]

    def refuse(self, error: DeskError) -> None:
        """Put what the desk said beside its control."""
        field = self.aliases.get(error.field, error.field)
        self.add_error(field if field in self.fields else None, str(error.reason))


def shops_of(by: Actor) -> QuerySet[Shop]:
    """The shops whose cases this person may see, so that nobody opens a case that they then cannot find."""
    every = Shop.objects.order_by("name")
    if by.role in (Role.MANAGER, Role.ADMIN):
        return every
    served = shops_served(by)
    return every if served is None else every.filter(pk__in=served)


@staff_page
def new(request: HttpRequest, by: Actor) -> HttpResponseBase:
    """The form, and what comes of it: the new case's sheet."""
    shops = shops_of(by)
    if request.method != "POST":
        form = NewCase(shops=shops, initial={"shop": shops.first() if len(shops) == 1 else None})
        return render(request, "cases/new.html", {"form": form, "here": "new"})
    form = NewCase(request.POST, request.FILES, shops=shops)
    if form.is_valid():
        told = dict(form.cleaned_data)
        shop = told.pop("shop")
        try:
            event = open_case(shop, Report(**told), by=by)
            return HttpResponseRedirect(reverse("case", args=[event.case.number]))
        except Refusal as error:
            form.refuse(error)
    return render(request, "cases/new.html", {"form": form, "here": "new"}, status=422)
