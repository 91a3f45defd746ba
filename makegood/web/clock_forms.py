"""The forms of the legal clocks: started, corrected, met. What may be is for the desk to say, beside the control."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from makegood.web.case_fields import line, lines, moment
from makegood.web.case_forms import VerbForm


class StartClock(VerbForm):
    aliases = {"rule": "trigger_at"}
    rule = forms.CharField(max_length=40, widget=forms.HiddenInput)
    trigger_at = moment(_("When it happened"), required=True, help_text=_("In your own time zone."))
    evidence = line(_("How we know"), required=True, help_text=_("A record, a scan, a letter."))


class CorrectClock(VerbForm):
    promise = forms.IntegerField(max_value=2**63 - 1, widget=forms.HiddenInput)
    trigger_at = moment(_("When it really happened"), required=True, help_text=_("In your own time zone."))
    evidence = line(_("How we know"), required=True)


class MeetClock(VerbForm):
    promise = forms.IntegerField(max_value=2**63 - 1, widget=forms.HiddenInput)
    what_was_done = lines(_("What was done"), rows=2)
    done_at = moment(_("When"), help_text=_("Empty: now."))
