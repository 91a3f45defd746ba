"""A rung of the ladder that opens a war room: who is on duty leads it, and its card begins with what is known."""

from __future__ import annotations

from makegood.base.errors import Refusal
from makegood.cases.models import Case, CaseEvent, Fact
from makegood.desk import notices, rooming
from makegood.people import actors


def open_by_rung(event: CaseEvent) -> None:
    """A follower of 'climbed'. A room that the case has goes on; with nobody free to lead one the managers hear of it."""
    if not event.data.get("room"):
        return
    case = Case.objects.get(pk=event.case_id)
    try:
        rooming.open_room(case, by=actors.system(), background=_facts(case))
    except Refusal as refused:
        if refused.code not in ("has_room", "ended"):
            notices.notify(case, "room_wanted", to=notices.managers() or notices.keepers())


def _facts(case: Case) -> str:
    facts = Fact.objects.filter(case=case, struck_at__isnull=True).order_by("happened_at", "id")
    return "\n".join(facts.values_list("text", flat=True))[: rooming.LONGEST_TEXT]
