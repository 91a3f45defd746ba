"""Whether a case deserves the war room that a rung of its ladder would open."""

from __future__ import annotations

from django.db.models import Q

from makegood.cases.models import Case, CaseEvent, UrgencyEvidence
from makegood.cases.states import Status
from makegood.packs import escalation
from makegood.packs.escalations import WHEN, Rung


def deserves_room(case: Case, rung: Rung, why: str) -> bool:
    """Whether the case has what the rung asks for before a room is opened: a loss, a threat, the law, somebody's safety.

    Not one that is mended: what is left to do on it is a word to the customer.
    """
    if case.status in (Status.FIXED, Status.VERIFIED, Status.TOLD):
        return False
    if not rung.when:
        return True
    if "legal" in rung.when and (why == "statutory" or _law_is_near(case)):
        return True
    heads = [head for code in rung.when for head in WHEN[code]]
    found = Q()
    for head in heads:
        found |= Q(source__startswith=head)
    return UrgencyEvidence.objects.filter(found, case=case, level__gte=escalation().room_from).exists()


def _law_is_near(case: Case) -> bool:
    return CaseEvent.objects.filter(case=case, kind="climbed", data__why="statutory").exists()
