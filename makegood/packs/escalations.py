"""Building the rules of escalation from their file: times to accept, passes, span."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType

from makegood.packs.reading import Entry, refuse_twice
from makegood.packs.shapes import LEVELS


@dataclass(frozen=True)
class Escalation:
    """``accept``: level -> within what time an offered case must be accepted."""

    accept: Mapping[int, timedelta]
    passes: int
    span: int
    span_warning: int
    rooms: int


def build_escalation(root: Entry) -> Escalation:
    """The rules that stand in the file ``root``; raises PackError."""
    root.only("accept", "handover", "span")
    handover, span = root.table("handover"), root.table("span")
    handover.only("passes")
    span.only("agents", "warn_at", "rooms")
    agents, warn_at = int(span.above_zero("agents", whole=True)), int(span.above_zero("warn_at", whole=True))
    if warn_at > agents:
        raise span.wrong("'warn_at' must not be more than 'agents'")
    return Escalation(
        accept=_accept(root),
        passes=int(handover.above_zero("passes", whole=True)),
        span=agents,
        span_warning=warn_at,
        rooms=int(span.above_zero("rooms", whole=True)),
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
