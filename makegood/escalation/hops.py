"""How long a case lies after each hand-off, and whether it bounces; pure, over any log of (moment, team, person).

A hop is a change of team. Its wait is the time from the hand-off to the next thing that anybody does on the case: the
decay of urgency is measured here, not in a priority field (``docs/mechanisms/decay.md``). A bounce is A-B-A: the case
is back with a team that had given it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True)
class Moment:
    """One thing that happened on a case; ``team`` is who has it from then on, '' when the log does not say."""

    at: datetime
    team: str
    person: str = ""


@dataclass(frozen=True)
class Hop:
    """The ``nth`` hand-off (from 1). ``touched_at`` is None when nothing has happened since."""

    nth: int
    giver: str
    receiver: str
    given_at: datetime
    touched_at: datetime | None

    def wait(self, now: datetime) -> timedelta:
        """From the hand-off to the first touch, or until ``now``."""
        return (self.touched_at or now) - self.given_at


def hops(moments: Sequence[Moment]) -> list[Hop]:
    """The hops of one case, oldest first. ``moments`` must be in the order of their time; those without a team keep the last."""
    found: list[Hop] = []
    team = ""
    for index, moment in enumerate(moments):
        if not moment.team or moment.team == team:
            continue
        if team:
            touched = moments[index + 1].at if index + 1 < len(moments) else None
            found.append(Hop(len(found) + 1, team, moment.team, moment.at, touched))
        team = moment.team
    return found


def path(found: Sequence[Hop]) -> list[str]:
    """The teams that a case went through, in order."""
    return [found[0].giver, *(hop.receiver for hop in found)] if found else []


def bounces(found: Sequence[Hop]) -> int:
    """How often the case came back to the team that it had come from (A-B-A)."""
    return sum(one.giver == two.receiver for one, two in pairwise(found))


def pairs(found: Iterable[Hop]) -> dict[tuple[str, str], int]:
    """How often it went from whom to whom."""
    counted: dict[tuple[str, str], int] = {}
    for hop in found:
        key = hop.giver, hop.receiver
        counted[key] = counted.get(key, 0) + 1
    return counted
