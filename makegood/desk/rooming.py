"""The war room: opened on a case by a lead (or the ladder), entered, led, and closed when all is made good and thanked.

Every verb holds the room's case first: its row lock is the lock of the room. When the case was merged, what happens in
the room is written on the one that it went into.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.access import case_for, whole
from makegood.cases.models import Case, CaseEvent, Ending
from makegood.desk import notices, room_leads
from makegood.desk.closing import closing_facts
from makegood.desk.verb import verb
from makegood.incidents.models import CardField, Decision, Room, RoomMember, RoomMessage, Task, Thanks
from makegood.incidents.rooms import RoomFacts, room_blockers, with_urgency
from makegood.people.actors import Actor
from makegood.people.models import STAFF, User
from makegood.promises.ledger import LONGEST

LEADS = room_leads.LEADS
LEAD, MEMBER = RoomMember.Role.LEAD, RoomMember.Role.MEMBER
#: How long the card and the lines of a room may be, in characters.
LONGEST_TEXT = 5000


@verb("open_room")
def open_room(
    case: Case, *, by: Actor, lead: User | None = None, background: str = "", ask: str = ""
) -> CaseEvent:
    """Open the war room of a case. Whoever opens it leads it, unless ``lead`` is named; for the system a lead of the case does.

    Refused when the case has one already, or when that lead leads as many rooms as the rules allow.
    """
    case = pen.hold(case.pk)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    if Room.objects.filter(case__in=whole(case), closed_at__isnull=True).exists():
        raise Refusal("has_room", _("This case has a war room already."))
    first = {
        "background": clean(background, limit=LONGEST_TEXT, field="background", required=False),
        "ask": clean(ask, limit=LONGEST_TEXT, field="ask", required=False),
    }
    leader = _leader(case, by, lead)
    now = clock.now()
    room = Room.objects.create(case=case, opened_at=now, opened_by_id=by.user_id)
    RoomMember.objects.create(room=room, user_id=leader, role=LEAD, joined_at=now)
    if by.user_id and by.user_id != leader:
        RoomMember.objects.create(room=room, user_id=by.user_id, joined_at=now)
    CardField.objects.bulk_create(
        CardField(room=room, field=field, n=1, text=text, by_id=by.user_id, at=now)
        for field, text in first.items()
        if text
    )
    notices.notify(case, "room_opened", to={leader} - {by.user_id}, data={"room": room.pk})
    # Opening, entering and closing a room is no work on the case: its ladder climbs on.
    data = {"room": room.pk, "user": leader}
    return pen.write(case, "room_opened", by=by, data=data, touched_at=case.touched_at)


@verb("be_in_room")
def join_room(room: Room, *, by: Actor) -> CaseEvent:
    """Enter the room; whoever comes back has the role that they had."""
    case, room = hold(room)
    mine = RoomMember.objects.filter(room=room, user_id=by.person).first()
    if mine and mine.left_at is None:
        raise Refusal("in_room", _("You are in this war room already."))
    mine = enter(room, by.person)
    return _entered(case, room, "room_joined", by, mine)


@verb("be_in_room")
def leave_room(room: Room, *, by: Actor) -> CaseEvent:
    """Leave the room. Its lead gives the lead to somebody first: no room is left without one."""
    case, room = hold(room)
    mine = RoomMember.objects.filter(room=room, user_id=by.person, left_at__isnull=True).first()
    if mine is None:
        raise Refusal("not_in_room", _("You are not in this war room."))
    if mine.role == LEAD:
        raise Refusal("leads", _("Give the lead of the room to somebody else first."))
    RoomMember.objects.filter(pk=mine.pk).update(left_at=clock.now())
    changed(room)
    data = {"room": room.pk, "user": by.person}
    return pen.write(case, "room_left", by=by, data=data, touched_at=case.touched_at)


@verb("give_room_role")
def give_role(room: Room, *, by: Actor, user: User | None, role: str) -> CaseEvent:
    """Give somebody a role in the room: by its lead, or by any lead. Who is not in the room comes in by it."""
    case, room = hold(room)
    refuse_not_leading(room, by)
    if user is None or user.role not in STAFF or not user.is_active:
        raise Refusal("nobody", _("Say to whom."), field="user")
    if role not in RoomMember.Role.values:
        raise Refusal("unknown_code", _("This is not in the list."), field="role")
    now_leads = lead_of(room)
    if user.pk == now_leads:
        raise Refusal("leads", _("Give the lead of the room to somebody else first."), field="role")
    if role == LEAD:
        room_leads.refuse_no_lead(user, field="user")
        room_leads.refuse_too_many(user.pk, field="user")
        RoomMember.objects.filter(room=room, role=LEAD).update(role=MEMBER)
    mine = enter(room, user.pk, role)
    notices.notify(case, "room_role", to={user.pk} - {by.user_id}, data={"room": room.pk, "what": role})
    return _entered(case, room, "room_role_given", by, mine)


@verb("close_room")
def close_room(room: Room, *, by: Actor, review_at: datetime | None) -> CaseEvent:
    """Close the room, with the moment at which it is looked back at. Refused with all that is missing, as the page shows it."""
    case, room = hold(room)
    refuse_not_leading(room, by)
    now = clock.now()
    missing = room_blockers(facts(room, case, review_at))
    if missing:
        raise Refusal(
            missing[0].code, " ".join(str(blocker.reason) for blocker in missing), field=missing[-1].field
        )
    assert review_at is not None, "room_blockers asks for it"
    if review_at > now + LONGEST:
        raise Refusal("bad_time", _("The time must be ahead of now, and within 60 days."), field="review_at")
    Room.objects.filter(pk=room.pk).update(
        closed_at=now,
        closed_by_id=by.person,
        review_at=review_at,
        look_at=review_at,
        version=F("version") + 1,
    )
    data = {"room": room.pk, "until": review_at.isoformat()}
    return pen.write(case, "room_closed", by=by, data=data, touched_at=case.touched_at)


def review(row: Room) -> None:
    """The sweep's: the moment of the review has come; the lead of the room hears of it. No event: nothing changed on the case."""
    case = standing_case(row)
    told = notices.notify(case, "room_review", to=[lead_of(row)], data={"room": row.pk})
    if not told:  # who led it has gone
        notices.notify(
            case, "room_review", to=notices.leads_of(case) or notices.keepers(), data={"room": row.pk}
        )
    Room.objects.filter(pk=row.pk).update(look_at=None, set_back=0, trouble="")


