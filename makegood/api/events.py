"""The doors for events: signed CloudEvents, a shop's own webhooks, streams for the watch alone. The raw bytes are read, stored, answered; no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from makegood.base.errors import NotThere
from makegood.desk import events_in
from makegood.transactions.envelope import BODY

Take = Callable[[str, Mapping[str, str], bytes], events_in.Answer]


@csrf_exempt
@require_POST
def take_in(request: HttpRequest, code: str) -> JsonResponse:
    """POST /events/<store>/: 202 with one result an event; 400, 401, 404, 413, 415 say why nothing was taken."""
    return _answered(request, code, events_in.take_in)


@csrf_exempt
@require_POST
def take_stream(request: HttpRequest, code: str) -> JsonResponse:
    """POST /events/<store>/stream/: 202 with what was taken and what was set aside; 400, 401, 404, 413 say why nothing was."""
    return _answered(request, code, events_in.take_stream)


def _answered(request: HttpRequest, code: str, take: Take) -> JsonResponse:
    body = request.read(BODY + 1)
    if len(body) > BODY:
        return JsonResponse({"error": "too_large", "detail": f"at most {BODY} bytes"}, status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        answer = take(code, headers, body)
    except NotThere:
        return JsonResponse({"error": "no_store"}, status=404)
    return JsonResponse(answer.content, status=answer.status)
