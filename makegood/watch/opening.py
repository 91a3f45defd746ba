"""Steps that a batch opens. Doubled and late events open nothing twice, in whatever order they come."""

from __future__ import annotations

import numpy as np

from makegood.watch.batch import Batch
from makegood.watch.deadlines import GIVEN
from makegood.watch.keys import U64, chain, mix
from makegood.watch.model import Model
from makegood.watch.plan import I64, NEED, Plan
from makegood.watch.state import LEVELS, State, grown
from makegood.watch.table import distinct


def step_keys(plan: Plan, tx: U64, step: I64) -> U64:
    """The key of a step of a transaction; it can be undone (state.transactions)."""
    return mix(tx ^ plan.keys[step])


def open_steps(plan: Plan, model: Model, state: State, batch: Batch, now: int, count: dict[str, int]) -> I64:
    """Open what the batch opens; the rows whose due time has to be set.

    A row keeps its first and its last opening: who asks twice waits since the first time, and a close between two
    openings leaves the second one open, whichever of the three came first.
    """
    place, step = plan.opens.spread(batch.event.astype(np.int64))
    at = batch.at[place]
    late = now - at > plan.late[step]
    count["late"] = int(np.count_nonzero(late))
    keys = step_keys(plan, batch.tx[place], step)
    wanted = ~late & ~_ended(plan, state, keys, step, at)
    place, step, at, keys = place[wanted], step[wanted], at[wanted], keys[wanted]
    rows, made = state.rows.add(keys)
    count["opened"] = int(np.count_nonzero(made))
    columns = state.rows
    before = columns["first"][rows]
    np.minimum.at(columns["first"], rows, at)
    np.maximum.at(columns["last"], rows, at)
    # The earliest opening says what the row is about; written last, it wins over the others of this batch.
    decides = np.flatnonzero((at == columns["first"][rows]) & (at < before))
    if not len(decides):
        return np.zeros(0, np.int64)
    decides = decides[np.argsort(batch.id[place[decides]])[::-1]]
    rows, place, step = rows[decides], place[decides], step[decides]
    _describe(plan, model, state, batch, rows, place, step)
    return distinct(rows)


def _ended(plan: Plan, state: State, keys: U64, step: I64, at: I64) -> np.ndarray:
    """Whether an opening is known to be over: closed at its time or later; for a need, answered at any time."""
    need = plan.flavour[step] == NEED
    known, closed_at, _ = state.closed.latest(keys)
    over = known & (closed_at >= at)
    if need.any():
        over[need] = state.seen.latest(keys[need])[0]
    return over


def _describe(plan: Plan, model: Model, state: State, batch: Batch, rows: I64, place: I64, step: I64) -> None:
    columns = state.rows
    columns["step"][rows] = step
    columns["amount"][rows] = batch.amount[place]
    for s in np.flatnonzero(np.bincount(step)):
        mine = step == s
        of, at = rows[mine], place[mine]
        first = batch.at[at]
        if plan.subject[s] >= 0:
            columns["subject"][of] = batch.attributes[plan.subject[s]][at]
        if plan.flavour[s] == NEED:
            columns["lane"][of] = -1
            continue
        promise = batch.moments[plan.moment[s]][at] if plan.moment[s] >= 0 else np.zeros(len(at), np.int64)
        given = promise > first
        allowed = first + plan.allowed[s] if plan.allowed[s] else 0
        columns["promise"][of] = np.where(given, promise, allowed)
        columns["flags"][of] = (columns["flags"][of] & np.uint8(255 - GIVEN)) | np.where(
            given, GIVEN, 0
        ).astype(np.uint8)
        columns["lane"][of] = _lane(plan, model, state, batch, int(s), at)
        columns["cohort"][of] = _cohort(plan, model, state, batch, int(s), at)


def _lane(plan: Plan, model: Model, state: State, batch: Batch, step: int, at: I64) -> I64:
    """The lane of each, made with its parent (all lanes of the step together) where it is new."""
    root = int(plan.keys[step])
    keys = chain(root, (batch.attributes[c][at] for c in plan.lanes[step]), len(at))
    rows, made = state.lanes.add(keys)
    if made.any():
        whole, _ = state.lanes.add(np.array([root], np.uint64))
        state.lanes["step"][whole] = step
        fresh = rows[made]
        state.lanes["step"][fresh] = step
        state.lanes["parent"][fresh] = np.where(fresh == whole[0], -1, whole[0])
        state.lanes["last"][fresh] = state.now
        known_lanes(model, state, np.append(fresh, whole))
    return rows


def known_lanes(model: Model, state: State, rows: I64) -> None:
    """For each of these lanes its number in the model."""
    state.known_lane = grown(state.known_lane, len(state.lanes.index.keys), -1)
    state.known_lane[rows] = model.find_lane(state.lanes.index.keys[rows])


def _cohort(plan: Plan, model: Model, state: State, batch: Batch, step: int, at: I64) -> I64:
    """The narrowest cohort of each, with the keys of those above it: which of them the model knows may change."""
    levels = cohort_keys(plan, batch, step, at)
    rows, made = state.cohorts.add(levels[-1])
    if made.any():
        fresh = rows[made]
        state.cohorts["step"][fresh] = step
        for depth in range(LEVELS):
            state.cohorts[f"level{depth}"][fresh] = levels[min(depth, len(levels) - 1)][made]
        known_cohorts(model, state, fresh)
    return rows


def cohort_keys(plan: Plan, batch: Batch, step: int, at: I64) -> list[U64]:
    """The keys of the chain of cohorts, wide to narrow: the step itself, then each list of attributes."""
    root = int(plan.keys[step])
    out = [np.full(len(at), root, np.uint64)]
    for depth, columns in enumerate(plan.cohorts[step], 1):
        out.append(chain(root ^ depth, (batch.attributes[c][at] for c in columns), len(at)))
    return out


def known_cohorts(model: Model, state: State, rows: I64) -> None:
    """For each of these cohorts the narrowest of its chain that the model knows."""
    state.known = grown(state.known, len(state.cohorts.index.keys), -1)
    best = np.full(len(rows), -1, np.int64)
    for depth in range(LEVELS):
        found = model.find(state.cohorts[f"level{depth}"][rows])
        best = np.where(found >= 0, found, best)
    state.known[rows] = best
