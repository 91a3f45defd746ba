"""Steps that a batch ends: closed, cancelled, or answered (a need)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from makegood.watch.batch import Batch
from makegood.watch.keys import U64
from makegood.watch.opening import step_keys
from makegood.watch.plan import I64, NEED, Bools, Plan
from makegood.watch.state import State


@dataclass(frozen=True)
class Ended:
    """Rows that ended in this batch, with their times; ``cancelled`` ones have no outcome. Not yet dropped."""

    rows: I64
    at: I64
    cancelled: Bools

    def __len__(self) -> int:
        return len(self.rows)


def close_steps(plan: Plan, state: State, batch: Batch, count: dict[str, int]) -> tuple[Ended, I64]:
    """(what ended, rows that were opened again after the close and now count from there).

    Every close is remembered, also one without its opening (a tombstone): the opening that comes later opens nothing.
    """
    events = batch.event.astype(np.int64)
    at_close, step_close = plan.closes.spread(events)
    at_cancel, step_cancel = plan.cancels.spread(events)
    place, step = np.concatenate([at_close, at_cancel]), np.concatenate([step_close, step_cancel])
    cancelled = np.zeros(len(place), bool)
    cancelled[len(at_close) :] = True
    at, keys = batch.at[place], step_keys(plan, batch.tx[place], step)
    need = plan.flavour[step] == NEED
    _remember(state, keys, at, need)
    rows = state.rows.index.find(keys)
    hit = np.flatnonzero(rows >= 0)
    count["unmatched"] = int(np.count_nonzero(~need & (rows < 0)))
    rows, at, cancelled, need = rows[hit], at[hit], cancelled[hit], need[hit]
    # Of several ends the first after the last opening counts ('packed' and 'handed over' in one batch: else what is found would
    # depend on how batches are cut), else the latest before it; of a close and a cancel at one time the close.
    after = at >= state.rows["last"][rows]
    order = np.lexsort((cancelled, np.where(after, at, -at), ~after, rows))
    rows, at, cancelled, need = rows[order], at[order], cancelled[order], need[order]
    first = np.append(True, rows[1:] != rows[:-1]) if len(rows) else np.zeros(0, bool)
    rows, at, cancelled, need = rows[first], at[first], cancelled[first], need[first]
    over = need | (at >= state.rows["last"][rows])
    again = rows[~over & (at >= state.rows["first"][rows])]
    state.rows["first"][again] = state.rows["last"][again]
    state.rows["overtakes"][again] = 0
    return Ended(rows[over], at[over], cancelled[over]), again


def _remember(state: State, keys: U64, at: I64, need: Bools) -> None:
    state.closed.write(keys[~need], at[~need])
    state.seen.write(keys[need], at[need])


def durations(state: State, ended: Ended) -> I64:
    """Microseconds from the opening to the end, never below 0."""
    return np.maximum(ended.at - state.rows["first"][ended.rows], 0)


def tally(plan: Plan, state: State, ended: Ended, took: I64) -> dict[str, npt.NDArray[np.int64]]:
    """What learning adds up: (cohort key, bucket) pairs with their numbers, of the steps that were closed."""
    from makegood.watch.curves import BUCKETS, bucket

    done = ~ended.cancelled & (plan.flavour[state.rows["step"][ended.rows]] != NEED)
    cohort = state.rows["cohort"][ended.rows[done]].astype(np.int64)
    pairs, number = np.unique(cohort * BUCKETS + bucket(took[done]), return_counts=True)
    return {
        "cohort": state.cohorts.index.keys[pairs // BUCKETS].astype(np.uint64).view(np.int64),
        "bucket": pairs % BUCKETS,
        "number": number,
    }
