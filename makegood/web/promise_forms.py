"""The forms of promises given, kept and withdrawn by hand, of calls, and of putting a case aside."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from makegood.promises import ledger
from makegood.promises.models import Promise as Row
from makegood.web.case_fields import line, lines, moment
from makegood.web.case_forms import NextWord, VerbForm


class Promise(VerbForm):
    what = forms.ChoiceField(label=_("What"))
    due_at = moment(_("By when"))
    to = forms.ChoiceField(label=_("To whom"), choices=list(ledger.TO.items()))
    words = lines(_("In which words"), help_text=_("As it was said to them."))

    def prepare(self) -> None:
        kinds = dict(Row.What.choices)
        self.fields["what"].choices = [(k, kinds[k]) for k in ("call_back", "decision", "remedy", "other")]  # type: ignore[attr-defined]


class RecordCall(NextWord):
    field_order = ("reached", "words", "next_word", "next_word_at")
    reached = forms.BooleanField(label=_("The customer was reached"), required=False)
    words = lines(_("What was said"))


class KeepPromise(VerbForm):
    promise = forms.IntegerField(widget=forms.HiddenInput)
    proof = line(_("What was done, and where it can be seen"), required=True)


class WithdrawPromise(VerbForm):
    promise = forms.IntegerField(widget=forms.HiddenInput)
    reason = line(_("Reason"), required=True)


class Snooze(VerbForm):
    field_order = ("until", "reason", "next_word_at")
    until = moment(_("Until"))
    reason = lines(_("Reason"), rows=2)
    next_word_at = moment(_("exactly at"))
