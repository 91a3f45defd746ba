"""Times and promises in folded text, as a pack spells them: the pure part of :mod:`makegood.text.times`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from makegood.base.languages import ZH
from makegood.text.grammar import Pack, sentences

VAGUE = "vague"
_CHINESE_DIGITS = {**{digit: value for value, digit in enumerate("零一二三四五六七八九")}, "两": 2}
_AFTERNOON = ("18:00", "20:00", "23:59", "pm")

Named = tuple[int, int, str]
"""(start, end, due code), offsets in the folded text."""


def named(pack: Pack, text: str) -> list[Named]:
    """Every time in ``text``, in its order; where two patterns overlap, the one earlier in the pack wins."""
    hits: list[Named] = []
    for time in pack.times:
        for match in time.found.finditer(text):
            if any(match.start() < end and match.end() > start for start, end, _ in hits):
                continue
            due = _due(pack, time.due, {name: value for name, value in match.groupdict().items() if value})
            if due is not None:
                blanks = len(match.group()) - len(match.group().lstrip())
                hits.append((match.start() + blanks, match.start() + len(match.group().rstrip()), due))
    return sorted(hits)


def firm(pack: Pack, text: str) -> bool:
    """Whether ``text`` names a time that can be kept or broken."""
    return any(due != VAGUE for _, _, due in named(pack, text))


def committed(pack: Pack, text: str) -> list[tuple[int, int, str, list[Named]]]:
    """The sentences of ``text`` that commit: start, end, kind of promise, and the times they name."""
    out = []
    for start, end in sentences(text):
        sentence = text[start:end].strip()
        if not (pack.commit and pack.commit.search(sentence)):
            continue
        if pack.not_commit and pack.not_commit.search(sentence):
            continue
        start += len(text[start:end]) - len(text[start:end].lstrip())
        times = [(start + first, start + last, due) for first, last, due in named(pack, sentence)]
        kind = next((kind for kind, found in pack.kinds if found and found.search(sentence)), "other")
        out.append((start, start + len(sentence), kind, times))
    return out


def number(pack: Pack, written: str) -> float | None:
    """The value of a number in digits or words (``세``, ``十二``, ``half`` …); None when the pack has no such word."""
    written = written.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", written):
        return float(written)
    if written in pack.numbers:
        return float(pack.numbers[written])
    if pack.language != ZH:
        return None
    if written == "半":
        return 0.5
    if "十" in written:
        tens, _, ones = written.partition("十")
        return float((_CHINESE_DIGITS.get(tens, 1) if tens else 1) * 10 + _CHINESE_DIGITS.get(ones, 0))
    return float(_CHINESE_DIGITS[written]) if written in _CHINESE_DIGITS else None


def _due(pack: Pack, template: str, groups: Mapping[str, str]) -> str | None:
    """The template with the words of the match filled in; None when one of them cannot be read."""
    values: dict[str, object] = {}
    for name in ("n", "m", "mo", "da"):
        if name in groups:
            value = number(pack, groups[name])
            if value is None:
                return None
            values[name] = int(value) if value == int(value) else value
    if "u" in groups:
        unit = pack.units.get(groups["u"])
        if unit is None:
            return None
        values["u"] = unit
    for name in ("w", "d", "wk", "wd", "eo", "mon"):
        if name in groups:
            values[name] = pack.words.get(name, {}).get(_key(pack, groups[name]), groups[name])
    if "@T" in template:
        moment = _moment(pack, groups)
        if moment is None:
            return None
        template = template.replace("@T", "@" + moment)
    # Half an hour is 30 minutes and half a day 12 hours: a due code counts in whole units.
    if (values.get("n"), values.get("u")) == (0.5, "h"):
        values.update(n=30, u="m")
    if (values.get("n"), values.get("u")) == (0.5, "d"):
        values.update(n=12, u="h")
    return re.sub(r"\{(\w+)\}", lambda m: str(values.get(m.group(1), 0)), template)


def _moment(pack: Pack, groups: Mapping[str, str]) -> str | None:
    """The time of day as HH:MM, or 'end' (of the service hours); None when the hour cannot be read."""
    said = groups.get("p", "")
    part = pack.words.get("part", {}).get(_key(pack, said), "") if said else ""
    if "h" not in groups:
        return part if re.match(r"\d\d:\d\d", part) else "end"
    hour = number(pack, groups["h"])
    if hour is None:
        return None
    if hour < 12 and (part in _AFTERNOON or said.strip() in ("pm", "p.m.", "p.m")):
        hour += 12
    minutes = int(groups["mi"]) if "mi" in groups else 30 if "half" in groups else 0
    return f"{int(hour):02d}:{minutes:02d}"


def _key(pack: Pack, word: str) -> str:
    return re.sub(r"\s+", "", word) if pack.loose else word
