"""What every page shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from makegood.base.languages import LANGUAGES
from makegood.conversations.outbox import can_send
from makegood.desk.letter_hands import letters_aside
from makegood.web.signin import actor


def everywhere(request: HttpRequest) -> dict[str, Any]:
    return {
        "languages": LANGUAGES,
        "sends_letters": can_send(),
        # Asked only by the pages that draw the navigation of the desk.
        "letters_aside": lambda: letters_aside(actor(request)) if request.user.is_authenticated else 0,
    }
