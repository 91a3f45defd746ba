"""The errors that a desk verb may raise. Doors turn them into pages, problem+json or letters; nothing else does.

DeskError
├── Refusal     422  the rule says no, and says why beside the field
├── Stale       409  somebody else wrote since the form was drawn
├── NotAllowed  403  this person may not do this verb
└── NotThere    404  no such thing for this person: a stranger learns nothing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class DeskError(Exception):
    """What went wrong as a code, the field that it stands beside ('' for the whole form) and a translatable reason."""

    status = 422

    def __init__(self, code: str, reason: Any, *, field: str = "") -> None:
        super().__init__(code)
        self.code, self.reason, self.field = code, reason, field

    def __str__(self) -> str:
        return str(self.reason)


class Refusal(DeskError):
    """The rule says no. Nothing was written."""


class NotAllowed(DeskError):
    """This actor may not do this verb (``people/roles.py``)."""

    status = 403


class NotThere(DeskError):
    """Not there, or not there for you: the two are never told apart."""

    status = 404


class Stale(DeskError):
    """The case moved on since version ``seen``; ``now_at`` is where it stands. The caller keeps the draft."""

    status = 409

    def __init__(self, reason: Any, *, seen: int, now_at: int) -> None:
        super().__init__("stale", reason)
        self.seen, self.now_at = seen, now_at


@dataclass(frozen=True)
class Blocker:
    """One reason why something cannot be done yet: the same object refuses the verb and explains on the page."""

    code: str
    reason: Any
    field: str = ""
