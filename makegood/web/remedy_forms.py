"""The forms of remedies. What may be offered is read from the menu; what the desk says to it stands beside its control."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import DeskError
from makegood.desk import remedy_menu
from makegood.desk.remedy_menu import Menu
from makegood.desk.remedy_rows import Wish
from makegood.packs import names
from makegood.packs.remedying import remedy_policy
from makegood.remedies.menu import MONEY, Choice
from makegood.web.case_fields import line, lines, moment
from makegood.web.case_forms import VerbForm

STANDS = timedelta(days=3)


def _amount(label: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, required=False, min_value=0, max_digits=15, decimal_places=2)


class WithMenu(VerbForm):
    """A form that knows the menu: the sheet's own, where it was read for it already."""

    def menu(self) -> Menu:
        found: Menu | None = self.initial.get("menu")
        return found or remedy_menu.read(self.case, by=self.by)

    def payments(self, menu: Menu) -> None:
        """Which payment, only where there are several."""
        if len(menu.payments) < 2:
            del self.fields["payment"]
            return
        self.fields["payment"].choices = [  # type: ignore[attr-defined]
            (str(p.pk), f"{p.amount:,.0f} {p.currency} {p.method} {p.ref}".strip()) for p in menu.payments
        ]

    def order_lines(self, menu: Menu) -> None:
        """How many of each line of the order, where the shop names its lines; nothing chosen means the whole order."""
        self.lines = [line for line in menu.lines if line.left]
        for n, line_ in enumerate(self.lines):
            label = _("Only part of the order: %(name)s (of %(left)s)") % {
                "name": line_.name,
                "left": line_.left,
            }
            self.fields[f"line_{n}"] = forms.IntegerField(
                label=label, required=False, min_value=0, max_value=line_.left
            )

    def wanted_lines(self) -> tuple[tuple[str, int], ...]:
        """What was chosen of the lines, as the desk takes it."""
        found = [(one.ref, self.cleaned_data.get(f"line_{n}") or 0) for n, one in enumerate(self.lines)]
        return tuple((ref, quantity) for ref, quantity in found if quantity)

    def refuse(self, error: DeskError) -> None:
        """What the desk says of the lines stands beside the first that was chosen."""
        if error.field == "lines" and self.lines:
            asked = (n for n in range(len(self.lines)) if self.cleaned_data.get(f"line_{n}"))
            self.add_error(f"line_{next(asked, 0)}", str(error.reason))
            return
        super().refuse(error)

    def clean_payment(self) -> int | None:
        value = self.cleaned_data.get("payment")
        return int(value) if value else None


class OfferRemedy(WithMenu):
    """The choices of the menu, each to be ticked, and one that is not on it."""

    aliases = {"kind": "other", "amount": "other_amount"}
    payment = forms.ChoiceField(label=_("Payment"), required=False)
    other = forms.ChoiceField(label=_("Something else, outside the policy"), required=False)
    other_amount = _amount(_("Its amount"))
    deviation = lines(_("Why it departs from the policy"), required=False, rows=2)
    until = moment(_("The offer stands until"))
    words = lines(_("Beside it, to the customer"), required=False)
    options = forms.CharField(required=False, widget=forms.HiddenInput)

    def prepare(self) -> None:
        menu = self.menu()
        self.payments(menu)
        self.order_lines(menu)
        self.choices: list[Choice] = menu.choices
        every = list(names("remedy").items())
        self.fields["other"].choices = [("", "—"), *((c, str(n)) for c, n in every)]  # type: ignore[attr-defined]
        self.fields["until"].initial = timezone.localtime(clock.now() + STANDS)
        first: dict[str, forms.Field] = {}
        for choice in menu.choices:
            label = str(dict(every)[choice.remedy])
            first[f"give_{choice.remedy}"] = forms.BooleanField(label=label, required=False)
            if choice.remedy in MONEY:
                amount = _amount(
                    _("%(what)s: how much (%(currency)s)") % {"what": label, "currency": choice.currency}
                )
                if choice.remedy == "partial_refund" and self.lines:
                    amount.help_text = _("Left empty, it is what the chosen lines cost.")
                else:
                    amount.initial = choice.up_to
                first[f"amount_{choice.remedy}"] = amount
        self.fields = {**first, **self.fields}

    def wishes(self) -> list[Wish]:
        """What was ticked, as the desk takes it."""
        d = self.cleaned_data
        parts = self.wanted_lines()
        found = [
            # A whole refund beside it is what the law demands in full; the lines are for what is given in part.
            Wish(
                c.remedy, d.get(f"amount_{c.remedy}"), d.get("payment"), parts if c.remedy != "refund" else ()
            )
            for c in self.choices
            if d.get(f"give_{c.remedy}")
        ]
        if d.get("other"):
            found.append(Wish(d["other"], d.get("other_amount"), d.get("payment"), parts))
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        return {**data, "wishes": self.wishes()}


class DecideRemedy(WithMenu):
    kind = forms.ChoiceField(label=_("What"))
    amount = _amount(_("How much"))
    payment = forms.ChoiceField(label=_("Payment"), required=False)
    reason = forms.ChoiceField(label=_("Why the customer wants it"))
    agreed = lines(_("In which words the customer agreed"), required=False, rows=2)
    deviation = lines(_("Why it departs from the policy"), required=False, rows=2)
    other_route = line(_("Agreed to money another way than they paid"))

    def prepare(self) -> None:
        menu = self.menu()
        self.payments(menu)
        self.order_lines(menu)
        on = [c.remedy for c in menu.choices]
        named = names("remedy")
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (_("By the policy"), [(c, str(named[c])) for c in on]),
            (_("Outside of it"), [(c, str(n)) for c, n in named.items() if c not in on]),
        ]
        best = next((c for c in menu.choices if c.up_to is not None), None)
        self.fields["kind"].initial = (
            self.case.asked_remedy if self.case.asked_remedy in on else (on[0] if on else "")
        )
        self.fields["amount"].initial = best.up_to if best else None
        reasons = remedy_policy().reasons.values()
        self.fields["reason"].choices = [("", "—"), *((r.code, str(r.name)) for r in reasons)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        d = super().clean() or {}
        parts, amount = self.wanted_lines(), d.get("amount")
        if parts and amount == self.fields["amount"].initial:
            amount = None  # nobody has typed it: what the chosen lines cost
        wish = Wish(d.get("kind", ""), amount, d.get("payment"), parts)
        return {**d, "wish": wish}


class CarryOut(VerbForm):
    remedy = forms.IntegerField(widget=forms.HiddenInput)
    done_by_hand = line(_("Done by hand: its record in the shop's own system"))


class WithdrawRemedy(VerbForm):
    remedy = forms.IntegerField(widget=forms.HiddenInput)
    reason = line(_("Reason"), required=True)


class Approve(VerbForm):
    remedy = forms.IntegerField(widget=forms.HiddenInput)
    words = line(_("Beside it, to colleagues"))


class RefuseApproval(VerbForm):
    remedy = forms.IntegerField(widget=forms.HiddenInput)
    reason = line(_("Reason"), required=True)


class SayWhatBecame(VerbForm):
    step = forms.IntegerField(widget=forms.HiddenInput)
    happened = forms.ChoiceField(
        label=_("Did it happen?"), choices=[("yes", _("It happened")), ("no", _("It did not happen"))]
    )
    record = line(_("Which record shows it"), required=True)
