"""The loops of the kernel over every event and every open step, compiled by numba. Reached through ``loops``.

Plain loops over plain arrays: what is written is an argument, nothing is allocated that the caller does not get. No loop calls one of
another file: numba's cache sees that a file has changed, but not that another one which it calls has.
Numbers are typed by hand: an unsigned and a signed one together would become a float.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64
from makegood.watch.loops import decorator
from makegood.watch.plan import I64, Bools

loop = decorator()
F64 = npt.NDArray[np.float64]

_NONE = np.uint64(0)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GOLD = np.uint64(0x9E3779B97F4A7C15)
_R1, _R2, _R3 = np.uint64(30), np.uint64(27), np.uint64(31)


@loop
def _mixed(key: np.uint64) -> Any:
    """keys.mix of one key."""
    key = (key ^ (key >> _R1)) * _M1
    key = (key ^ (key >> _R2)) * _M2
    return key ^ (key >> _R3)


@loop
def pair_at(out: U64, column: U64, places: I64) -> None:
    """keys.pair_keys: each key of ``out`` becomes that of itself and the value at its place of a column."""
    for i in range(len(out)):
        out[i] = _mixed(_mixed(out[i] + _GOLD) ^ (column[places[i]] * _M1 + _GOLD))


@loop
def touched(
    event: npt.NDArray[np.int16], tx: U64, at: I64, start: I64, steps: I64, keys: U64
) -> tuple[I64, I64, I64, U64]:
    """Of events every (place, step, time, key of the step's row) that they touch: steps[start[e]:start[e + 1]] of event e."""
    size = 0
    for i in range(len(event)):
        size += start[event[i] + 1] - start[event[i]]
    place, step = np.empty(size, np.int64), np.empty(size, np.int64)
    when, key = np.empty(size, np.int64), np.empty(size, np.uint64)
    n = 0
    for i in range(len(event)):
        for j in range(start[event[i]], start[event[i] + 1]):
            place[n], step[n], when[n] = i, steps[j], at[i]
            key[n] = _mixed(tx[i] ^ keys[steps[j]])
            n += 1
    return place, step, when, key


@loop
def overtakes(ranks: I64) -> I64:
    """For items in the order of their opening how many of those behind each end before it; ``ranks``: of their ends, from 1 on.

    From the last to the first, each counted in a tree of sums (Fenwick 1994).
    """
    size = len(ranks)
    tree, out = np.zeros(size + 1, np.int64), np.zeros(size, np.int64)
    for i in range(size - 1, -1, -1):
        n, at = np.int64(0), ranks[i] - 1
        while at > 0:
            n += tree[at]
            at -= at & -at
        out[i] = n
        at = ranks[i]
        while at <= size:
            tree[at] += 1
            at += at & -at
    return out


@loop
def pass_by(
    lanes: npt.NDArray[np.int32], first: I64, count: npt.NDArray[np.int32], going: Bools, low: I64, high: I64,
    opened: I64,
) -> I64:  # fmt: skip
    """Add to the rows of each lane how many of those that ended were opened later: ``opened`` rising from low[lane] to
    high[lane]. The rows that were passed (those ``going`` themselves are none)."""
    passed, n = np.empty(len(lanes), np.int64), 0
    for row in range(len(lanes)):
        lane = lanes[row]
        if lane < 0 or low[lane] == high[lane] or going[row]:
            continue
        left, right = low[lane], high[lane]
        while left < right:
            middle = (left + right) // 2
            if opened[middle] <= first[row]:
                left = middle + 1
            else:
                right = middle
        if left < high[lane]:
            count[row] += high[lane] - left
            passed[n] = row
            n += 1
    return passed[:n].copy()


@loop
def judged(
    rows: I64, steps: npt.NDArray[np.int16], cohorts: npt.NDArray[np.int32], known: I64, fit: Bools,
    systemic: Bools,
) -> tuple[I64, I64]:  # fmt: skip
    """Places of the rows whose step is watched for faults and whose cohort is ``fit``; and the cohort of each in the model."""
    place, cohort, n = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64), 0
    for i in range(len(rows)):
        row = rows[i]
        # Without a jump: which step the next row has cannot be foretold.
        own = known[max(cohorts[row], 0)]
        place[n], cohort[n] = i, own
        n += (cohorts[row] >= 0) & (own >= 0) & systemic[max(steps[row], 0)] & fit[max(own, 0)]
    return place[:n].copy(), cohort[:n].copy()


@loop
def between(curves: npt.NDArray[np.float32], row: I64, place: F64, floor: float) -> F64:
    """curves.read from positions on the axis of buckets."""
    out = np.empty(len(row))
    for i in range(len(row)):
        low = int(place[i])
        before = curves[row[i], low - 1] if low > 0 else np.float32(1)
        step = np.float32(curves[row[i], low] - before)
        out[i] = max(np.float64(before) + (place[i] - low) * np.float64(step), floor)
    return out


