"""What the pages of the war rooms read: the open ones, most urgent first, and one room. The number of queries grows with nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from makegood.base import clock
from makegood.base.errors import Blocker
from makegood.cases.access import cases_for
from makegood.cases.models import Case, CaseEvent
from makegood.desk import rooming, timeline
from makegood.desk.room_card import TOLD, card
from makegood.desk.timeline import Row
from makegood.incidents.models import CardField, Decision, Room, RoomMember, RoomMessage, Task, Thanks
from makegood.incidents.rooms import room_blockers, room_name, with_urgency
from makegood.packs import escalation
from makegood.people.actors import Actor
from makegood.people.models import STAFF, User
from makegood.promises.ledger import next_word_due

MOST, LINES, NEWS = 200, 100, 100
#: Whoever comes back after this long makes a new visit; within it, a page loaded again shows the same news.
VISIT = timedelta(minutes=30)
#: That somebody is still here is written down once in so long: sixty readers of each line are not sixty writes.
SEEN = timedelta(minutes=1)
_IN_ROOM = Q(members__left_at__isnull=True)


@dataclass(frozen=True)
class Listed:
    """A room in a list, with its name in the reader's language."""

    room: Room
    name: str
    lead: str
    people: int
    mine: bool


@dataclass(frozen=True)
class Line:
    """One field of the card: its newest version, if anybody wrote it. ``told``: it may go to the merchant too."""

    field: str
    label: Any
    written: CardField | None
    told: bool

    @property
    def n(self) -> int:
        return self.written.n if self.written else 0

    @property
    def text(self) -> str:
        return self.written.text if self.written else ""


@dataclass(frozen=True)
class RoomPage:
    """A room as one person sees it. ``since`` is what ``news`` counts from; None is from its beginning."""

    room: Room
    case: Case
    name: str
    urgency: int
    merchants: list[str]
    next_word_at: datetime | None
    card: list[Line]
    people: list[RoomMember]
    mine: RoomMember | None
    leads: bool
    crowded: bool
    chat: list[RoomMessage]
    earlier: bool
    tasks: list[Task]
    decisions: list[Decision]
    thanks: list[Thanks]
    unthanked: list[tuple[int, str]]
    blockers: list[Blocker]
    since: datetime | None
    news: list[Row]

    @property
    def lead(self) -> RoomMember | None:
        return next((m for m in self.people if m.role == RoomMember.Role.LEAD), None)

    @property
    def open_tasks(self) -> list[Task]:
        return [task for task in self.tasks if task.done_at is None]

    @property
    def version(self) -> str:
        """What a poll sends back: the room's and the case's version, and the newest line of the chat that is shown."""
        return f"{version(self.room)}.{self.chat[-1].pk if self.chat else 0}"

    @cached_property
    def colleagues(self) -> list[tuple[str, str]]:
        """Everybody of the desk, for the controls that name a person; asked once a page."""
        found = User.objects.filter(is_active=True, role__in=STAFF).order_by("name")
        return [(str(pk), name) for pk, name in found.values_list("pk", "name")[:500]]


def version(room: Room) -> str:
    """What a poll compares: it moves with every change in the room and on its case."""
    return f"{room.version}.{room.case.version}"


def unchanged(shown: str, room: Room) -> bool:
    """Whether the room and its case are where the page that sent ``shown`` has them."""
    return _parts(shown)[:2] == _parts(version(room))[:2]


def only_said(shown: str, room: Room) -> list[RoomMessage] | None:
    """The lines of the chat since the page that sent ``shown``, where nothing else changed since; None: read the whole room.

    Each line counts one change, and two where it brought its writer in: if as many changes as lines were counted, lines are
    all that there is. Sixty people who read one line each need not read the card, the tasks and the history anew.
    """
    changes, case, line = _parts(shown)
    now, case_now, _line = _parts(version(room))
    if case != case_now or not 0 < now - changes <= LINES or not line:
        return None
    said = RoomMessage.objects.filter(room=room, pk__gt=line).select_related("by").order_by("pk")
    lines = list(said[: LINES + 1])
    return lines if len(lines) == now - changes else None


def _parts(shown: str) -> tuple[int, int, int]:
    found = [int(n) if n.isascii() and n.isdigit() and len(n) < 18 else -1 for n in shown.split(".")[:3]]
    room, case, line, *_ = [*found, 0, 0, 0]
    return room, case, max(line, 0)


