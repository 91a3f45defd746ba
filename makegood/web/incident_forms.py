"""The forms of an incident. A form parses; what may be is for the desk to say, beside the control."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import DeskError
from makegood.base.languages import LANGUAGES
from makegood.desk.incident_page import IncidentPage
from makegood.web.case_fields import Ids, codes, line, lines, moment


class IncidentForm(forms.Form):
    """One verb of an incident; ``kind`` is the act that it begins, '' where it begins none."""

    verb, kind = "", ""
    press: Any = ""
    hint: Any = ""

    def __init__(
        self, *args: Any, page: IncidentPage, needed: dict[str, int] | None = None, **kwargs: Any
    ) -> None:
        self.page = page
        #: language -> how many customers need it
        self.needed = needed if needed is not None else self._needed()
        kwargs.setdefault("auto_id", f"{self.verb}_%s")
        super().__init__(*args, **kwargs)
        self.prepare()

    def prepare(self) -> None:
        """Choices and controls that depend on the incident."""

    def _needed(self) -> dict[str, int]:
        return {code: n for code, _name, n in self.page.languages.get(self.kind, [])}

    def refuse(self, error: DeskError) -> None:
        """Put what the desk said beside its control, or over the form where it has none."""
        self.cleaned_data = getattr(self, "cleaned_data", {})
        self.add_error(error.field if error.field in self.fields else None, str(error.reason))

    @property
    def needed_rows(self) -> list[tuple[str, str, int]]:
        """Code, name and count of each language that somebody needs."""
        return [(code, name, self.needed[code]) for code, name in LANGUAGES if code in self.needed]

    @property
    def over(self) -> list[str]:
        """The errors that stand over the form (those of hidden controls too)."""
        hidden = [e for field in self.hidden_fields() for e in field.errors]
        return [*self.errors.get(NON_FIELD_ERRORS, []), *hidden]

    @property
    def ready(self) -> bool:
        """Whether there is a case on which it has something to do."""
        return not self.kind or self.page.waits_for(self.kind) > 0

    def words(self) -> None:
        """A control for the words in each language that somebody needs, with how many do; first in the form."""
        texts: dict[str, forms.Field] = {}
        for code, name in LANGUAGES:
            if code in self.needed:
                label = _("In %(language)s, for %(n)s customers") % {"language": name, "n": self.needed[code]}
                texts[f"text_{code}"] = lines(label, required=False, rows=5)
                texts[f"text_{code}"].widget.attrs["lang"] = code
        self.fields = {**texts, **self.fields}

    @property
    def texts(self) -> dict[str, str]:
        return {name[5:]: value for name, value in self.cleaned_data.items() if name.startswith("text_")}


class Word(IncidentForm):
    verb, kind, press = "word", "word", _("Tell all of them")
    hint = _(
        "Each customer gets it in their own language, with their own next word. It is no telling that it is mended."
    )
    next_word_at = moment(
        _("When they hear next"), help_text=_("Left empty: by our rule, for each case by its own urgency.")
    )
    reason = line(_("Why, where a check asks for a reason"))

    def prepare(self) -> None:
        self.words()


class Mended(Word):
    verb, kind, press = "mended", "mended", _("Tell that it is mended")
    hint = _(
        "To every customer whose case is verified. Each is asked whether it is made good, and answers for themselves."
    )


class Fix(IncidentForm):
    verb, kind, press = "fix", "fix", _("Record what was done, for all")
    hint = _("On every case that is not fixed yet. What nobody owns becomes yours.")
    done = lines(_("What was done"), required=False)
    cause = lines(_("Why it went wrong"), required=False, rows=2)
    remedy = forms.ChoiceField(label=_("Remedy"), required=False)

    def prepare(self) -> None:
        self.fields["remedy"].choices = codes("remedy")  # type: ignore[attr-defined]


class Verify(IncidentForm):
    verb, kind, press = "verify", "verify", _("Verify, for all")
    hint = _(
        "On every case that is fixed and waits for it: by somebody else than who fixed it, or by its record."
    )
    proof = forms.ChoiceField(label=_("Proof"), required=False)
    reference = line(_("Which record"))
    what_was_seen = lines(_("What was seen"), required=False)

    def prepare(self) -> None:
        self.fields["proof"].choices = codes("proof")  # type: ignore[attr-defined]


class Join(IncidentForm):
    verb, press = "join", _("Bring them in")

    @property
    def ready(self) -> bool:
        return self.page.alike > 0


class Open(IncidentForm):
    """Cases for who did not complain; drawn once the orders of a time were counted."""

    verb, press = "open", _("Open cases for them")
    since = forms.DateTimeField(widget=forms.HiddenInput)
    until = forms.DateTimeField(widget=forms.HiddenInput, required=False)
    #: Who is left out: ticked on the page that is shown, and carried along from the others.
    left = forms.CharField(widget=forms.HiddenInput, required=False)
    out = Ids(required=False, widget=forms.MultipleHiddenInput)

    def prepare(self) -> None:
        self.words()

    @property
    def ready(self) -> bool:
        return True


def carried(left: str) -> list[int]:
    """The ids of the hidden field that carries them from page to page."""
    return Ids(required=False).clean(left.split(","))


def left_out(sent: QueryDict) -> set[int]:
    """Ids of the orders that are left out, as the form names them."""
    return {*Ids(required=False).clean(sent.getlist("out")), *carried(sent.get("left", ""))}


class Again(IncidentForm):
    """Try again what failed of one act; its button stands with the act."""

    verb, press = "again", _("Try again")
    act = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**62)


class Close(IncidentForm):
    verb, press = "close", _("Close the incident")


FORMS: dict[str, type[IncidentForm]] = {
    form.verb: form for form in (Word, Mended, Fix, Verify, Join, Open, Again, Close)
}
#: These stand by themselves on the page: beside what was searched for, and beside the act.
APART = ("open", "again")


class Asked(forms.Form):
    """The time in which others were probably struck."""

    since = moment(_("From"))
    until = moment(_("Until"))


class Dismiss(forms.Form):
    reason = line(_("Why it is no incident"))
