"""What an outside party reads behind its link: what is asked, by when, the facts that were ticked, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from makegood.base import clock
from makegood.base.errors import NotThere
from makegood.cases.models import Case, Fact
from makegood.parties.models import PartyAnswer, PartyAsk
from makegood.text.redact import Known, redact
from makegood.transactions.models import Shipment

_signer = signing.Signer(salt="makegood.party-ask", sep="~")


@dataclass(frozen=True)
class Line:
    """One thing that the party is told, named in its language."""

    name: str
    text: str


@dataclass(frozen=True)
class PartyView:
    ask: PartyAsk
    lines: tuple[Line, ...]
    answers: tuple[PartyAnswer, ...]
    over: str  # '', 'withdrawn' or 'ended': nothing more is needed


def token_of(ask: PartyAsk) -> str:
    """What stands in the party's address: the id of the task and our signature."""
    return _signer.sign(str(ask.pk))


def address(ask: PartyAsk) -> str:
    """The whole address of the page."""
    return settings.BASE_URL.rstrip("/") + reverse("party", args=[token_of(ask)])


def ask_by_token(token: str) -> PartyAsk:
    """The task of a link; raises NotThere when it is forged or has run out."""
    gone = NotThere("link_gone", gettext_lazy("This link is no longer valid. Please ask us for a new one."))
    try:
        pk = int(_signer.unsign(token))
    except (signing.BadSignature, ValueError):
        raise gone from None
    asks = PartyAsk.objects.select_related("party", "case__shop", "case__customer", "case__order", "promise")
    found = asks.filter(pk=pk, link_ends_at__gt=clock.now()).first()
    if found is None:
        raise gone
    return found


def read(ask: PartyAsk) -> PartyView:
    """What the page shows, in the active language."""
    over = "withdrawn" if ask.state == PartyAsk.State.WITHDRAWN else "" if ask.case.is_open else "ended"
    # What is needed no more is shown no more.
    lines = () if over else tuple(_lines(ask))
    answers = ask.answers.select_related("message").order_by("at", "id")
    return PartyView(ask, lines, tuple(answers), over)


def _lines(ask: PartyAsk) -> Iterator[Line]:
    case, shows = ask.case, set(ask.shows)
    if "order" in shows and case.order_number:
        yield Line(_("Order number"), case.order_number)
    if case.order_id:
        for parcel in Shipment.objects.filter(order_id=case.order_id).order_by("id"):
            if f"shipment:{parcel.pk}" in shows:
                yield Line(_("Parcel"), f"{parcel.carrier} {parcel.tracking}")
    for fact in Fact.objects.filter(case=case, struck_at__isnull=True).order_by("happened_at", "id"):
        if f"fact:{fact.pk}" in shows:
            text = f"{fact.text} {fact.detail}".strip()
            yield Line(_("Known"), text if ask.personal else without_personal(case, text, ask.party.language))
    if ask.personal:
        customer = case.customer
        told = (customer.name, customer.phone, customer.email)
        yield Line(_("Customer"), " · ".join(part for part in told if part))


def holds_personal(case: Case, words: str) -> bool:
    """Whether these words say who the customer is."""
    return without_personal(case, words, case.language) != words


def without_personal(case: Case, words: str, language: str) -> str:
    """The words with tags where they say who somebody is; order and parcel numbers stay."""
    customer = case.customer
    numbers = [case.order_number] if case.order_number else []
    if case.order_id:
        numbers += Shipment.objects.filter(order_id=case.order_id).values_list("tracking", flat=True)
    known = Known(
        names=(customer.name,) if customer.name else (),
        emails=(customer.email,) if customer.email else (),
        phones=(customer.phone,) if customer.phone else (),
        numbers=tuple(numbers),
    )
    return redact(words, language, known).text
