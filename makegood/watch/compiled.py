"""The loops of the kernel that go over every event or every open step, compiled by numba. Reached through ``loops``.

Plain loops over plain arrays: what is written is an argument, nothing is allocated that the caller does not get. All in one
file, for numba's cache sees that a file has changed, but not that another one which it calls has. Numbers are typed by hand:
an unsigned and a signed one together would become a float.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from makegood.watch.loops import decorator

loop = decorator()

_ONE, _HALF, _LOW = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
_FREE = np.uint64(0)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GOLD = np.uint64(0x9E3779B97F4A7C15)
_R1, _R2, _R3 = np.uint64(30), np.uint64(27), np.uint64(31)


@loop
def _mixed(key: Any) -> Any:
    """keys.mix of one key."""
    key = (key ^ (key >> _R1)) * _M1
    key = (key ^ (key >> _R2)) * _M2
    return key ^ (key >> _R3)


@loop
def pair_into(out: Any, column: Any) -> None:
    """keys.pair_keys: each key of ``out`` becomes that of itself and the value beside it."""
    for i in range(len(out)):
        out[i] = _mixed(_mixed(out[i] + _GOLD) ^ (column[i] * _M1 + _GOLD))


@loop
def pair_at(out: Any, column: Any, places: Any) -> None:
    """:func:`pair_into` with the values at these places of a column."""
    for i in range(len(out)):
        out[i] = _mixed(_mixed(out[i] + _GOLD) ^ (column[places[i]] * _M1 + _GOLD))


@loop
def touched(event: Any, tx: Any, at: Any, start: Any, steps: Any, keys: Any) -> Any:
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
def find(slots: Any, keys: Any, wanted: Any, out: Any) -> None:
    """The row of each wanted key, -1 where there is none (table.Index)."""
    mask = np.uint64(len(slots) - 1)
    for i in range(len(wanted)):
        key = wanted[i]
        tag = key >> _HALF
        at = tag & mask
        row = np.int64(-1)
        slot = slots[at]
        while slot != _FREE:
            if slot >> _HALF == tag:
                row = np.int64(slot & _LOW) - 1
                if keys[row] == key:
                    break
                row = np.int64(-1)
            at = (at + _ONE) & mask
            slot = slots[at]
        out[i] = row


@loop
def claim(slots: Any, keys: Any, free: Any, unused: Any, most: Any, wanted: Any, begin: Any, out: Any, made: Any) -> Any:
    """The row of each wanted key from ``begin`` on, made where there was none. Stops before a new row when there is no room
    for it (no unused row, or ``most`` rows in the slots): (how far it came, unused rows left)."""
    mask = np.uint64(len(slots) - 1)
    for i in range(begin, len(wanted)):
        key = wanted[i]
        tag = key >> _HALF
        at = tag & mask
        made[i] = False
        while True:
            slot = slots[at]
            if slot == _FREE:
                if unused == 0 or len(keys) - unused >= most:
                    return i, unused
                unused -= 1
                row = np.int64(free[unused])
                keys[row] = key
                slots[at] = (tag << _HALF) | np.uint64(row + 1)
                out[i], made[i] = row, True
                break
            if slot >> _HALF == tag:
                row = np.int64(slot & _LOW) - 1
                if keys[row] == key:
                    out[i] = row
                    break
            at = (at + _ONE) & mask
    return len(wanted), unused


@loop
def drop(slots: Any, keys: Any, free: Any, unused: Any, rows: Any) -> Any:
    """Take rows out; those behind a slot that becomes free move up (Knuth, TAOCP 3, 6.4, algorithm R). Unused rows now."""
    mask = np.uint64(len(slots) - 1)
    for i in range(len(rows) - 1, -1, -1):
        mine = np.uint64(rows[i] + 1)
        gap = (keys[rows[i]] >> _HALF) & mask
        while slots[gap] & _LOW != mine:
            gap = (gap + _ONE) & mask
        at = (gap + _ONE) & mask
        while slots[at] != _FREE:
            home = (slots[at] >> _HALF) & mask
            if (at - home) & mask >= (at - gap) & mask:
                slots[gap] = slots[at]
                gap = at
            at = (at + _ONE) & mask
        slots[gap] = _FREE
        free[unused] = rows[i]
        unused += 1
    return unused


@loop
def lay(slots: Any, others: Any) -> None:
    """Write what stands in other slots into these; a slot holds all that is needed for it."""
    mask = np.uint64(len(slots) - 1)
    for i in range(len(others)):
        slot = others[i]
        if slot != _FREE:
            at = (slot >> _HALF) & mask
            while slots[at] != _FREE:
                at = (at + _ONE) & mask
            slots[at] = slot


@loop
def latest(slots: Any, keys: Any, times: Any, values: Any, wanted: Any, known: Any, at: Any, value: Any) -> None:
    """Where a wanted key is in this generation and no later one is known: that it is, its time and its value."""
    mask = np.uint64(len(slots) - 1)
    for i in range(len(wanted)):
        key = wanted[i]
        tag = key >> _HALF
        place = tag & mask
        slot = slots[place]
        while slot != _FREE:
            if slot >> _HALF == tag:
                row = np.int64(slot & _LOW) - 1
                if keys[row] == key:
                    if not known[i] or times[row] >= at[i]:
                        at[i] = times[row]
                        value[i] = values[row] if len(values) else _FREE
                    known[i] = True
                    break
            place = (place + _ONE) & mask
            slot = slots[place]


@loop
def remember(times: Any, values: Any, rows: Any, made: Any, at: Any, value: Any) -> None:
    """The latest time of each row wins, of two at one time the larger value; without values (empty) only the time."""
    for i in range(len(rows)):
        row = rows[i]
        if made[i] or at[i] > times[row]:
            times[row] = at[i]
            if len(value):
                values[row] = value[i]
        elif len(value) and at[i] == times[row] and value[i] > values[row]:
            values[row] = value[i]


@loop
def overtakes(ranks: Any) -> Any:
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
def pass_by(lanes: Any, first: Any, count: Any, going: Any, low: Any, high: Any, opened: Any) -> Any:
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
def judged(rows: Any, steps: Any, cohorts: Any, known: Any, fit: Any, systemic: Any) -> Any:
    """Places of the rows whose step is watched for faults and whose cohort is ``fit``; and the cohort of each in the model."""
    place, cohort, n = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64), 0
    for i in range(len(rows)):
        step = steps[rows[i]]
        if step < 0 or not systemic[step]:
            continue
        own = known[cohorts[rows[i]]]
        if own >= 0 and fit[own]:
            place[n], cohort[n] = i, own
            n += 1
    return place[:n].copy(), cohort[:n].copy()


@loop
def between(curves: Any, row: Any, place: Any, floor: Any) -> Any:
    """curves.read from positions on the axis of buckets."""
    out = np.empty(len(row))
    for i in range(len(row)):
        low = int(place[i])
        before = curves[row[i], low - 1] if low > 0 else np.float32(1)
        step = np.float32(curves[row[i], low] - before)
        out[i] = max(np.float64(before) + (place[i] - low) * np.float64(step), floor)
    return out
