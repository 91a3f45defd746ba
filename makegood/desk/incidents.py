"""An incident, one fault over many cases: opened, joined, left and closed; verbs of people, of a suggestion and of the watch.

As a war room's, its verbs hold the anchor case first: that row lock is the lock of the incident, and what is done to the
incident as a whole is written there. Where the anchor was merged, that is the case which it went into. Acts on all its
cases stand in ``incident_acts.py``, how they are carried out in ``incident_steps.py``. (Over 300 lines: the verbs, and the
few questions about an incident that every other file of it asks.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.access import case_for, cases_for
from makegood.cases.models import Case, CaseEvent, Ending
from makegood.cases.states import OPEN_STATUSES
from makegood.cases.urgency import Evidence, raised
from makegood.desk import cohorts, notices
from makegood.desk.verb import follow, verb
from makegood.incidents.models import ActStep, Incident, IncidentCase
from makegood.incidents.progress import still_running
from makegood.people.actors import Actor

LONGEST = 2000
#: So many cases come in by the act that opens an incident; more come in by an act of their own, step by step.
AT_ONCE = 200


@verb("open_incident")
def open_incident(
    anchor: Case,
    *,
    by: Actor,
    words: str,
    common: Mapping[str, Any] | None = None,
    cases: Iterable[Case] = (),
) -> CaseEvent:
    """Open an incident on ``anchor`` and bring ``cases`` in (at most ``AT_ONCE``; the others by ``incident_acts.bring_in``).

    ``words`` say the fault, ``common`` what its cases share (``cohorts.py``). Cases that have ended or stand in another
    open incident stay out. Refused when the anchor has ended or is in one already. Returns the anchor's event.
    """
    wanted = {case.pk for case in cases} - {anchor.pk}
    if len(wanted) > AT_ONCE:
        raise Refusal(
            "too_many",
            _("At most %(n)s cases at once; bring in the others after it is open.") % {"n": AT_ONCE},
        )
    held = {case.pk: case for case in pen.hold_all([anchor.pk, *wanted])}
    if anchor.pk not in held:
        raise NotThere("no_case", _("There is no such case."))
    anchor = held[anchor.pk]
    refuse_ended(anchor)
    refuse_elsewhere(anchor)
    now, shared = clock.now(), cohorts.settled(common or {})
    incident = Incident.objects.create(
        case=anchor,
        what=clean(words, limit=LONGEST, field="words"),
        type=str(shared.get("type") or anchor.type),
        shop_id=shared.get("shop"),
        common=shared,
        opened_at=now,
        opened_by_id=by.user_id,
    )
    others = joinable([held[pk] for pk in sorted(wanted & held.keys())])
    level = max([anchor.urgency, *(case.urgency for case in others)])
    IncidentCase.objects.create(incident=incident, case=anchor, by_id=by.user_id, joined_at=now)
    bring(incident, others, by=by, level=level)
    notices.notify(anchor, "incident_opened", to={*notices.leads_of(anchor), anchor.owner_id} - {by.user_id})
    return pen.write(
        anchor,
        "incident_opened",
        by=by,
        data={"incident": incident.pk, "n": 1 + len(others)},
        touched_at=anchor.touched_at,
        evidence=risen(anchor, level, anchor.number) if level > anchor.urgency else (),
    )


def joinable(cases: Iterable[Case]) -> list[Case]:
    """Those of the held ``cases`` that are open and in no open incident."""
    found = list(cases)
    taken = set(
        IncidentCase.objects.filter(case__in=[c.pk for c in found], standing=True).values_list(
            "case_id", flat=True
        )
    )
    return [case for case in found if case.is_open and case.pk not in taken]


def bring(incident: Incident, cases: list[Case], *, by: Actor, level: int) -> list[CaseEvent]:
    """Bring held cases in, each with its event; who is below ``level`` rises to it, with the incident as evidence."""
    if not cases:
        return []
    now, number = clock.now(), incident.case.number
    IncidentCase.objects.bulk_create(
        [IncidentCase(incident=incident, case=case, by_id=by.user_id, joined_at=now) for case in cases],
        update_conflicts=True,
        unique_fields=["incident", "case"],
        update_fields=["standing", "joined_at", "by", "left_at", "left_by", "left_because"],
    )
    rising = {case.pk: risen(case, level, number) for case in cases}
    events = pen.write_all(
        cases,
        "incident_joined",
        by=by,
        data={case.pk: {"incident": incident.pk, "level": max(level, case.urgency)} for case in cases},
        # Being counted in is no work on the case: its ladder climbs on.
        changes={case.pk: {"touched_at": case.touched_at} for case in cases},
        evidence=rising,
    )
    for event in events:
        if rising[event.case_id]:
            follow(event)
    return events


def risen(case: Case, level: int, number: int) -> list[Evidence]:
    """Evidence that the case is as urgent as its incident (law 3); none where it is already, or more so."""
    evidence = [Evidence(level, f"incident:{number}")]
    now = (case.urgency, case.urgency_floor)
    return evidence if level > case.urgency and raised(*now, evidence) != now else []


@verb("join_incident")
def join_incident(case: Case, incident: Incident, *, by: Actor) -> CaseEvent:
    """Bring one more case in: it rises to the incident's urgency and hears all that is told from now on."""
    anchor = standing_anchor(incident)
    held = {one.pk: one for one in pen.hold_all([case.pk, anchor.pk])}
    incident = fresh(incident)
    case = held[case.pk]
    refuse_ended(case)
    refuse_elsewhere(case)
    return bring(incident, [case], by=by, level=level_of(incident))[0]


