"""How far an incident is: each case stands somewhere, read from the case itself and never stored twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case as Choice
from django.db.models import CharField, Count, Exists, Max, OuterRef, Q, QuerySet, Value, When
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


def staged(members: QuerySet[IncidentCase], *, few: bool = False) -> QuerySet[Any, Any]:
    """The cases of one incident, each with ``stage``. A case that was opened again is 'not good' until its customer is told anew.

    ``few``: only some rows of it are read, each by its own look at the steps.
    """
    # One pass over the steps, hashed: asked for each of 20,000 cases by itself it was most of the page's time.
    acts = IncidentAct.objects.filter(incident__in=members.order_by().values("incident")[:1], kind__in=SPEAKS)
    heard = ActStep.objects.filter(act__in=list(acts.values_list("pk", flat=True)), state=_State.DONE)
    told: Any = (
        Q(Exists(heard.filter(case=OuterRef("case"))))
        if few
        else Q(case__in=heard.exclude(case=None).values("case"))
    )
    stage = Choice(
        When(case__ended_as="made_good", then=Value("confirmed")),
        When(case__status=Status.ENDED, then=Value("ended")),
        When(case__status=Status.TOLD, then=Value("silent")),
        When(case__status=Status.VERIFIED, then=Value("verified")),
        When(case__round__gt=1, then=Value("not_good")),
        When(told, then=Value("told")),
        default=Value("untold"),
        output_field=CharField(),
    )
    return members.annotate(stage=stage)


@dataclass(frozen=True)
class Spread:
    """So many cases of an incident are at this stage and status, in this language; ``level`` is the highest urgency among them."""

    stage: str
    status: str
    language: str
    n: int
    level: int


def spread(members: QuerySet[IncidentCase]) -> list[Spread]:
    """Where the cases of one incident stand: all that its page counts, in one pass over them."""
    rows = staged(members).order_by().values("stage", "case__status", "case__language")
    found = rows.annotate(n=Count("id"), level=Max("case__urgency"))
    return [
        Spread(*row) for row in found.values_list("stage", "case__status", "case__language", "n", "level")
    ]


def stages(members: QuerySet[IncidentCase]) -> list[Stage]:
    """How many cases stand where, all stages in their order; one statement."""
    return stages_of(spread(members))


def stages_of(rows: Sequence[Spread]) -> list[Stage]:
    """The stages in their order, with how many of ``rows`` stand there."""
    found = dict.fromkeys(STAGES, 0)
    for row in rows:
        found[row.stage] += row.n
    every = sum(found.values())
    return [
        Stage(code, name, found[code], 100 * found[code] / every if every else 0.0)
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
