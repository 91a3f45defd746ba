"""Who else has the case open: rows with a short life, advisory only. Not a verb: it changes nothing of the case."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from makegood.base import clock
from makegood.cases.models import Case, Presence

LIFE = timedelta(seconds=45)


def be_here(case: Case, user_id: int, *, writing: bool = False) -> None:
    """Say that this user has the case open now, and whether they are writing."""
    mode = Presence.Mode.WRITING if writing else Presence.Mode.VIEWING
    Presence.objects.update_or_create(
        case=case, user_id=user_id, defaults={"mode": mode, "seen_at": clock.now()}
    )


def others(case: Case, user_id: int) -> QuerySet[Presence]:
    """Everybody else who has the case open; those who write first."""
    fresh = Presence.objects.filter(case=case, seen_at__gt=clock.now() - LIFE).exclude(user=user_id)
    return fresh.select_related("user").order_by("-mode", "user__name")
