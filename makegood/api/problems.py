"""Every refusal of the API as application/problem+json (RFC 9457), in the language that the caller asked for."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja.errors import ValidationError

from makegood.base.errors import DeskError, Stale
from makegood.desk.checking import Unfit

TITLES: dict[int, Any] = {
    400: _("The request cannot be read."),
    401: _("A valid token is needed."),
    403: _("This is not allowed."),
    404: _("This is not there."),
    405: _("This address has no such method."),
    409: _("Somebody else was first."),
    413: _("The request is too large."),
    415: _("The body must be JSON."),
    422: _("This was refused."),
    500: _("Something went wrong on our side."),
}

#: pydantic's error types (by their beginning) -> our sentence; the first that fits.
_SENTENCES: tuple[tuple[str, Any], ...] = (
    ("missing", _("This is needed.")),
    ("extra_forbidden", _("There is no such field.")),
    ("literal_error", _("This is not in the list.")),
    ("enum", _("This is not in the list.")),
    ("string_too_long", _("This is too long.")),
    ("too_long", _("This is too long.")),
    ("greater_than", _("This is out of range.")),
    ("less_than", _("This is out of range.")),
    ("timezone", _("A time needs its zone.")),
)
_OTHERWISE: tuple[tuple[str, Any], ...] = (
    ("_type", _("This has the wrong type.")),
    ("", _("This value cannot be.")),
)


class DoorError(Exception):
    """A request that this door cannot take, before any verb is asked."""

    def __init__(self, status: int, code: str, reason: Any, *, field: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.reason, self.field = status, code, reason, field


def problem(status: int, code: str, detail: Any, *, field: str = "", **more: Any) -> HttpResponse:
    """One answer in the shape of RFC 9457; ``code`` is for programs, ``detail`` for people, ``field`` says where."""
    body = {
        "type": f"urn:makegood:problem:{code}",
        "title": str(TITLES.get(status, TITLES[422])),
        "status": status,
        "detail": str(detail),
        "code": code,
        "field": field,
        **more,
    }
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    response = HttpResponse(content, status=status, content_type="application/problem+json")
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="makegood"'
    return response


def of_desk(request: HttpRequest, error: DeskError) -> HttpResponse:
    """What the desk refused, with the version where the case stands when somebody else was first."""
    more: dict[str, Any] = {"seen": error.seen, "now_at": error.now_at} if isinstance(error, Stale) else {}
    if isinstance(error, Unfit):
        more = {"findings": findings(error), "promises": offered(error)}
    return problem(error.status, error.code, error, field=error.field, **more)


def findings(error: Unfit) -> list[dict[str, Any]]:
    """What was found in a reply; offsets count the characters of the text that was sent."""
    return [
        {
            "rule": told.rule.code,
            "level": told.level,
            "title": str(told.rule.title),
            "detail": str(told.rule.mend),
            "start": told.finding.start,
            "end": told.finding.end,
            "quote": told.finding.quote,
        }
        for told in error.look.findings
    ]


def offered(error: Unfit) -> list[dict[str, Any]]:
    """The times that the text promises: each wants to stand in ``promises`` or in ``declined``."""
    return [
        {
            "what": offer.what,
            "words": offer.given.quote,
            "due_at": offer.at.isoformat() if offer.at else None,
            "possible": offer.possible,
        }
        for offer in error.look.offers
    ]


def of_door(request: HttpRequest, error: DoorError) -> HttpResponse:
    return problem(error.status, error.code, error.reason, field=error.field)


def of_shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What does not fit the schema: each field with its own code and sentence; ``field`` names the first."""
    errors = [
        {"field": place(e["loc"]), "code": e["type"], "detail": sentence(e["type"])} for e in error.errors
    ]
    first = errors[0]
    return problem(422, "invalid", first["detail"], field=first["field"], errors=errors)


def place(loc: tuple[Any, ...] | list[Any]) -> str:
    """Where in the body (or the query), as 'impact.money_lost': ninja puts the source and the parameter's name first."""
    return ".".join(str(part) for part in loc[2:]) or str(loc[-1])


def sentence(kind: str) -> str:
    for begins, text in _SENTENCES:
        if kind.startswith(begins):
            return str(text)
    return next(str(text) for ends, text in _OTHERWISE if kind.endswith(ends))
