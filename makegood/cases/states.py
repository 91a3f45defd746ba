"""The statuses of a case, and the legal moves as a table. The pen refuses every other move."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    REPORTED = "reported", _("Reported")
    TRIAGED = "triaged", _("Sorted")
    WORKING = "working", _("Being worked on")
    WAITING = "waiting", _("Waiting for an answer")
    FIXED = "fixed", _("Fixed, not yet verified")
    VERIFIED = "verified", _("Verified, customer not yet told")
    TOLD = "told", _("Waiting for the customer's confirmation")
    ENDED = "ended", _("Ended")


OPEN_STATUSES = tuple(s for s in Status if s != Status.ENDED)
_S = Status
_BEFORE_FIX = frozenset({_S.REPORTED, _S.TRIAGED, _S.WORKING, _S.WAITING})
_OPEN = frozenset(OPEN_STATUSES)

#: status -> the statuses that it may move to. Staying where one is needs no move.
MOVES: dict[str, frozenset[str]] = {
    _S.REPORTED: frozenset({_S.TRIAGED, _S.WORKING, _S.ENDED}),
    _S.TRIAGED: frozenset({_S.WORKING, _S.ENDED}),
    _S.WORKING: frozenset({_S.WAITING, _S.FIXED, _S.ENDED}),
    _S.WAITING: frozenset({_S.WORKING, _S.FIXED, _S.ENDED}),
    _S.FIXED: frozenset({_S.WORKING, _S.VERIFIED, _S.ENDED}),
    _S.VERIFIED: frozenset({_S.WORKING, _S.TOLD, _S.ENDED}),
    _S.TOLD: frozenset({_S.WORKING, _S.ENDED}),
    _S.ENDED: frozenset({_S.WORKING, _S.TRIAGED}),
}


def may_move(old: str, new: str) -> bool:
    """Whether a case may go from ``old`` to ``new`` in one step."""
    return old == new or new in MOVES[old]
