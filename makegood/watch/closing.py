"""Steps that a batch ends: closed, cancelled, or answered (a need)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from makegood.watch.batch import Batch
from makegood.watch.keys import U64
from makegood.watch.opening import Opened, touched
from makegood.watch.plan import I64, NEED, Bools, Plan
from makegood.watch.state import LATER, State
from makegood.watch.table import repeated


@dataclass(frozen=True)
class Ended:
    """Rows that ended in this batch, with their times; ``cancelled`` ones have no outcome. Not yet dropped."""

    rows: I64
    at: I64
    cancelled: Bools

    def __len__(self) -> int:
        return len(self.rows)


def close_steps(
    plan: Plan, state: State, batch: Batch, opened: Opened, count: dict[str, int]
) -> tuple[Ended, I64]:
    """(what ended, rows that were opened again after the close and now count from there).

    Every close is remembered, also one without its opening (a tombstone): the opening that comes later opens nothing.
    """
    _place, step, at, keys = touched(plan, plan.closes, batch)
    _place, step_off, at_off, keys_off = touched(plan, plan.cancels, batch)
    cancelled = np.zeros(len(step) + len(step_off), bool)
    if len(step_off):
        cancelled[len(step) :] = True
        step, at = np.concatenate([step, step_off]), np.concatenate([at, at_off])
        keys = np.concatenate([keys, keys_off])
    need = plan.flavour[step] == NEED
    _remember(state, keys, at, need)
    rows = state.rows.index.find(keys)
    hit = np.flatnonzero(rows >= 0)
    count["unmatched"] = int(np.count_nonzero(~need & (rows < 0)))
    rows, at, cancelled, need = rows[hit], at[hit], cancelled[hit], need[hit]
    if len(twice := repeated(rows)):
        chosen = _chosen(state, rows, at, cancelled, twice)
        rows, at, cancelled, need = rows[chosen], at[chosen], cancelled[chosen], need[chosen]
    over = need | (at >= state.rows["last"][rows])
    if over.all():
        return Ended(rows, at, cancelled), rows[:0]
    goes_on = ~over & (at >= state.rows["first"][rows])
    again = rows[goes_on]
    _open_again(state, opened, again, at[goes_on])
    return Ended(rows[over], at[over], cancelled[over]), again


def _chosen(state: State, rows: I64, at: I64, cancelled: Bools, twice: I64) -> I64:
    """One end for each row. Of several the first after the last opening counts ('packed' and 'handed over' in one batch:
    else what is found would depend on how batches are cut), else the latest before it; of a close and a cancel at one
    time the close."""
    several = np.zeros(len(state.rows.index.keys), bool)
    several[twice] = True
    own = np.flatnonzero(several[rows])
    after = at[own] >= state.rows["last"][rows[own]]
    order = own[np.lexsort((cancelled[own], np.where(after, at[own], -at[own]), ~after, rows[own]))]
    first = np.append(True, rows[order][1:] != rows[order][:-1])
    return np.concatenate([np.flatnonzero(~several[rows]), order[first]])


def _open_again(state: State, opened: Opened, rows: I64, closed: I64) -> None:
    """Rows that were opened after this close: they begin with the earliest such opening that came with the close, else
    with the last (of openings that came in earlier batches a row keeps no more)."""
    began = np.full(len(state.rows.index.keys), LATER)
    began[rows] = state.rows["last"][rows]
    end = np.full(len(began), LATER)
    end[rows] = closed
    later = opened.at > end[opened.rows]
    np.minimum.at(began, opened.rows[later], opened.at[later])
    state.rows["first"][rows] = began[rows]
    state.rows["overtakes"][rows] = 0


def _remember(state: State, keys: U64, at: I64, need: Bools) -> None:
    if not need.any():
        state.closed.write(keys, at)
        return
    state.closed.write(keys[~need], at[~need])
    state.seen.write(keys[need], at[need])


def durations(plan: Plan, state: State, ended: Ended) -> I64:
    """Microseconds from the opening to the end on the clock of the step, never below 0."""
    rows = state.rows
    return np.maximum(plan.age(rows["step"][ended.rows], rows["first"][ended.rows], ended.at), 0)


def tally(plan: Plan, state: State, ended: Ended, took: I64) -> dict[str, npt.NDArray[np.int64]]:
    """What learning adds up: (cohort key, bucket) pairs with their numbers, of the steps that were closed."""
    from makegood.watch.curves import BUCKETS, bucket

    done = ~ended.cancelled & (plan.flavour[state.rows["step"][ended.rows]] != NEED)
    cohort = state.rows["cohort"][ended.rows[done]].astype(np.int64)
    every = np.sort(cohort * BUCKETS + bucket(took[done]))
    first = np.flatnonzero(np.append(True, every[1:] != every[:-1])) if len(every) else every
    pairs, number = every[first], np.diff(np.append(first, len(every)))
    return {
        "cohort": state.cohorts.index.keys[pairs // BUCKETS].astype(np.uint64).view(np.int64),
        "bucket": pairs % BUCKETS,
        "number": number,
    }