def rooms(actor: Actor, *, mine: bool = False) -> list[Listed]:
    """The open rooms that this person may see, the most urgent first; with ``mine`` those that they are in."""
    found = visible(actor).filter(closed_at__isnull=True)
    inside = RoomMember.objects.filter(user=actor.user_id, left_at__isnull=True)
    if mine:
        found = found.filter(pk__in=inside.values("room"))
    lead = RoomMember.objects.filter(room=OuterRef("pk"), role=RoomMember.Role.LEAD).values("user__name")
    listed = found.select_related("case__shop").annotate(
        lead_name=Subquery(lead[:1]), people=Count("members", filter=_IN_ROOM)
    )
    ordered = list(listed.order_by("-urgency", "opened_at", "id")[:MOST])
    my_rooms = set(inside.filter(room__in=[room.pk for room in ordered]).values_list("room_id", flat=True))
    return [_listed(room, room.pk in my_rooms) for room in ordered]


def visible(actor: Actor) -> QuerySet[Any, Any]:
    """The rooms on the cases that this person may see, each with its urgency."""
    return with_urgency(Room.objects.filter(case__in=cases_for(actor)))


def _listed(room: Any, mine: bool) -> Listed:
    return Listed(room, room_name(room.case, room.urgency), room.lead_name or "", room.people, mine)


def of_case(case: Case, merged: list[int]) -> list[Room]:
    """The rooms of a case and of those merged into it (their numbers), the open one first. One query."""
    rooms = Room.objects.filter(case__number__in=[case.number, *merged])
    return list(rooms.order_by(F("closed_at").desc(nulls_first=True), "-id")[:10])


def read(room: Room, *, by: Actor, since: datetime | None) -> RoomPage:
    """One room that came from ``rooming.room_for``, in the active language."""
    case = rooming.standing_case(room)
    urgency: int = max(room.urgency, case.urgency)  # type: ignore[attr-defined]  # with_urgency gave it
    people = list(
        RoomMember.objects.filter(room=room, left_at__isnull=True)
        .select_related("user")
        .order_by("joined_at", "id")
    )
    chat = list(RoomMessage.objects.filter(room=room).select_related("by").order_by("-id")[: LINES + 1])
    tasks = Task.objects.filter(room=room).select_related("owner", "promise", "done_by")
    thanks = Thanks.objects.filter(room=room).select_related("to", "by").order_by("id")
    decisions = Decision.objects.filter(room=room).select_related("who", "by").order_by("id")
    unthanked = list(rooming.unthanked(room)) if room.is_open else []
    return RoomPage(
        room=room,
        case=case,
        name=room_name(case, urgency),
        urgency=urgency,
        merchants=list(
            User.objects.filter(shops=case.shop_id, is_active=True)
            .order_by("name")
            .values_list("name", flat=True)
        ),
        next_word_at=next_word_due(case) if case.is_open else None,
        card=[
            Line(field, CardField.Field(field).label, written, field in TOLD)
            for field, written in card(room).items()
        ],
        people=people,
        mine=next((m for m in people if m.user_id == by.user_id), None),
        leads=by.role in rooming.LEADS or any(m.user_id == by.user_id and m.role == "lead" for m in people),
        crowded=len(people) >= escalation().room_people,
        chat=chat[:LINES][::-1],
        earlier=len(chat) > LINES,
        tasks=sorted(tasks, key=lambda t: (t.done_at is not None, t.promise.due_at)),
        decisions=list(decisions),
        thanks=list(thanks),
        unthanked=unthanked,
        # The review is set by the press that closes: on the page it is a control, not yet a reason.
        blockers=[b for b in room_blockers(rooming.facts(room, case)) if b.code != "no_review"]
        if room.is_open
        else [],
        since=since,
        news=news(room, case, since),
    )


def news(room: Room, case: Case, since: datetime | None) -> list[Row]:
    """What happened on the case and in the room since a moment (None: since the room was opened), the newest last."""
    # Not who came and went: sixty people would push out what happened.
    events = CaseEvent.objects.filter(
        case__in={room.case_id, case.pk}, written_at__gte=since or room.opened_at
    ).exclude(kind__in=("room_joined", "room_left"))
    return timeline.render(list(events.order_by("-written_at", "-id")[:NEWS])[::-1], case)


def visit(room: Room, user_id: int) -> datetime | None:
    """Note that this person looks at the room now; returns when their visit before this one ended (None: never here, or not in it)."""
    mine = RoomMember.objects.filter(room=room, user_id=user_id).first()
    if mine is None:
        return None
    now = clock.now()
    if mine.seen_at and now - mine.seen_at < SEEN:
        return mine.before
    if mine.seen_at and now - mine.seen_at > VISIT:
        mine.before = mine.seen_at
    mine.seen_at = now
    mine.save(update_fields=["seen_at", "before"])
    return mine.before
