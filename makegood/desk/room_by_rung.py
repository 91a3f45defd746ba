"""A rung of the ladder that opens a war room, for a case that deserves one, while a lead has a hand free for it.

A dozen open rooms are none: nobody leads more than the rules allow, and a case of an incident goes to the incident's one room.
Where no room is opened the case says why, and those who can change it hear.
"""

from __future__ import annotations

from datetime import timedelta

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent, Fact, Notice
from makegood.desk import incidents, notices, rooming
from makegood.desk.verb import verb
from makegood.incidents.models import Incident, Room
from makegood.people import actors
from makegood.people.actors import Actor

#: Why no room was opened, beside those of ``rooming.open_room``: the incident has one already, or none yet.
IN_ROOM, IN_INCIDENT = "incident_room", "incident"
#: The same reason is said once in so long, however often the rung is reached.
AGAIN = timedelta(days=1)


def open_by_rung(event: CaseEvent) -> None:
    """A follower of 'climbed'. A room that the case has goes on; where none can be opened the case says why."""
    if not event.data.get("room"):
        return
    case, by = Case.objects.get(pk=event.case_id), actors.system()
    mine = incidents.standing_of(case)
    if mine is not None and incidents.standing_anchor(mine.incident).pk != case.pk:
        room = _room_of(mine.incident)
        withhold(
            case, IN_ROOM if room else IN_INCIDENT, by=by, cause=event, incident=mine.incident, room=room
        )
        return
    try:
        rooming.open_room(case, by=by, background=_facts(case))
    except Refusal as refused:
        if refused.code not in ("has_room", "ended"):
            withhold(case, refused.code, by=by, cause=event)


def withhold(
    case: Case,
    why: str,
    *,
    by: Actor,
    cause: CaseEvent,
    incident: Incident | None = None,
    room: Room | None = None,
) -> CaseEvent | None:
    """Say why the case got no room of its own; None when that was said already within a day."""
    known = CaseEvent.objects.filter(
        case=case, kind="room_withheld", data__withheld=why, written_at__gt=clock.now() - AGAIN
    )
    return None if known.exists() else _withhold(case, why, incident, room, by=by, cause=cause)


@verb("withhold_room")
def _withhold(
    case: Case, why: str, incident: Incident | None, room: Room | None, *, by: Actor, cause: CaseEvent
) -> CaseEvent:
    case = pen.hold(case.pk)
    if room is not None:
        if case.owner_id:
            rooming.enter(room, case.owner_id)
    elif incident is not None:
        _ask_for_one(case, incident)
    else:
        people = {*notices.leads_of(case), *(notices.managers() or notices.keepers())}
        notices.notify(case, "room_wanted" if why == "nobody" else "rooms_full", to=people)
    data = {"withheld": why, "room": room.pk if room else None, "incident": incident.pk if incident else None}
    return pen.write(case, "room_withheld", by=by, cause=cause, data=data, touched_at=case.touched_at)


def _ask_for_one(case: Case, incident: Incident) -> None:
    """A lead hears once a day that the incident needs a room, not once for each of its thousands of cases."""
    asked = Notice.objects.filter(
        kind="incident_room_wanted", data__incident=incident.pk, at__gt=clock.now() - AGAIN
    )
    if not asked.exists():
        to = notices.leads_of(case) or notices.managers()
        notices.notify(case, "incident_room_wanted", to=to, data={"incident": incident.pk, "n": incident.pk})


def _room_of(incident: Incident) -> Room | None:
    anchors = {incident.case_id, incidents.standing_anchor(incident).pk}
    return Room.objects.filter(case__in=anchors, closed_at__isnull=True).order_by("pk").first()


def _facts(case: Case) -> str:
    facts = Fact.objects.filter(case=case, struck_at__isnull=True).order_by("happened_at", "id")
    return "\n".join(facts.values_list("text", flat=True))[: rooming.LONGEST_TEXT]
