"""A log of events as steps with a beginning and an end: what learning reads. Vectorised; the rules are the kernel's."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from makegood.watch.batch import Batch
from makegood.watch.keys import U64, chain
from makegood.watch.opening import cohort_keys, step_keys
from makegood.watch.plan import I64, NEED, Bools, Plan
from makegood.watch.state import LEVELS

OPEN, CLOSE, CANCEL = range(3)


@dataclass(frozen=True)
class History:
    """Steps that were begun. ``ended`` is 0 for what is still open; ``promise``: the moment that the event gave, else
    what the process allows, 0 for neither."""

    step: I64
    tx: U64
    opened: I64
    ended: I64
    cancelled: Bools
    promise: I64
    lane: U64
    levels: tuple[U64, ...]

    def __len__(self) -> int:
        return len(self.step)

    @property
    def done(self) -> Bools:
        return (self.ended > 0) & ~self.cancelled

    def take(self, which: np.ndarray) -> History:
        values = {f.name: getattr(self, f.name)[which] for f in fields(self) if f.name != "levels"}
        return History(**values, levels=tuple(level[which] for level in self.levels))


def pair(plan: Plan, batch: Batch) -> History:
    """The steps of a log. Of several openings in a row the first counts, and the first end after it."""
    batch = batch.take(batch.event >= 0)
    events = batch.event.astype(np.int64)
    parts = [plan.opens.spread(events), plan.closes.spread(events), plan.cancels.spread(events)]
    place = np.concatenate([part[0] for part in parts])
    step = np.concatenate([part[1] for part in parts])
    kind = np.repeat([OPEN, CLOSE, CANCEL], [len(part[0]) for part in parts])
    watched = plan.flavour[step] != NEED
    place, step, kind = place[watched], step[watched], kind[watched]
    keys = step_keys(plan, batch.tx[place], step)
    order = np.lexsort((kind, batch.at[place], keys))
    place, step, kind, keys = place[order], step[order], kind[order], keys[order]
    begun = (
        np.append(False, (keys[1:] == keys[:-1]) & (kind[:-1] == OPEN)) if len(keys) else np.zeros(0, bool)
    )
    starts = (kind == OPEN) & ~begun
    ends = (kind != OPEN) & begun
    run = np.cumsum(starts) - 1
    at = batch.at[place]
    ended = np.zeros(int(starts.sum()), np.int64)
    cancelled = np.zeros(len(ended), bool)
    ended[run[ends]], cancelled[run[ends]] = at[ends], kind[ends] == CANCEL
    return _described(plan, batch, place[starts], step[starts], at[starts], ended, cancelled)


def _described(
    plan: Plan, batch: Batch, place: I64, step: I64, opened: I64, ended: I64, cancelled: Bools
) -> History:
    promise, lane = np.zeros(len(place), np.int64), np.zeros(len(place), np.uint64)
    levels = tuple(np.zeros(len(place), np.uint64) for _ in range(LEVELS))
    for s in np.unique(step):
        mine = np.flatnonzero(step == s)
        at = place[mine]
        promise[mine] = opened[mine] + plan.allowed[s] if plan.allowed[s] else 0
        if plan.moment[s] >= 0:
            given = batch.moments[plan.moment[s]][at]
            promise[mine] = np.where(given > opened[mine], given, promise[mine])
        lane[mine] = chain(int(plan.keys[s]), (batch.attributes[c][at] for c in plan.lanes[s]), len(at))
        keys = cohort_keys(plan, batch, int(s), at)
        for depth, level in enumerate(levels):
            level[mine] = keys[depth] if depth < len(keys) else 0
    return History(step, batch.tx[place], opened, ended, cancelled, promise, lane, levels)
