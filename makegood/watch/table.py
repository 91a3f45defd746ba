"""A hash table of numpy arrays: find, add and drop many keys at once.

Open addressing with double hashing (Knuth, TAOCP 3, 6.4), each round done for all keys that are still looked for; linear
probing has longer tails, and every round costs a dozen calls however few keys are left in it. A slot
holds the upper half of its key beside the row number: a key that is absent is known to be so without a look at the rows,
which is one miss of the cache instead of two. The keys themselves stand in the rows and have the last word.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
#: A slot never used; a slot whose row was dropped. A search goes on behind the second, and nothing is written into it.
FREE, LEFT = np.uint64(0), np.uint64(0xFFFFFFFF)
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


def _stride(keys: U64) -> I64:
    """How far a key goes on from a slot that is taken: odd, so that it comes by every slot."""
    return ((keys >> np.uint64(36)) | np.uint64(1)).view(np.int64)


def distinct(numbers: npt.NDArray[np.integer[Any]]) -> I64:
    """The different numbers, rising. By sorting: numpy's own ``unique`` hashes, several times slower for a batch."""
    ranked = np.sort(numbers)
    return (
        ranked[np.append(True, ranked[1:] != ranked[:-1])].astype(np.int64)
        if len(ranked)
        else ranked.astype(np.int64)
    )


