"""The forms of the page of duty: a shift, lines that were pasted, an absence."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from makegood.desk.duty_page import DutyPage
from makegood.people.models import User
from makegood.web.case_fields import moment


class ShiftForm(forms.Form):
    """Who, on which day, from when until when; the same in the weeks that follow."""

    user = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none())
    day = forms.DateField(label=_("Day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    start = forms.TimeField(label=_("From"), widget=forms.TimeInput({"type": "time"}))
    end = forms.TimeField(
        label=_("Until"),
        widget=forms.TimeInput({"type": "time"}),
        help_text=_("A time before the beginning is on the next morning."),
    )
    weeks = forms.IntegerField(
        label=_("Repeat in so many weeks more"), required=False, min_value=0, max_value=26, initial=0
    )

    def __init__(self, *args: Any, page: DutyPage, **fields: Any) -> None:
        super().__init__(*args, **fields)
        _choose(self, page)
        self.fields["day"].initial = page.monday

    def clean_weeks(self) -> int:
        return self.cleaned_data["weeks"] or 0


class PasteForm(forms.Form):
    text = forms.CharField(
        label=_("One shift a line"),
        max_length=50_000,
        widget=forms.Textarea({"rows": 4, "class": "short", "placeholder": "Minji 2026-11-23 09:00-18:00"}),
        help_text=_("A name or an email address, a day and times; as copied from a spreadsheet, too."),
    )

    def __init__(self, *args: Any, page: DutyPage, **fields: Any) -> None:
        super().__init__(*args, **fields)


class AwayForm(forms.Form):
    """From when until when somebody is away; a lead chooses who."""

    user = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.none(), required=False)
    starts_at = moment(_("From"))
    ends_at = moment(_("Until"), required=True)

    def __init__(self, *args: Any, page: DutyPage, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.fields["starts_at"].help_text = _("Empty: from now on.")
        if page.may_keep:
            _choose(self, page)
            self.fields["user"].empty_label = _("I myself")  # type: ignore[attr-defined]
        else:
            del self.fields["user"]


def _choose(form: forms.Form, page: DutyPage) -> None:
    people = User.objects.filter(pk__in=[one.user.pk for one in page.members]).order_by("name")
    form.fields["user"].queryset = people  # type: ignore[attr-defined]
