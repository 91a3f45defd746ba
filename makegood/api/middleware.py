"""The API's own short way: no session, no cookies, no page's middleware, and never a page as an answer."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation.trans_real import parse_accept_lang_header

from makegood.api.problems import problem
from makegood.base.languages import EN, closest

Handler = Callable[[HttpRequest], HttpResponse]
PREFIX = "/api/"


class ApiMiddleware:
    """Answers everything under /api/ itself; every other request goes on to the pages."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        language = spoken(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        with translation.override(language):
            response = self.reply(request)
        headers = response.headers
        headers["Content-Language"] = language
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["X-Frame-Options"] = "DENY"
        headers.setdefault("Cache-Control", "no-store")
        headers.setdefault("Content-Length", str(len(response.content)))
        return response

    @staticmethod
    def reply(request: HttpRequest) -> HttpResponse:
        from makegood.api.door import answer

        try:
            match = request.resolver_match = resolve(request.path_info)
            response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        except Exception as error:
            return answer(request, error)
        if response.status_code == 405:
            allow = response.headers["Allow"]
            response = problem(405, "no_method", _("This address has no such method."))
            response["Allow"] = allow
        return response


def spoken(header: str) -> str:
    """The one of our three languages that the caller likes best."""
    for code, _quality in parse_accept_lang_header(header.lower()):
        if found := closest(code, default=""):
            return found
    return EN
