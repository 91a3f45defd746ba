"""What is known of a thing after one more fact: pure, and the same whatever the order of arrival and however often each came.

For every field the newest fact that told it counts. Newest is by the source: its own version where it has one, else its
clock; never by arrival. States may go back; only an older version is refused. What a fact leaves out stays as it is.

A source that has versions for some facts only (an event carries one, a reading none) would make 'newer' go in circles.
So each field keeps its best fact with a version, for each store, and its best one without, and of these the later clock
is shown. Each is a maximum over a total order: the result depends on the set of facts alone (Jun's property test).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from makegood.connectors.canon import STATES

#: slot -> [version, clock in µs, how far in the usual order of states, digest, value]
Slots = dict[str, list[Any]]
#: field -> its slots
Known = dict[str, Slots]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK = "c"


@dataclass(frozen=True)
class Version:
    """Where a fact stands among the facts of its source."""

    store: int
    sequence: int | None
    at: datetime

    @property
    def slot(self) -> str:
        return CLOCK if self.sequence is None else f"s{self.store}"


def merge(
    known: Mapping[str, Slots], noun: str, version: Version, told: Mapping[str, Any]
) -> tuple[Known, set[str]]:
    """What is known with this fact, and which fields it is now the one that counts for.

    A fact that tells a state and does not count for it is stale.
    """
    state = told.get("state", "")
    stage = STATES[noun].index(state) if state in STATES[noun] else -1
    # Two facts of the same moment and version: the later stage counts, then their content decides, the same everywhere.
    tie = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=4).hexdigest()
    rank = [version.sequence or 0, (version.at - _EPOCH) // timedelta(microseconds=1), stage, tie]
    after, won = {field: dict(slots) for field, slots in known.items()}, set()
    for field, value in told.items():
        slots = after.setdefault(field, {})
        old = slots.get(version.slot)
        if old is None or old[:4] < rank:
            slots[version.slot] = [*rank, value]
        if _best(slots)[:4] == rank:
            won.add(field)
    return after, won


def shown(known: Mapping[str, Slots]) -> dict[str, Any]:
    """The value of every field."""
    return {field: _best(slots)[4] for field, slots in known.items()}


def newest(known: Mapping[str, Slots]) -> tuple[datetime, int | None]:
    """The clock and version of the newest fact that counts for anything."""
    best = max((_best(slots) for slots in known.values()), key=_by_clock)
    versions = [slots[s][0] for slots in known.values() for s in slots if s != CLOCK]
    return _EPOCH + timedelta(microseconds=best[1]), max(versions, default=None)


def _best(slots: Slots) -> list[Any]:
    if len(slots) == 1:  # nearly always: one source, one way of counting
        return next(iter(slots.values()))
    return max(slots.values(), key=_by_clock)


def _by_clock(entry: list[Any]) -> tuple[int, int, int, str]:
    return entry[1], entry[0], entry[2], entry[3]
