"""Which legal clocks a shop goes by: every row of its law, what it says and how sure we are, switched with a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from makegood.base.errors import DeskError, NotThere
from makegood.desk import clocks as desk
from makegood.packs.legal import clocks
from makegood.people.models import Shop
from makegood.promises.switches import is_on, switched
from makegood.web.signin import actor, may


class SwitchForm(forms.Form):
    rule = forms.CharField(max_length=40, widget=forms.HiddenInput)
    on = forms.CharField(max_length=1, widget=forms.HiddenInput)
    why = forms.CharField(label=_("Why"), max_length=500)


@require_http_methods(["GET", "HEAD", "POST"])
@may("keep_clocks")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The rows of one shop, by jurisdiction; POST switches one."""
    shop = Shop.objects.filter(pk=pk).first() if pk < 2**63 else None
    if shop is None:
        raise NotThere("no_row", _("There is no such entry."))
    tried = SwitchForm(request.POST) if request.method == "POST" else None
    if tried is not None and tried.is_valid():
        rule, why = tried.cleaned_data["rule"], tried.cleaned_data["why"]
        try:
            desk.switch(shop, rule, tried.cleaned_data["on"] == "1", by=actor(request), why=why)
            messages.success(request, gettext("Saved."), "good")
            return redirect("shop_clocks", shop.pk)
        except DeskError as error:
            tried.add_error(error.field if error.field in tried.fields else None, str(error.reason))
    shown = {"here": "people", "shop": shop, "places": _places(shop, tried)}
    return render(request, "people/clocks.html", shown, status=422 if tried else 200)


def _places(shop: Shop, tried: SwitchForm | None) -> list[tuple[Any, list[dict[str, Any]]]]:
    pack, switches = clocks(), switched(shop.pk)
    found = []
    for place in pack.of_shop(shop.zone, shop.currency):
        rows = [
            {
                "rule": rule,
                "trigger": pack.triggers.get(rule.trigger),
                "p": {
                    "silence": pack.silences[rule.silence].name,
                    "consequence": pack.consequences[rule.consequence].name,
                    "evidence": ", ".join(str(pack.evidence[e].name) for e in rule.evidence),
                },
                "who": pack.parties[rule.who_must_act].name,
                "on": is_on(rule, switches),
                "switch": switches.get(rule.code),
                "form": _form(rule.code, tried),
            }
            for rule in pack.rules.values()
            if rule.jurisdiction == place
        ]
        found.append((pack.jurisdictions[place], rows))
    return found


def _form(code: str, tried: SwitchForm | None) -> SwitchForm:
    if tried is not None and tried.data.get("rule") == code:
        return tried
    return SwitchForm(auto_id=f"{code.replace('.', '_')}_%s")