def room_for(actor: Actor, room_id: int) -> Room:
    """The room with this id, with its ``urgency``; NotThere unless the actor is of the desk and may see its case."""
    gone = NotThere("no_room", _("There is no such war room."))
    rooms = with_urgency(Room.objects.select_related("case__shop", "opened_by", "closed_by"))
    room = rooms.filter(pk=room_id).first() if actor.is_staff else None
    if room is None:
        raise gone
    try:
        case_for(actor, room.case.number)
    except NotThere:
        raise gone from None
    return room


def hold(room: Room) -> tuple[Case, Room]:
    """Lock the case that the room stands on now, and read the room anew; raises Refusal when it is closed meanwhile."""
    case = pen.hold(standing_case(room).pk)
    while case.ended_as == "merged":  # merged between our look and our lock
        case = pen.hold(standing_case(room).pk)
    rooms = Room.objects.select_for_update(of=("self",), no_key=True).select_related("case")
    room = rooms.get(pk=room.pk)
    refuse_closed(room)
    return case, room


def standing_case(room: Room) -> Case:
    """The case of the room, or the one that this was merged into."""
    into = Ending.objects.filter(case=room.case_id, kind="merged").select_related("survivor__shop").first()
    return cast(Case, into.survivor) if into else Case.objects.select_related("shop").get(pk=room.case_id)


