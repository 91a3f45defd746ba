"""What was found in a reply, as the editor draws it: one row a rule, with its places; one row a promised time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from makegood.desk import checking
from makegood.desk.checking import Look, Offer
from makegood.desk.saying import GivenTime
from makegood.packs.replying import ReplyRule
from makegood.text.checks import Finding

JUSTIFY, HEARD, AT = "justify-", "heard-", "at-"
_ORDER = ("justify", "warn", "advise")


@dataclass(frozen=True)
class RuleRow:
    """A rule that found something. ``reason`` is what was typed for it so far."""

    rule: ReplyRule
    level: str
    places: list[Finding]
    field: str
    reason: str


@dataclass(frozen=True)
class OfferRow:
    """A promised time. ``answer`` is 'next' (it is the next word itself), 'yes', 'no' or ''; ``at`` as a control holds it."""

    offer: Offer
    answer: str
    heard: str
    at_field: str
    at: str
    fills: bool


@dataclass(frozen=True)
class Drawn:
    """All of it; ``fills`` is the moment that the empty field of the next word takes."""

    rules: list[RuleRow]
    offers: list[OfferRow]

    @property
    def grave(self) -> bool:
        return any(row.level == "justify" for row in self.rules) or any(not row.answer for row in self.offers)


def drawn(look: Look, data: Mapping[str, Any], next_word_at: datetime | None, *, open_next: bool) -> Drawn:
    """``data`` is what the form sent; ``open_next`` says that nobody has chosen a time for the next word yet."""
    rows: dict[str, RuleRow] = {}
    for told in look.findings:
        field = JUSTIFY + told.rule.code
        row = rows.setdefault(
            told.rule.code, RuleRow(told.rule, told.level, [], field, str(data.get(field, "")))
        )
        if told.finding.quote:
            row.places.append(told.finding)
    offers = [_offer(offer, data, next_word_at) for offer in look.offers]
    if open_next:
        first = next((i for i, row in enumerate(offers) if _may_fill(row)), None)
        offers = [
            OfferRow(r.offer, r.answer, r.heard, r.at_field, r.at, i == first) for i, r in enumerate(offers)
        ]
    return Drawn(sorted(rows.values(), key=lambda row: _ORDER.index(row.level)), offers)


def _may_fill(row: OfferRow) -> bool:
    return not row.answer and row.offer.possible and row.offer.what != "remedy"


def _offer(offer: Offer, data: Mapping[str, Any], next_word_at: datetime | None) -> OfferRow:
    said = str(data.get(HEARD + offer.key, ""))
    is_next = checking.heard(offer, next_word_at, (), ())
    answer = "next" if is_next else said if said in ("yes", "no") else ""
    at = str(data.get(AT + offer.key, "")) or local(offer.at)
    return OfferRow(offer, answer, HEARD + offer.key, AT + offer.key, at, fills=False)


def local(moment: datetime | None) -> str:
    """As a control for a day and an hour holds it, in the reader's zone."""
    return f"{timezone.localtime(moment):%Y-%m-%dT%H:%M}" if moment else ""


def reasons(data: Mapping[str, Any]) -> dict[str, str]:
    """What was typed for each rule."""
    return {
        str(key).removeprefix(JUSTIFY): str(data[key])
        for key in data
        if str(key).startswith(JUSTIFY) and data[key]
    }


def answers(offers: list[Offer], data: Mapping[str, Any]) -> tuple[list[GivenTime], list[str]]:
    """(what is promised, words that are no promise) by the form; raises forms.ValidationError on a time that is none."""
    promises, declined = [], []
    for offer in offers:
        said = data.get(HEARD + offer.key)
        if said == "no":
            declined.append(offer.given.quote)
        elif said == "yes":
            written = str(data.get(AT + offer.key, ""))
            at = forms.DateTimeField().clean(written) if written else offer.at
            if at is not None:
                promises.append(GivenTime(offer.what, at, offer.given.quote))
    return promises, declined
