"""One form a verb of the case sheet. A form parses; what may be is for the desk to say, beside the control.

Over 300 lines: a table of small forms; those of promises stand in ``promise_forms.py``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import DeskError
from makegood.cases.models import Case
from makegood.desk.handling import WAITING_FOR, waits_for
from makegood.desk.telling import CHANNELS
from makegood.packs import policy
from makegood.parties.models import PartyAsk
from makegood.people.actors import Actor
from makegood.people.models import STAFF, Team, User
from makegood.web.case_fields import (
    Choices,
    Files,
    Ids,
    case_number,
    codes,
    line,
    lines,
    moment,
    quick_times,
    types,
    waits_for_word,
)


class VerbForm(forms.Form):
    """``seen`` is the version that the form was drawn from; ``aliases`` says which control a field of the desk is here."""

    aliases: ClassVar[dict[str, str]] = {}
    seen = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, case: Case, by: Actor, verb: str, mark: str = "", **kwargs: Any) -> None:
        self.case, self.by, self.verb = case, by, verb
        kwargs.setdefault("auto_id", f"{verb}{mark}_%s")
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = case.version
        self.prepare()

    def prepare(self) -> None:
        """Choices and first values that depend on the case."""

    def refuse(self, error: DeskError) -> None:
        """Put what the desk said beside its control, or over the form where it has none."""
        field = self.aliases.get(error.field, error.field)
        self.cleaned_data = getattr(self, "cleaned_data", {})
        self.add_error(field if field in self.fields else None, str(error.reason))

    @property
    def hidden_rest(self) -> list[forms.BoundField]:
        """The hidden controls but ``seen``: a form drawn again carries the version that the reader sees now."""
        return [f for f in self.hidden_fields() if f.name not in ("seen", "next_word", "done")]

    @property
    def over(self) -> list[str]:
        """The errors that stand over the form (those of hidden controls too)."""
        hidden = [e for field in self.hidden_fields() for e in field.errors]
        return [*self.errors.get(NON_FIELD_ERRORS, []), *hidden]

    @property
    def has_files(self) -> bool:
        return "files" in self.fields


class Plain(VerbForm):
    """A verb that needs no more than a press."""


class AskHelper(VerbForm):
    what = forms.CharField(widget=forms.HiddenInput)


class Note(VerbForm):
    text = lines(_("Note for colleagues"), required=False, rows=3)
    files = Files(label=_("Files"), required=False)  # type: ignore[assignment]

    def prepare(self) -> None:
        self.fields["text"].widget.attrs.update({"data-key": "n", "data-focus": ""})


class ToMerchant(VerbForm):
    text = lines(_("To the merchant"), required=False, rows=3)
    files = Files(label=_("Files"), required=False)  # type: ignore[assignment]


class NextWord(VerbForm):
    """A form that promises the next word: a quick choice, or an exact time, which counts when it is filled in."""

    next_word = forms.CharField(required=False, widget=forms.HiddenInput)
    next_word_at = moment(_("or exactly at"))

    def span(self) -> timedelta:
        """What our rule says for the next word."""
        return policy().times(self.case.urgency, self.case.type).next_word

    def prepare(self) -> None:
        self.quick = quick_times(self.span())
        self.chosen = (self.data.get("next_word") if self.is_bound else None) or "rule"

    def clean_next_word_at(self) -> Any:
        exact = self.cleaned_data.get("next_word_at")
        times = {code: at for code, _name, at in self.quick}
        return exact or times.get(self.cleaned_data.get("next_word", ""))


class Ask(NextWord):
    field_order = ("channel", "note", "next_word", "next_word_at")
    channel = forms.ChoiceField(label=_("How"), choices=list(CHANNELS.items()))
    note = lines(
        _("What was said"), required=False, help_text=_("Needed when you asked by telephone or chat.")
    )

    def span(self) -> timedelta:
        return waits_for_word()


class Assign(VerbForm):
    owner = forms.TypedChoiceField(label=_("Person"), required=False, coerce=int, empty_value=None)
    team = forms.TypedChoiceField(label=_("Team"), required=False, coerce=int, empty_value=None)

    def prepare(self) -> None:
        people = User.objects.filter(is_active=True, role__in=STAFF).order_by("name")
        self.choose("owner", [(str(pk), name) for pk, name in people.values_list("pk", "name")])
        teams = Team.objects.order_by("tier", "name").values_list("pk", "name")
        self.choose("team", [(str(pk), name) for pk, name in teams])

    def choose(self, field: str, choices: Choices) -> None:
        self.fields[field].choices = [("", "—"), *choices]  # type: ignore[attr-defined]


class Wait(VerbForm):
    waiting_for = forms.ChoiceField(label=_("For whom"))

    def prepare(self) -> None:
        tasks = self.initial.get("asks")  # the sheet has read them already
        if tasks is None:
            found = PartyAsk.objects.filter(case=self.case, state=PartyAsk.State.OPEN)
            tasks = list(found.select_related("party").order_by("due_at", "id")[:30])
        owed = [(f"ask-{task.pk}", waits_for(task)) for task in tasks]
        self.fields["waiting_for"].choices = [*owed, *WAITING_FOR.items()]  # type: ignore[attr-defined]


class Triage(VerbForm):
    type = forms.ChoiceField(label=_("Problem type"))
    second_type = forms.ChoiceField(label=_("Second type"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    responsibility = forms.ChoiceField(label=_("Responsibility"), required=False)
    asked_remedy = forms.ChoiceField(label=_("What the customer asks for"), required=False)
    order_number = line(_("Order number"))
    money_lost = forms.DecimalField(label=_("Money lost"), required=False, min_value=0, max_digits=16)
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3)
    orders_blocked = forms.IntegerField(
        label=_("Orders blocked"), required=False, min_value=0, max_value=10**6
    )
    campaign_at_risk = forms.BooleanField(label=_("A campaign is at risk"), required=False)
    suggested = forms.CharField(required=False, widget=forms.HiddenInput)

    def prepare(self) -> None:
        usual = _("as usual for the type")
        for name, choices in (
            ("type", types()),
            ("second_type", types()),
            ("kind", codes("kind", usual)),
            ("responsibility", codes("responsibility", usual)),
            ("asked_remedy", codes("remedy")),
        ):
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        for name in self.fields:
            if name not in ("seen", "suggested"):
                self.fields[name].initial = getattr(self.case, name)
        if not self.case.type:
            self.fields["responsibility"].initial = ""
        self.fields["currency"].initial = self.case.currency or self.case.shop.currency

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise forms.ValidationError(_("A currency has three letters, such as KRW."))
        return currency


class NoteFact(VerbForm):
    text = lines(_("What"), rows=2)
    happened_at = moment(_("When"))
    source = forms.ChoiceField(label=_("Source"))
    detail = line(_("Which record"), help_text=_("A number or an address."))

    def prepare(self) -> None:
        self.fields["source"].choices = codes("source")  # type: ignore[attr-defined]


class StrikeFact(VerbForm):
    fact = forms.IntegerField(widget=forms.HiddenInput)
    because = line(_("Why it is wrong"), required=True)


class TickItem(VerbForm):
    item = forms.CharField(widget=forms.HiddenInput)
    done = forms.CharField(required=False, widget=forms.HiddenInput)
    answer = line(_("Answer"))


class SendAgain(VerbForm):
    """A letter that did not arrive; ``to`` stands filled with the present address, so that a corrected one is one edit."""

    delivery = forms.IntegerField(widget=forms.HiddenInput)
    to = line(_("To this address"), required=True)

    def prepare(self) -> None:
        self.fields["to"].initial = self.case.customer.email
        self.fields["to"].widget.attrs.update({"inputmode": "email", "autocomplete": "off"})


class Raise(VerbForm):
    level = forms.TypedChoiceField(label=_("To"), coerce=int)
    reason = lines(_("Reason"))

    def prepare(self) -> None:
        levels = policy().levels.items()
        self.fields["level"].choices = [(n, str(p.name)) for n, p in levels if n > self.case.urgency]  # type: ignore[attr-defined]


class Lower(VerbForm):
    level = forms.TypedChoiceField(label=_("To"), coerce=int)
    reason = lines(_("Reason"))
    evidence = lines(_("Evidence"))

    def prepare(self) -> None:
        levels = policy().levels.items()
        self.fields["level"].choices = [(n, str(p.name)) for n, p in levels if n < self.case.urgency][::-1]  # type: ignore[attr-defined]


class RecordFix(VerbForm):
    done = lines(_("What was done"))
    cause = lines(_("Why it went wrong"))
    remedy = forms.ChoiceField(label=_("Remedy"), required=False)

    def prepare(self) -> None:
        self.fields["remedy"].choices = codes("remedy")  # type: ignore[attr-defined]


class Verify(VerbForm):
    proof = forms.ChoiceField(label=_("Kind of proof"), required=False)
    reference = line(
        _("Record"), help_text=_("A refund id or tracking number; needed when you fixed it yourself.")
    )
    what_was_seen = lines(_("What you saw"))

    def prepare(self) -> None:
        self.fields["proof"].choices = codes("proof")  # type: ignore[attr-defined]


class FindWanting(VerbForm):
    aliases = {"text": "what_was_seen"}
    what_was_seen = lines(_("What you saw"))


class RecordConfirmation(VerbForm):
    answer = forms.ChoiceField(
        label=_("Their answer"),
        required=False,
        choices=[
            ("", "—"),
            ("all_good", _("All good")),
            ("partly", _("Partly")),
            ("not_good", _("Not good")),
        ],
    )
    words = lines(_("In their own words"), required=False)
    channel = forms.ChoiceField(label=_("How"), choices=list(CHANNELS.items()), initial="phone")


class Reopen(VerbForm):
    aliases = {"text": "why"}
    why = lines(_("Why"))


class Disagreed(VerbForm):
    text = lines(_("What we tell the customer"), rows=5)
    outside_route = lines(
        _("The outside route"), rows=4, help_text=_("In the customer's language; it goes with the letter.")
    )

    def prepare(self) -> None:
        route = policy().outside_route(self.case.language)
        name, how = route.name.into(self.case.language), route.how.into(self.case.language)
        self.fields["outside_route"].initial = f"{name}\n{how}"


class Withdraw(VerbForm):
    aliases = {"text": "words"}
    words = lines(_("In the customer's own words"))


class Merge(VerbForm):
    other = case_number(_("Into case number"))


class Link(VerbForm):
    other = case_number(_("Case number"))
    relation = forms.ChoiceField(
        label=_("This case is"),
        choices=[("related", _("related to it")), ("child", _("below it")), ("parent", _("above it"))],
    )


class Unlink(VerbForm):
    other = case_number(_("Case number"))


class Split(VerbForm):
    subject = line(_("What the new case is about"), required=True)
    messages = Ids(label=_("Messages to move"), required=False)

    @property
    def chosen(self) -> list[int]:
        return list(getattr(self, "cleaned_data", {}).get("messages") or [])
