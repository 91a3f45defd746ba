"""The ladder at work: a case that nobody touches climbs by itself, and some events make it climb at once.

What is written when somebody works on a case stays as it is: the sweep looks at ``touched_at`` when a rung falls due,
and starts the ladder anew from there. Acknowledging is no touch. A rung may open a war room: that is what its 'climbed'
event causes (``room_by_rung.py``, in ``desk/follows.py``).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent, Notice
from makegood.cases.states import Status
from makegood.desk import climbing_together, notices
from makegood.desk.above import Above
from makegood.desk.room_deserved import deserves_room
from makegood.desk.verb import verb
from makegood.escalation import ladder
from makegood.escalation.hops import Moment, bounces, hops
from makegood.escalation.models import Climb
from makegood.packs import escalation
from makegood.people import actors
from makegood.people.actors import Actor

_BY = actors.system("worker")
#: The third time that a case comes back to a team that had given it away, a lead decides.
BOUNCES = 3
#: From the second word in a row that nobody answered on, the case climbs a rung for each.
CONTACTS = 2
_URGENT = ("signal:threat.", "signal:loss.")
_TEAMS = {"assigned", "taken", "handover_accepted"}


def start(event: CaseEvent) -> None:
    """A case that was opened (again) begins on its ladder; one that became more urgent goes on with the faster one."""
    climbing_together.start_all([Case.objects.get(pk=event.case_id)])


def start_typed(event: CaseEvent) -> None:
    """Now its type is known: a type with rungs of its own puts the case on these; others keep those that it has."""
    case, climb = Case.objects.get(pk=event.case_id), Climb.objects.filter(case_id=event.case_id).first()
    if climb is None or climb.look_at is None or not escalation().has_own(case.urgency, case.type):
        return
    rungs = escalation().ladder(case.urgency, case.type)
    if ladder.kept(rungs) == climb.rungs:
        return
    fired = min(climb.fired, len(rungs))
    Climb.objects.filter(pk=climb.pk).update(
        rungs=ladder.kept(rungs),
        fired=fired,
        look_at=max(clock.now(), ladder.moment(rungs, climb.since, fired)),
    )


def over(event: CaseEvent) -> None:
    """The case ended: nobody needs to hear of it."""
    Climb.objects.filter(case_id=event.case_id).update(look_at=None)


def by_contacts(event: CaseEvent) -> None:
    """A second and a third word that nobody answered move the case up by themselves (D4)."""
    events = CaseEvent.objects.filter(case_id=event.case_id).order_by("-seq").values_list("kind", "data")
    words = 0
    for kind, data in events[:200]:
        if kind in ("replied", "told", "called"):
            break
        words += kind == "customer_wrote" or (kind == "opened" and not data.get("noticed"))
    if words >= CONTACTS:
        up(event, "contact")


def by_bounces(event: CaseEvent) -> None:
    """A-B-A counts; the third time a lead hears that the case goes round."""
    events = CaseEvent.objects.filter(case_id=event.case_id, kind__in=_TEAMS).order_by("seq")
    path = hops([Moment(e.true_at, str(e.data.get("team") or "")) for e in events])
    if bounces(path) >= BOUNCES and len(path) > 1 and path[-2].giver == path[-1].receiver:
        up(event, "bounce", at_least="lead")


def by_signals(event: CaseEvent) -> None:
    """A threat or a loss in the customer's own words goes to the lead at once."""
    if any(str(source).startswith(_URGENT) for source in event.data["sources"]):
        up(event, "signal", at_least="lead")


def by_clock(case: Case) -> CaseEvent | None:
    """A date of the law is near: the lead hears, whoever works on it. ``case`` is held."""
    return _up(case, "statutory", at_least="lead") if case.is_open else None


def by_watch(case: Case, *, at_least: str = "lead", cause: CaseEvent | None = None) -> CaseEvent | None:
    """The watch over transactions found that this case is graver than it looked. None when it climbs no ladder (ended)."""
    return _up(case, "watch", at_least=at_least, cause=cause)


