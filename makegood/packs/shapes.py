"""What the packs hold, as frozen values. Codes are stored in cases; texts are for people, in three languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from makegood.base.languages import EN, KO, ZH, Text3, closest
from makegood.packs.errors import UnknownCode

INPUTS = ("text", "order_no", "date", "amount", "choice")
LEVELS = range(1, 6)
PACK_LANGUAGES = {KO: "ko", ZH: "zh", EN: "en"}


@dataclass(frozen=True)
class Term:
    """A word of a vocabulary: family, responsibility, impact, party, remedy, source."""

    code: str
    name: Text3


@dataclass(frozen=True)
class Proof(Term):
    """What counts as proof that a fix holds; ``says`` is what the one who verified asserts by choosing it."""

    says: Text3


@dataclass(frozen=True)
class Item:
    """One short line that can be ticked; ``code`` is unique within its playbook (or kind)."""

    code: str
    text: Text3


@dataclass(frozen=True)
class Kind(Term):
    """Technical, mistake or security, with the steps of its response and its aftercare (mission A1)."""

    says: Text3
    response: tuple[Item, ...]
    aftercare: tuple[Item, ...]


@dataclass(frozen=True)
class Type(Term):
    """A problem type; ``kind``, ``responsibility`` and ``urgency`` (1..5) are where a case starts, not a verdict."""

    says: Text3
    family: str
    kind: str
    responsibility: str
    urgency: int


@dataclass(frozen=True)
class Question(Item):
    """To ask the customer. ``input`` is one of INPUTS; ``choices`` only with "choice"; ``at_report``: in the form."""

    input: str
    at_report: bool
    choices: tuple[Item, ...]


@dataclass(frozen=True)
class Fact(Item):
    """To collect; ``source`` is the code of the source where it is usually found."""

    source: str


@dataclass(frozen=True)
class Cause(Item):
    """To rule out; ``responsibility`` is whose it would be, if this were the cause."""

    responsibility: str


@dataclass(frozen=True)
class Playbook:
    """What to ask, collect, rule out, offer and do afterwards for one problem type."""

    type: str
    involve: tuple[str, ...]
    offers: tuple[str, ...]
    questions: tuple[Question, ...]
    facts: tuple[Fact, ...]
    causes: tuple[Cause, ...]
    aftercare: tuple[Item, ...]

    @property
    def at_report(self) -> tuple[Question, ...]:
        """The questions that the customer's report form shows (1-3)."""
        return tuple(q for q in self.questions if q.at_report)

    def items(self) -> Iterator[Item]:
        """Everything that can be ticked, in the order in which it is worked through."""
        yield from self.questions
        yield from self.facts
        yield from self.causes
        yield from self.aftercare

    def item(self, code: str) -> Item:
        """The item with this code; raises UnknownCode (a team may have taken it out since it was ticked)."""
        for item in self.items():
            if item.code == code:
                return item
        raise UnknownCode(f"item of the playbook {self.type}", code)


@dataclass(frozen=True)
class Taxonomy:
    """Every vocabulary by code, in the order of the file. The lookups raise UnknownCode."""

    kinds: Mapping[str, Kind]
    families: Mapping[str, Term]
    types: Mapping[str, Type]
    responsibilities: Mapping[str, Term]
    impacts: Mapping[str, Term]
    parties: Mapping[str, Term]
    remedies: Mapping[str, Term]

    def kind(self, code: str) -> Kind:
        if code not in self.kinds:
            raise UnknownCode("kind", code)
        return self.kinds[code]

    def type(self, code: str) -> Type:
        if code not in self.types:
            raise UnknownCode("problem type", code)
        return self.types[code]

    def types_of(self, family: str) -> tuple[Type, ...]:
        """The types of one family, in the order of the file."""
        if family not in self.families:
            raise UnknownCode("family", family)
        return tuple(t for t in self.types.values() if t.family == family)


@dataclass(frozen=True)
class Sources:
    """Where facts come from, and what proves a fix."""

    sources: Mapping[str, Term]
    proofs: Mapping[str, Proof]


@dataclass(frozen=True)
class Times:
    """How soon we speak and decide."""

    first_word: timedelta
    next_word: timedelta
    decision: timedelta


