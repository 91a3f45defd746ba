"""Bodies: JSON and nothing else. What PostgreSQL cannot hold or JSON does not know is refused before a verb sees it."""

from __future__ import annotations

from typing import Any

import pydantic_core
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.parser import Parser

from makegood.api.problems import DoorError


class StrictParser(Parser):
    """Refuses half surrogate pairs, NaN and broken text (400), other media types (415) and NUL (422)."""

    def parse_body(self, request: HttpRequest) -> Any:
        if (request.content_type or "application/json").lower() != "application/json":
            raise DoorError(415, "not_json", _("The body must be JSON."))
        try:
            data = pydantic_core.from_json(request.body, allow_inf_nan=False)
        except ValueError:
            raise DoorError(400, "broken_json", _("The body is not valid JSON.")) from None
        if b"\\u0000" in request.body and holds_nul(data):
            raise DoorError(422, "nul", _("The body holds a NUL character, which no text can hold."))
        return data


def holds_nul(data: Any) -> bool:
    """Whether any text in parsed JSON holds U+0000 (the escape in the raw body may itself be escaped)."""
    if isinstance(data, str):
        return "\x00" in data
    if isinstance(data, dict):
        return any("\x00" in key or holds_nul(value) for key, value in data.items())
    return isinstance(data, list) and any(map(holds_nul, data))
