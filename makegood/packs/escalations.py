"""Building the rules of escalation from their file: times to accept, passes, span, and the rungs of the ladder."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType

from makegood.packs.reading import Entry, refuse_twice
from makegood.packs.shapes import LEVELS

#: Who may stand on a rung.
WHO = ("owner", "lead", "manager")
#: What happens on a rung beside that somebody hears of it.
WHAT = ("tell", "room")


#: What a case must have about it for a rung to open its room: code -> the beginnings of the sources of evidence.
WHEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "loss": ("signal:loss.", "impact:"),
        "threat": ("signal:threat.",),
        "legal": ("signal:threat.legal", "signal:threat.regulator"),
        "safety": ("signal:urgent.safety",),
    }
)


@dataclass(frozen=True)
class Rung:
    """So long after somebody last touched the case, ``who`` hears of it; ``what`` 'room': a war room is opened, too, for a case
    that has one of ``when`` about it (none named: for every one).
    """

    after: timedelta
    who: str
    what: str = "tell"
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Escalation:
    """``accept``: level -> within what time an offered case must be accepted. ``rungs``: (level, type or '') -> the ladder."""

    accept: Mapping[int, timedelta]
    passes: int
    span: int
    span_warning: int
    rooms: int
    room_people: int
    room_from: int
    statutory_days: int
    rungs: Mapping[tuple[int, str], tuple[Rung, ...]]

    def ladder(self, level: int, type_code: str) -> tuple[Rung, ...]:
        """The rungs for a level: those of the type where it has its own, else the level's."""
        return self.rungs.get((level, type_code)) or self.rungs[level, ""]

    def has_own(self, level: int, type_code: str) -> bool:
        """Whether the type has rungs of its own at this level."""
        return bool(type_code) and (level, type_code) in self.rungs


def build_escalation(root: Entry, types: Container[str]) -> Escalation:
    """The rules that stand in the file ``root``; raises PackError. ``types``: those of the taxonomy."""
    root.only("accept", "handover", "span", "statutory", "rung")
    handover, span, statutory = root.table("handover"), root.table("span"), root.table("statutory")
    handover.only("passes")
    span.only("agents", "warn_at", "rooms", "room_people_warn_at", "room_from")
    statutory.only("working_days")
    agents, warn_at = int(span.above_zero("agents", whole=True)), int(span.above_zero("warn_at", whole=True))
    if warn_at > agents:
        raise span.wrong("'warn_at' must not be more than 'agents'")
    return Escalation(
        accept=_accept(root),
        passes=int(handover.above_zero("passes", whole=True)),
        span=agents,
        span_warning=warn_at,
        rooms=int(span.above_zero("rooms", whole=True)),
        room_people=int(span.above_zero("room_people_warn_at", whole=True)),
        room_from=span.level("room_from") if "room_from" in span.raw else 4,
        statutory_days=int(statutory.above_zero("working_days", whole=True)),
        rungs=_rungs(root, types),
    )


def _accept(root: Entry) -> Mapping[int, timedelta]:
    entries = root.entries("accept", name="level")
    refuse_twice(entries, "level")
    for entry in entries:
        entry.only("level", "minutes")
    found = {e.level("level"): timedelta(minutes=e.above_zero("minutes")) for e in entries}
    for wanted in LEVELS:
        if wanted not in found:
            raise root.wrong(f"the level {wanted} is missing")
    for lower, higher in pairwise(LEVELS):
        if found[higher] > found[lower]:
            raise root.wrong(f"level {higher} may not wait longer to be accepted than level {lower}")
    return MappingProxyType(dict(sorted(found.items())))


def _rungs(root: Entry, types: Container[str]) -> Mapping[tuple[int, str], tuple[Rung, ...]]:
    found: dict[tuple[int, str], list[Rung]] = {}
    for entry in root.entries("rung", name="level"):
        entry.only("level", "type", "after_minutes", "who", "what", "when")
        type_code = entry.one_of("type", types, "problem type") if "type" in entry.raw else ""
        what = entry.one_of("what", WHAT, "act") if "what" in entry.raw else "tell"
        who = entry.one_of("who", WHO, "person")
        when = entry.many_of("when", WHEN, "reason for a room") if "when" in entry.raw else ()
        if when and what != "room":
            raise entry.wrong("'when' says for which cases a room is opened; it needs what = \"room\"")
        rung = Rung(timedelta(minutes=entry.above_zero("after_minutes")), who, what, when)
        ladder = found.setdefault((entry.level("level"), type_code), [])
        if ladder and rung.after <= ladder[-1].after:
            raise entry.wrong("each rung must come later than the one before it")
        ladder.append(rung)
    for level in LEVELS:
        if (level, "") not in found:
            raise root.wrong(f"the level {level} has no rung")
    for (level, type_code), ladder in found.items():
        calmer = found.get((level - 1, type_code)) or found.get((level - 1, ""))
        if calmer and ladder[0].after > calmer[0].after:
            # A ratchet that makes the ladder slower when it turns would punish who raised it.
            raise root.wrong(f"the ladder of level {level} begins later than that of level {level - 1}")
    return MappingProxyType({key: tuple(ladder) for key, ladder in found.items()})