@verb("leave_incident")
def leave_incident(case: Case, *, by: Actor, reason: str) -> CaseEvent:
    """Take a case out, with the reason: it has another cause. Its urgency stays, and so does what it was promised.

    The anchor stays as long as the incident stands.
    """
    mine = standing_of(case)
    if mine is None:
        raise Refusal("in_none", _("This case is in no open incident."))
    anchor = standing_anchor(mine.incident)
    held = {one.pk: one for one in pen.hold_all([case.pk, anchor.pk])}
    fresh(mine.incident)
    if case.pk == anchor.pk:
        raise Refusal("anchor", _("The incident stands on this case; close the incident instead."))
    now, words = clock.now(), clean(reason, limit=LONGEST, field="reason")
    IncidentCase.objects.filter(pk=mine.pk).update(
        standing=False, left_at=now, left_by_id=by.user_id, left_because=words
    )
    case = held[case.pk]
    pass_over(case.pk, mine.incident_id, "left")
    data = {"incident": mine.incident_id}
    return pen.write(case, "incident_left", by=by, data=data, touched_at=case.touched_at)


@verb("lead_incident")
def close_incident(incident: Incident, *, by: Actor) -> CaseEvent:
    """Close it: every case of it has ended by its own word, or was taken out. Thanks and review belong to the room."""
    anchor, incident = hold(incident)
    still = members(incident).filter(case__status__in=OPEN_STATUSES).count()
    if still:
        raise Refusal(
            "open_cases",
            _(
                "%(n)s cases of this incident are still open: each needs its own confirmation, or is taken out."
            )
            % {"n": still},
        )
    refuse_running(incident)
    IncidentCase.objects.filter(incident=incident, standing=True).update(standing=False)
    Incident.objects.filter(pk=incident.pk).update(closed_at=clock.now(), closed_by_id=by.person)
    data = {"incident": incident.pk}
    return pen.write(anchor, "incident_closed", by=by, data=data, touched_at=anchor.touched_at)


def follow_merge(event: CaseEvent) -> None:
    """absorbed: the case that went into another one takes its place in the incident along, with what was still to be told."""
    went = Ending.objects.filter(case__number=event.data["case"], survivor=event.case_id).values_list(
        "case_id"
    )
    gone = went.values_list("case_id", flat=True).first()
    mine = IncidentCase.objects.filter(case=gone or 0, standing=True).select_related("incident").first()
    if mine is None:
        return
    IncidentCase.objects.filter(pk=mine.pk).update(standing=False)
    if standing_of(event.case) is None:
        IncidentCase.objects.update_or_create(
            incident=mine.incident,
            case_id=event.case_id,
            defaults={
                "standing": True,
                "by_id": mine.by_id,
                "joined_at": mine.joined_at,
                "left_at": None,
                "left_by": None,
                "left_because": "",
            },
        )
    waiting = ActStep.objects.filter(case=gone, state=ActStep.State.WAITING)
    known = ActStep.objects.filter(case=event.case_id, act__in=waiting.values("act")).values_list(
        "act_id", flat=True
    )
    waiting.exclude(act__in=list(known)).update(case_id=event.case_id)


