"""The forms of a hand-over: the card that is given, and the line that accepts it."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from makegood.packs import names
from makegood.people.models import STAFF, Team, User
from makegood.web.case_fields import lines, moment
from makegood.web.case_forms import VerbForm


class HandOver(VerbForm):
    """What the giver writes; facts, impact, quotations and the promised word go with the case by themselves."""

    team = forms.TypedChoiceField(label=_("To the team"), coerce=int)
    to = forms.TypedChoiceField(label=_("To a person there"), required=False, coerce=int, empty_value=None)
    customer_asks = lines(_("What the customer asks"), rows=2)
    tried = lines(_("What was tried so far"), rows=3)
    asked = lines(_("What is asked of them"), rows=2)
    by_when = moment(_("By when"), required=True)

    def prepare(self) -> None:
        teams = Team.objects.exclude(pk=self.case.team_id or 0).order_by("tier", "name")
        people = (
            User.objects.filter(is_active=True, role__in=STAFF, teams__in=teams).distinct().order_by("name")
        )
        self.fields["team"].choices = [("", "—"), *_by_field(teams)]  # type: ignore[attr-defined]
        self.fields["to"].choices = [("", _("whoever is on duty")), *((str(u.pk), u.name) for u in people)]  # type: ignore[attr-defined]
        if self.case.asked_remedy:
            self.fields["customer_asks"].initial = str(names("remedy").get(self.case.asked_remedy, ""))


def _by_field(teams: Iterable[Team]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The teams under what they can mend (technology, finance …); those without a field under their tier, first as these stand."""
    fields, found = names("party"), dict[str, list[tuple[str, str]]]()
    for team in teams:
        field = str(fields.get(team.skill, team.skill)) if team.skill else ""
        label = f"{team.name} ({field})" if field and field.casefold() != team.name.casefold() else team.name
        found.setdefault(field or str(team.get_tier_display()), []).append((str(team.pk), label))
    return list(found.items())


class Expedite(VerbForm):
    """Who does what by when; a form without these three would be a button that only comforts."""

    who = forms.TypedChoiceField(label=_("Who does it"), required=False, coerce=int, empty_value=None)
    what = lines(_("What exactly"), required=False, rows=2)
    due_at = moment(_("By when"))

    def prepare(self) -> None:
        people = (
            User.objects.filter(is_active=True, role__in=STAFF).order_by("name").values_list("pk", "name")
        )
        self.fields["who"].choices = [("", "—"), *((str(pk), name) for pk, name in people)]  # type: ignore[attr-defined]


class Accept(VerbForm):
    """The receiver's own line: what is asked, and when the customer hears next."""

    restated = lines(_("In your own words: what is asked of you"), rows=2)
    next_word_at = moment(_("When the customer hears next"))


class Refuse(VerbForm):
    reason = lines(_("Why not"), rows=2)


class OpenRoom(VerbForm):
    """The first two lines of the room's card; the others are written in the room."""

    background = lines(_("Background"), required=False, rows=2)
    ask = lines(_("Ask"), required=False, rows=2)
