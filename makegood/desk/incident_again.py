"""What failed of an act on all cases: read a page at a time, and tried again when a lead has done something about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.cases import pen
from makegood.cases.access import cases_for, shops_for
from makegood.cases.models import Case, CaseEvent
from makegood.desk import incidents
from makegood.desk.incident_acts import refuse_strange
from makegood.desk.verb import verb
from makegood.incidents.models import ActStep, Incident, IncidentAct
from makegood.incidents.progress import SPEAKS
from makegood.people.actors import Actor

PAGE = 25
#: Why a step was passed over or failed, as people say it.
WHY = {
    "ended": _("the case had ended"),
    "left": _("the case was taken out"),
    "moved_on": _("the case was further on already"),
    "in_another": _("the case is in another incident"),
    "has_case": _("a case stood there already"),
    "missing_language": _("no words in the customer's language"),
    "not_owned": _("nobody owns the case"),
    "not_sorted": _("the case is not sorted"),
    "fixer_alone": _("who fixed it cannot verify it alone"),
    "no_such_move": _("the case is not at a point where this can be done"),
    "offered": _("the case is offered to another team"),
    "not_allowed": _("who began the act may not do this any more"),
    "trouble": _("something went wrong by itself"),
}


@dataclass(frozen=True)
class Failed:
    """One step that failed. ``case`` is None where there was none yet (then ``order`` says for which) or it is not the reader's."""

    case: Case | None
    order: str
    why: Any
    tries: int
    at: Any


@dataclass(frozen=True)
class FailedPage:
    """A page of what failed of one act; ``next`` is the place of the page after it."""

    act: IncidentAct
    rows: list[Failed]
    next: int | None


def why_said(code: str) -> Any:
    """The code of a refusal in words; one that only a case's own verb knows is named."""
    return WHY.get(code) or _("a rule of the case stood against it (%(code)s)") % {"code": code}


def failed(act: IncidentAct, by: Actor, after: int = 0) -> FailedPage:
    """What failed of this act on cases that this person may see, after the place ``after``, in the active language."""
    seen = cases_for(by).filter(pk=OuterRef("case"))
    mine = shops_for(by)
    orders = Q(case=None) if mine is None else Q(case=None, order__shop__in=mine)
    found = _failed(act).filter(Exists(seen) | orders, pk__gt=after).select_related("case", "order")
    rows = list(found.order_by("pk")[: PAGE + 1])
    return FailedPage(act, _rows(rows[:PAGE]), rows[PAGE - 1].pk if len(rows) > PAGE else None)


def _rows(steps: Sequence[ActStep]) -> list[Failed]:
    # What the rules refused failed at its last look; what went wrong by itself was counted each time.
    return [
        Failed(
            step.case,
            step.order.number if step.order else "",
            why_said(step.why),
            step.set_back + (step.why != "trouble"),
            step.done_at,
        )
        for step in steps
    ]


def _failed(act: IncidentAct) -> QuerySet[ActStep]:
    return ActStep.objects.filter(act=act, state=ActStep.State.FAILED)


@verb("lead_incident")
def try_again(incident: Incident, act_id: int, *, by: Actor) -> CaseEvent:
    """Try once more what failed of an act: the words stay as they were, and who was told is not told again.

    Refused while an act is being carried out, when nothing of it is left failed (so pressed twice it is done once), and for
    a word after which another was told: nobody should hear the older one last.
    """
    anchor, incident = incidents.hold(incident)
    act = IncidentAct.objects.filter(incident=incident, pk=act_id).first()
    if act is None:
        raise NotThere("no_act", _("There is no such act."))
    incidents.refuse_running(incident)
    later = IncidentAct.objects.filter(incident=incident, kind__in=SPEAKS, pk__gt=act.pk)
    if act.kind in SPEAKS and later.exists():
        raise Refusal(
            "told_since",
            _("Another word was told to all since then; who did not hear this one is told by a new word."),
        )
    steps = _failed(act)
    refuse_strange(steps.exclude(case=None).order_by().values_list("case__shop_id", flat=True), by)
    refuse_strange(steps.filter(case=None).order_by().values_list("order__shop_id", flat=True), by)
    n = steps.update(state=ActStep.State.WAITING, why="", done_at=None, look_at=clock.now())
    if not n:
        raise Refusal("nothing_failed", _("Nothing of this act is failed any more."))
    data = {"incident": incident.pk, "act": act.pk, "act_kind": str(act.kind), "n": n}
    return pen.write(anchor, "incident_tried_again", by=by, data=data)
