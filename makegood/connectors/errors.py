"""The two ways in which an outside service fails its asker. Neither ever holds what was sent or a key."""

from __future__ import annotations


class OutsideError(Exception):
    """``code`` says what happened, for a log and for the sentence that a person reads."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Later(OutsideError):
    """Asking again may go better: slow, busy, broken, unreachable, closed."""


class Never(OutsideError):
    """Asking again the same way will not: refused, redirected, garbage, huge."""
