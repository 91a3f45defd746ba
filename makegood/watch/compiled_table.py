"""The loops of the tables: rows by key, what is remembered, groups, compiled by numba. Reached through ``loops``.

Plain loops over plain arrays: what is written is an argument, nothing is allocated that the caller does not get. No loop calls one of
another file: numba's cache sees that a file has changed, but not that another one which it calls has.
Numbers are typed by hand: an unsigned and a signed one together would become a float.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64
from makegood.watch.loops import decorator
from makegood.watch.plan import I64, Bools

loop = decorator()

_ONE, _HALF, _LOW = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
_FREE = np.uint64(0)


@loop
def find(slots: U64, keys: U64, wanted: U64, out: I64) -> None:
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
    slots: U64, keys: U64, free: npt.NDArray[np.int32], unused: int, most: int, wanted: U64, begin: int, out: I64,
    made: Bools,
) -> tuple[int, int]:  # fmt: skip
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
def drop(slots: U64, keys: U64, free: npt.NDArray[np.int32], unused: int, rows: I64) -> int:
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
def lay(slots: U64, others: U64) -> None:
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
    slots: U64, keys: U64, times: I64, values: U64, wanted: U64, known: Bools, at: I64, value: U64,
) -> None:  # fmt: skip
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
def remember(times: I64, values: U64, rows: I64, made: Bools, at: I64, value: U64) -> None:
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
def grouped(numbers: I64, most: int) -> tuple[I64, I64]:
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
