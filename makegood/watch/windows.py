"""How close two things that are alike must be to count as one thing done twice: learned from a log. Pure.

Customers buy the same again, and do so at any hour: how often is seen in the repeats that are too far apart to be mistakes.
At that rate some fall within the window by chance; it is the longest in which these are below 5 % of all repeats
(watch.md 1.2 (3)), held ``between`` two bounds of its rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from makegood.watch.batch import Batch
from makegood.watch.plan import I64, DuplicateRule, Plan
from makegood.watch.repeats import alike

F64 = npt.NDArray[np.float64]
#: The share of the repeats told that may be meant so; with fewer pairs than this the window stays as written.
MEANT, LEAST_PAIRS = 0.05, 20
#: How often customers buy again is seen from a quarter of the longest window on, and up to four times it.
BEYOND = 4


@dataclass(frozen=True)
class Window:
    """``pairs``: repeats within the upper bound; ``meant``: the share of those within ``window`` (µs) that chance explains."""

    window: int
    pairs: int
    meant: float


def learn_windows(plan: Plan, log: Batch) -> dict[str, Window]:
    """The windows of the rules that learn theirs, by code; a rule that knows too little is not there."""
    found = ((rule.code, _learned(rule, log)) for rule in plan.duplicates if rule.between[1])
    return {code: window for code, window in found if window is not None}


def with_windows(plan: Plan, windows: Mapping[str, int]) -> Plan:
    """The plan with these windows (µs), held between the least and the most that each rule allows."""
    return replace(plan, duplicates=tuple(
        replace(rule, window=_held(rule, windows[rule.code]))
        if rule.between[1] and rule.code in windows else rule
        for rule in plan.duplicates
    ))  # fmt: skip


def _held(rule: DuplicateRule, window: int) -> int:
    return min(max(window, rule.between[0]), rule.between[1])


def _learned(rule: DuplicateRule, log: Batch) -> Window | None:
    mine = log.take((log.event >= 0) & rule.events[log.event])
    if not len(mine):
        return None
    most = rule.between[1]
    key, whole = alike(rule, mine)
    order = np.lexsort((mine.id, mine.at, key))
    order = order[whole[order]]
    key, at, ids = key[order], mine.at[order], mine.id[order]
    if len(key) < LEAST_PAIRS:
        return None
    end = int(at.max())
    again = (key[1:] == key[:-1]) & (ids[1:] != ids[:-1])
    gaps = np.diff(at)[again]
    # How long each was followed: until the next alike, or to the end of the log.
    last = np.append(key[1:] != key[:-1], True)
    followed = np.sort(np.concatenate([gaps, end - at[last]]).astype(np.float64))
    close = np.sort(gaps[gaps <= most])
    seen = min(BEYOND * most, end - int(at.min()))
    if len(close) < LEAST_PAIRS or seen < 2 * most:
        return None
    # Who buys often is gone from the far end and who buys seldom from the near one: the higher rate of the two counts.
    rate = max(_rate(gaps, followed, most / BEYOND, most), _rate(gaps, followed, most, seen))
    meant = rate * _exposure(followed, close) / np.arange(1, len(close) + 1)
    window = _held(rule, int(close[meant < MEANT].max(initial=0)))
    told = max(int(np.searchsorted(close, window, side="right")), 1)
    chance = rate * _exposure(followed, np.array([window]))[0] / told
    return Window(window, len(close), float(min(chance, 1.0)))


def _rate(gaps: I64, followed: F64, begin: float, end: float) -> float:
    """Repeats per µs of those still without one, between two ages. One more than were seen: that nobody bought again so
    far is no proof that nobody does."""
    exposed = _exposure(followed, np.array([begin, end]))
    return float((np.count_nonzero((gaps > begin) & (gaps <= end)) + 1) / max(exposed[1] - exposed[0], 1.0))


def _exposure(followed: F64, until: F64 | I64) -> F64:
    """For each age the time that all were followed up to it, together. ``followed`` rises."""
    place = np.searchsorted(followed, until, side="right")
    whole = np.concatenate([[0.0], np.cumsum(followed)])[place]
    return np.asarray(whole + until * (len(followed) - place), np.float64)
