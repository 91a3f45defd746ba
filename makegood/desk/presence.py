"""Who else has the case open, on its sheet or in its war room: rows with a short life, advisory only.

Not a verb: it changes nothing of the case. A page without a stream says again and again that it is here; with a stream
(``web/live``) the presence lasts as long as the stream does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet

from makegood.base import clock
from makegood.cases.models import Case, Presence

LIFE = timedelta(seconds=45)
#: A row that is younger than this need not be written again only to say that somebody is still here.
FRESH = timedelta(seconds=15)
SHEET, ROOM = Presence.Place.SHEET, Presence.Place.ROOM


@dataclass(frozen=True)
class Here:
    """One person at one place of one case. ``place``: 'sheet' or 'room'."""

    case_id: int
    user_id: int
    place: str = SHEET


def be_here(case_id: int, user_id: int, *, place: str = SHEET, writing: bool | None = None) -> None:
    """Say that this user has the case open now, and whether they are writing (None: as it was said last)."""
    now = clock.now()
    key = {"case_id": case_id, "user_id": user_id, "place": place}
    mine = Presence.objects.filter(**key).first()
    # Whoever comes back after a long while begins as somebody who looks.
    was = mine.mode if mine and mine.seen_at > now - LIFE else Presence.Mode.VIEWING
    mode = was if writing is None else Presence.Mode.WRITING if writing else Presence.Mode.VIEWING
    if mine and mine.mode == mode and mine.seen_at > now - FRESH:
        return
    Presence.objects.bulk_create(
        [Presence(**key, mode=mode, seen_at=now)],
        update_conflicts=True,
        unique_fields=["case", "user", "place"],
        update_fields=["mode", "seen_at"],
    )


def still_here(those: Iterable[Here]) -> None:
    """All these are still here: one UPDATE; a row that was lost meanwhile is made again."""
    wanted = set(those)
    if not wanted:
        return
    now = clock.now()
    rows = Presence.objects.filter(
        case__in={one.case_id for one in wanted}, user__in={one.user_id for one in wanted}
    )
    found = {
        Here(case, user, place): pk
        for pk, case, user, place in rows.values_list("pk", "case_id", "user_id", "place")
    }
    Presence.objects.filter(pk__in=[pk for one, pk in found.items() if one in wanted]).update(seen_at=now)
    Presence.objects.bulk_create(
        [
            Presence(case_id=one.case_id, user_id=one.user_id, place=one.place, seen_at=now)
            for one in wanted - found.keys()
        ],
        ignore_conflicts=True,
    )


def be_gone(one: Here) -> None:
    """They closed the page."""
    Presence.objects.filter(case=one.case_id, user=one.user_id, place=one.place).delete()


def others(case: Case, user_id: int) -> QuerySet[Presence]:
    """Everybody else who has the case open, on its sheet or in its room; those who write first."""
    return _fresh(Q(case=case)).exclude(user=user_id).order_by("-mode", "user__name", "place")


def in_room(case_id: int) -> QuerySet[Presence]:
    """Everybody who has the room of this case (the one that it was opened on) open now; those who write first."""
    return _fresh(Q(case=case_id, place=ROOM)).order_by("-mode", "user__name")


def _fresh(which: Q) -> QuerySet[Presence]:
    return Presence.objects.filter(which, seen_at__gt=clock.now() - LIFE).select_related("user")
