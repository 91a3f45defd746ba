"""The kernel: one batch of events and a new 'now' make findings. Pure: no file, no clock, no database, no Django.

    state, findings, counters = advance(state, batch, model, now, plan)

Within a batch openings come before closes, so that an event order that the sender did not keep makes no difference.
``now`` never goes back: a clock that jumps back is held. What is told does not depend on the order of events in a batch,
nor on how they are cut into batches, as long as each comes before its step is due (then it can only be told and taken back).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from makegood.watch.batch import Batch, sifted
from makegood.watch.closing import Ended, close_steps, durations, tally
from makegood.watch.deadlines import set_dues
from makegood.watch.findings import Findings, join, none
from makegood.watch.lanes import note_ended, tick
from makegood.watch.model import Model, limits
from makegood.watch.opening import known_cohorts, known_lanes, open_steps
from makegood.watch.plan import I64, Plan
from makegood.watch.queues import count_overtakes, overtaken_rows
from makegood.watch.repeats import duplicates, recurring
from makegood.watch.rows_found import due_rows, ended_rows, overtaken
from makegood.watch.state import BY_PEERS, TOLD, UNUSED, State, transactions
from makegood.watch.table import distinct


@dataclass(frozen=True)
class Counters:
    """What happened to the events of a batch, and the completions that learning adds up.

    ``number``: events, opened, closed, cancelled, unmatched (a close without its opening), late (too old to open anything),
    ahead (from a clock ahead of ours), doubled, poison, unwatched. ``completed``: cohort key, bucket, number.
    """

    number: dict[str, int]
    completed: dict[str, npt.NDArray[np.int64]]


def advance(
    state: State, batch: Batch, model: Model, now: int, plan: Plan
) -> tuple[State, Findings, Counters]:
    """Take one batch in; ``now`` in µs. The state is changed in place and given back.

    Raises BadBatch when the arrays of the batch do not fit the plan; whatever the events themselves hold, it does not raise.
    """
    now = state.now = max(now, state.now)
    if state.version != plan.version:
        raise ValueError(
            f"a state of {state.version!r} needs `moved_to` before the plan {plan.version!r} can use it"
        )
    state.ticked = state.ticked or now
    _bind(plan, model, state)
    for memory in (state.closed, state.seen, state.copies, state.told):
        memory.turn(now)
    batch, number = sifted(plan, batch, now)
    found: list[Findings] = [duplicates(plan, state, batch, now, number)]
    opened = open_steps(plan, model, state, batch, now, number)
    ended, again = close_steps(plan, state, batch, opened, number)
    changed = distinct(np.concatenate([opened.fresh, again])) if len(again) else opened.fresh
    set_dues(plan, model, state, changed)
    state.rows["flags"][again] &= ~TOLD  # a step that was opened again may be told again
    took = durations(plan, state, ended)
    completed = tally(plan, state, ended, took)
    number["closed"] = int(np.count_nonzero(~ended.cancelled))
    number["cancelled"] = len(ended) - number["closed"]
    found.append(ended_rows(plan, model, state, ended, took, now))
    found.append(_overtakes(plan, model, state, ended, took, now))
    found.append(due_rows(plan, model, state, now))
    found.append(tick(plan, model, state, now))
    everything = join(found)
    again_and_again = recurring(plan, state, everything, now) if len(everything) else none()
    return state, join([everything, again_and_again]), Counters(number, completed)


def _overtakes(plan: Plan, model: Model, state: State, ended: Ended, took: I64, now: int) -> Findings:
    """Count overtakes, note the completions in their lanes, drop the rows; who was overtaken too often is told."""
    suffered, passed, by = count_overtakes(plan, state, ended)
    new = overtaken_rows(plan, model, state, passed)
    order = np.argsort(passed, kind="stable")
    cause = by[order[np.searchsorted(passed[order], new)]] if len(new) else by[:0]
    overtakers = transactions(
        plan, state.rows.index.keys[ended.rows[cause]], state.rows["step"][ended.rows[cause]]
    )
    found = overtaken(plan, model, state, new, overtakers, ended.at[cause], now)
    note_ended(plan, model, state, ended, took, suffered)
    cold = _cold(state, ended)
    state.rows.drop(ended.rows, *UNUSED)
    set_dues(plan, model, state, cold[state.rows["step"][cold] >= 0])
    return found


def _cold(state: State, ended: Ended) -> I64:
    """Open rows that wait by what their lane has shown so far, in lanes where something was just finished."""
    rows = np.flatnonzero((state.rows["reason"] == BY_PEERS) & (state.rows["due"] < np.int64(1 << 61)))
    if not len(rows) or not len(ended):
        return rows[:0]
    busy = np.zeros(len(state.lanes.index.keys), bool)
    busy[state.rows["lane"][ended.rows]] = (
        True  # a need has lane -1: the last place, which is of no open row of peers
    )
    over = np.zeros(len(state.rows.index.keys), bool)
    over[ended.rows] = True
    return rows[busy[state.rows["lane"][rows]] & ~over[rows]]


def _bind(plan: Plan, model: Model, state: State) -> None:
    """Take a new model into force: thresholds, which cohorts and lanes it knows, and every due time."""
    if state.bound is model:
        return
    state.bound, state.model = model, model.version
    state.limits = limits(plan, model)
    known_cohorts(model, state, state.cohorts.index.rows())
    known_lanes(model, state, state.lanes.index.rows())
    set_dues(plan, model, state, state.rows.index.rows())
