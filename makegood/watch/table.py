"""A hash table of numpy arrays: find, add and drop many keys at once.

Open addressing with linear probing (Knuth, TAOCP 3, 6.4), each round done for all keys that are still looked for. The
index holds row numbers only (4 bytes a slot, half of them used at most); the keys stand in the rows themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
FREE, LEFT = np.int32(-1), np.int32(-2)  # a slot never used; a slot whose row was dropped


def distinct(numbers: npt.NDArray[np.integer[Any]]) -> I64:
    """The different numbers, rising. By sorting: numpy's own ``unique`` hashes, several times slower for a batch."""
    ranked = np.sort(numbers)
    return (
        ranked[np.append(True, ranked[1:] != ranked[:-1])].astype(np.int64)
        if len(ranked)
        else ranked.astype(np.int64)
    )


class Index:
    """Key -> row number. Rows are given out from 0 on; a dropped row is given out again."""

    def __init__(self, capacity: int = 1024) -> None:
        rows = max(64, capacity)
        self.slots: I32 = np.full(_slots_for(rows), FREE, dtype=np.int32)
        self.keys: U64 = np.zeros(rows, dtype=np.uint64)
        self.free: I32 = np.arange(rows - 1, -1, -1, dtype=np.int32)  # a stack; row 0 is given out first
        self.unused = rows
        self.used_slots = 0  # slots that are not FREE: what a probe must pass

    def __len__(self) -> int:
        return len(self.keys) - self.unused

    @property
    def nbytes(self) -> int:
        return self.slots.nbytes + self.keys.nbytes + self.free.nbytes

    def rows(self) -> I64:
        """The rows in use, rising."""
        busy = np.ones(len(self.keys), dtype=bool)
        busy[self.free[: self.unused]] = False
        return np.flatnonzero(busy)

    def find(self, keys: U64) -> I64:
        """The row of each key, -1 where there is none."""
        out = np.full(len(keys), -1, dtype=np.int64)
        if not len(self) or not len(keys):
            return out
        mask = np.uint64(len(self.slots) - 1)
        at = (keys & mask).astype(np.int64)
        row = self.slots[at]
        hit = (row >= 0) & (self.keys[row] == keys)
        out[hit] = row[hit]
        todo = np.flatnonzero(~hit & (row != FREE))
        at = at[todo]
        while len(todo):
            at = (at + 1) & np.int64(mask)
            row = self.slots[at]
            hit = (row >= 0) & (self.keys[row] == keys[todo])
            out[todo[hit]] = row[hit]
            on = ~hit & (row != FREE)
            todo, at = todo[on], at[on]
        return out

    def add(self, keys: U64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """The row of each key, made where there was none (keys may repeat), and whether this very place made it."""
        rows = self.find(keys)
        missing = np.flatnonzero(rows < 0)
        made = np.zeros(len(keys), dtype=bool)
        if not len(missing):
            return rows, made
        wanted = keys[missing]
        self._room(len(wanted))
        self.unused -= len(wanted)
        given = self.free[self.unused : self.unused + len(wanted)][::-1].copy()
        self.keys[given] = wanted
        got = self._claim(wanted, given)
        rows[missing] = got
        made[missing] = own = got == given
        back = given[~own][::-1]  # rows for keys that stood in this call twice
        self.free[self.unused : self.unused + len(back)] = back
        self.unused += len(back)
        return rows, made

    def _claim(self, keys: U64, given: I32) -> I32:
        """Write each key's row into its slot. Equal keys walk the same slots together: one wins, the others take its row."""
        got = given.copy()
        mask = np.int64(len(self.slots) - 1)
        todo, at = np.arange(len(keys)), (keys & np.uint64(mask)).astype(np.int64)
        while len(todo):
            before = self.slots[at]
            empty = before < 0
            self.slots[at[empty]] = given[todo[empty]]
            there = self.slots[at]
            won = empty & (there == given[todo])
            self.used_slots += int(np.count_nonzero(won & (before == FREE)))
            same = ~won & (self.keys[there] == keys[todo])
            got[todo[same]] = there[same]
            on = ~won & ~same
            todo, at = todo[on], (at[on] + 1) & mask
        return got

    def drop(self, rows: I64) -> None:
        """Forget these rows (each once)."""
        if not len(rows):
            return
        mask = np.uint64(len(self.slots) - 1)
        wanted = rows.astype(np.int32)
        at = (self.keys[rows] & mask).astype(np.int64)
        while len(wanted):
            here = self.slots[at] == wanted
            self.slots[at[here]] = LEFT
            wanted, at = wanted[~here], (at[~here] + 1) & np.int64(mask)
        self.free[self.unused : self.unused + len(rows)] = rows
        self.unused += len(rows)

    def _place(self, keys: U64, rows: I32) -> None:
        """Write rows of keys that are known to be absent; who loses a slot to another goes on to the next."""
        mask = np.int64(len(self.slots) - 1)
        at = (keys & np.uint64(mask)).astype(np.int64)
        while len(rows):
            empty = self.slots[at] < 0
            was_free = self.slots[at] == FREE
            self.slots[at[empty]] = rows[empty]
            won = empty & (self.slots[at] == rows)
            self.used_slots += int(np.count_nonzero(won & was_free))
            rows, at = rows[~won], (at[~won] + 1) & mask

    def _room(self, more: int) -> None:
        """Make place for ``more`` rows; build the slots anew when more than half would be taken or left behind."""
        if more > self.unused:
            size = max(len(self.keys) * 3 // 2, len(self) + more)
            old = len(self.keys)
            keys = np.zeros(size, dtype=np.uint64)
            keys[:old] = self.keys
            free = np.empty(size, dtype=np.int32)
            # The new rows lie under the old free ones on the stack: old gaps are filled first.
            free[: size - old] = np.arange(size - 1, old - 1, -1, dtype=np.int32)
            free[size - old : size - old + self.unused] = self.free[: self.unused]
            self.keys, self.free, self.unused = keys, free, self.unused + size - old
        if (self.used_slots + more) * 2 > len(self.slots):
            live = self.rows().astype(np.int32)
            self.slots = np.full(_slots_for(len(live) + more), FREE, dtype=np.int32)
            self.used_slots = 0
            self._place(self.keys[live], live)


def _slots_for(rows: int) -> int:
    """A power of two with at most three eighths taken, so that it does not have to be built anew at once."""
    return 1 << max(7, int(rows * 8 // 3 - 1).bit_length())
