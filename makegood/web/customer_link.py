"""What every page behind a customer's link has in common: the key is tried, the page stays out of caches and indexes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from makegood.base.errors import NotThere
from makegood.base.languages import CODES, speaking
from makegood.cases.access import case_by_quiet_token, case_by_token
from makegood.cases.models import Case
from makegood.people.actors import Actor

View = Callable[..., HttpResponse]


def private(response: HttpResponse) -> HttpResponse:
    """Keep a page whose address is a key out of caches, indexes and other sites' logs.

    'same-origin', not 'no-referrer': under the latter browsers send ``Origin: null`` with our own forms, and every
    answer of the customer would be refused as a forgery. Either way no other site ever sees the address.
    """
    response["Referrer-Policy"] = "same-origin"
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def by_link(view: View) -> View:
    """The view behind the key to a case (:func:`_by`)."""
    return _by(case_by_token, view)


def by_quiet_link(view: View) -> View:
    """The view behind the address that declines further asks (:func:`_by`)."""
    return _by(case_by_quiet_token, view)


def _by(key: Callable[[str], tuple[Case, Actor]], view: View) -> View:
    """Give the view the case and the customer of the link; a link that does not hold gets one friendly 404 page.

    The page speaks the language of the case unless the visitor chose one, and tells times as the shop does.
    """

    @functools.wraps(view)
    def run(request: HttpRequest, token: str, **more: Any) -> HttpResponse:
        try:
            case, customer = key(token)
        except NotThere:
            return gone(request)
        chosen = request.COOKIES.get("language", "")
        with speaking(chosen if chosen in CODES else case.language) as language:
            request.LANGUAGE_CODE = language
            with timezone.override(ZoneInfo(case.shop.zone)):
                response = view(request, case, customer, token=token, **more)
        response["Content-Language"] = language
        return private(response)

    return run


def gone(request: HttpRequest) -> HttpResponse:
    """Forged, expired and revoked look the same: a stranger learns nothing."""
    context = {"write_to": settings.DEFAULT_FROM_EMAIL}
    return private(render(request, "customer/gone.html", context, status=404))
