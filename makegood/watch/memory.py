"""What is remembered for a while and then forgotten as a whole: closed steps, seen events, first copies.

Two generations of half the time each (as in a rotating Bloom filter, but exact): a key is looked for in both and written
to the younger; when that is old enough the older is thrown away. Forgetting costs nothing and needs no list of dates.
"""

from __future__ import annotations

import numpy as np

from makegood.watch import loops
from makegood.watch.keys import U64
from makegood.watch.plan import I64, Bools
from makegood.watch.table import Index

NEVER = np.int64(-(1 << 62))
_NO_VALUE = np.zeros(0, np.uint64)


class Generation:
    """Keys with a time and, where any was written, a value."""

    def __init__(self) -> None:
        self.index = Index()
        self.at: I64 = np.full(len(self.index.keys), NEVER)
        self.value: U64 = np.zeros(0, np.uint64)

    def values(self, rows: I64) -> U64:
        """What was written beside these rows; 0 for nothing."""
        return self.value[rows] if len(self.value) else np.zeros(len(rows), np.uint64)

    def write(self, keys: U64, at: I64, value: U64 | None = None) -> None:
        """The latest time of each key wins; of two at one time the larger value, so that the order does not matter."""
        rows, made = self._rows(keys)
        if value is None or not value.any():
            value = _NO_VALUE
        elif len(self.value) < len(self.at):
            self.value = np.concatenate([self.value, np.zeros(len(self.at) - len(self.value), np.uint64)])
        loops.remember(self.at, self.value, rows, made, at, value)

    def _rows(self, keys: U64) -> tuple[I64, Bools]:
        rows, made = self.index.claim(keys)
        if len(self.index.keys) > len(self.at):
            more = len(self.index.keys) - len(self.at)
            self.at = np.concatenate([self.at, np.full(more, NEVER)])
            if len(self.value):
                self.value = np.concatenate([self.value, np.zeros(more, np.uint64)])
        return rows, made

    @property
    def nbytes(self) -> int:
        return self.index.nbytes + self.at.nbytes + self.value.nbytes


class Memory:
    """Keys remembered for at least ``span`` microseconds after they were written, at most twice that."""

    def __init__(self, span: int) -> None:
        self.span = span
        self.young, self.old = Generation(), Generation()
        self.since = NEVER

    def turn(self, now: int) -> None:
        """Throw away what is old enough; to be called with a 'now' that never falls."""
        if self.since == NEVER:
            self.since = np.int64(now)
        elif now - self.since >= self.span:
            self.old, self.young, self.since = self.young, Generation(), np.int64(now)

    def latest(self, keys: U64) -> tuple[Bools, I64, U64]:
        """Whether each key is known, its latest time and that time's value."""
        at, value = np.full(len(keys), NEVER), np.zeros(len(keys), np.uint64)
        known = np.zeros(len(keys), bool)
        for of in (self.old, self.young):
            if len(of.index) and len(keys):
                loops.latest(of.index.slots, of.index.keys, of.at, of.value, keys, known, at, value)
        return known, at, value

    def write(self, keys: U64, at: I64, value: U64 | None = None) -> None:
        if len(keys):
            self.young.write(keys, at, value)

    @property
    def nbytes(self) -> int:
        return self.young.nbytes + self.old.nbytes