def repeated(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The numbers that stand more than once, each of them once or more."""
    ranked = np.sort(numbers)
    return np.asarray(ranked[1:][ranked[1:] == ranked[:-1]])


class Index:
    """Key -> row number. Rows are given out from 0 on; a dropped row is given out again."""

    def __init__(self, capacity: int = 1024) -> None:
        rows = max(64, capacity)
        self.slots: U64 = np.full(_slots_for(rows), FREE)
        self.keys: U64 = np.zeros(rows, dtype=np.uint64)
        self.free: I32 = np.arange(rows - 1, -1, -1, dtype=np.int32)  # a stack; row 0 is given out first
        self.unused = rows
        self.used_slots = 0  # slots that are not FREE: what a probe must pass

    @classmethod
    def of(cls, keys: U64) -> Index:
        """The index in which row i is that of ``keys[i]``. Raises ValueError where a key stands twice."""
        made = cls(len(keys) + 64)
        if len(repeated(keys)):
            raise ValueError("a key stands in the snapshot twice")
        made.keys[: len(keys)] = keys
        made.unused -= len(keys)
        made._place(keys, np.arange(len(keys), dtype=np.int64))
        return made

    def __len__(self) -> int:
        return len(self.keys) - self.unused

    @property
    def nbytes(self) -> int:
        return self.slots.nbytes + self.keys.nbytes + self.free.nbytes

    def rows(self) -> I64:
        """The rows in use, rising."""
        busy = np.ones(len(self.keys), dtype=bool)
        busy[self.free[: self.unused]] = False
        return busy.nonzero()[0]

    def find(self, keys: U64) -> I64:
        """The row of each key, -1 where there is none."""
        out = np.full(len(keys), -1, dtype=np.int64)
        if not len(self) or not len(keys):
            return out
        mask = np.uint64(len(self.slots) - 1)
        at, todo = (keys & mask).view(np.int64), None
        while len(at):
            slot = self.slots[at]
            like = (((slot ^ keys) >> _HALF) == 0).nonzero()[0]
            row = (slot[like] & _LOW).view(np.int64) - 1
            there = (self.keys.take(row, mode="clip") == keys[like]) & (row < len(self.keys))
            on = slot != FREE
            hit = like[there]
            on[hit] = False
            out[hit if todo is None else todo[hit]] = row[there]
            left = on.nonzero()[0]
            todo = left if todo is None else todo[left]
            keys = keys[left]
            at = (at[left] + _stride(keys)) & np.int64(mask)
        return out

    def add(self, keys: U64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """The row of each key, made where there was none (keys may repeat), and whether this very place made it.

        For tables in which most keys are known; ``claim`` is for those in which most are new.
        """
        rows, made = self.find(keys), np.zeros(len(keys), dtype=bool)
        missing = (rows < 0).nonzero()[0]
        if len(missing):
            rows[missing], made[missing] = self.claim(keys[missing])
        return rows, made

    def claim(self, keys: U64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """What ``add`` does, in one walk: who meets a free slot writes itself into it, and who loses it to another looks again."""
        out, made = np.full(len(keys), -1, dtype=np.int64), np.zeros(len(keys), dtype=bool)
        self._room(len(keys))
        mask = np.uint64(len(self.slots) - 1)
        at, todo = (keys & mask).view(np.int64), np.arange(len(keys))
        while len(at):
            slot = self.slots[at]
            free = slot == FREE
            step = (~free).astype(np.int64)  # who finds a slot free stays at it, whoever gets it
            empty = free.nonzero()[0]
            if len(empty):
                given, mine = self._give(keys[empty])
                self.slots[at[empty]] = mine
                won = self.slots[at[empty]] == mine
                out[todo[empty[won]]], made[todo[empty[won]]] = given[won], True
                self.used_slots += int(np.count_nonzero(won))
                self._back(given[~won])
                step[empty[won]] = -1
            like = (((slot ^ keys) >> _HALF) == 0).nonzero()[0]
            row = (slot[like] & _LOW).view(np.int64) - 1
            there = (row >= 0) & (row < len(self.keys)) & (self.keys.take(row, mode="clip") == keys[like])
            out[todo[like[there]]] = row[there]
            step[like[there]] = -1
            on = (step >= 0).nonzero()[0]
            keys, todo = keys[on], todo[on]
            at = (at[on] + step[on] * _stride(keys)) & np.int64(mask)
        return out, made

    def _give(self, keys: U64) -> tuple[I64, U64]:
        """Rows for these keys, and what their slots will hold."""
        if len(keys) > self.unused:
            self._more_rows(len(keys))
        self.unused -= len(keys)
        given = self.free[self.unused : self.unused + len(keys)][::-1].astype(np.int64)
        self.keys[given] = keys
        return given, (keys & ~_LOW) | (given + 1).view(np.uint64)

    def _back(self, rows: I64) -> None:
        self.free[self.unused : self.unused + len(rows)] = rows[::-1]
        self.unused += len(rows)

    def drop(self, rows: I64) -> None:
        """Forget these rows (each once)."""
        if not len(rows):
            return
        mask = np.uint64(len(self.slots) - 1)
        keys = self.keys[rows]
        wanted, at = rows.view(np.uint64) + np.uint64(1), (keys & mask).view(np.int64)
        while len(wanted):
            here = (self.slots[at] & _LOW) == wanted
            self.slots[at[here]] = LEFT
            on = (~here).nonzero()[0]
            wanted, keys = wanted[on], keys[on]
            at = (at[on] + _stride(keys)) & np.int64(mask)
        self._back(rows)

    def _place(self, keys: U64, rows: I64) -> None:
        """Write rows of keys that are known to be absent; who loses a slot to another goes on to the next."""
        mask = np.uint64(len(self.slots) - 1)
        mine, at = (keys & ~_LOW) | (rows + 1).view(np.uint64), (keys & mask).view(np.int64)
        self.used_slots += len(rows)
        while len(mine):
            empty = (self.slots[at] == FREE).nonzero()[0]
            self.slots[at[empty]] = mine[empty]
            on = (self.slots[at] != mine).nonzero()[0]
            mine, keys = mine[on], keys[on]
            at = (at[on] + _stride(keys)) & np.int64(mask)

    def _more_rows(self, more: int) -> None:
        old = len(self.keys)
        size = max(old * 5 // 4, len(self) + more)
        keys = np.zeros(size, dtype=np.uint64)
        keys[:old] = self.keys
        free = np.empty(size, dtype=np.int32)
        # The new rows lie under the old free ones on the stack: old gaps are filled first.
        free[: size - old] = np.arange(size - 1, old - 1, -1, dtype=np.int32)
        free[size - old : size - old + self.unused] = self.free[: self.unused]
        self.keys, self.free, self.unused = keys, free, self.unused + size - old

    def _room(self, more: int) -> None:
        """Build the slots anew when more than half would be taken or left behind."""
        if (self.used_slots + more) * 2 <= len(self.slots):
            return
        live = self.rows()
        self.slots = np.full(_slots_for(len(live) + more), FREE)
        self.used_slots = 0
        self._place(self.keys[live], live)


def _slots_for(rows: int) -> int:
    """A power of two with at most four ninths taken, so that it does not have to be built anew at once."""
    return 1 << max(7, int(rows * 9 // 4 - 1).bit_length())