@dataclass(frozen=True)
class PromiseRules:
    """When somebody is warned of a promise that falls due, and what a broken one does."""

    warn_owner_at: float
    warn_lead_at: float
    warn_owner_before: timedelta
    warn_lead_before: timedelta
    broken_raises_by: int
    broken_at_least: int
    managers_at: int

    def broken_level(self, present: int) -> int:
        """The level that a broken promise demands of a case at ``present``."""
        return min(max(present + self.broken_raises_by, self.broken_at_least), max(LEVELS))


@dataclass(frozen=True)
class ConfirmationRules:
    """How the customer's own word is asked for: when after the telling, by which way, and when silence ends it."""

    asks: int
    over: timedelta
    after: tuple[timedelta, ...]
    channels: tuple[str, ...]
    answer: timedelta


@dataclass(frozen=True)
class Level:
    """An urgency level (1..5) and the default times until the first word, between later words, and until a decision."""

    level: int
    name: Text3
    says: Text3
    first_word: timedelta
    next_word: timedelta
    decision: timedelta

    @property
    def times(self) -> Times:
        return Times(self.first_word, self.next_word, self.decision)


@dataclass(frozen=True)
class AmountStep:
    """From ``at_least`` (whole units: won, yuan, dollars) in ``currency`` (ISO 4217) on, ``level`` is demanded."""

    currency: str
    at_least: Decimal
    level: int


@dataclass(frozen=True)
class ImpactRule:
    """The level that an impact demands; with ``amounts``, ``level`` stands while the amount is not known."""

    impact: str
    level: int
    amounts: tuple[AmountStep, ...]

    def level_for(self, amount: Decimal | None, currency: str) -> int:
        """``amount`` in whole units, not negative. A currency without steps takes the highest (law 3)."""
        if not self.amounts or amount is None:
            return self.level
        if amount < 0:
            raise ValueError(f"money lost cannot be negative: {amount}")
        steps = [s for s in self.amounts if s.currency == currency]
        if not steps:
            return max(s.level for s in self.amounts)
        return max(s.level for s in steps if s.at_least <= amount)


@dataclass(frozen=True)
class OutsideRoute:
    """Where a customer who disagrees can go; the route itself is told in the customer's language."""

    code: str
    languages: tuple[str, ...]
    name: Text3
    how: Text3


@dataclass(frozen=True)
class LetterRules:
    """What is done with letters that come in. ``aside``: (header in small letters, a word in it) that sets one aside."""

    reopen_within: timedelta
    opens_per_hour: int
    opens_per_day: int
    aside: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Policy:
    """Times, thresholds and rules of handling that a team may edit."""

    levels: Mapping[int, Level]
    signals: Mapping[str, int]
    silent_signals: frozenset[str]
    impact_rules: Mapping[str, ImpactRule]
    type_times: Mapping[tuple[str, int], Times]
    promises: PromiseRules
    confirmation: ConfirmationRules
    waiting_asks: tuple[timedelta, ...]
    follow_up: timedelta
    customer_link: timedelta
    outside_routes: tuple[OutsideRoute, ...]
    letters: LetterRules

    def level(self, level: int) -> Level:
        if level not in self.levels:
            raise UnknownCode("urgency level", level)
        return self.levels[level]

    def times(self, level: int, type_code: str = "") -> Times:
        """The times of a case at this level, of this problem type ('' while it is not sorted)."""
        return self.type_times.get((type_code, level)) or self.level(level).times

    def signal_level(self, signal: str) -> int | None:
        """The level that a signal of the text pack demands; None when it says nothing of urgency."""
        if signal in self.silent_signals:
            return None
        if signal not in self.signals:
            raise UnknownCode("signal", signal)
        return self.signals[signal]

    def impact_level(self, impact: str, amount: Decimal | None = None, currency: str = "") -> int:
        """The level that an impact demands; ``amount`` in whole units of ``currency`` (ISO 4217), None: not known."""
        if impact not in self.impact_rules:
            raise UnknownCode("impact", impact)
        return self.impact_rules[impact].level_for(amount, currency)

    def outside_route(self, language: str | None) -> OutsideRoute:
        """The route told first to a customer who speaks ``language`` (any form of a code; unknown: English)."""
        wanted = PACK_LANGUAGES[closest(language)]
        return next(r for r in self.outside_routes if wanted in r.languages)
