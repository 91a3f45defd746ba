"""A hash table of arrays: find, add and drop many keys at once.

Open addressing with linear probing (Knuth, TAOCP 3, 6.4), in compiled loops. A slot holds the upper half of its key beside the
row number: a key that is absent is known to be so without a look at the rows, which is one miss of the cache instead of two.
That half also says where the slot belongs, so that the slots are laid out anew, and gaps closed, without a look at the rows.
The keys themselves stand in the rows and have the last word. Keys must be mixed (``keys.mix``): their upper half spreads them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch import loops
from makegood.watch.keys import U64

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


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
        self.slots: U64 = np.zeros(_slots_for(rows), np.uint64)  # 0: free
        self.keys: U64 = np.zeros(rows, dtype=np.uint64)
        self.free: I32 = np.arange(rows - 1, -1, -1, dtype=np.int32)  # a stack; row 0 is given out first
        self.unused = rows

    @classmethod
    def of(cls, keys: U64) -> Index:
        """The index in which row i is that of ``keys[i]``. Raises ValueError where a key stands twice."""
        made = cls(len(keys) + 64)
        if len(repeated(keys)):
            raise ValueError("a key stands in the snapshot twice")
        made.keys[: len(keys)] = keys
        made.unused -= len(keys)
        rows = np.arange(1, len(keys) + 1, dtype=np.uint64)
        loops.lay(made.slots, (keys & ~_LOW) | rows)
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
        if len(self) and len(keys):
            loops.find(self.slots, self.keys, keys, out)
        return out

    def claim(self, keys: U64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """The row of each key, made where there was none (keys may repeat), and whether this very place made it."""
        out, made = np.empty(len(keys), np.int64), np.empty(len(keys), bool)
        done = 0
        while done < len(keys):
            most = _most(len(self.slots))
            done, self.unused = loops.claim(
                self.slots, self.keys, self.free, self.unused, most, keys, done, out, made
            )
            if done < len(keys):
                self._more_slots() if len(self) >= most else self._more_rows(len(keys) - done)
        return out, made

    def drop(self, rows: I64) -> None:
        """Forget these rows (each once)."""
        if len(rows):
            self.unused = loops.drop(self.slots, self.keys, self.free, self.unused, rows)

    def _more_rows(self, wanted: int) -> None:
        old = len(self.keys)
        # By an eighth where they are many: what is unused is paid for in every column of the rows.
        size = old + max(old // (8 if old > 1 << 16 else 4), min(wanted, old // 2))
        keys = np.zeros(size, dtype=np.uint64)
        keys[:old] = self.keys
        free = np.empty(size, dtype=np.int32)
        # The new rows lie under the old free ones on the stack: old gaps are filled first.
        free[: size - old] = np.arange(size - 1, old - 1, -1, dtype=np.int32)
        free[size - old : size - old + self.unused] = self.free[: self.unused]
        self.keys, self.free, self.unused = keys, free, self.unused + size - old

    def _more_slots(self) -> None:
        old = self.slots
        self.slots = np.zeros(2 * len(old), np.uint64)
        loops.lay(self.slots, old)


def _most(slots: int) -> int:
    """How many rows so many slots may hold: five of eight, beyond which searches grow long."""
    return slots * 5 // 8


def _slots_for(rows: int) -> int:
    """A power of two that holds these rows."""
    return 1 << max(7, int(rows * 8 // 5).bit_length())