@loop
def opened(
    rows: I64, at: I64, first: I64, last: I64, flags: npt.NDArray[np.uint8], overtakes: npt.NDArray[np.int32],
) -> None:  # fmt: skip
    """Rows begin at these times."""
    for i in range(len(rows)):
        row = rows[i]
        first[row], last[row], flags[row], overtakes[row] = at[i], at[i], 0, 0


@loop
def described(
    rows: I64, place: I64, number: int, at: I64, money: F64, names: U64, told: I64, allowed: int, keep: np.uint8,
    given: np.uint8, step: npt.NDArray[np.int16], amount: npt.NDArray[np.float32], subject: U64, promise: I64,
    flags: npt.NDArray[np.uint8],
) -> None:  # fmt: skip
    """What the events at these places decide of rows of one step. Until when it is promised: what the event ``told`` (empty:
    none does) where that is later than its opening, with the bit ``given``; else what is ``allowed`` to all (0: nothing)."""
    for i in range(len(rows)):
        row, of = rows[i], place[i]
        step[row], amount[row] = number, money[of]
        subject[row] = names[of] if len(names) else _NONE
        flags[row] &= keep
        promise[row] = at[of] + allowed if allowed else 0
        if len(told) and told[of] > at[of]:
            promise[row] = told[of]
            flags[row] |= given


@loop
def standing(
    rows: I64, step: npt.NDArray[np.int16], first: I64, promise: I64, cohort: npt.NDArray[np.int32],
    flags: npt.NDArray[np.uint8], known: I64, given: np.uint8, shift: np.uint8,
) -> tuple[I64, I64, I64, I64, I64, Bools]:  # fmt: skip
    """Of rows (step, first, promise, cohort in the model, tier, whether the promise was given)."""
    size = len(rows)
    steps, begun, until = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    cohorts, tiers, own = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.bool_)
    for i in range(size):
        row = rows[i]
        steps[i], begun[i], until[i] = step[row], first[row], promise[row]
        cohorts[i] = known[cohort[row]] if cohort[row] >= 0 else -1
        tiers[i], own[i] = flags[row] >> shift, flags[row] & given != 0
    return steps, begun, until, cohorts, tiers, own


@loop
def dues(
    step: I64, first: I64, promise: I64, cohort: I64, tier: I64, needs: Bools, allowed: I64, shares: Bools,
    patience: F64, foresee: Bools, wait: I64, share: F64, odds: F64, cohorts: int, worked: I64, never: np.int64,
    whys: tuple[np.int8, ...], due: I64, reason: npt.NDArray[np.int8],
) -> I64:  # fmt: skip
    """deadlines.learned_dues but for what is foreseen: the places of those are given back. ``shares``: steps with a milestone's
    promise. ``worked``: when the wait of each is over on its own clock (empty: all go by the wall's)."""
    by_grace, by_hours, by_share, by_promise = whys
    asked, n = np.empty(len(step), np.int64), 0
    for i in range(len(step)):
        s, own = step[i], cohort[i]
        if needs[s]:
            due[i], reason[i] = first[i] + allowed[s], by_grace
            continue
        window = promise[i] - first[i] if promise[i] > first[i] else np.int64(0)
        if own >= 0:
            at = own + tier[i] * cohorts
            if window > 0 and np.isfinite(share[at]):
                when = first[i] + np.int64(share[at] * window)
                if when < due[i]:
                    due[i], reason[i] = when, by_share
            elif (window == 0 or not shares[s]) and wait[at] < never:
                when = worked[i] if len(worked) else first[i] + wait[at]
                if when < due[i]:
                    due[i], reason[i] = when, by_hours
            if window > 0 and foresee[s] and np.isfinite(odds[at]):
                asked[n] = i
                n += 1
        if window > 0 and not shares[s]:
            when = first[i] + np.int64(window * (1 + patience[s]))
            if when < due[i]:
                due[i], reason[i] = when, by_promise
    return asked[:n].copy()


@loop
def note(
    lane: I64, logs: F64, suffered: I64, at: I64, cancelled: Bools, done: I64, over: I64, sums: F64, last: I64,
) -> None:  # fmt: skip
    """Add what ended to its lane: how many, how many of them were overtaken, the logarithms of how long, the latest time."""
    for i in range(len(lane)):
        own = lane[i]
        if own < 0 or cancelled[i]:
            continue
        done[own] += 1
        over[own] += 1 if suffered[i] > 0 else 0
        sums[own] += logs[i]
        last[own] = max(last[own], at[i])
