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
def pair_at(out: Any, column: Any, places: Any) -> None:
    """keys.pair_keys: each key of ``out`` becomes that of itself and the value at its place of a column."""
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
def claim(
    slots: Any, keys: Any, free: Any, unused: Any, most: Any, wanted: Any, begin: Any, out: Any, made: Any
) -> Any:
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
def latest(
    slots: Any, keys: Any, times: Any, values: Any, wanted: Any, known: Any, at: Any, value: Any
) -> None:
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
        row = rows[i]
        # Without a jump: which step the next row has cannot be foretold.
        own = known[max(cohorts[row], 0)]
        place[n], cohort[n] = i, own
        n += (cohorts[row] >= 0) & (own >= 0) & systemic[max(steps[row], 0)] & fit[max(own, 0)]
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


@loop
def grouped(numbers: Any, most: Any) -> Any:
    """(places in the order of their numbers, each number in its own order; where each number begins and the last ends)."""
    begins = np.zeros(most + 1, np.int64)
    for i in range(len(numbers)):
        begins[numbers[i] + 1] += 1
    for n in range(most):
        begins[n + 1] += begins[n]
    at, order = begins[:-1].copy(), np.empty(len(numbers), np.int64)
    for i in range(len(numbers)):
        order[at[numbers[i]]] = i
        at[numbers[i]] += 1
    return order, begins


@loop
def opened(rows: Any, at: Any, first: Any, last: Any, flags: Any, overtakes: Any) -> None:
    """Rows begin at these times."""
    for i in range(len(rows)):
        row = rows[i]
        first[row], last[row], flags[row], overtakes[row] = at[i], at[i], 0, 0


@loop
def described(
    rows: Any, place: Any, number: Any, at: Any, money: Any, names: Any, told: Any, allowed: Any, keep: Any, given: Any,
    step: Any, amount: Any, subject: Any, promise: Any, flags: Any,
) -> None:  # fmt: skip
    """What the events at these places decide of rows of one step. Until when it is promised: what the event ``told`` (empty:
    none does) where that is later than its opening, with the bit ``given``; else what is ``allowed`` to all (0: nothing)."""
    for i in range(len(rows)):
        row, of = rows[i], place[i]
        step[row], amount[row] = number, money[of]
        subject[row] = names[of] if len(names) else _FREE
        flags[row] &= keep
        promise[row] = at[of] + allowed if allowed else 0
        if len(told) and told[of] > at[of]:
            promise[row] = told[of]
            flags[row] |= given


@loop
def standing(
    rows: Any,
    step: Any,
    first: Any,
    promise: Any,
    cohort: Any,
    flags: Any,
    known: Any,
    given: Any,
    shift: Any,
) -> Any:
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
    step: Any,
    first: Any,
    promise: Any,
    cohort: Any,
    tier: Any,
    needs: Any,
    allowed: Any,
    shares: Any,
    patience: Any,
    foresee: Any,
    wait: Any,
    share: Any,
    odds: Any,
    cohorts: Any,
    worked: Any,
    never: Any,
    whys: Any,
    due: Any,
    reason: Any,
) -> Any:
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
    lane: Any, logs: Any, suffered: Any, at: Any, cancelled: Any, done: Any, over: Any, sums: Any, last: Any
) -> None:
    """Add what ended to its lane: how many, how many of them were overtaken, the logarithms of how long, the latest time."""
    for i in range(len(lane)):
        own = lane[i]
        if own < 0 or cancelled[i]:
            continue
        done[own] += 1
        over[own] += 1 if suffered[i] > 0 else 0
        sums[own] += logs[i]
        last[own] = max(last[own], at[i])
