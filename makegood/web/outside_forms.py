"""The forms of tasks for outside parties, of stopping use, and of what was masked."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from makegood.cases.models import Fact, Freeze
from makegood.parties.models import Party
from makegood.transactions import orders
from makegood.transactions.models import Payment, Shipment
from makegood.web.case_fields import line, lines, moment
from makegood.web.case_forms import VerbForm


class AskParty(VerbForm):
    """``shows``: what the party may read beside the words, as boxes."""

    party = forms.ChoiceField(label=_("Whom"))
    what = lines(
        _("What is asked of them"), help_text=_("In their language. They read these words as they stand.")
    )
    due_at = moment(_("By when"))
    shows = forms.MultipleChoiceField(
        label=_("They may also read"), required=False, widget=forms.CheckboxSelectMultiple
    )
    personal = forms.BooleanField(
        label=_("They may read who the customer is and how to reach them"), required=False
    )

    def prepare(self) -> None:
        case = self.case
        parties = Party.objects.filter(shop=case.shop_id, active=True).order_by("kind", "name")
        self.fields["party"].choices = [("", "—"), *((str(p.pk), p.name) for p in parties)]  # type: ignore[attr-defined]
        shows = (
            [("order", str(_("Order %(number)s") % {"number": case.order_number}))]
            if case.order_number
            else []
        )
        parcels = Shipment.objects.filter(order_id=case.order_id) if case.order_id else []
        shows += [(f"shipment:{p.pk}", f"{p.carrier} {p.tracking}") for p in parcels]
        facts = Fact.objects.filter(case=case, struck_at__isnull=True).order_by("id")[:40]
        shows += [(f"fact:{f.pk}", f.text[:120]) for f in facts]
        self.fields["shows"].choices = shows  # type: ignore[attr-defined]
        if not shows:
            del self.fields["shows"]


class OfAsk(VerbForm):
    """A press beside one task."""

    ask = forms.IntegerField(widget=forms.HiddenInput)


class WithdrawAsk(VerbForm):
    """Why it is needed no more: a note of ours, not told to them."""

    ask = forms.IntegerField(widget=forms.HiddenInput)
    reason = line(_("Why it is needed no more"), required=True)


class StopUse(VerbForm):
    aliases = {"what": "what_to_stop"}
    what_to_stop = forms.ChoiceField(label=_("What"), choices=Freeze.What.choices)
    payment = forms.ChoiceField(label=_("Which payment"), required=False)
    which = line(_("Which one, as the shop names it"))
    why = line(_("Why"))

    def prepare(self) -> None:
        order = orders.of_case(self.case.shop_id, self.case.order, self.case.order_number)
        rows = Payment.objects.filter(order=order).exclude(ref="").order_by("-id") if order else []
        choices = [
            (p.ref, f"{p.method} {p.amount:,.0f} {p.currency} {p.ref}".strip()) for p in rows if p.amount
        ]
        if not choices:
            del self.fields["payment"]
            return
        self.fields["payment"].choices = [("", "—"), *choices]  # type: ignore[attr-defined]


class Frozen(VerbForm):
    freeze = forms.IntegerField(widget=forms.HiddenInput)
    proof = line(_("How and where it was stopped"), required=True)


class Release(VerbForm):
    freeze = forms.IntegerField(widget=forms.HiddenInput)
    reason = line(_("Why it is safe"), required=True)


class ConfirmLeak(VerbForm):
    known_at = moment(_("Known since"))
    evidence = lines(_("What leaked, and how it is known"), rows=3)


class CheckSecurity(VerbForm):
    secure = forms.ChoiceField(
        label=_("Is it still secure?"),
        choices=[("", "—"), ("yes", _("it is secure")), ("no", _("it is not secure"))],
    )
    words = lines(_("What was looked at"), rows=3)


class Reveal(VerbForm):
    masked = forms.IntegerField(widget=forms.HiddenInput)
    reason = line(_("Why it must be read"), required=True)
