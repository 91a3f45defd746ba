"""Who outside owes what by when, and the page where the outside parties of the shops are kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from makegood.base.errors import Refusal
from makegood.base.languages import LANGUAGES
from makegood.cases.access import shops_for
from makegood.desk import owed, parties
from makegood.packs import names
from makegood.parties.models import Party
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.web.case import staff_page
from makegood.web.signin import actor, may


class PartyForm(forms.Form):
    shop = forms.ChoiceField(label=_("Shop"))
    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"))
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    way = forms.ChoiceField(label=_("How it is reached"), choices=Party.Way.choices)
    email = forms.CharField(label=_("Email"), max_length=254, required=False)
    url = forms.CharField(label=_("Address of the webhook"), max_length=2000, required=False)
    active = forms.BooleanField(label=_("May be asked"), required=False, initial=True)

    def __init__(self, *args: Any, by: Actor, party: Party | None, **more: Any) -> None:
        super().__init__(*args, **more)
        seen = shops_for(by)
        shops = (
            Shop.objects.order_by("name")
            if seen is None
            else Shop.objects.filter(pk__in=seen).order_by("name")
        )
        self.fields["shop"].choices = [(str(s.pk), s.name) for s in shops]  # type: ignore[attr-defined]
        known = names("party")
        self.fields["kind"].choices = [(code, str(known[code])) for code in parties.KINDS]  # type: ignore[attr-defined]
        if party is not None:
            del self.fields["shop"]


@staff_page
@require_safe
def show(request: HttpRequest, by: Actor) -> HttpResponse:
    """Across all cases that this person may see; ``?party=`` narrows it to one."""
    raw = request.GET.get("party", "")
    party = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 18 else 0
    context = {
        "here": "owed",
        "owed": owed.read(by, party),
        "only": party,
        "may_keep": roles.may(by, "keep_parties"),
    }
    return render(request, "parties/owed.html", context)


@require_safe
@may("keep_parties")
def lists(request: HttpRequest) -> HttpResponse:
    return render(request, "parties/lists.html", {"here": "owed", "parties": parties.every(actor(request))})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@may("keep_parties")
def edit(request: HttpRequest, pk: int = 0) -> HttpResponse:
    """A new party, or one that is changed; the secret of a webhook is drawn into this one answer."""
    by = actor(request)
    party = parties.one(pk, by) if pk else None
    fields = ("name", "kind", "language", "way", "email", "url", "active")
    initial = {name: getattr(party, name) for name in fields} if party else {}
    form = PartyForm(request.POST if request.method == "POST" else None, initial=initial, by=by, party=party)
    status, secret = 200, ""
    if request.method == "POST":
        status = 422
        if form.is_valid():
            values = dict(form.cleaned_data)
            shop = Shop.objects.filter(pk=values.pop("shop", None) or 0).first()
            try:
                party, secret = parties.save(by=by, shop=shop, party=party, **values)
            except Refusal as error:
                form.add_error(error.field if error.field in form.fields else None, str(error.reason))
            else:
                if not secret:
                    messages.success(request, gettext("Saved."), "good")
                    return redirect("parties")
                status = 200
    context = {"here": "owed", "form": form, "party": party, "secret": secret}
    return render(request, "parties/edit.html", context, status=status)
