"""The shapes of the legal clocks: jurisdictions, the events that start a clock, and the rules themselves."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from makegood.base.languages import Text3
from makegood.packs.errors import UnknownCode
from makegood.packs.shapes import Term

BASES = ("statutory", "scheme", "platform")
KINDS = ("deadline", "note")
PARTIES = (
    "seller",
    "marketplace",
    "payment_provider",
    "card_issuer",
    "courier",
    "customer",
    "authority",
    "both",
)
#: Whose act we can promise; the others' time is shown, and never given as a promise of ours.
OURS = frozenset({"seller", "marketplace", "both"})
UNITS = ("days", "working_days", "months", "hours", "clock_hours", "day_of_next_month")
#: Where the moment of an event may be known from; '' means that a person enters it.
KNOWN_FROM = ("", "order", "payment", "delivery", "return", "report")


@dataclass(frozen=True)
class Jurisdiction(Term):
    """``zones`` and ``currencies`` tell whose shops it is for; ``calendar`` counts its working days.

    ``zone`` counts the days of a shop whose own zone is not among ``zones``. ``months_from`` says on which day a
    period of months ends: that with the number of the event's day, or the day before that of its first day.
    """

    zones: tuple[str, ...]
    currencies: tuple[str, ...]
    calendar: str
    zone: str
    months_from: str


@dataclass(frozen=True)
class Trigger(Term):
    """The event that starts a clock; rarely the opening of a case."""

    known_from: str


@dataclass(frozen=True)
class Rule(Term):
    """One row. ``types`` empty: any problem. ``start``: whether the day of the event itself is counted ('same')."""

    kind: str
    jurisdiction: str
    basis: str
    authority: str
    role: str
    who_must_act: str
    types: tuple[str, ...]
    payments: tuple[str, ...]
    unless: tuple[str, ...]
    trigger: str
    start: str
    length: int
    unit: str
    within: str
    roll_over: str
    take: str
    beside: str
    months_from: str
    silence: str
    consequence: str
    evidence: tuple[str, ...]
    valid_from: datetime.date | None
    valid_to: datetime.date | None
    source: str
    certainty: str
    verified: bool
    itself: bool
    says: Text3

    @property
    def is_ours(self) -> bool:
        """Whether a promise can be given by it: it has a length, and we must act."""
        return self.kind == "deadline" and self.who_must_act in OURS

    @property
    def counts_working_days(self) -> bool:
        return self.unit == "working_days" or self.roll_over == "next_working_day"

    def stands(self, day: datetime.date) -> bool:
        """Whether the rule was in force on ``day``."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)

    def to_data(self) -> dict[str, Any]:
        """The whole row as JSON holds it: the snapshot that a promise keeps."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True)
class Clocks:
    """Every row and vocabulary by code, in the order of the file. The lookups raise UnknownCode."""

    jurisdictions: Mapping[str, Jurisdiction]
    triggers: Mapping[str, Trigger]
    silences: Mapping[str, Term]
    consequences: Mapping[str, Term]
    evidence: Mapping[str, Term]
    parties: Mapping[str, Term]
    rules: Mapping[str, Rule]

    def rule(self, code: str) -> Rule:
        if code not in self.rules:
            raise UnknownCode("legal clock", code)
        return self.rules[code]

    def of_shop(self, zone: str, currency: str) -> tuple[str, ...]:
        """The jurisdictions of a shop: by its time zone, else by its currency; schemes and platforms are everybody's."""
        every = self.jurisdictions.values()
        own = [j.code for j in every if zone in j.zones] or [
            j.code for j in every if currency in j.currencies
        ]
        return (*own, *(j.code for j in every if not j.zones and not j.currencies))


def _plain(value: Any) -> Any:
    if isinstance(value, Text3):
        return {"ko": value.ko, "zh": value.zh, "en": value.en}
    if isinstance(value, datetime.date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
