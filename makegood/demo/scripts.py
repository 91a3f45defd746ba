"""The demo's texts: scenario scripts and the phrases around them, read from ``texts/`` (one file per language and family)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from makegood.base.languages import EN, KO, ZH

TEXTS = Path(__file__).parent / "texts"
FILES = {KO: "ko", ZH: "zh", EN: "en"}


@dataclass(frozen=True)
class Script:
    """One course of a problem, with variations; ``{…}`` in a text is filled from the case (``fields_of`` in story.py).

    ``report`` is a list of parts, each a list of variations: the n-th use of a script takes the n-th of every part,
    so that no two cases read alike. ``answers`` tick the playbook's questions; ``merchant`` is (their words, ours).
    """

    id: str
    type: str
    products: list[str]
    report: list[list[str]]
    more: list[str]
    reply: list[str]
    progress: list[str]
    facts: list[tuple[str, str]]
    remedy: str
    cause: str
    fix: str
    proof: str
    reference: str
    seen: str
    tell: list[str]
    good: list[str]
    partly: str
    answers: dict[str, str] = field(default_factory=dict)
    wait: str = "specialist"
    merchant: list[str] = field(default_factory=list)
    language: str = EN


@cache
def scripts(language: str) -> tuple[Script, ...]:
    """Every script of one language ("ko", "zh-hans", "en"), in the order of the files."""
    found: list[Script] = []
    for file in sorted(TEXTS.glob(f"{FILES[language]}_*.toml")):
        for raw in tomllib.loads(file.read_text(encoding="utf-8"))["script"]:
            found.append(Script(**{**raw, "facts": [(s, t) for s, t in raw["facts"]], "language": language}))
    return tuple(found)


@cache
def phrases(language: str) -> dict[str, Any]:
    """What is said around the scripts: greetings, closings, the words of every ending."""
    return tomllib.loads((TEXTS / f"{FILES[language]}.toml").read_text(encoding="utf-8"))


def pick(texts: str | list[str], turn: int) -> str:
    """The variation for the n-th use."""
    return texts if isinstance(texts, str) else texts[turn % len(texts)]


def report_text(script: Script, turn: int) -> str:
    """The customer's first words in the n-th variation, before they are filled."""
    glue = "" if script.language == ZH else " "
    return glue.join(pick(part, turn) for part in script.report)
