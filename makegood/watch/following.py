"""Both logs as one, in pieces: facts and chunks by their cursors, merged by the clock of each, cut where it has gone on.

After an hour away all of it lies there at once. Taken in one piece, the work that was done in its first half would hide that
nothing was done in its second: a fault is judged by what was to be finished since the last look. What a shop tells late is never
cut apart: its ends would come after the look at its beginnings.

A log that is behind holds the other back: what was told by both is taken in the order in which it happened, also after a long
absence, or what ended in one log would be called stuck by the clock of the other. So a chunk may be taken in part; the place in
the logs says how far.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from makegood.transactions import chunks, facts
from makegood.transactions.chunks import Kept
from makegood.transactions.facts import START, Cursor, Line
from makegood.transactions.models import Store
from makegood.watch import naming
from makegood.watch.batch import Batch, concatenated, empty, micros
from makegood.watch.chunks import BadChunk, Opened, open_chunk
from makegood.watch.log_events import Named, new_lanes, told_by
from makegood.watch.plan import I64, Plan

log = logging.getLogger("makegood.watch")
#: A piece is cut where the clock of the log has gone on so far (µs), but not into less than so many facts or events.
SPAN, LEAST = timedelta(minutes=5) // timedelta(microseconds=1), 10
#: Facts that are held at once, at most: a fact weighs as much as twenty events of a chunk.
FACTS = 20_000
_NEVER = np.int64(1 << 62)


@dataclass(frozen=True)
class Place:
    """How far the logs were taken: the last fact, the last chunk that was taken whole, and how many events of the next one."""

    fact: Cursor = START
    chunk: Cursor = START
    done: int = 0


@dataclass(frozen=True)
class Piece:
    """Events that are taken together. ``at``: the clock of the logs behind them, µs; ``came``: when each was told."""

    batch: Batch
    at: int
    came: I64


@dataclass
class _Chunk:
    kept: Kept
    opened: Opened
    came: int


@dataclass
class Reader:
    """Reads on from ``place``; what was read ahead of the other log waits here."""

    plan: Plan
    place: Place
    more: bool = False  # whether there was more to read than was read
    shops: dict[int, int] = field(default_factory=dict)
    named: set[int] = field(default_factory=set)  # transactions and lanes whose names were given already
    _lines: list[Line] = field(default_factory=list)
    _chunks: list[_Chunk] = field(default_factory=list)
    _read: Place | None = None
    _clocks: tuple[int, int] = (0, 0)

    def read(self, limit: int) -> tuple[list[Piece], dict[int, Named], int]:
        """The next pieces, the names that they bring, and how many facts and events they are; ``place`` is then behind them."""
        more_facts, more_chunks = self._fill(limit)
        heard = np.array([micros(min(line.at, line.came_at)) for line in self._lines], np.int64)
        told = np.concatenate([c.opened.batch.at for c in self._chunks]) if self._chunks else heard[:0]
        sizes = [len(c.opened.batch) for c in self._chunks]
        came = np.repeat(np.array([c.came for c in self._chunks], np.int64), sizes)
        told = np.minimum(told, came)
        mine, theirs = _clock(self._clocks[0], heard), _clock(self._clocks[1], told)
        # Up to where both logs were read: what lies behind that in one waits for the other.
        until = min(
            mine[-1] if more_facts and len(mine) else _NEVER,
            theirs[-1] if more_chunks and len(theirs) else _NEVER,
        )
        f, c = (int(np.searchsorted(clock, until, side="right")) for clock in (mine, theirs))
        pieces, names = self._pieces(f, c, (mine[:f], theirs[:c]), (heard[:f], told[:c]), came)
        self.more = more_facts or more_chunks or f < len(mine) or c < len(theirs)
        self._clocks = (
            int(mine[f - 1]) if f else self._clocks[0],
            int(theirs[c - 1]) if c else self._clocks[1],
        )
        self._taken(f, c, sizes)
        return pieces, names, f + c

    def _fill(self, limit: int) -> tuple[bool, bool]:
        """Read until ``limit`` facts and as many events wait; whether there may be more of each."""
        at = self._read or self.place
        wanted, more_facts = min(limit, FACTS) - len(self._lines), True
        if wanted > 0:
            lines = facts.lines_after(at.fact, wanted)
            more_facts = len(lines) == wanted
            self._lines += lines
            if lines:
                at = replace(at, fact=facts.cursor_of(lines[-1]))
        held, more_chunks = sum(len(c.opened.batch) for c in self._chunks), True
        if held < limit:
            kept, more_chunks = chunks.after(at.chunk, limit - held)
            skip = self.place.done if not self._chunks else 0
            for one in kept:
                self._open(one, skip)
                skip = 0
            if kept:
                at = replace(at, chunk=(kept[-1].tx, kept[-1].id))
        self._read = at
        return more_facts, more_chunks

    def _open(self, kept: Kept, skip: int) -> None:
        shop = self._shop(kept.store_id)
        try:
            opened = open_chunk(self.plan, kept.keys, kept.data, shop=shop, store=kept.store_id)
        except BadChunk:
            # One chunk that nobody can read must not hold up every queue behind it.
            log.exception("chunk %s of the stream cannot be read and is passed over", kept.id)
            opened = Opened(empty(self.plan), {})
        if skip:
            opened = opened.behind(skip)
        self._chunks.append(_Chunk(kept, opened, micros(kept.came_at)))

    def _shop(self, store: int) -> int:
        if store not in self.shops:
            self.shops = dict(Store.objects.values_list("id", "shop_id"))
        return self.shops.get(store, 0)

    def _pieces(
        self, f: int, c: int, clocks: tuple[I64, I64], heard: tuple[I64, I64], came: I64
    ) -> tuple[list[Piece], dict[int, Named]]:
        for line in self._lines[:f]:
            if line.store_id not in self.shops:
                self._shop(line.store_id)
        told = told_by(self.plan, self._lines[:f], self.shops, self.named)
        stream = concatenated(self.plan, [one.opened.batch for one in self._chunks]).take(slice(0, c))
        names = told.names | self._lanes(c)
        order = np.argsort(np.concatenate(clocks), kind="stable")
        merged, when = np.concatenate(clocks)[order], np.concatenate(heard)[order]
        theirs = np.cumsum(order >= f)  # events of chunks up to and with each place
        start = np.searchsorted(told.place, np.arange(f + 1))  # the first event of each fact
        told_at = np.array([micros(line.came_at) for line in self._lines[:f]], np.int64)[told.place]
        out, low = [], (0, 0)
        for end in _cuts(merged, when):
            high = (end - int(theirs[end - 1]), int(theirs[end - 1]))
            mine, others = slice(start[low[0]], start[high[0]]), slice(low[1], high[1])
            batch = concatenated(self.plan, [told.batch.take(mine), stream.take(others)])
            out.append(Piece(batch, int(merged[end - 1]), np.concatenate([told_at[mine], came[others]])))
            low = high
        return out, names

    def _lanes(self, count: int) -> dict[int, Named]:
        """The names of lanes that events of chunks open for the first time here."""
        names: dict[int, Named] = {}
        for one in self._chunks:
            if count <= 0:
                break
            if found := new_lanes(self.plan, one.opened.batch, self.named):
                names |= naming.lanes(self.plan, one.kept, one.opened, found, self._shop(one.kept.store_id))
            count -= len(one.opened.batch)
        return names

    def _taken(self, f: int, c: int, sizes: list[int]) -> None:
        """Move the place behind ``f`` facts and ``c`` events of chunks."""
        at = self.place
        if f:
            at = replace(at, fact=facts.cursor_of(self._lines[f - 1]))
            self._lines = self._lines[f:]
        whole = 0
        while whole < len(sizes) and sizes[whole] <= c:
            c -= sizes[whole]
            whole += 1
        if whole:
            last = self._chunks[whole - 1].kept
            at = replace(at, chunk=(last.tx, last.id), done=0)
            self._chunks = self._chunks[whole:]
        if c:
            at = replace(at, done=at.done + c)
            self._chunks[0].opened = self._chunks[0].opened.behind(c)
        self.place = at


def _clock(before: int, heard: I64) -> I64:
    """The clock of a log at each of its lines: the latest that was heard so far."""
    return np.maximum(np.maximum.accumulate(heard), before) if len(heard) else heard


def _cuts(clock: I64, heard: I64) -> Iterator[int]:
    """Where pieces end."""
    size, low = len(clock), 0
    since = int(heard[0]) if size else 0
    forward = np.flatnonzero(heard == clock)  # what is told late moves no clock, and is not cut off
    while low < size:
        first = max(int(np.searchsorted(clock, since + SPAN)), low + LEAST - 1)
        place = int(np.searchsorted(forward, first))
        end = int(forward[place]) + 1 if place < len(forward) else size
        yield end
        low, since = end, int(clock[end - 1])
