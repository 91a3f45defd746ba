"""A form whose secret does not fit: refused in our look, nothing was written."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotAllowed


def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a missing or wrong CSRF token; ``reason`` is Django's, for the log only."""
    error = NotAllowed(
        "csrf",
        _("This form could not be checked. Please go back, load the page again and send it once more."),
    )
    return render(request, "error.html", {"error": error}, status=403)
