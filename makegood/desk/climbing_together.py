"""Many cases on their ladders at once: what a thousand promises that break in one minute cause costs a few statements.

The rows, events and notices are those that :mod:`climbing` writes case by case; all cases are held by the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from makegood.base import clock, rows
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.desk import notices
from makegood.desk.above import Above
from makegood.desk.notices import Ask
from makegood.desk.room_deserved import deserves_room
from makegood.desk.verb import follow
from makegood.escalation import ladder
from makegood.escalation.models import Climb
from makegood.packs import escalation
from makegood.people import actors, roles

_BY = actors.system("worker")
_BEGUN = ("level", "rungs", "since", "fired", "look_at")


@dataclass(frozen=True)
class Fall:
    """A promise of ``case`` that is about to break or broke. ``told`` heard of it already, and not twice."""

    case: Case
    told: list[int]
    cause: CaseEvent | None = None


def start_all(cases: Sequence[Case]) -> None:
    """Cases that were opened (again) begin on their ladders; those that became more urgent go on with the faster one."""
    now, climbs = clock.now(), climbs_of(cases)
    new, faster = [], []
    for case in cases:
        climb = climbs.get(case.pk)
        if climb is None:
            new.append(_begun(Climb(case=case), case, now, since=now, fired=0))
        elif climb.look_at is None:
            faster.append(_begun(climb, case, now, since=now, fired=0))
        elif case.urgency > climb.level:
            faster.append(_begun(climb, case, now, since=climb.since, fired=climb.fired))
    Climb.objects.bulk_create(new)
    rows.change_all(faster, _BEGUN)


def _begun(climb: Climb, case: Case, now: datetime, *, since: datetime, fired: int) -> Climb:
    rungs = escalation().ladder(case.urgency, case.type)
    climb.level, climb.rungs = case.urgency, ladder.kept(rungs)
    climb.since, climb.fired = since, min(fired, len(rungs))
    climb.look_at = max(now, ladder.moment(rungs, since, climb.fired))
    return climb


def climbs_of(cases: Sequence[Case]) -> dict[int, Climb]:
    """Where these cases stand, by their ids."""
    return {climb.case_id: climb for climb in Climb.objects.filter(case__in=[case.pk for case in cases])}


def by_promises(falls: Sequence[Fall], why: str) -> list[CaseEvent]:
    """Promises of these cases (one each) are about to break, or broke: the lead's rung of those that climb.

    The count of the time in which nobody touched a case goes on as it was.
    """
    roles.check(_BY, "climb")
    climbs, above = climbs_of([fall.case for fall in falls]), Above()
    going: list[tuple[Fall, Climb, int]] = []
    asks: list[Ask] = []
    for fall in falls:
        climb = climbs.get(fall.case.pk)
        if climb is None or climb.look_at is None or not fall.case.is_open:
            continue
        rungs = ladder.read(climb.rungs)
        index = next((i for i, rung in enumerate(rungs) if rung.who != "owner"), len(rungs) - 1)
        people = set(above.standing_on(fall.case, rungs[index].who)) - set(fall.told)
        asks.append(Ask(fall.case, "climbed", people, {"n": index + 1}))
        going.append((fall, climb, index))
    told = notices.notify_all(asks)
    _higher([(climb, index + 1) for _fall, climb, index in going])
    data: dict[int, dict[str, Any]] = {}
    for (fall, climb, index), heard in zip(going, told, strict=True):
        data[fall.case.pk] = {"rung": index + 1, "why": why, "told": sorted({*heard, *fall.told})}
        rung = ladder.read(climb.rungs)[index]
        if rung.what == "room" and deserves_room(fall.case, rung, why):
            data[fall.case.pk]["room"] = True
    events = pen.write_all(
        [fall.case for fall, _climb, _index in going],
        "climbed",
        by=_BY,
        data=data,
        changes={pk: {} for pk in data},
        cause={fall.case.pk: fall.cause for fall, _climb, _index in going},
    )
    for event in events:
        follow(event)
    return events


def _higher(reached: Sequence[tuple[Climb, int]]) -> None:
    changed = [climb for climb, rung in reached if rung > climb.highest]
    for climb, rung in reached:
        climb.highest = max(climb.highest, rung)
    rows.change_all(changed, ("highest",))
