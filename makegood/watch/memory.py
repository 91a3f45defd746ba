"""What is remembered for a while and then forgotten as a whole: closed steps, seen events, first copies.

Two generations of half the time each (as in a rotating Bloom filter, but exact): a key is looked for in both and written
to the younger; when that is old enough the older is thrown away. Forgetting costs nothing and needs no list of dates.
"""

from __future__ import annotations

import numpy as np

from makegood.watch.keys import U64
from makegood.watch.plan import I64, Bools
from makegood.watch.table import Index, repeated

NEVER = np.int64(-(1 << 62))


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
        if value is None or not value.any():
            rows = self._rows(keys)[0]
            np.maximum.at(self.at, rows, at)
            return
        if len(repeated(keys)):
            order = np.lexsort((value, at, keys))
            keys, at, value = keys[order], at[order], value[order]
            last = np.append(keys[1:] != keys[:-1], True)
            keys, at, value = keys[last], at[last], value[last]
        rows, made = self._rows(keys)
        if len(self.value) < len(self.at):
            self.value = np.concatenate([self.value, np.zeros(len(self.at) - len(self.value), np.uint64)])
        old = self.at[rows]
        wins = made | (at > old) | ((at == old) & (value > self.value[rows]))
        self.at[rows[wins]], self.value[rows[wins]] = at[wins], value[wins]

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
        for generation in (self.old, self.young):
            rows = generation.index.find(keys)
            hit = np.flatnonzero(rows >= 0)
            rows = rows[hit]
            later = ~known[hit] | (generation.at[rows] >= at[hit])
            at[hit[later]], value[hit[later]] = generation.at[rows[later]], generation.values(rows[later])
            known[hit] = True
        return known, at, value

    def write(self, keys: U64, at: I64, value: U64 | None = None) -> None:
        if len(keys):
            self.young.write(keys, at, value)

    @property
    def nbytes(self) -> int:
        return self.young.nbytes + self.old.nbytes
