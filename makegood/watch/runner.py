"""The watch on one machine: reads both logs by their cursors, advances the kernel, writes what it found.

What is found is committed first, under names that are the same when it is found again; later the state and the cursors that
it stands at, in one statement. Killed in between, the worker reads the same events again and finds the same: none is lost,
none is doubled. The clock of the kernel is that of the logs while there is more to read than a batch, so that a worker that
was away does not call stuck what ended meanwhile (following.py).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db.models import F

from makegood.base import clock
from makegood.watch import fault_curves, house, sink, standing
from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty, micros
from makegood.watch.findings import Findings, join
from makegood.watch.following import Place, Reader
from makegood.watch.model import Model
from makegood.watch.models import WatchModel, WatchState
from makegood.watch.snapshot import BadSnapshot, restore, snapshot
from makegood.watch.state import State, new_state

log = logging.getLogger("makegood.watch")
#: Events that are read together, and how many may pass before the state is kept.
TOGETHER, KEEP = 65_536, 1_000_000
ROW = 1


class Lost(RuntimeError):
    """Another worker has the watch now; what this one has in memory is old."""


@dataclass
class Runner:
    """The kernel with its place in the log. ``turn``: the write of the row that it goes back to."""

    watched: house.Watched
    model: Model
    state: State
    reader: Reader
    turn: int
    waiting: int = 0  # facts and events since the state was kept
    found: int = 0

    @classmethod
    def load(cls) -> Runner | None:
        """From the row that was kept; None when nothing is watched."""
        watched = house.watched()
        if watched is None:
            return None
        row, _ = WatchState.objects.get_or_create(pk=ROW)
        kept = bytes(row.snapshot)
        place = Place((row.tx, row.fact_id), (row.chunk_tx, row.chunk_id), row.chunk_done)
        try:
            state = restore(kept, watched.plan) if kept else new_state(watched.plan)
        except (
            BadSnapshot
        ):  # of a form that this version does not read: the log is the truth, what was found stays found
            log.exception("the watch reads the log from its beginning")
            state, place = new_state(watched.plan), Place()
        return cls(watched, house.newest(watched.plan), state, Reader(watched.plan, place), row.turn)

    def step(self, limit: int = TOGETHER) -> int:
        """Read on and write what is found; how many facts and events there were. Where no more is left, the clock goes on to now."""
        pieces, names, count = self.reader.read(limit)
        parts = [self._advance(piece.batch, piece.at) for piece in pieces]
        if not self.reader.more:
            parts.append(self._advance(empty(self.watched.plan), micros(clock.now())))
        found = join(parts)
        if len(found) or names:
            sink.write(self.watched, self.model, self.state, found, names)
        self.waiting += count
        self.found += len(found)
        return count

    def keep(self) -> None:
        """The state and its cursors, in one statement. Raises Lost when somebody else wrote since."""
        plan, place = self.watched.plan, self.reader.place
        changed = WatchState.objects.filter(pk=ROW, turn=self.turn).update(
            tx=place.fact[0],
            fact_id=place.fact[1],
            chunk_tx=place.chunk[0],
            chunk_id=place.chunk[1],
            chunk_done=place.done,
            turn=F("turn") + 1,
            snapshot=snapshot(self.state, plan),
            seen=standing.seen(plan, self.model, self.state),
            kept_at=clock.now(),
        )
        if not changed:
            raise Lost(f"turn {self.turn} is over")
        fault_curves.draw(self.state)
        self.turn, self.waiting, self.found = self.turn + 1, 0, 0

    def changed(self) -> bool:
        """Whether the limits, the processes or the model are others now; the runner is then to be loaded again."""
        watched = house.watched()
        newest = WatchModel.objects.order_by("-id").values_list("id", flat=True).first() or 0
        now = (watched.asked, watched.plan.version) if watched else None
        return now != (self.watched.asked, self.watched.plan.version) or newest != self.model.version

    def _advance(self, batch: Batch, now: int) -> Findings:
        """The kernel takes a batch; what it finds."""
        self.state, found, _ = advance(self.state, batch, self.model, now, self.watched.plan)
        return found