def hold(incident: Incident) -> tuple[Case, Incident]:
    """Lock the case that the incident stands on now, and read the incident anew; raises Refusal when it was closed meanwhile."""
    anchor = pen.hold(standing_anchor(incident).pk)
    while anchor.ended_as == "merged":  # merged between our look and our lock
        anchor = pen.hold(standing_anchor(incident).pk)
    return anchor, fresh(incident)


def fresh(incident: Incident) -> Incident:
    """The incident as it is now; its anchor must be held. Raises Refusal when it is closed."""
    found = Incident.objects.select_related("case__shop").get(pk=incident.pk)
    if not found.is_open:
        raise Refusal("incident_closed", _("The incident is closed already."))
    return found


def standing_anchor(incident: Incident) -> Case:
    """The case that the incident stands on, or the one that this was merged into."""
    into = (
        Ending.objects.filter(case=incident.case_id, kind="merged").values_list("survivor", flat=True).first()
    )
    return Case.objects.select_related("shop", "customer", "team", "owner").get(pk=into or incident.case_id)


def standing_of(case: Case) -> IncidentCase | None:
    """The place of the case in the incident that it is in."""
    return IncidentCase.objects.filter(case=case, standing=True).select_related("incident__case").first()


def members(incident: Incident) -> QuerySet[IncidentCase]:
    """Its cases, without those that were taken out or went into another one."""
    found = IncidentCase.objects.filter(incident=incident, left_at__isnull=True)
    return found.filter(standing=True) if incident.is_open else found.exclude(case__ended_as="merged")


def level_of(incident: Incident) -> int:
    """How urgent the incident is: as its most urgent open case. Read, never stored: a copy could be lower than the truth."""
    found = members(incident).filter(case__status__in=OPEN_STATUSES).aggregate(level=Max("case__urgency"))
    return int(found["level"] or incident.case.urgency)


def incident_for(actor: Actor, incident_id: int) -> Incident:
    """The incident with this id; NotThere unless the actor is of the desk and may see its anchor, or a case of it."""
    gone = NotThere("no_incident", _("There is no such incident."))
    found = Incident.objects.select_related("case__shop", "shop", "opened_by", "closed_by")
    incident = found.filter(pk=incident_id).first() if actor.is_staff and 0 < incident_id < 2**63 else None
    if incident is None:
        raise gone
    try:
        case_for(actor, incident.case.number)
    except NotThere:
        if not members(incident).filter(case__in=cases_for(actor)).exists():
            raise gone from None
    return incident


def refuse_ended(case: Case) -> None:
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))


def refuse_elsewhere(case: Case) -> None:
    """One fault has one word to its customers: a case that stood in two would hear two."""
    mine = standing_of(case)
    if mine is not None:
        raise Refusal(
            "in_another",
            _("Case %(case)s is part of incident %(n)s already.")
            % {"case": case.number, "n": mine.incident_id},
            field="incident",
        )


def refuse_running(incident: Incident) -> None:
    """An act is still being carried out."""
    if act := still_running(incident):
        raise Refusal(
            "still_running",
            _("'%(act)s' is still being carried out; wait until it is through.")
            % {"act": act.get_kind_display()},
        )


def pass_over(case_id: int, incident_id: int, why: str) -> None:
    """What was still to be done on this case by acts of the incident is not done."""
    ActStep.objects.filter(case=case_id, act__incident=incident_id, state=ActStep.State.WAITING).update(
        state=ActStep.State.PASSED, why=why, look_at=None, done_at=clock.now()
    )
