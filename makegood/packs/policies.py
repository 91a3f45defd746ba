"""Building the policy from its file: levels, signals, impacts, closing rules, outside routes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

from makegood.packs.policy_times import (
    confirmation_rules,
    promise_rules,
    schedule,
    slower,
    type_times,
)
from makegood.packs.reading import TEXT3, Entry, refuse_twice
from makegood.packs.shapes import (
    LEVELS,
    AmountStep,
    ImpactRule,
    LetterRules,
    Level,
    OutsideRoute,
    Policy,
    Term,
)

_KEYS = (
    "level",
    "type_times",
    "signals",
    "signals_silent",
    "impact_rule",
    "promises",
    "waiting",
    "confirmation",
    "follow_up",
    "customer_link",
    "outside_route",
    "letters",
)


def build_policy(root: Entry, impacts: Mapping[str, Term], types: Mapping[str, Term]) -> Policy:
    """The policy that stands in the file ``root``; raises PackError. ``impacts`` and ``types``: those of the taxonomy."""
    root.only(*_KEYS)
    signals, silent = _signals(root)
    link, waiting, later = root.table("customer_link"), root.table("waiting"), root.table("follow_up")
    link.only("days")
    waiting.only("ask_after_hours")
    later.only("after_days")
    levels = _levels(root)
    return Policy(
        levels=levels,
        type_times=type_times(root, levels, types),
        promises=promise_rules(root.table("promises")),
        confirmation=confirmation_rules(root.table("confirmation")),
        waiting_asks=schedule(waiting, "ask_after_hours"),
        follow_up=timedelta(days=later.above_zero("after_days")),
        signals=signals,
        silent_signals=silent,
        impact_rules=_impact_rules(root, impacts),
        customer_link=timedelta(days=link.above_zero("days", whole=True)),
        outside_routes=_routes(root),
        letters=_letters(root.table("letters")),
    )


def _levels(root: Entry) -> Mapping[int, Level]:
    entries = root.entries("level", name="level")
    refuse_twice(entries, "level")
    levels = {level.level: level for level in map(_level, entries)}
    for wanted in LEVELS:
        if wanted not in levels:
            raise root.wrong(f"the level {wanted} is missing")
    for lower, higher in pairwise(levels[n] for n in LEVELS):
        # A ratchet that makes the case slower when it turns would punish who raised it.
        if slower(higher.times, lower.times):
            raise root.wrong(f"level {higher.level} is slower than level {lower.level}")
    return MappingProxyType(dict(sorted(levels.items())))


def _level(entry: Entry) -> Level:
    entry.only("level", "first_word_hours", "next_word_hours", "decision_hours", "ko", "zh", "en", "says")
    return Level(
        level=entry.level("level"),
        name=entry.own_text(),
        says=entry.text("says"),
        first_word=timedelta(hours=entry.above_zero("first_word_hours")),
        next_word=timedelta(hours=entry.above_zero("next_word_hours")),
        decision=timedelta(hours=entry.above_zero("decision_hours")),
    )


def _signals(root: Entry) -> tuple[Mapping[str, int], frozenset[str]]:
    table, silent = root.table("signals"), root.table("signals_silent")
    silent.only("ids")
    ids = silent.get("ids", list, "a list of signal ids")
    for signal in ids:
        if not isinstance(signal, str):
            raise silent.wrong(f"a signal id must be text, not {signal!r}")
        if signal in table.raw:
            raise silent.wrong(f"'{signal}' is silent and has a level too")
    return MappingProxyType({signal: table.level(signal) for signal in table.raw}), frozenset(ids)


def _impact_rules(root: Entry, impacts: Mapping[str, Term]) -> Mapping[str, ImpactRule]:
    entries = root.entries("impact_rule", name="impact")
    refuse_twice(entries, "impact")
    rules = {rule.impact: rule for rule in (_impact_rule(e, impacts) for e in entries)}
    for impact in impacts:
        if impact not in rules:
            raise root.wrong(f"the impact '{impact}' has no impact_rule")
    return MappingProxyType(rules)


def _impact_rule(entry: Entry, impacts: Mapping[str, Term]) -> ImpactRule:
    entry.only("impact", "level", "amounts")
    steps = tuple(_amount_step(e) for e in entry.entries("amounts", low=0, name="currency"))
    for currency in {s.currency for s in steps}:
        own = sorted((s for s in steps if s.currency == currency), key=lambda s: s.at_least)
        if own[0].at_least != 0:
            raise entry.wrong(f"the amounts in {currency} must begin at 0: any loss counts")
        for less, more in pairwise(own):
            if more.at_least == less.at_least or more.level <= less.level:
                raise entry.wrong(f"in {currency}, a greater amount must demand a higher level")
    return ImpactRule(entry.one_of("impact", impacts, "impact"), entry.level("level"), steps)


def _amount_step(entry: Entry) -> AmountStep:
    entry.only("currency", "at_least", "level")
    currency: str = entry.get("currency", str, "a currency code")
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise entry.wrong(f"'{currency}' is not a currency code of three capital letters")
    at_least: int = entry.get("at_least", int, "a whole number of the currency's main unit")
    if at_least < 0:
        raise entry.wrong(f"'at_least' must be 0 or more, not {at_least}")
    return AmountStep(currency, Decimal(at_least), entry.level("level"))


def _routes(root: Entry) -> tuple[OutsideRoute, ...]:
    entries = root.entries("outside_route")
    refuse_twice(entries)
    for entry in entries:
        entry.only("code", "languages", "name", "how")
    routes = tuple(
        OutsideRoute(e.code(), e.many_of("languages", TEXT3, "pack language"), e.text("name"), e.text("how"))
        for e in entries
    )
    for language in TEXT3:
        count = sum(language in route.languages for route in routes)
        if count != 1:
            raise root.wrong(f"the language '{language}' must have exactly one outside_route, not {count}")
    return routes


def _letters(table: Entry) -> LetterRules:
    table.only("reopen_within_days", "opens_per_hour", "opens_per_day", "aside")
    hour = int(table.above_zero("opens_per_hour", whole=True))
    day = int(table.above_zero("opens_per_day", whole=True))
    if day < hour:
        raise table.wrong(f"'opens_per_day' ({day}) is below 'opens_per_hour' ({hour})")
    return LetterRules(
        reopen_within=timedelta(days=table.above_zero("reopen_within_days", whole=True)),
        opens_per_hour=hour,
        opens_per_day=day,
        aside=tuple(_aside(entry) for entry in table.entries("aside", low=0, name="header")),
    )


def _aside(entry: Entry) -> tuple[str, str]:
    entry.only("header", "says")
    header: str = entry.get("header", str, "the name of a header")
    says: str = entry.get("says", str, "a word that the header holds")
    # An empty word stands in every header: each letter that has it would be set aside.
    if not says.strip() or not (header.isascii() and header.replace("-", "").isalnum()):
        raise entry.wrong("a header's name is letters, digits and hyphens, and 'says' is not empty")
    return header.lower(), says.strip().lower()
