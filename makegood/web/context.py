"""What every page shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from makegood.base.languages import LANGUAGES
from makegood.desk import notices


def everywhere(request: HttpRequest) -> dict[str, Any]:
    def unseen_notices() -> int:
        """Counted only where a template asks: parts of pages do not."""
        user = request.user
        return notices.unseen(user.pk) if user.is_authenticated and user.is_staff_here else 0

    return {
        "languages": LANGUAGES,
        "sends_letters": bool(settings.EMAIL_HOST),
        "unseen_notices": unseen_notices,
    }
