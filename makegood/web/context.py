"""What every page shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from makegood.base.languages import LANGUAGES


def everywhere(request: HttpRequest) -> dict[str, Any]:
    return {"languages": LANGUAGES, "sends_letters": bool(settings.EMAIL_HOST)}
