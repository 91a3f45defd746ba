"""Sign-in is django-allauth's (never our own); here only: who comes in by which door, and the one-time link."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.utils import perform_login
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from makegood.base.errors import NotThere
from makegood.conversations.outbox import can_send
from makegood.desk import peopling
from makegood.people import actors, roles
from makegood.people.actors import Actor

View = Callable[..., HttpResponse]
_log = logging.getLogger(__name__)


class Adapter(DefaultAccountAdapter):
    """People are invited by a manager; a customer needs no account."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        if not can_send():
            # The page said so already (password_reset.html); a connection refused would be a page of error 500.
            _log.warning("no letter %s was sent: neither EMAIL_HOST nor a provider is set", template_prefix)
            return
        super().send_mail(template_prefix, email, context)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("me")


def actor(request: HttpRequest) -> Actor:
    """Who acts by this page; the view must be for signed-in people."""
    assert request.user.is_authenticated
    return actors.user(request.user)


def signed_in(view: View) -> View:
    """Anybody with an account; others are asked to sign in, and come back here."""

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **fields: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **fields)

    return run


def may(verb: str) -> Callable[[View], View]:
    """Only those who may do ``verb`` (``people/roles.py``); others get the page that says so (403)."""

    def wrap(view: View) -> View:
        @signed_in
        @functools.wraps(view)
        def run(request: HttpRequest, *args: Any, **fields: Any) -> HttpResponse:
            roles.check(actor(request), verb)
            return view(request, *args, **fields)

        return run

    return wrap


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, secret: str) -> HttpResponse:
    """A one-time link. Reading it uses nothing up: programs that look at links in letters must not sign in."""
    if request.method != "POST":
        if not peopling.link_stands(secret):
            return _gone(request)
        return render(request, "account/welcome.html")
    try:
        user = peopling.use_link(secret)
    except NotThere:
        return _gone(request)
    logout(request)
    # Through allauth, so that a second factor that somebody set up is still asked for.
    return perform_login(
        request, user, email_verification="none", redirect_url=reverse("account_set_password")
    )


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "account/welcome_gone.html", status=404)


def email_stays(request: HttpRequest) -> HttpResponse:
    """The address by which one signs in is kept by the managers (people), so allauth's own page for it is closed."""
    return redirect("me")
