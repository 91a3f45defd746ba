"""Every address of the site; each noun lists its own in ``web/<noun>.py``."""

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path

from makegood.api import events


def healthz(request: HttpRequest) -> HttpResponse:
    """Is this process able to answer?"""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    path("api/", include("makegood.api.urls")),
    path("events/<slug:code>/", events.take_in, name="events_in"),
    path("events/<slug:code>/stream/", events.take_stream, name="stream_in"),
    path("mail/", include("makegood.mail.urls")),
    path("", include("makegood.web.urls_outside")),
    path("", include("makegood.web.urls_agent")),
    path("", include("makegood.web.urls_case")),
]
