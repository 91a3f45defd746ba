"""The ladder, pure: which rungs are due for a case that nobody has touched since a moment, and when the next is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from makegood.packs.escalations import Rung


@dataclass(frozen=True)
class Step:
    """What to do now: ``fire`` are the rungs (from 0) that are due, ``fired`` how many have been reached after that."""

    fire: tuple[int, ...]
    fired: int
    next_at: datetime


def kept(rungs: Sequence[Rung]) -> list[list[object]]:
    """The rungs as a case keeps them."""
    return [[rung.after.total_seconds(), rung.who, rung.what, list(rung.when)] for rung in rungs]


def read(raw: Sequence[Sequence[object]]) -> tuple[Rung, ...]:
    """The rungs that a case kept."""
    # A case that started before rungs could open rooms kept two things of each; before 'when' there was, three.
    return tuple(_rung(*r) for r in raw)


def _rung(after: Any, who: Any, what: Any = "tell", when: Any = ()) -> Rung:
    return Rung(timedelta(seconds=float(after)), str(who), str(what), tuple(when))


def moment(rungs: Sequence[Rung], since: datetime, index: int) -> datetime:
    """When rung ``index`` is due; past the last, the last one repeats in its own last gap: there is no silence at the top."""
    last = len(rungs) - 1
    if index <= last:
        return since + rungs[index].after
    gap = rungs[last].after - (rungs[last - 1].after if last else timedelta())
    return since + rungs[last].after + gap * (index - last)


def step(rungs: Sequence[Rung], since: datetime, fired: int, now: datetime) -> Step:
    """What is due at ``now``. After a long sleep each rung fires once, and the repeated last one once, not for every lost gap."""
    fire: list[int] = []
    while moment(rungs, since, fired) <= now:
        if not fire or min(fired, len(rungs) - 1) != fire[-1]:
            fire.append(min(fired, len(rungs) - 1))
        fired += 1
    return Step(tuple(fire), fired, moment(rungs, since, fired))
