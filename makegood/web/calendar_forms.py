"""The forms of a business calendar: its weekly hours, days off and make-up days, an iCal file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from makegood.web.me import zones

WEEK = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))

SHORT = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))


class WeekForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    zone = forms.ChoiceField(label=_("Time zone"), choices=zones, initial="Asia/Seoul")

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        for n, name in enumerate(WEEK):
            self.fields[f"day{n}"] = forms.CharField(
                label=name,
                required=False,
                max_length=200,
                initial="09:00-18:00" if n < 5 else "",
                help_text=_("As 09:00-12:00, 13:00-18:00; empty when closed.") if n == 0 else "",
            )

    @property
    def week(self) -> list[str]:
        return [self.cleaned_data[f"day{n}"] for n in range(7)]


class NewForm(WeekForm):
    code = forms.SlugField(label=_("Short code"), max_length=40)
    field_order = ("name", "code", "zone")


class DaysForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("These days are"),
        choices=[("closed", _("days off")), ("make_up", _("make-up working days"))],
    )
    first = forms.DateField(label=_("First day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    name = forms.CharField(label=_("Name"), max_length=120)
    hours = forms.CharField(
        label=_("Hours"),
        required=False,
        max_length=200,
        help_text=_("Of a make-up day; empty: as on other working days."),
    )


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("iCal file (.ics)"),
        help_text=_("All-day events are days off; those that say work are make-up days. At most 10 MB."),
    )
