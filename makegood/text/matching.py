"""What the rules of a pack find in folded text."""

from __future__ import annotations

import re
from bisect import bisect_right

from makegood.text.grammar import Pack, Rule, sentences
from makegood.text.timewords import firm

Hit = tuple[int, int]
"""(start, end), offsets in the folded text."""


def hits(pack: Pack, rule: Rule, text: str) -> list[Hit]:
    """Where ``rule`` finds something in ``text``.

    A hit is cancelled by an ``unless`` in its sentence, and with ``unless_time`` by a firm time in its sentence or
    in one beside it; with ``unless_both`` only by both, each in its sentence or in one beside it.
    """
    if rule.found is None:
        return []
    matches = list(rule.found.finditer(text))
    if not matches:
        return []
    if rule.unless is None and not rule.unless_time:
        return [_trimmed(match) for match in matches]
    parts = sentences(text)
    # Asked once a sentence, not once a hit: thousands of hits in one endless sentence took seconds.
    starts = [start for start, _ in parts]
    which = [max(0, bisect_right(starts, match.start()) - 1) for match in matches]
    gone = {index: _cancelled(pack, rule, text, parts, index) for index in set(which)}
    return [_trimmed(match) for match, index in zip(matches, which, strict=True) if not gone[index]]


def _trimmed(match: re.Match[str]) -> Hit:
    """Without the blanks that a pattern may have taken along: a quotation begins and ends with a word."""
    found = match.group()
    return match.start() + len(found) - len(found.lstrip()), match.start() + len(found.rstrip())


def _cancelled(pack: Pack, rule: Rule, text: str, parts: list[tuple[int, int]], index: int) -> bool:
    start, end = parts[index]
    before, after = parts[max(0, index - 1)], parts[min(len(parts) - 1, index + 1)]
    around = text[before[0] : after[1]].strip()
    if rule.raw.get("unless_both"):
        return bool(rule.unless and rule.unless.search(around)) and firm(pack, around)
    if rule.unless and rule.unless.search(text[start:end]):
        return True
    return rule.unless_time and firm(pack, around)


def problems(pack: Pack, text: str, stage: str) -> list[str]:
    """The ids of the rules that a reply of ``stage`` breaks by its words alone; what needs the case is in ``checks``."""
    out = []
    for rule in pack.rules:
        kind = rule.raw.get("kind")
        if kind == "length":
            if not rule.raw["min_chars"].get(stage, 0) <= len(text) <= rule.raw["max_chars"]:
                out.append(rule.id)
        elif kind is None and hits(pack, rule, text):
            out.append(rule.id)
    return out


def missing(pack: Pack, text: str, stage: str) -> list[str]:
    """The ids of the slots that a reply of ``stage`` needs and does not have."""
    slots = {slot.id: slot for slot in pack.slots}

    def there(slot: Rule) -> bool:
        return firm(pack, text) if slot.raw.get("from_times") else bool(hits(pack, slot, text))

    return [name for name in pack.stages[stage] if not there(slots[name])]


def likely_types(pack: Pack, text: str) -> list[tuple[str, float]]:
    """Problem types by the words of the pack alone, best first: for its own examples, never to be shown as certain."""
    scores: dict[str, float] = {}
    for entry in pack.types:
        score = sum(w * (1 + min(len(term), 12) / 24) for w, term, found in entry.words if found.search(text))
        score += 4 * sum(1 for pattern in entry.patterns if pattern.search(text))
        if score > 0:
            scores[entry.id] = score
    return sorted(scores.items(), key=lambda pair: -pair[1])
