"""How far an incident is: each case stands somewhere, read from the case itself and never stored twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case as Choice
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from makegood.cases.states import Status
from makegood.incidents.models import ActStep, Incident, IncidentAct, IncidentCase

_Kind, _State = IncidentAct.Kind, ActStep.State
#: The stages, from the worst to the best, in words.
STAGES = {
    "not_good": _("Not good: opened again"),
    "untold": _("Not told yet"),
    "told": _("Told how it goes"),
    "verified": _("Verified, not told yet"),
    "silent": _("Told that it is mended; no answer yet"),
    "confirmed": _("Confirmed by the customer"),
    "ended": _("Ended without the customer's word"),
}
#: Acts that speak to the customer.
SPEAKS = (_Kind.WORD, _Kind.MENDED)


@dataclass(frozen=True)
class Stage:
    """So many cases stand there; ``share`` is in percent of all."""

    code: str
    name: object
    n: int
    share: float


@dataclass(frozen=True)
class Counted:
    """How far an act is: steps by state."""

    done: int = 0
    waiting: int = 0
    passed: int = 0
    failed: int = 0

    @property
    def all(self) -> int:
        return self.done + self.waiting + self.passed + self.failed


def staged(members: QuerySet[IncidentCase]) -> QuerySet[Any, Any]:
    """The cases of one incident, each with ``stage``. A case that was opened again is 'not good' until its customer is told anew."""
    # One pass over the steps, hashed: asked for each of 20,000 cases by itself it was most of the page's time.
    acts = IncidentAct.objects.filter(incident__in=members.order_by().values("incident")[:1], kind__in=SPEAKS)
    heard = ActStep.objects.filter(act__in=list(acts.values_list("pk", flat=True)), state=_State.DONE)
    stage = Choice(
        When(case__ended_as="made_good", then=Value("confirmed")),
        When(case__status=Status.ENDED, then=Value("ended")),
        When(case__status=Status.TOLD, then=Value("silent")),
        When(case__status=Status.VERIFIED, then=Value("verified")),
        When(case__round__gt=1, then=Value("not_good")),
        When(case__in=heard.exclude(case=None).values("case"), then=Value("told")),
        default=Value("untold"),
        output_field=CharField(),
    )
    return members.annotate(stage=stage)


def stages(members: QuerySet[IncidentCase]) -> list[Stage]:
    """How many cases stand where, all stages in their order; one statement."""
    found = dict(staged(members).order_by().values("stage").annotate(n=Count("id")).values_list("stage", "n"))
    every = sum(found.values())
    return [
        Stage(code, name, found.get(code, 0), 100 * found.get(code, 0) / every if every else 0.0)
        for code, name in STAGES.items()
    ]


def counted(acts: Sequence[IncidentAct]) -> dict[int, Counted]:
    """How far these acts are, by their ids; one statement."""
    rows = ActStep.objects.filter(act__in=acts).order_by().values("act", "state").annotate(n=Count("id"))
    found: dict[int, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["act"], {})[row["state"]] = row["n"]
    return {act.pk: Counted(**found.get(act.pk, {})) for act in acts}


def still_running(incident: Incident, *kinds: str) -> IncidentAct | None:
    """The oldest act of the incident (of these kinds) that is not through."""
    waiting = Exists(ActStep.objects.filter(act=OuterRef("pk"), state=_State.WAITING))
    acts = IncidentAct.objects.filter(waiting, incident=incident).order_by("id")
    return acts.filter(Q(kind__in=kinds) if kinds else Q()).first()
