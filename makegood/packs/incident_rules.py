"""Building the rules of incidents from their file: which cases look like one fault, and how that is said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from makegood.base.languages import Text3
from makegood.packs.reading import Entry, refuse_twice

#: What cases may have in common, as codes.
KEYS = ("shop", "product", "carrier", "method", "type", "words")
_BLANK = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class Alike:
    """``at_least`` cases that share ``same`` within ``span``, ``times`` as many as usual, look like one fault."""

    code: str
    same: tuple[str, ...]
    span: timedelta
    at_least: int
    times: float
    says: Text3

    @property
    def hours(self) -> float:
        return self.span.total_seconds() / 3600


@dataclass(frozen=True)
class IncidentRules:
    """``rules`` in the order in which they are tried; ``silent``: how long a dismissed cohort is not suggested again."""

    rules: Mapping[str, Alike]
    usual: timedelta
    silent: timedelta
    most_cases: int
    most_affected: int


def build_incidents(root: Entry) -> IncidentRules:
    """The rules that stand in the file ``root``; raises PackError."""
    root.only("rule", "suggestions", "affected")
    entries = root.entries("rule")
    refuse_twice(entries)
    given, affected = root.table("suggestions"), root.table("affected")
    given.only("usual_days", "silent_hours", "most_cases")
    affected.only("most")
    rules = {rule.code: rule for rule in map(_rule, entries)}
    usual = timedelta(days=given.above_zero("usual_days"))
    for entry, rule in zip(entries, rules.values(), strict=True):
        if rule.span * 2 > usual:
            raise entry.wrong("'hours' must be at most half of 'usual_days': else nothing is unusual")
    return IncidentRules(
        rules=MappingProxyType(rules),
        usual=usual,
        silent=timedelta(hours=given.above_zero("silent_hours")),
        most_cases=int(given.above_zero("most_cases", whole=True)),
        most_affected=int(affected.above_zero("most", whole=True)),
    )


def _rule(entry: Entry) -> Alike:
    entry.only("code", "same", "hours", "at_least", "times", "says")
    same = entry.many_of("same", KEYS, "thing that cases share")
    at_least = int(entry.above_zero("at_least", whole=True))
    if at_least < 2:
        raise entry.wrong("'at_least' must be 2 or more: one case is like no other")
    says = entry.text("says")
    for language in ("ko", "zh", "en"):
        named = set(_BLANK.findall(getattr(says, language)))
        if named != {"n", "hours", "usual", *same}:
            raise entry.wrong(
                f"the text in '{language}' must name exactly n, hours, usual and {', '.join(same)}"
            )
    return Alike(
        code=entry.code(),
        same=same,
        span=timedelta(hours=entry.above_zero("hours")),
        at_least=at_least,
        times=entry.above_zero("times"),
        says=says,
    )
