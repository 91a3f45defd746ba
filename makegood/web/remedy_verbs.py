"""The verbs of remedies on the case sheet, as rows of ``case_verbs.py``: name, right, group, label, form, call, when offered."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.cases.models import Case, CaseEvent
from makegood.desk import remedy_approving, remedy_settling, remedy_steps, remedying
from makegood.people.actors import Actor
from makegood.web import remedy_forms as forms

Data = dict[str, Any]


def _offer(case: Case, by: Actor, d: Data) -> CaseEvent:
    fields = {name: d[name] for name in ("until", "words", "deviation")}
    return remedying.offer_remedy(case, by=by, seen=d["seen"], options=d["wishes"], **fields)


def _decide(case: Case, by: Actor, d: Data) -> CaseEvent:
    fields = {name: d[name] for name in ("wish", "reason", "deviation", "agreed", "other_route")}
    return remedying.decide_remedy(case, by=by, seen=d["seen"], **fields)


def _carry(case: Case, by: Actor, d: Data) -> CaseEvent:
    return remedy_steps.carry_out(case, d["remedy"], by=by, seen=d["seen"], done_by_hand=d["done_by_hand"])


def _withdraw(case: Case, by: Actor, d: Data) -> CaseEvent:
    return remedying.withdraw_remedy(case, d["remedy"], by=by, seen=d["seen"], reason=d["reason"])


def _approve(case: Case, by: Actor, d: Data) -> CaseEvent:
    return remedy_approving.approve_remedy(case, d["remedy"], by=by, seen=d["seen"], words=d["words"])


def _refuse(case: Case, by: Actor, d: Data) -> CaseEvent:
    return remedy_approving.refuse_approval(case, d["remedy"], by=by, seen=d["seen"], reason=d["reason"])


def _became(case: Case, by: Actor, d: Data) -> CaseEvent:
    happened = d["happened"] == "yes"
    return remedy_settling.say_what_became(
        case, d["step"], by=by, seen=d["seen"], happened=happened, record=d["record"]
    )


def _can_decide(sheet: Any, by: Actor) -> bool:
    return sheet.remedies.menu is not None


ROWS: tuple[tuple[Any, ...], ...] = (
    ("offer_remedy", "offer_remedy", "remedy", _("Offer a choice"), forms.OfferRemedy, _offer,
     lambda s, by: s.remedies.menu is not None and s.remedies.offer is None),
    ("decide_remedy", "decide_remedy", "remedy", _("Decide without an offer"), forms.DecideRemedy, _decide, _can_decide),
    ("carry_out", "carry_out", "inline", _("Carry it out"), forms.CarryOut, _carry,
     lambda s, by: any(r.may_carry for r in s.remedies.rows)),
    ("approve_remedy", "approve_remedy", "inline", _("Approve"), forms.Approve, _approve,
     lambda s, by: any(r.may_approve for r in s.remedies.rows)),
    ("refuse_approval", "approve_remedy", "inline", _("Do not approve"), forms.RefuseApproval, _refuse,
     lambda s, by: any(r.may_approve for r in s.remedies.rows)),
    ("withdraw_remedy", "withdraw_remedy", "inline", _("Withdraw the remedy"), forms.WithdrawRemedy, _withdraw,
     lambda s, by: any(r.may_withdraw for r in s.remedies.rows)),
    ("settle_by_hand", "settle_by_hand", "inline", _("Say what became of it"), forms.SayWhatBecame, _became,
     lambda s, by: any(step.may_say for r in s.remedies.rows for step in r.steps)),
)  # fmt: skip
