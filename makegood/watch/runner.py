"""The watch on one machine: reads the log by its cursor, advances the kernel, writes what it found.

What is found is committed first, under names that are the same when it is found again; later the state and the cursor that
it stands at, in one statement. Killed in between, the worker reads the same facts again and finds the same: none is lost,
none is doubled. The clock of the kernel is that of the log while there is more to read than a batch, so that a worker that
was away does not call stuck what ended meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F

from makegood.base import clock
from makegood.transactions import facts
from makegood.transactions.facts import Cursor
from makegood.transactions.models import Store, StoreFact
from makegood.watch import fault_curves, house, sink, standing
from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty
from makegood.watch.findings import Findings, join
from makegood.watch.log_events import Named, to_batch
from makegood.watch.model import Model
from makegood.watch.models import WatchModel, WatchState
from makegood.watch.snapshot import BadSnapshot, restore, snapshot
from makegood.watch.state import State, new_state

log = logging.getLogger("makegood.watch")
#: Facts a batch, and how many may pass before the state is kept.
TOGETHER, KEEP = 5_000, 50_000
ROW = 1
#: A batch is cut where the clock of the log has gone on so far, but not into less than so many facts.
SPAN, LEAST = timedelta(minutes=5), 10


class Lost(RuntimeError):
    """Another worker has the watch now; what this one has in memory is old."""


@dataclass
class Runner:
    """The kernel with its place in the log. ``turn``: the write of the row that it goes back to."""

    watched: house.Watched
    model: Model
    state: State
    cursor: Cursor
    turn: int
    shops: dict[int, int] = field(default_factory=dict)
    waiting: int = 0  # facts since the state was kept
    found: int = 0

    @classmethod
    def load(cls) -> Runner | None:
        """From the row that was kept; None when nothing is watched."""
        watched = house.watched()
        if watched is None:
            return None
        row, _ = WatchState.objects.get_or_create(pk=ROW)
        kept = bytes(row.snapshot)
        cursor = (row.tx, row.fact_id)
        try:
            state = restore(kept, watched.plan) if kept else new_state(watched.plan)
        except (
            BadSnapshot
        ):  # of a form that this version does not read: the log is the truth, what was found stays found
            log.exception("the watch reads the log from its beginning")
            state, cursor = new_state(watched.plan), facts.START
        return cls(watched, house.newest(watched.plan), state, cursor, row.turn)

    def step(self, limit: int = TOGETHER) -> int:
        """Read the next facts and write what is found; how many facts there were. 0: nothing new, only the clock went on."""
        came = facts.after(self.cursor, limit)
        parts: list[Findings] = []
        names: dict[int, Named] = {}
        for piece, at in pieces(came):
            batch, named = self._batch(piece)
            names |= named
            parts.append(self._advance(batch, at))
        if len(came) < limit:  # all is read: the clock goes on to now
            parts.append(self._advance(empty(self.watched.plan), clock.now()))
        found = join(parts)
        if len(found) or names:
            sink.write(self.watched, self.model, self.state, found, names)
        if came:
            self.cursor = facts.cursor_of(came[-1])
        self.waiting += len(came)
        self.found += len(found)
        return len(came)

    def keep(self) -> None:
        """The state and its cursor, in one statement. Raises Lost when somebody else wrote since."""
        plan = self.watched.plan
        changed = WatchState.objects.filter(pk=ROW, turn=self.turn).update(
            tx=self.cursor[0],
            fact_id=self.cursor[1],
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

    def _batch(self, came: list[StoreFact]) -> tuple[Batch, dict[int, Named]]:
        if any(fact.store_id not in self.shops for fact in came):
            self.shops = dict(Store.objects.values_list("id", "shop_id"))
        return to_batch(self.watched.plan, came, self.shops)

    def _advance(self, batch: Batch, now: datetime) -> Findings:
        """The kernel takes a batch; what it finds."""
        self.state, found, _ = advance(self.state, batch, self.model, _micros(now), self.watched.plan)
        return found


def pieces(came: list[StoreFact]) -> Iterator[tuple[list[StoreFact], datetime]]:
    """Facts with the clock of the log at their end.

    After an hour away all of it lies there at once. Taken in one piece, the work that was done in its first half would hide
    that nothing was done in its second: a fault is judged by what was to be finished since the last look. What a shop tells
    late is never cut apart: its ends would come after the look at its beginnings.
    """
    piece: list[StoreFact] = []
    since = at = _heard(came[0]) if came else clock.now()
    for fact in came:
        piece.append(fact)
        heard = _heard(fact)
        at = max(at, heard)
        if heard == at and at - since >= SPAN and len(piece) >= LEAST:
            yield piece, at
            piece, since = [], at
    if piece:
        yield piece, at


def _heard(fact: StoreFact) -> datetime:
    """When it can have been known: a clock that is ahead of ours does not move the watch on."""
    return min(fact.at, fact.came_at)


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
