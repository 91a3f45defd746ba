"""How the forms of ``outside_forms.py`` call the desk."""

from __future__ import annotations

from typing import Any

from makegood.cases.models import Case, CaseEvent
from makegood.desk import asking, freezing, revealing, securing
from makegood.parties.models import Party
from makegood.people.actors import Actor

Data = dict[str, Any]


def ask(case: Case, by: Actor, d: Data) -> CaseEvent:
    party = Party.objects.filter(pk=d["party"]).first() if d["party"] else None
    return asking.ask_party(
        case,
        by=by,
        seen=d["seen"],
        party=party,
        what=d["what"],
        due_at=d["due_at"],
        shows=d.get("shows", []),
        personal=d["personal"],
    )


def chase(case: Case, by: Actor, d: Data) -> CaseEvent:
    return asking.chase_party(case, d["ask"], by=by)


def take_back(case: Case, by: Actor, d: Data) -> CaseEvent:
    return asking.withdraw_party_ask(case, d["ask"], by=by, reason=d["reason"])


def freeze(case: Case, by: Actor, d: Data) -> CaseEvent:
    return freezing.freeze(
        case, by=by, what=d["what_to_stop"], which=d.get("payment") or d["which"], why=d["why"]
    )


def frozen(case: Case, by: Actor, d: Data) -> CaseEvent:
    return freezing.frozen(case, d["freeze"], by=by, proof=d["proof"])


def release(case: Case, by: Actor, d: Data) -> CaseEvent:
    return freezing.release(case, d["freeze"], by=by, reason=d["reason"])


def leak(case: Case, by: Actor, d: Data) -> CaseEvent:
    return securing.confirm_leak(case, by=by, seen=d["seen"], known_at=d["known_at"], evidence=d["evidence"])


def check(case: Case, by: Actor, d: Data) -> CaseEvent:
    return securing.check_security(case, by=by, secure=d["secure"] == "yes", words=d["words"])


def reveal(case: Case, by: Actor, d: Data) -> CaseEvent:
    return revealing.reveal(case, d["masked"], by=by, reason=d["reason"])


def erase(case: Case, by: Actor, d: Data) -> CaseEvent:
    return revealing.erase_masked(case, by=by, seen=d["seen"])
