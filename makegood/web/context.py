"""What every page shows."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest

from makegood.base.languages import LANGUAGES
from makegood.conversations.outbox import can_send
from makegood.desk import nav
from makegood.desk.letter_hands import letters_aside
from makegood.web.signin import actor


def everywhere(request: HttpRequest) -> dict[str, Any]:
    @cache
    def numbers() -> nav.Numbers:
        """Counted only where a template asks, and once: parts of pages do not."""
        user = request.user
        return nav.numbers(user.pk) if user.is_authenticated and user.is_staff_here else nav.Numbers(0, 0)

    @cache
    def aside() -> int:
        """Letters that wait for a person; asked only by pages that draw the navigation of the desk, and once for its two badges."""
        return letters_aside(actor(request)) if request.user.is_authenticated else 0

    return {
        "languages": LANGUAGES,
        "sends_letters": can_send(),
        "unseen_notices": lambda: numbers().unseen,
        "offered_to_me": lambda: numbers().offered,
        "letters_aside": aside,
    }
