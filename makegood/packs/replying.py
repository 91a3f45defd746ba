"""What a reply is checked for (``checks.toml``: how grave, why, how to mend it), and the ready-made ones (``replies.toml``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from makegood.base.languages import Text3, closest
from makegood.packs.errors import PackError
from makegood.packs.reading import TEXT3, Entry, locate, overlay, read, refuse_twice

LEVELS = ("off", "advise", "warn", "justify")
"""From silence to 'sent only with a typed reason'."""

SHORT = re.compile(r"[0-9a-z가-힣\u4e00-\u9fff][0-9a-z가-힣\u4e00-\u9fff_-]{0,39}")
"""What is typed behind '/' for a ready-made reply: one word, small letters."""

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


@dataclass(frozen=True)
class Shipped:
    """A ready-made reply that comes with the house: its code, its name, and its text in three languages."""

    code: str
    stage: str
    name: Text3
    text: Text3


def shipped_replies() -> Mapping[str, Shipped]:
    """The ready-made replies that a team begins with, by code; raises PackError when the pack is wrong."""
    return _shipped(overlay())


@lru_cache(maxsize=8)
def _shipped(folder: str) -> Mapping[str, Shipped]:
    root = read(locate("replies.toml", folder))
    root.only("reply")
    found: dict[str, Shipped] = {}
    for entry in root.entries("reply"):
        entry.only("code", "stage", "name", *TEXT3)
        code: str = entry.get("code", str, "a short word")
        if not SHORT.fullmatch(code) or code in found:
            raise entry.wrong(f"'{code}' is not a short word of its own")
        text = entry.own_text()
        found[code] = Shipped(
            code=code,
            stage=entry.get("stage", str, "a stage"),
            name=entry.text("name"),
            text=Text3(text.ko.strip(), text.zh.strip(), text.en.strip()),
        )
    return MappingProxyType(found)
