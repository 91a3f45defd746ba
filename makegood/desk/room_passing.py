"""The rooms of a lead who is not there: each goes to the next lead on duty with a hand free, or a manager hears that it stands alone."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.desk import notices, room_leads, rooming
from makegood.desk.verb import verb
from makegood.incidents.models import Room, RoomMember
from makegood.people.actors import Actor


def rooms_of(user_id: int) -> list[Room]:
    """The open rooms that this person leads."""
    mine = RoomMember.objects.filter(user=user_id, role=rooming.LEAD, room__closed_at__isnull=True)
    return [member.room for member in mine.select_related("room__case").order_by("room")]


def look(room: Room, was: int, *, by: Actor, since: datetime) -> None:
    """The sweep's: pass the room on when somebody can take it; while nobody can, the managers hear once."""
    case = rooming.standing_case(room)
    if room_leads.free(case, without=[was]) or not _told(room, was, since):
        pass_room(room, was, by=by, since=since)


@verb("hand_back")
def pass_room(room: Room, was: int, *, by: Actor, since: datetime) -> CaseEvent:
    """Give the room of somebody who is away (``since``) to the next lead with a hand free; whoever led it stays a member.

    With no such lead the managers hear, once for this absence, and the room keeps its name on the door until one is free.
    """
    case, room = rooming.hold(room)
    if rooming.lead_of(room) != was:
        raise Refusal("not_theirs", _("The war room has another lead by now."))
    user = room_leads.hold_free(case, without=[was])
    if user is None:
        return _tell_managers(case, room, was, by, since)
    RoomMember.objects.filter(room=room, role=rooming.LEAD).update(role=rooming.MEMBER)
    rooming.enter(room, user.pk, rooming.LEAD)
    notices.notify(case, "room_passed_to_you", to=[user.pk], data={"room": room.pk})
    data = {"room": room.pk, "was_user": was, "user": user.pk}
    return pen.write(case, "room_passed_on", by=by, data=data, touched_at=case.touched_at)


def _told(room: Room, was: int, since: datetime) -> bool:
    known = CaseEvent.objects.filter(kind="room_lead_away", data__room=room.pk, data__was_user=was)
    return known.filter(written_at__gte=since).exists()


def _tell_managers(case: Case, room: Room, was: int, by: Actor, since: datetime) -> CaseEvent:
    if _told(room, was, since):
        raise Refusal("told_already", _("The managers know already that nobody leads this war room."))
    to = [*notices.managers(), *notices.keepers()]
    notices.notify(case, "room_lead_away", to=set(to) - {was}, data={"room": room.pk})
    data = {"room": room.pk, "was_user": was}
    return pen.write(case, "room_lead_away", by=by, data=data, touched_at=case.touched_at)