def refuse_closed(room: Room) -> None:
    if not room.is_open:
        raise Refusal("room_closed", _("The war room is closed already."))


def refuse_not_leading(room: Room, by: Actor) -> None:
    if by.role not in LEADS and by.user_id != lead_of(room):
        raise NotAllowed("not_yours", _("Only the lead of the room, or any lead, does this."))


def lead_of(room: Room) -> int | None:
    return RoomMember.objects.filter(room=room, role=LEAD).values_list("user_id", flat=True).first()


def enter(room: Room, user_id: int, role: str = "") -> RoomMember:
    """Make sure that this person is in the room (whoever writes in it is), with ``role`` where one is given."""
    found = RoomMember.objects.filter(room=room, user_id=user_id).first()
    if found is None:
        found = RoomMember.objects.create(room=room, user_id=user_id, role=role or MEMBER)
    elif found.left_at is not None or (role and found.role != role):
        found.role, found.left_at = role or found.role, None
        found.save(update_fields=["role", "left_at"])
    changed(room)
    return found


def changed(room: Room) -> bool:
    """Count the change, so that every open page of the room asks for it; False when the room is closed.

    It locks the room's row: of two lines that one person writes at once, only one brings them in.
    """
    found = Room.objects.filter(pk=room.pk, closed_at__isnull=True)
    return bool(found.update(version=F("version") + 1))


def facts(room: Room, case: Case, review_at: datetime | None = None) -> RoomFacts:
    """What stands between this room and its end; ``case`` is the one that it stands on now."""
    found = closing_facts(case)
    return RoomFacts(
        closed=not room.is_open,
        verified=found.verified,
        told=found.told,
        confirmed=found.answer == "all_good",
        over=found.ended and case.ended_as != "made_good",
        open_tasks=Task.objects.filter(room=room, done_at__isnull=True).count(),
        unthanked=[name for _pk, name in unthanked(room)],
        review_ahead=review_at is not None and review_at > clock.now(),
    )


def unthanked(room: Room) -> QuerySet[User, tuple[int, str]]:
    """Who helped (wrote, decided, had a task or a role) and was not thanked; not the lead, whose part it is to thank."""
    helped: QuerySet[RoomMember, int | None] = (
        RoomMember.objects.filter(room=room)
        .exclude(role__in=(LEAD, MEMBER))
        .values_list("user_id", flat=True)
    )
    others = (
        CardField.objects.filter(room=room).values_list("by_id", flat=True),
        RoomMessage.objects.filter(room=room).values_list("by_id", flat=True),
        Task.objects.filter(room=room).values_list("owner_id", flat=True),
        Task.objects.filter(room=room, done_at__isnull=False).values_list("done_by_id", flat=True),
        Decision.objects.filter(room=room).values_list("who_id", flat=True),
    )
    names = (
        User.objects.filter(pk__in=helped.union(*others))
        .exclude(pk__in=RoomMember.objects.filter(room=room, role=LEAD).values("user"))
        .exclude(pk__in=Thanks.objects.filter(room=room).values("to"))
    )
    return names.order_by("name", "pk").values_list("pk", "name")


def _leader(case: Case, by: Actor, lead: User | None) -> int:
    """Who leads the new room, with a hand free for it."""
    if lead is None and by.user_id is None:
        lead = room_leads.by_itself(case)
    leader = lead or User.objects.get(pk=by.person)
    room_leads.refuse_no_lead(leader, field="lead")
    room_leads.refuse_too_many(leader.pk, field="lead")
    return leader.pk


def _entered(case: Case, room: Room, kind: str, by: Actor, mine: RoomMember) -> CaseEvent:
    data = {"room": room.pk, "user": mine.user_id, "role": str(mine.role)}
    return pen.write(case, kind, by=by, data=data, touched_at=case.touched_at)