def up(event: CaseEvent, why: str, *, at_least: str = "owner") -> None:
    """Climb one rung now, or up to the first on which ``at_least`` stands."""
    _up(event.case, why, at_least=at_least, cause=event)


def _up(
    case: Case,
    why: str,
    *,
    at_least: str = "owner",
    cause: CaseEvent | None = None,
) -> CaseEvent | None:
    climb = Climb.objects.filter(case_id=case.pk, look_at__isnull=False).first()
    if climb is None:
        return None
    rungs = ladder.read(climb.rungs)
    index = min(climb.fired, len(rungs) - 1)
    if at_least != "owner":
        index = next((i for i, r in enumerate(rungs) if i >= index and r.who != "owner"), len(rungs) - 1)
    return reach(climb, [index], index + 1, why, by=_BY, cause=cause)


def look(row: Climb) -> None:
    """The sweep's: fire what is due by what is so now."""
    case = pen.hold(row.case_id)
    if not case.is_open:
        Climb.objects.filter(pk=row.pk).update(look_at=None)
        return
    rungs, now = ladder.read(row.rungs), clock.now()
    since, fired = row.since, row.fired
    if case.touched_at and case.touched_at > since:
        since, fired = case.touched_at, 0
    if quiet(case):
        since, fired = now, 0
    step = ladder.step(rungs, since, fired, now)
    Climb.objects.filter(pk=row.pk).update(
        since=since, fired=step.fired, look_at=step.next_at, set_back=0, trouble=""
    )
    if step.fire:
        row.refresh_from_db()
        reach(row, list(step.fire), step.fired, "untouched", by=_BY, look_at=step.next_at)


def quiet(case: Case) -> bool:
    """Whether nothing is to be done by us now: put aside with a promise, told, or waiting for the customer's answer."""
    asleep = case.snoozed_until is not None
    return (
        asleep
        or case.status == Status.TOLD
        or (case.status == Status.WAITING and case.waiting_for == "customer")
    )


@verb("climb")
def reach(
    climb: Climb,
    rungs: list[int],
    fired: int,
    why: str,
    *,
    by: Actor,
    cause: CaseEvent | None = None,
    look_at: datetime | None = None,
    already: list[int] | None = None,
) -> CaseEvent:
    """The case has reached these rungs: whoever stands on them hears of it, but not who heard ``already``.

    A rung that points at nobody tells who stands above it, and at last the keepers.
    """
    case = pen.hold(climb.case_id)
    whole = ladder.read(climb.rungs)
    told: list[int] = []
    above = Above()
    for index in rungs:
        people = set(above.standing_on(case, whole[index].who)) - set(already or [])
        told += notices.notify(case, "climbed", to=people, data={"n": index + 1})
    highest = max(climb.highest, *(index + 1 for index in rungs))
    next_at = look_at or max(clock.now() + timedelta(minutes=1), ladder.moment(whole, climb.since, fired))
    Climb.objects.filter(pk=climb.pk).update(fired=max(fired, climb.fired), highest=highest, look_at=next_at)
    data = {"rung": rungs[-1] + 1, "why": why, "told": sorted({*told, *(already or [])})}
    if any(whole[index].what == "room" and deserves_room(case, whole[index], why) for index in rungs):
        data["room"] = True
    return pen.write(case, "climbed", by=by, data=data, cause=cause)


@verb("acknowledge")
def acknowledge(case: Case, *, by: Actor) -> CaseEvent:
    """I have seen it. The notices of this case are seen for this person; nothing else stops, and the case climbs on if untouched."""
    case = pen.hold(case.pk)
    climb = Climb.objects.filter(case=case, look_at__isnull=False).first()
    if climb is None:
        raise Refusal("ended", _("The case has already ended."))
    now = clock.now()
    Climb.objects.filter(pk=climb.pk).update(acknowledged_by=by.person, acknowledged_at=now)
    Notice.objects.filter(case=case, user_id=by.person, seen_at__isnull=True).update(seen_at=now)
    return pen.write(case, "acknowledged", by=by, data={"user": by.person}, touched_at=case.touched_at)
