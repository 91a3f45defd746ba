"""The text packs of the three languages, read once, and the examples that every rule of a pack carries as its tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from makegood.base.languages import EN, KO, ZH
from makegood.text import matching, timewords
from makegood.text.fold import Folded, normalise
from makegood.text.grammar import Pack, PackError, compiled

__all__ = ["MOST_CHARACTERS", "Pack", "PackError", "failures", "folded", "pack", "read"]

MOST_CHARACTERS = 8_000
"""Matchers read this much of a message: ``re`` has no time limit, and a pasted log must not hold a worker."""

# A run of digits longer than any number costs the patterns of amounts and times quadratic time or worse: its rest is
# hidden behind characters that no pattern knows, one for one, so that every offset stays true.
_ENDLESS_NUMBER = re.compile(r"([\d,.]{48})([\d,.]+)")

_FILES = {KO: "ko.toml", ZH: "zh.toml", EN: "en.toml"}
_LEAST_HITS, _LEAST_MISSES = 3, 2


@cache
def pack(language: str) -> Pack:
    """The pack of "ko", "zh-hans" or "en", compiled once a process (about 0.1 s). KeyError for another language.

    Its examples are not run here: the tests run them for the packs that are shipped.
    """
    return read(files("makegood.packs").joinpath("text", _FILES[language]).read_text("utf-8"))


def read(toml: str, *, check: bool = False) -> Pack:
    """A pack from the text of its file. Raises PackError; with ``check`` also when one of its examples fails."""
    made = compiled(toml)
    failed = failures(made) if check else []
    if failed:
        raise PackError("examples of the pack fail: " + "; ".join(failed[:20]))
    return made


@lru_cache(maxsize=8)
def folded(text: str) -> Folded:
    """``text`` folded for matching, its beginning only; kept for a moment, since several matchers read one message."""
    form = normalise(text[:MOST_CHARACTERS])
    return replace(form, text=_ENDLESS_NUMBER.sub(lambda m: m[1] + "\ufffd" * len(m[2]), form.text))


def failures(made: Pack) -> list[str]:
    """What the pack says about itself and does not hold, as sentences for its author; empty when all is well."""
    checks: tuple[Callable[[Pack], Iterator[str]], ...] = (_rules, _times, _promises, _replies, _types)
    return [failure for check in checks for failure in check(made)]


def _fold(example: str) -> str:
    return normalise(example).text


def _rules(made: Pack) -> Iterator[str]:
    for rule in (*made.rules, *made.signals, *made.slots, *made.strikes, *made.entities):
        if rule.raw.get("kind") in ("length", "pii"):
            continue
        wanted, refused = rule.raw.get("hit", []), rule.raw.get("miss", [])
        if len(wanted) < _LEAST_HITS or len(refused) < _LEAST_MISSES:
            yield f"{rule.id}: needs {_LEAST_HITS} sentences that match and {_LEAST_MISSES} that do not"
        for example in wanted:
            if not matching.hits(made, rule, _fold(example)):
                yield f"{rule.id}: misses {example!r}"
        for example in refused:
            if matching.hits(made, rule, _fold(example)):
                yield f"{rule.id}: wrongly finds {example!r}"


def _times(made: Pack) -> Iterator[str]:
    for example in made.raw.get("time_example", ()):
        want = example["due"] if isinstance(example["due"], list) else [example["due"]]
        got = [due for _, _, due in timewords.named(made, _fold(example["text"]))]
        if got != want:
            yield f"time in {example['text']!r}: {got}, not {want}"


def _promises(made: Pack) -> Iterator[str]:
    for example in made.raw.get("promise_example", ()):
        got = []
        for _, _, kind, times in timewords.committed(made, _fold(example["text"])):
            dues = [due for _, _, due in times]
            first = next((due for due in dues if due != timewords.VAGUE), dues[0] if dues else "-")
            got.append([first, kind])
        if got != example["want"]:
            yield f"promise in {example['text']!r}: {got}, not {example['want']}"


def _replies(made: Pack) -> Iterator[str]:
    for example in made.raw.get("reply_example", ()):
        text = _fold(example["text"])
        got: tuple[Any, Any] = (
            sorted(matching.problems(made, text, example["stage"])),
            matching.missing(made, text, example["stage"]),
        )
        if got != (sorted(example["rules"]), example["missing"]):
            yield f"reply {example['text'][:40]!r}: {got}, not {example['rules']}, {example['missing']}"


def _types(made: Pack) -> Iterator[str]:
    for entry in made.types:
        for example in entry.raw.get("hit", ()):
            got = matching.likely_types(made, _fold(example))[:1]
            if not got or got[0][0] != entry.id:
                yield f"type {entry.id}: {example!r} gives {got}"
