"""The form beside a letter that did not arrive."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from makegood.web.case_forms import VerbForm, line


class SendAgain(VerbForm):
    """A letter that did not arrive; ``to`` stands filled with the present address, so that a corrected one is one edit."""

    delivery = forms.IntegerField(widget=forms.HiddenInput)
    to = line(_("To this address"), required=True)

    def prepare(self) -> None:
        self.fields["to"].initial = self.case.customer.email
        self.fields["to"].widget.attrs.update({"inputmode": "email", "autocomplete": "off"})
