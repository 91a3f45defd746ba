"""The parts of the policy that are about time: by type, warnings of a promise, asking again, asking later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType

from makegood.packs.reading import Entry
from makegood.packs.shapes import LEVELS, ConfirmationRules, Level, PromiseRules, Term, Times

CHANNELS = ("letter", "phone")
_HOURS = ("first_word_hours", "next_word_hours", "decision_hours")


def slower(one: Times, other: Times) -> bool:
    """Whether anything takes longer in ``one``."""
    return (
        one.first_word > other.first_word or one.next_word > other.next_word or one.decision > other.decision
    )


def type_times(
    root: Entry, levels: Mapping[int, Level], types: Mapping[str, Term]
) -> Mapping[tuple[str, int], Times]:
    """The times by (type, level) where they differ from the level's; a row without a level counts for all of them."""
    found: dict[tuple[str, int], Times] = {}
    given: set[tuple[str, int | None]] = set()
    entries = root.entries("type_times", low=0, name="type")
    # Rows for one level come last: they say more than the row for all.
    for entry in sorted(entries, key=lambda e: "level" in e.raw):
        entry.only("type", "level", *_HOURS)
        code = entry.one_of("type", types, "problem type")
        level = entry.level("level") if "level" in entry.raw else None
        if (code, level) in given:
            raise entry.wrong(f"the times of '{code}' are given twice for the same level")
        if not any(key in entry.raw for key in _HOURS):
            raise entry.wrong(f"gives none of {', '.join(_HOURS)}")
        given.add((code, level))
        for n in [level] if level else LEVELS:
            found[code, n] = _changed(entry, found.get((code, n), levels[n].times))
    for code in {code for code, _level in found}:
        every = [found.get((code, n), levels[n].times) for n in LEVELS]
        for n, (lower, higher) in enumerate(pairwise(every), 2):
            if slower(higher, lower):
                raise root.wrong(f"for the type '{code}', level {n} is slower than level {n - 1}")
    return MappingProxyType(found)


def _changed(entry: Entry, times: Times) -> Times:
    first, following, decision = (
        timedelta(hours=entry.above_zero(key)) if key in entry.raw else usual
        for key, usual in zip(_HOURS, (times.first_word, times.next_word, times.decision), strict=True)
    )
    return Times(first, following, decision)


def promise_rules(entry: Entry) -> PromiseRules:
    """When somebody is warned, and what a broken promise does."""
    entry.only(
        "warn_owner_at",
        "warn_lead_at",
        "warn_owner_minutes",
        "warn_lead_minutes",
        "broken_raises_by",
        "broken_at_least",
        "managers_at",
    )
    owner, lead = _part(entry, "warn_owner_at"), _part(entry, "warn_lead_at")
    owner_before = timedelta(minutes=entry.above_zero("warn_owner_minutes"))
    lead_before = timedelta(minutes=entry.above_zero("warn_lead_minutes"))
    if lead < owner or lead_before > owner_before:
        raise entry.wrong("the lead is warned before the owner")
    return PromiseRules(
        warn_owner_at=owner,
        warn_lead_at=lead,
        warn_owner_before=owner_before,
        warn_lead_before=lead_before,
        broken_raises_by=int(entry.above_zero("broken_raises_by", whole=True)),
        broken_at_least=entry.level("broken_at_least"),
        managers_at=int(entry.above_zero("managers_at", whole=True)),
    )


def _part(entry: Entry, key: str) -> float:
    value = entry.above_zero(key)
    if value >= 1:
        raise entry.wrong(f"'{key}' is a part of the time until due: above 0 and below 1, not {value}")
    return float(value)


def confirmation_rules(entry: Entry) -> ConfirmationRules:
    """How often, over how long, when and by which way the customer's word is asked for."""
    entry.only("asks", "over_days", "after_hours", "channels", "answer_hours")
    asks = int(entry.above_zero("asks", whole=True))
    over = timedelta(days=entry.above_zero("over_days", whole=True))
    after = schedule(entry, "after_hours", begins_at_zero=True)
    channels = entry.get("channels", list, "a list of ways")
    if len(after) < asks:
        raise entry.wrong(f"'after_hours' must hold at least {asks} asks, not {len(after)}")
    if after[-1] < over:
        raise entry.wrong(f"'after_hours' must reach over {over.days} days")
    if len(channels) != len(after) or any(c not in CHANNELS for c in channels):
        raise entry.wrong(f"'channels' must hold one of {', '.join(CHANNELS)} for each of 'after_hours'")
    if channels[0] != "letter":
        raise entry.wrong("the first of 'channels' must be 'letter': the telling itself asks")
    if any(later - earlier < timedelta(hours=20) for earlier, later in pairwise(after)):
        raise entry.wrong("between two asks of 'after_hours' must lie at least 20 hours")
    answer = timedelta(hours=entry.above_zero("answer_hours"))
    return ConfirmationRules(asks, over, after, tuple(channels), answer)


def schedule(entry: Entry, key: str, *, begins_at_zero: bool = False) -> tuple[timedelta, ...]:
    """Hours after a beginning, each later than the one before."""
    hours = entry.get(key, list, "a list of hours")
    wrong = [h for h in hours if isinstance(h, bool) or not isinstance(h, int | float) or not 0 <= h < 10_000]
    if not hours or wrong:
        raise entry.wrong(f"'{key}' must hold numbers of hours, from 0 and below 10000")
    if begins_at_zero and hours[0] != 0:
        raise entry.wrong(f"'{key}' must begin at 0: the telling is the first ask")
    if not begins_at_zero and hours[0] == 0:
        raise entry.wrong(f"'{key}' must begin after 0: nobody is asked twice at once")
    if any(later <= earlier for earlier, later in pairwise(hours)):
        raise entry.wrong(f"'{key}' must rise")
    return tuple(timedelta(hours=h) for h in hours)
