"""The form by which a problem is reported: few questions, in plain words. What may be stored is decided by the desk."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from makegood.cases.urgency import Impact
from makegood.conversations.messages import Upload
from makegood.desk.opening import Report
from makegood.packs import playbook, taxonomy
from makegood.packs.shapes import Question
from makegood.people.models import Shop

#: Types whose playbook offers one of these have to do with money; only there we ask how much.
MONEY_OFFERS = frozenset({"refund", "partial_refund", "compensation"})
_AREA = {"rows": 6}


class Words(forms.CharField):
    """Free words: the desk cleans them and knows the limits, so nothing is refused here that it would take."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"required": False} | more)
        # Django refuses NUL with words of its own; the desk takes it out.
        self.validators = [v for v in self.validators if "Null" not in type(v).__name__]

    def to_python(self, value: Any) -> str:
        return super().to_python(str(value or "").replace("\x00", ""))


class ReportForm(forms.Form):
    """One report. ``type`` decides which further questions stand in it; '' is 'I do not know'."""

    text = Words(
        label=_("What happened?"),
        help_text=_("In your own words. What did you expect, and what came instead?"),
        widget=forms.Textarea(attrs=_AREA),
        required=True,
        error_messages={"required": _("This must not be empty.")},
    )
    type = forms.ChoiceField(label=_("What kind of problem is it?"), required=False)
    money_lost = Words(label=_("How much money is it about?"))
    order_number = Words(label=_("Order number"))
    asked_remedy = forms.ChoiceField(label=_("What would make it good?"), required=False)
    name = Words(label=_("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = Words(
        label=_("Email"),
        help_text=_("We send your link and every answer there."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = Words(label=_("Telephone"), widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}))
    # Nobody sees this field; programs that fill in every form do.
    website = Words(widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}))

    def __init__(self, shop: Shop, data: Any = None, *, type_code: str = "") -> None:
        super().__init__(data, initial={"type": type_code})
        self.shop = shop
        known = taxonomy()
        chosen = (data or {}).get("type", type_code)
        self.type_code = chosen if chosen in known.types else ""
        self._choose("type", _types())
        # A changed choice fetches its questions; without script the button 'Next' does.
        self.fields["type"].widget.attrs |= {
            "hx-get": reverse("report_questions", args=[shop.code]),
            "hx-trigger": "change",
            "hx-target": "#questions",
        }
        offers = playbook(self.type_code).offers if self.type_code else tuple(known.remedies)
        names = [(code, str(known.remedies[code].name)) for code in offers]
        self._choose("asked_remedy", [("", _("Decide for me")), *names])
        self.fields["money_lost"].widget.attrs["inputmode"] = "decimal"
        self.fields["money_lost"].help_text = shop.currency
        self.questions = playbook(self.type_code).at_report if self.type_code else ()
        self.amounts = [q.code for q in self.questions if q.input == "amount"]
        if not self.type_code or self.amounts or not MONEY_OFFERS & set(offers):
            # Where the playbook asks for amounts itself, nobody is asked twice.
            del self.fields["money_lost"]
        for question in self.questions:
            self.fields[f"q_{question.code}"] = _field(question)

    def _choose(self, field: str, choices: list[Any]) -> None:
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    def asked(self) -> list[forms.BoundField]:
        """The further questions of the chosen type, as fields."""
        more = ["money_lost"] if "money_lost" in self.fields else []
        return [self[f"q_{q.code}"] for q in self.questions] + [self[name] for name in more]

    def clean_money_lost(self) -> Decimal | None:
        if not self.cleaned_data["money_lost"]:
            return None
        amount = _amount(self.cleaned_data["money_lost"])
        if amount is None:
            raise forms.ValidationError(_("Write the amount in figures, for example 39000."))
        return amount

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not given.get("email") and not given.get("phone"):
            self.add_error(
                "email", _("Leave an email address or a telephone number, so that we can reach you.")
            )
        if given.get("website"):
            self.add_error(
                None, _("This looks as if a program had filled in the form. Please send it again.")
            )
            # The hidden field is emptied, so that a person whose browser filled it in gets through the second time.
            self.data = self.data.copy()
            self.data["website"] = ""
        return given

    def report(self, language: str, files: list[Upload]) -> Report:
        """What is handed to the desk. Call only when the form is valid."""
        given = self.cleaned_data
        answers = tuple((q.code, given.get(f"q_{q.code}", "")) for q in self.questions)
        money = given.get("money_lost")
        if len(self.amounts) == 1:
            # One amount is what is at stake; of two (charged, and due) a person works out the loss.
            money = _amount(given.get(f"q_{self.amounts[0]}", ""))
        return Report(
            text=given["text"],
            customer_name=given["name"],
            customer_email=given["email"],
            customer_phone=given["phone"],
            language=language,
            order_number=given["order_number"],
            type=given["type"],
            asked_remedy=given["asked_remedy"],
            impact=Impact(money_lost=money, currency=self.shop.currency if money is not None else ""),
            answers=answers,
            files=files,
        )


def _amount(raw: str) -> Decimal | None:
    """'39,000원' as 39000; None when it is no amount that can be."""
    plain = re.sub(r"[\s,₩¥$元원]|KRW|CNY|RMB|USD", "", raw)
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**13 else None


def _types() -> list[Any]:
    known = taxonomy()
    families = [
        (str(family.name), [(t.code, str(t.name)) for t in known.types_of(code)])
        for code, family in known.families.items()
    ]
    return [("", _("I do not know")), *families]


def _field(question: Question) -> forms.Field:
    label = str(question.text)
    if question.input == "choice":
        choices = [("", "—"), *((c.code, str(c.text)) for c in question.choices)]
        return forms.ChoiceField(label=label, choices=choices, required=False)
    kinds: dict[str, dict[str, Any]] = {
        "date": {"type": "date"},
        "amount": {"inputmode": "decimal"},
    }
    if question.input == "text":
        return Words(label=label, max_length=2000, widget=forms.Textarea(attrs={"rows": 2, "class": "short"}))
    return Words(label=label, max_length=200, widget=forms.TextInput(attrs=kinds.get(question.input, {})))
