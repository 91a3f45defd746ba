"""What the pages of incidents show: the list, one incident with its progress, its cases a page at a time, its acts.

Reading only, and a bounded number of queries however many cases there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q
from django.utils.translation import gettext_lazy as _

from makegood.base.languages import LANGUAGES
from makegood.cases.access import cases_for
from makegood.cases.models import Case
from makegood.cases.states import OPEN_STATUSES
from makegood.desk import incident_acts, incident_again, incident_finding, incidents, watch_finding
from makegood.desk.incident_again import FailedPage
from makegood.incidents.models import (
    ActStep,
    CardField,
    Incident,
    IncidentAct,
    IncidentCase,
    Room,
    SuggestedCase,
    Suggestion,
)
from makegood.incidents.progress import STAGES, Counted, Stage, counted, spread, staged, stages_of
from makegood.people import roles
from makegood.people.actors import Actor

PAGE, MOST, ACTS, REASONS = 50, 100, 20, 8
#: Cases that look like it are counted up to so many.
MOST_ALIKE = 1000
#: What is shared, by its key, in words.
SHARED = {
    "shop": _("Shop"),
    "product": _("Product"),
    "carrier": _("Carrier"),
    "method": _("Payment method"),
    "type": _("Problem type"),
    "words": _("Words"),
}

#: What an order can share, and so why it was probably struck; the type of a problem and words it cannot.
OF_ORDERS = ("shop", "product", "carrier", "method")


@dataclass(frozen=True)
class Listed:
    """An incident on the list, with how many cases it has and how many of them are open."""

    incident: Incident
    cases: int
    open: int
    urgency: int


@dataclass(frozen=True)
class Suggested:
    """A suggestion with its sentence."""

    row: Suggestion
    sentence: str


@dataclass(frozen=True)
class Done:
    """An act with how far it is; ``reasons`` why cases were passed over or failed, with the count of each."""

    act: IncidentAct
    counted: Counted
    reasons: list[tuple[Any, int]]

    @property
    def running(self) -> bool:
        return self.counted.waiting > 0

    @property
    def percent(self) -> int:
        return (
            round(100 * (self.counted.all - self.counted.waiting) / self.counted.all)
            if self.counted.all
            else 100
        )


@dataclass(frozen=True)
class Members:
    """A page of the cases, in the order in which they came in."""

    rows: list[IncidentCase]
    stage: str
    next: int | None


@dataclass(frozen=True)
class IncidentPage:
    """One incident as one person sees it."""

    incident: Incident
    anchor: Case
    room: Room | None
    card: Mapping[str, str]
    urgency: int
    common: list[tuple[Any, str]]
    why: list[tuple[Any, str]]
    stages: list[Stage]
    acts: list[Done]
    failed: FailedPage | None
    faults: list[watch_finding.Fault]
    members: Members
    languages: dict[str, list[tuple[str, str, int]]]
    alike: int
    by: Actor
    leads: bool
    verifies: bool

    @property
    def cases(self) -> int:
        return sum(stage.n for stage in self.stages)

    @property
    def still_open(self) -> int:
        return sum(stage.n for stage in self.stages if stage.code not in ("confirmed", "ended"))

    @property
    def running(self) -> bool:
        return any(done.running for done in self.acts)

    def waits_for(self, kind: str) -> int:
        """On how many cases such an act has something to do."""
        return sum(n for _code, _name, n in self.languages[kind])


def listed(actor: Actor, *, closed: bool = False) -> list[Listed]:
    """The incidents that this person may see, the newest first."""
    seen = Incident.objects.filter(case__in=cases_for(actor), closed_at__isnull=not closed)
    rows = list(seen.select_related("case__shop", "shop").order_by("-opened_at", "-id")[:MOST])
    # Counted by themselves: joined to the list they would be counted once for every row that sorts it.
    mine = IncidentCase.objects.filter(incident__in=rows, left_at__isnull=True).exclude(
        case__ended_as="merged"
    )
    still = Q(case__status__in=OPEN_STATUSES)
    counts = {
        row["incident"]: row
        for row in mine.order_by().values("incident").annotate(n=Count("id"), open=Count("id", filter=still))
    }
    found = []
    for incident in rows:
        row = counts.get(incident.pk, {"n": 0, "open": 0})
        level = incidents.level_of(incident) if incident.is_open else incident.case.urgency
        found.append(Listed(incident, row["n"], row["open"], level))
    return found


def suggested(actor: Actor) -> list[Suggested]:
    """What looks like one fault at the moment."""
    return [Suggested(row, incident_finding.sentence(row)) for row in incident_finding.open_for(actor)]


def read(
    incident: Incident,
    *,
    by: Actor,
    stage: str = "",
    after: int = 0,
    failed_of: int = 0,
    failed_after: int = 0,
) -> IncidentPage:
    """One incident that came from ``incidents.incident_for``, in the active language.

    ``stage`` and ``after`` choose the page of its cases; ``failed_of`` (an act; 0: the newest with any) and ``failed_after`` that
    of what failed.
    """
    anchor = incidents.standing_anchor(incident)
    mine = incidents.members(incident)
    room = Room.objects.filter(case__in={anchor.pk, incident.case_id}, closed_at__isnull=True).first()
    names = dict(LANGUAGES)
    rows = spread(mine)
    level, counts = incident_acts.standing(rows)
    spoken = {
        kind: [(code, names[code], n) for code, n in found.items()] if incident.is_open else []
        for kind, found in counts.items()
    }
    common = incident_finding.spoken_common(incident.common)
    done = acts(incident)
    return IncidentPage(
        incident=incident,
        anchor=anchor,
        room=room,
        card=_card(room),
        urgency=level or incident.case.urgency,
        common=[(SHARED[key], value) for key, value in common.items() if key in SHARED],
        why=[(SHARED[key], common[key]) for key in OF_ORDERS if key in common],
        stages=stages_of(rows),
        acts=done,
        failed=_failed(done, by, failed_of, failed_after),
        faults=watch_finding.faults_of(incident.pk),
        members=members(incident, by, stage, after),
        languages=spoken,
        alike=incident_acts.alike(incident)[:MOST_ALIKE].count() if incident.is_open else 0,
        by=by,
        leads=roles.may(by, "lead_incident"),
        verifies=roles.may(by, "verify_incident"),
    )


def acts(incident: Incident) -> list[Done]:
    """What was done on all cases, the newest first, each with how far it is and what did not go."""
    rows = list(IncidentAct.objects.filter(incident=incident).select_related("by").order_by("-id")[:ACTS])
    counts = counted(rows)
    odd = ActStep.objects.filter(act__in=rows, state__in=("passed", "failed")).order_by()
    reasons: dict[int, list[tuple[Any, int]]] = {}
    for act, why, n in odd.values("act", "why").annotate(n=Count("id")).values_list("act", "why", "n"):
        reasons.setdefault(act, []).append((incident_again.why_said(why), n))
    return [
        Done(act, counts[act.pk], sorted(reasons.get(act.pk, []), key=lambda pair: -pair[1])[:REASONS])
        for act in rows
    ]


def _failed(done: list[Done], by: Actor, act_id: int, after: int) -> FailedPage | None:
    odd = [one.act for one in done if one.counted.failed]
    act = next((a for a in odd if a.pk == act_id), odd[0] if odd else None)
    return incident_again.failed(act, by, after if act and act.pk == act_id else 0) if act else None


def members(incident: Incident, by: Actor, stage: str, after: int) -> Members:
    """A page of the cases that this person may see, after the place ``after``; only of one stage where one is named."""
    stage = stage if stage in STAGES else ""
    found = staged(incidents.members(incident).filter(pk__gt=after), few=not stage)
    seen = cases_for(by)
    if seen.query.where:  # who sees every case is asked nothing
        found = found.filter(Exists(seen.filter(pk=OuterRef("case"))))
    if stage:
        found = found.filter(stage=stage)
    shown = Prefetch("case", Case.objects.select_related("shop", "customer", "owner"))
    rows = list(found.prefetch_related(shown).order_by("id")[: PAGE + 1])
    return Members(rows[:PAGE], stage, rows[PAGE - 1].pk if len(rows) > PAGE else None)


def of_case(case: Case, merged: list[int]) -> list[IncidentCase]:
    """The incidents that the case is or was in, the open one first. One query."""
    mine = IncidentCase.objects.filter(case__number__in=[case.number, *merged]).select_related("incident")
    return list(mine.order_by("-standing", "-id")[:10])


def suggestion_of(case: Case) -> Suggested | None:
    """The suggestion that the case stands in, with its sentence."""
    rows = SuggestedCase.objects.filter(case=case, suggestion__state=Suggestion.State.OPEN)
    row = rows.select_related("suggestion").order_by("-suggestion__n").first()
    return Suggested(row.suggestion, incident_finding.sentence(row.suggestion)) if row else None


def _card(room: Room | None) -> dict[str, str]:
    """What stands on the card of the room now: label -> text, the fields that were written."""
    if room is None:
        return {}
    newest = CardField.objects.filter(room=room).order_by("field", "-n").distinct("field")
    texts = dict(newest.values_list("field", "text"))
    return {str(label): texts[code] for code, label in CardField.Field.choices if texts.get(code)}
