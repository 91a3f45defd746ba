"""What is missing or wrong in a reply before it is sent: each finding with its place. Pure; it never changes a word.

The words come from the packs of the three languages (rules and slots), the explanations from ``packs/checks.toml``. What a
text alone cannot tell (who reads it, what was verified) comes in as :class:`Facts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from makegood.base.languages import EN
from makegood.text import entities, private
from makegood.text.entities import Entity
from makegood.text.fold import Folded
from makegood.text.grammar import Pack, Rule
from makegood.text.language import detect
from makegood.text.lexicon import folded, pack
from makegood.text.matching import hits, missing
from makegood.text.private import Own

MOST_OF_ONE = 5
"""So many places of one rule are named; the writer has understood by then."""


@dataclass(frozen=True)
class Facts:
    """What the case knows.

    ``language`` and ``name`` are the customer's ('' when unknown); ``own`` holds what is theirs to read (email, phone,
    order numbers), ``said`` all that they wrote themselves. ``apologised`` counts our apologies in this round;
    ``verified`` says that a verification stands, ``approved`` that a remedy was recorded and verified.
    """

    language: str = ""
    name: str = ""
    own: frozenset[str] = frozenset()
    said: str = ""
    apologised: int = 0
    verified: bool = False
    approved: bool = False


@dataclass(frozen=True)
class Finding:
    """``rule`` is a code of ``packs/checks.toml``; offsets and ``quote`` are the text's own, (0, 0, '') for the whole."""

    rule: str
    start: int = 0
    end: int = 0
    quote: str = ""
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)


def check(text: str, language: str, stage: str, facts: Facts) -> list[Finding]:
    """All findings in a reply of ``stage`` (a key of [stage] in the packs), in the order of the text, the whole last.

    The rules of ``language`` ("ko", "zh-hans", "en") are applied. Empty text has no findings: the verb refuses it itself.
    """
    if not text.strip():
        return []
    book, form = pack(language), folded(text)
    own, named = private.Own(facts.own, facts.said), entities.find(text, language)
    private_data = private.of_others(text, own, named, MOST_OF_ONE)
    found = [
        *_by_words(book, form, facts),
        *(Finding("pii", *hit, text[slice(*hit)]) for hit in private_data),
        *_names(text, language, facts),
        *_orders(named, own),
        *_whole(book, form, stage, facts),
    ]
    return sorted(found, key=lambda one: (one.end == 0, one.start, one.end, one.rule))


def apologises(text: str, language: str) -> bool:
    """Whether a message says sorry."""
    book, form = pack(language), folded(text)
    return bool(hits(book, _slot(book, "apology"), form.text))


def _slot(book: Pack, name: str) -> Rule:
    return next(slot for slot in book.slots if slot.id == name)


def _by_words(book: Pack, form: Folded, facts: Facts) -> Iterator[Finding]:
    excused = {"done.claimed"} if facts.verified else set()
    excused |= {"promise.money"} if facts.approved else set()
    for rule in book.rules:
        if rule.raw.get("kind") in ("length", "pii") or rule.id in excused:
            continue
        for hit in hits(book, rule, form.text)[:MOST_OF_ONE]:
            yield _at(rule.id, form, *hit)
    if facts.apologised:
        for hit in hits(book, _slot(book, "apology"), form.text)[:1]:
            yield _at("apology.again", form, *hit, n=facts.apologised)


def _at(rule: str, form: Folded, start: int, end: int, **params: Any) -> Finding:
    first, last = form.span(start, end)
    return Finding(rule, first, last, form.original[first:last], params)


def _names(text: str, language: str, facts: Facts) -> Iterator[Finding]:
    for start, end in private.other_name(text, language, facts.name):
        yield Finding("name.other", start, end, text[start:end], {"name": facts.name})


def _orders(named: Sequence[Entity], own: Own) -> Iterator[Finding]:
    for found in named:
        # The quotation may hold the word 'order' too; the number alone is what is compared.
        if found.kind == entities.ORDER and not own.knows(found.value) and not own.knows(found.quote):
            yield Finding("order.other", found.start, found.end, found.quote)


def _whole(book: Pack, form: Folded, stage: str, facts: Facts) -> Iterator[Finding]:
    length = next(rule for rule in book.rules if rule.raw.get("kind") == "length").raw
    least, most = length["min_chars"].get(stage, 0), length["max_chars"]
    if len(form.text) < least:
        yield Finding("cold.short", params={"length": len(form.text), "least": least})
    if len(form.text) > most:
        yield Finding("cold.long", params={"length": len(form.text), "most": most})
    wrote = detect(form.original, default=facts.language or EN)
    if facts.language and wrote != facts.language:
        # Slots of another language would all be 'missing': one finding says it all.
        yield Finding("language.other", params={"wrote": wrote, "speaks": facts.language})
        return
    for slot in missing(book, form.text, stage):
        yield Finding(f"missing.{slot}")
