"""What a reply is checked for, as its pack (``checks.toml``) says it: how grave, why, how to mend it, and its examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from makegood.base.languages import closest
from makegood.packs.errors import PackError
from makegood.packs.reading import TEXT3, Entry, locate, overlay, read, refuse_twice

if TYPE_CHECKING:
    from makegood.base.languages import Text3

LEVELS = ("off", "advise", "warn", "justify")
"""From silence to 'sent only with a typed reason'."""

_FACTS = {"apologised": int, "verified": bool, "name": str, "own": list}


@dataclass(frozen=True)
class Tried:
    """An example of a rule that needs the case: a text of a stage, the facts beside it, and whether it is found."""

    language: str
    stage: str
    text: str
    facts: Mapping[str, Any]
    finds: bool


@dataclass(frozen=True)
class ReplyRule:
    """One check of a reply. ``level`` is one of LEVELS: what it is until a lead switches it for a team."""

    code: str
    level: str
    title: Text3
    why: Text3
    mend: Text3
    tried: tuple[Tried, ...]


def reply_rules() -> Mapping[str, ReplyRule]:
    """Every check by its code, in the order of the pack; raises PackError when the pack is wrong."""
    return _reply_rules(overlay())


@lru_cache(maxsize=8)
def _reply_rules(folder: str) -> Mapping[str, ReplyRule]:
    root = read(locate("checks.toml", folder))
    root.only("rule")
    entries = root.entries("rule")
    refuse_twice(entries)
    found = {rule.code: rule for rule in map(_rule, entries)}
    if folder:
        # Overrides and the switches of teams hold these codes: an edited copy may add some and lose none.
        for code in _reply_rules(""):
            if code not in found:
                raise PackError(root.file, "rule", f"the code '{code}' is missing; the checks need it")
    return MappingProxyType(found)


def _rule(entry: Entry) -> ReplyRule:
    entry.only("code", "level", "title", "why", "mend", "tried")
    return ReplyRule(
        code=entry.code(),
        level=entry.one_of("level", LEVELS, "level"),
        title=entry.text("title"),
        why=entry.text("why"),
        mend=entry.text("mend"),
        tried=tuple(_tried(e) for e in entry.entries("tried", low=0, name="text")),
    )


def _tried(entry: Entry) -> Tried:
    entry.only("language", "stage", "text", "finds", *_FACTS)
    facts = {key: entry.get(key, kind, kind.__name__) for key, kind in _FACTS.items() if key in entry.raw}
    return Tried(
        language=closest(entry.one_of("language", TEXT3, "language")),
        stage=entry.get("stage", str, "a stage"),
        text=entry.get("text", str, "a text"),
        facts=MappingProxyType(facts),
        finds=entry.flag("finds"),
    )
