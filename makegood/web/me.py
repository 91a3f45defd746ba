"""One's own page, and the choice of a language that stands on every page."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from makegood.base.errors import Refusal
from makegood.base.languages import CODES, LANGUAGES
from makegood.desk import peopling, signing
from makegood.people.signatures import holds
from makegood.web.signin import actor, signed_in

_YEAR = 365 * 24 * 3600
_NEAR = ("Asia/Seoul", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Tokyo", "UTC")


def zones() -> list[tuple[str, str]]:
    """Every time zone, those of our three languages first."""
    every = [*_NEAR, *sorted(available_timezones() - set(_NEAR))]
    return [(name, name.replace("_", " ")) for name in every]


class MeForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    zone = forms.ChoiceField(
        label=_("Time zone"), choices=zones, help_text=_("Every time on the pages is shown in this zone.")
    )


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    user = request.user
    form = MeForm(
        request.POST or None,
        initial={"name": user.name, "language": user.language, "zone": user.zone},  # type: ignore[union-attr]
    )
    if request.method == "POST" and form.is_valid():
        try:
            peopling.save_me(by=actor(request), **form.cleaned_data)
            if "writing" in request.POST:
                texts = {code: request.POST.get(f"signature_{code}", "") for code in CODES}
                signing.save_mine(texts, hold="hold" in request.POST, by=actor(request))
            with override(form.cleaned_data["language"]):
                messages.success(request, gettext("Saved."), "good")
            return redirect("me")
        except Refusal as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    by = actor(request)
    context = {"here": "me", "form": form, "holds": holds(by), "signature": signing.mine(by)}
    return render(request, "me/me.html", context, status=422 if form.errors else 200)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on: a cookie for a year, and the person's own setting where somebody is signed in."""
    code, back = request.POST.get("language", ""), request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = redirect(back)
    if code in CODES:
        response.set_cookie(
            "language", code, max_age=_YEAR, samesite="Lax", secure=settings.HTTPS, httponly=True
        )
        if request.user.is_authenticated:
            peopling.speak(by=actor(request), language=code)
    return response
