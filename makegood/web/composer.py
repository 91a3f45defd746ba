"""The editor on the case sheet: what it is drawn with, and how its form is sent."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language

from makegood.cases.models import Case, CaseEvent
from makegood.desk import checking, drafting, holding, ready
from makegood.desk.sheet import Sheet
from makegood.people import signatures
from makegood.people.actors import Actor
from makegood.web.case_verbs import VERBS

_SENT = ("text", "next_word_at", "files", "promises", "justified", "declined", "decides")


def send(case: Case, verb: str, by: Actor, data: dict[str, Any]) -> CaseEvent | None:
    """Do ``reply`` or ``tell`` by its form: held for some seconds (None), or at once for whoever likes that."""
    if signatures.holds(by):
        words = {name: data[name] for name in _SENT if name in data}
        holding.hold(case, verb, by=by, seen=data["seen"], **words)
        return None
    return VERBS[verb].call(case, by, data)


def composer(sheet: Sheet, by: Actor) -> dict[str, Any]:
    """What the editor on the sheet is drawn with: what is going out, covered words, ready-made replies by name."""
    case, user = sheet.case, by.user_id or 0
    held = holding.of(case)
    here = ready.for_team(checking.team_of(case, by)) if case.is_open else []
    return {
        "held": held,
        "held_mine": next((one for one in held if one.user_id == user), None),
        "versions": drafting.versions(case, user),
        "ready": [(one.code, one.name(get_language() or case.language)) for one in here],
    }
