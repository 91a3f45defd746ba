"""What the case sheet offers of incidents: to open one on the case, to count the case in, to take it out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotThere, Refusal
from makegood.cases.models import Case, CaseEvent
from makegood.desk import cohorts, incidents
from makegood.desk.sheet import Sheet
from makegood.people.actors import Actor
from makegood.web.case_fields import case_number, lines
from makegood.web.case_forms import VerbForm


class OpenIncident(VerbForm):
    """The fault in words, and what its cases have in common: the values that this case has."""

    words = lines(_("The fault, in words"), rows=2)
    product = forms.ChoiceField(label=_("Same product"), required=False)
    carrier = forms.ChoiceField(label=_("Same carrier"), required=False)
    method = forms.ChoiceField(label=_("Same payment method"), required=False)
    same_shop = forms.BooleanField(label=_("Only this shop"), required=False, initial=True)
    same_type = forms.BooleanField(label=_("Only this type of problem"), required=False, initial=True)
    same_words = forms.CharField(label=_("Same words"), required=False)

    def prepare(self) -> None:
        found = cohorts.of_case(self.case)
        for key in ("product", "carrier", "method"):
            values = found.get(key, [])
            if values:
                self.fields[key].choices = [("", _("does not matter")), *((v, v) for v in values)]  # type: ignore[attr-defined]
            else:
                del self.fields[key]
        if not self.case.type:
            del self.fields["same_type"]


class JoinIncident(VerbForm):
    """By its number, as cases are merged: a list of all that are open would be asked for on every sheet."""

    incident = case_number(_("Number of the incident"))


class LeaveIncident(VerbForm):
    reason = lines(_("Why it is another cause"), rows=2)


def open_incident(case: Case, by: Actor, d: dict[str, Any]) -> CaseEvent:
    common = {
        "shop": case.shop_id if d.get("same_shop") else None,
        "type": case.type if d.get("same_type") else None,
        "product": d.get("product"),
        "carrier": d.get("carrier"),
        "method": d.get("method"),
        "words": d.get("same_words"),
    }
    return incidents.open_incident(case, by=by, words=d["words"], common=common)


def join_incident(case: Case, by: Actor, d: dict[str, Any]) -> CaseEvent:
    try:
        incident = incidents.incident_for(by, d["incident"])
    except NotThere as error:
        raise Refusal(error.code, error.reason, field="incident") from None
    return incidents.join_incident(case, incident, by=by)


def may_open(sheet: Sheet, by: Actor) -> bool:
    return sheet.case.is_open and not _inside(sheet)


def may_join(sheet: Sheet, by: Actor) -> bool:
    return sheet.case.is_open and not _inside(sheet)


def may_leave(sheet: Sheet, by: Actor) -> bool:
    return _inside(sheet)


def _inside(sheet: Sheet) -> bool:
    return any(mine.standing for mine in sheet.incidents)
