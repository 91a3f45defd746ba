"""The form of an answer to the customer: its words, the next word, and what the checks asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import DeskError
from makegood.cases.states import Status
from makegood.desk import checking
from makegood.desk.checking import Unfit
from makegood.web import checks_draw
from makegood.web.case_fields import Files, lines, waits_for_word
from makegood.web.case_forms import NextWord


class Tell(NextWord):
    """``found`` is what the checks found when the answer was refused; drawn under the words."""

    composes = True
    field_order: tuple[str, ...] = ("text", "next_word", "next_word_at", "files")
    text = lines(_("Answer to the customer"), required=False, rows=5)
    files = Files(label=_("Files"), required=False)  # type: ignore[assignment]
    found: checks_draw.Drawn | None = None

    def span(self) -> timedelta:
        """Once they are told they are asked again by schedule: by then they hear from us, and not before."""
        return waits_for_word()

    def clean(self) -> dict[str, Any]:
        """The reasons, and an answer for each promised time, by the words as they are sent now."""
        data = super().clean() or self.cleaned_data
        # A browser sends two characters for a line break and shows one: places are counted as it shows them.
        data["text"] = data.get("text", "").replace("\r\n", "\n")
        data["justified"] = checks_draw.reasons(self.data)
        data["promises"], data["declined"] = [], []
        if any(str(name).startswith(checks_draw.HEARD) for name in self.data):
            offers = checking.offers(self.case, data["text"], by=self.by)
            try:
                data["promises"], data["declined"] = checks_draw.answers(offers, self.data)
            except forms.ValidationError as error:
                raise ValidationError({"text": error}) from None
        return data

    def refuse(self, error: DeskError) -> None:
        """What was found is drawn too: the reasons and answers that are wanted stand under the words."""
        super().refuse(error)
        if isinstance(error, Unfit):
            at = self.cleaned_data.get("next_word_at")
            self.found = checks_draw.drawn(error.look, self.data, at, open_next=False)


class Reply(Tell):
    field_order: tuple[str, ...] = ("text", "decides", "next_word", "next_word_at", "files")
    decides = forms.BooleanField(label=_("This answer tells our decision"), required=False)

    def span(self) -> timedelta:
        return waits_for_word() if self.case.status == Status.TOLD else NextWord.span(self)
