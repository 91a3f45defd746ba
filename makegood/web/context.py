"""What every page shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from makegood.base.languages import LANGUAGES
from makegood.conversations.outbox import can_send


def everywhere(request: HttpRequest) -> dict[str, Any]:
    return {"languages": LANGUAGES, "sends_letters": can_send()}
