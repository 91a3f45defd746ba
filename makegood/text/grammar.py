"""The format of a text pack: terms and patterns compiled, and cutting a text into sentences.

A term is literal: a blank matches any blanks (none, too, in Korean and Chinese), ``..`` a short gap inside one
sentence, ``*`` an ending. A pattern is a regular expression over folded text. ``{{name}}`` in a pattern is a macro.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from makegood.base.languages import closest
from makegood.text.fold import normalise, simplify, table

_SENTENCE_END = re.compile(
    r"(?<!\d)\.+(?!\d)|\.(?=\s|$)|[!?。！？\n;；]+|(?<=[가-힣][다요죠까네]) +(?=[가-힣a-z0-9])"
)
_DEEPEST_MACRO = 4


class PackError(ValueError):
    """A pack that cannot be used: unreadable, or its own examples fail."""


@dataclass(frozen=True)
class Rule:
    """One entry of a pack that looks for something: a rule, slot, signal or entity."""

    id: str
    found: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    unless_time: bool
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class TypeWords:
    """The words of one problem type: (weight, as written, compiled)."""

    id: str
    words: tuple[tuple[int, str, re.Pattern[str]], ...]
    patterns: tuple[re.Pattern[str], ...]
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class TimePattern:
    """A way to say a time, and the template of its due code."""

    id: str
    found: re.Pattern[str]
    due: str


@dataclass(frozen=True)
class Pack:
    """A text pack of one language, ready to match folded text. ``raw`` is the file as read."""

    language: str
    loose: bool
    numbers: Mapping[str, int]
    units: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    rules: tuple[Rule, ...]
    slots: tuple[Rule, ...]
    strikes: tuple[Rule, ...]
    signals: tuple[Rule, ...]
    entities: tuple[Rule, ...]
    types: tuple[TypeWords, ...]
    times: tuple[TimePattern, ...]
    commit: re.Pattern[str] | None
    not_commit: re.Pattern[str] | None
    kinds: tuple[tuple[str, re.Pattern[str] | None], ...]
    stages: Mapping[str, Sequence[str]]
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class _Compiler:
    loose: bool
    gap: int
    edges: bool
    macros: Mapping[str, str]

    def pattern(self, source: str) -> str:
        """With its macros written out and its traditional characters folded."""
        for _ in range(_DEEPEST_MACRO):
            source = re.sub(r"\{\{(\w+)\}\}", lambda m: self.macros[m.group(1)], source)
        return simplify(source)

    def term(self, source: str) -> str:
        """A literal term as a regular expression; the edge before a word is left to the caller."""
        term = normalise(source).text
        blank = r"\s*" if self.loose else r"\s+"
        parts = (re.escape(part).replace(r"\*", r"\w*").replace(r"\ ", blank) for part in term.split(".."))
        found = rf"[^.!?。！？\n]{{0,{self.gap}}}?".join(parts)
        if self.edges and re.search(r"[a-z0-9]$", term):
            found += r"(?![a-z0-9])"
        return found

    def begins_a_word(self, source: str) -> bool:
        return self.edges and re.match(r"[a-z0-9]", normalise(source).text) is not None

    def any_of(self, terms: Sequence[str], patterns: Sequence[str] = ()) -> re.Pattern[str] | None:
        """One expression for all of them, longer terms first; None when there are none."""
        by_length = sorted(terms, key=len, reverse=True)
        sources = [self.term(term) for term in by_length if not self.begins_a_word(term)]
        words = [self.term(term) for term in by_length if self.begins_a_word(term)]
        if words:
            # One look back for all of them: as the first thing of each word it kept the engine from skipping words
            # by their first letter, and made the English signals four times slower.
            sources.insert(0, r"(?<![a-z0-9])(?:" + "|".join(words) + ")")
        sources += [self.pattern(pattern) for pattern in patterns]
        return re.compile("|".join(f"(?:{source})" for source in sources)) if sources else None

    def rule(self, raw: Mapping[str, Any]) -> Rule:
        return Rule(
            raw["id"],
            self.any_of(raw.get("terms", ()), raw.get("patterns", ())),
            self.any_of(raw.get("unless", ()), raw.get("unless_patterns", ())),
            bool(raw.get("unless_time")),
            raw,
        )

    def type(self, raw: Mapping[str, Any]) -> TypeWords:
        words = tuple(
            (
                weight,
                term,
                re.compile((r"(?<![a-z0-9])" if self.begins_a_word(term) else "") + self.term(term)),
            )
            for key, weight in (("strong", 3), ("weak", 1), ("against", -3))
            for term in raw.get(key, ())
        )
        patterns = tuple(re.compile(self.pattern(source)) for source in raw.get("patterns", ()))
        return TypeWords(raw["id"], words, patterns, raw)


def compiled(toml: str) -> Pack:
    """A pack from the text of its file. Raises PackError when it cannot be read or compiled."""
    try:
        return _compiled(tomllib.loads(toml))
    except (tomllib.TOMLDecodeError, re.error, KeyError, TypeError, AttributeError) as error:
        raise PackError(f"the pack cannot be read: {error!r}") from error


def _compiled(raw: Mapping[str, Any]) -> Pack:
    about, promise = raw["pack"], raw.get("promise", {})
    # The folds of a pack and the table of the house must agree: one text has one folded form, whoever reads it.
    missing = {a: b for a, b in raw.get("fold", {}).items() if table().get(ord(a)) != b}
    if missing:
        raise PackError(f"folds that packs/text/fold.txt does not have: {missing}")
    make = _Compiler(
        loose=about.get("space", "loose") == "loose",
        gap=about.get("gap", 12),
        edges=about.get("word_edges", False),
        macros=raw.get("macros", {}),
    )
    return Pack(
        language=closest(about["lang"]),
        loose=make.loose,
        numbers=_folded_keys(raw.get("numbers", {})),
        units=_folded_keys(raw.get("units", {})),
        words={name: _folded_keys(words) for name, words in raw.get("words", {}).items()},
        rules=tuple(make.rule(rule) for rule in raw.get("rule", ())),
        slots=tuple(make.rule(rule) for rule in raw.get("slot", ())),
        strikes=tuple(make.rule(rule) for rule in raw.get("strike", ())),
        signals=tuple(make.rule(rule) for rule in raw.get("signal", ())),
        entities=tuple(make.rule(rule) for rule in raw.get("entity", ())),
        types=tuple(make.type(entry) for entry in raw.get("type", ())),
        times=tuple(
            TimePattern(time["id"], re.compile(make.pattern(time["pattern"])), time["due"])
            for time in raw.get("time", ())
        ),
        commit=make.any_of(promise.get("commit", ()), promise.get("commit_patterns", ())),
        not_commit=make.any_of(promise.get("not_commit", ()), promise.get("not_commit_patterns", ())),
        kinds=tuple(
            (kind["id"], make.any_of(kind.get("terms", ()), kind.get("patterns", ())))
            for kind in promise.get("what", ())
        ),
        stages=raw.get("stage", {}),
        raw=raw,
    )


def _folded_keys(table_: Mapping[str, Any]) -> dict[str, Any]:
    return {normalise(key).text: value for key, value in table_.items()}


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each sentence of a folded text begins and ends; the whole text when there is no end in it."""
    out: list[tuple[int, int]] = []
    start = 0
    for end in (*(found.end() for found in _SENTENCE_END.finditer(text)), len(text)):
        if text[start:end].strip():
            out.append((start, end))
        start = end
    return out or [(0, len(text))]
