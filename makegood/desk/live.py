"""What an open screen may hear of, and how far the database is: read when a stream opens, again and again while it lasts,
and after every break. A stream that compares with this has missed nothing, whatever it was not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count

from makegood.cases.access import cases_for, shops_served
from makegood.cases.models import Ending, Notice
from makegood.desk.notices import MOST_COUNTED
from makegood.incidents.models import Room
from makegood.people.actors import Actor


@dataclass(frozen=True)
class Wish:
    """What a page wants to hear of: the number of a case, the id of a war room, the queue. Their own notices everybody hears of."""

    case: int | None = None
    room: int | None = None
    queue: bool = False


@dataclass(frozen=True)
class SeenCase:
    id: int
    number: int
    version: int


@dataclass(frozen=True)
class SeenRoom:
    """``case`` is the one that the room was opened on, ``stands_on`` the one that this was merged into, else the same."""

    id: int
    version: int
    case: int
    stands_on: SeenCase


@dataclass(frozen=True)
class Sight:
    """How far the database is with what somebody may hear of. ``shops``: whose cases stand in their queue; None means all."""

    case: SeenCase | None = None
    room: SeenRoom | None = None
    shops: frozenset[int] | None = frozenset()
    unseen: int = 0


def look(asked: Sequence[tuple[Actor, Wish]]) -> list[Sight | None]:
    """For each person and wish what they may hear of now; None where the case or the room is not there for them (law: access).

    Queries: three, and at most three for each person among those who ask.
    """
    rooms, into = _rooms({wish.room for _actor, wish in asked if wish.room is not None})
    unseen = unseen_of({actor.person for actor, _wish in asked})
    theirs: dict[Actor, list[Wish]] = defaultdict(list)
    for actor, wish in asked:
        theirs[actor].append(wish)
    found = {actor: _visible(actor, wishes, rooms, into) for actor, wishes in theirs.items()}
    queues = {
        actor: shops_served(actor) for actor, wishes in theirs.items() if any(wish.queue for wish in wishes)
    }
    return [
        _sight(wish, found[actor], rooms, into, queues.get(actor, []), unseen.get(actor.person, 0))
        for actor, wish in asked
    ]


def unseen_of(users: Iterable[int]) -> dict[int, int]:
    """How many notices each of these has not seen (those with none are left out), counted as far as the page counts."""
    rows = (
        Notice.objects.filter(user__in=set(users), seen_at__isnull=True)
        .values("user")
        .annotate(n=Count("id"))
    )
    return {row["user"]: min(row["n"], MOST_COUNTED) for row in rows}


def _rooms(ids: set[int]) -> tuple[dict[int, Room], dict[int, int]]:
    """The rooms by id, and for each of their cases that was merged the case that it went into."""
    if not ids:
        return {}, {}
    rooms = Room.objects.only("id", "version", "case_id").in_bulk(ids)
    merged = Ending.objects.filter(case__in=[room.case_id for room in rooms.values()], kind="merged")
    return rooms, {
        case: survivor for case, survivor in merged.values_list("case_id", "survivor_id") if survivor
    }


def _visible(
    actor: Actor, wishes: list[Wish], rooms: dict[int, Room], into: dict[int, int]
) -> dict[int, SeenCase]:
    """Those of the wished cases that this person may see, by id and by minus the number."""
    ids = {room.case_id for wish in wishes if wish.room and (room := rooms.get(wish.room))}
    ids |= {into[case] for case in ids if case in into}
    numbers = {wish.case for wish in wishes if wish.case is not None}
    seen: dict[int, SeenCase] = {}
    for field, values in (("number__in", numbers), ("pk__in", ids)):
        if values:
            for pk, number, version in (
                cases_for(actor).filter(**{field: values}).values_list("pk", "number", "version")
            ):
                seen[pk] = seen[-number] = SeenCase(pk, number, version)
    return seen


def _sight(
    wish: Wish,
    visible: dict[int, SeenCase],
    rooms: dict[int, Room],
    into: dict[int, int],
    shops: list[int] | None,
    unseen: int,
) -> Sight | None:
    case = room = None
    if wish.case is not None and (case := visible.get(-wish.case)) is None:
        return None
    if wish.room is not None:
        found = rooms.get(wish.room)
        stands_on = visible.get(into.get(found.case_id, found.case_id)) if found else None
        if found is None or stands_on is None:
            return None
        room = SeenRoom(found.pk, found.version, found.case_id, stands_on)
    return Sight(case, room, None if shops is None else frozenset(shops if wish.queue else ()), unseen)
