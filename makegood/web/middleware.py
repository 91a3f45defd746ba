"""Two things that every page needs: the reader's language, and a desk error turned into the answer of law 7."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from makegood.base.errors import DeskError
from makegood.base.languages import CODES, closest

Handler = Callable[[HttpRequest], HttpResponse]


class SpeakingMiddleware:
    """Signed-in people read their own language and time zone; others the language that they chose here, else the browser's."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = self.language(request)
        with translation.override(language), timezone.override(self.zone(request)):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ["Cookie", "Accept-Language"])
        return response

    @staticmethod
    def zone(request: HttpRequest) -> ZoneInfo | None:
        """The reader's zone; None is the site's, also when a zone's name has gone out of the tables since it was chosen."""
        if not request.user.is_authenticated:
            return None
        try:
            return ZoneInfo(request.user.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return None

    @staticmethod
    def language(request: HttpRequest) -> str:
        chosen = request.COOKIES.get("language", "")
        if request.user.is_authenticated:
            return closest(request.user.language)
        if chosen in CODES:
            return chosen
        return closest(translation.get_language_from_request(request))


class DeskErrorMiddleware:
    """A refusal that no view caught becomes a page that says why, with the right status; nothing was written."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, DeskError):
            return None
        return render(request, "error.html", {"error": error}, status=error.status)
