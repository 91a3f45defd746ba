"""Findings about open steps: stuck, a need that was not met, overtaken; and what became of them. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from makegood.watch import curves
from makegood.watch.closing import Ended
from makegood.watch.deadlines import peers
from makegood.watch.findings import PAST, RAISED, RECOVERED, Findings, finding_ids, join, make, none, ranked
from makegood.watch.lanes import incident_of, pace
from makegood.watch.model import Model
from makegood.watch.plan import I64, MISMATCH, NEED, OVERTAKEN, STUCK, Plan
from makegood.watch.queues import thresholds
from makegood.watch.state import (
    BY_GRACE,
    BY_PEERS,
    BY_PROMISE,
    TIER,
    TOLD_OVERTAKEN,
    TOLD_STUCK,
    State,
    transactions,
)


def due_rows(plan: Plan, model: Model, state: State, now: int) -> Findings:
    """Open steps whose due time has come and that were not told yet."""
    due = state.rows["due"]
    rows = np.flatnonzero(due <= now)  # rows not in use are due never
    rows = rows[(state.rows["flags"][rows] & TOLD_STUCK) == 0]
    if not len(rows):
        return none()
    state.rows["flags"][rows] |= TOLD_STUCK
    age = plan.age(state.rows["step"][rows], state.rows["first"][rows], now)
    return ranked(_stuck(plan, model, state, rows, now, age, RAISED))


def overtaken(
    plan: Plan, model: Model, state: State, rows: I64, by: npt.NDArray[np.uint64], at: I64, now: int
) -> Findings:
    """Rows just overtaken too often, with the transaction that did it and when that was finished."""
    if not len(rows):
        return none()
    columns = state.rows
    columns["flags"][rows] |= TOLD_OVERTAKEN
    step, lane = columns["step"][rows], columns["lane"][rows]
    tx = transactions(plan, columns.index.keys[rows], step)
    tier = (columns["flags"][rows] >> TIER).astype(np.int64)
    limit, trust = thresholds(model, state, lane, tier)
    age = plan.age(step, columns["first"][rows], now)
    rare, _, typical = _rarity(plan, model, state, rows, age)
    known = state.known_lane[lane]
    history = state.lanes["done"][lane].copy()
    if len(model.lane):
        history = np.where(known >= 0, model.lane_count[np.maximum(known, 0)], history)
    found = make(
        len(rows), id=finding_ids(OVERTAKEN, plan.keys[step], tx, columns["first"][rows]), kind=OVERTAKEN,
        rule=step, tx=tx, lane=state.lanes.index.keys[lane], subject=columns["subject"][rows], at=now, due=at,
        since=columns["first"][rows], promise=columns["promise"][rows], typical=typical, limit=limit,
        rare=1 / (history + 2.0), paced=rare, count=history, confidence=trust,
        amount=columns["amount"][rows], overtakes=columns["overtakes"][rows], other=by, other_at=at,
        incident=incident_of(state, lane),
    )  # fmt: skip
    return ranked(found)


def ended_rows(plan: Plan, model: Model, state: State, ended: Ended, took: I64, now: int) -> Findings:
    """What was told of these and is over now; and what was late but over before anybody could be told.

    Without the second the findings of a replay would depend on how its batches were cut.
    """
    columns = state.rows
    rows = ended.rows
    flags = columns["flags"][rows]
    parts = []
    for kind, bit in ((STUCK, TOLD_STUCK), (OVERTAKEN, TOLD_OVERTAKEN)):
        told = np.flatnonzero(flags & bit)
        if len(told):
            parts.append(_over(plan, state, rows[told], ended.at[told], kind, now))
    late = (flags & TOLD_STUCK) == 0
    late &= (columns["due"][rows] < ended.at) & (columns["reason"][rows] != BY_PEERS)
    missed = np.flatnonzero(late)
    if len(missed):
        parts.append(_past(plan, model, state, ended, missed, took, now))
    return join(parts)


def _past(plan: Plan, model: Model, state: State, ended: Ended, missed: I64, took: I64, now: int) -> Findings:
    found = ranked(_stuck(plan, model, state, ended.rows[missed], now, took[missed], PAST))
    found["ended"] = ended.at[missed]
    return found


def _kinds(plan: Plan, step: npt.NDArray[np.int16], kind: int) -> npt.NDArray[np.int8]:
    if kind != STUCK:
        return np.full(len(step), kind, np.int8)
    return np.where(plan.flavour[step] == NEED, MISMATCH, STUCK).astype(np.int8)


def _over(plan: Plan, state: State, rows: I64, ended: I64, kind: int, now: int) -> Findings:
    columns = state.rows
    step = columns["step"][rows]
    tx = transactions(plan, columns.index.keys[rows], step)
    kinds = _kinds(plan, step, kind)
    return make(
        len(rows), id=_ids(plan, kinds, step, tx, columns["first"][rows]), kind=kinds, state=RECOVERED, rule=step,
        tx=tx, subject=columns["subject"][rows], at=now, due=ended, ended=ended, since=columns["first"][rows],
        amount=columns["amount"][rows],
    )  # fmt: skip


def _ids(
    plan: Plan, kinds: npt.NDArray[np.int8], step: npt.NDArray[np.int16], tx: np.ndarray, first: I64
) -> np.ndarray:
    out = np.zeros(len(step), np.uint64)
    for kind in np.unique(kinds):
        mine = kinds == kind
        out[mine] = finding_ids(int(kind), plan.keys[step[mine]], tx[mine], first[mine])
    return out


def _stuck(plan: Plan, model: Model, state: State, rows: I64, now: int, age: I64, how: int) -> Findings:
    columns = state.rows
    step, lane = columns["step"][rows], columns["lane"][rows]
    tx = transactions(plan, columns.index.keys[rows], step)
    kinds = _kinds(plan, step, STUCK)
    rare, count, typical = _rarity(plan, model, state, rows, age)
    reason = columns["reason"][rows]
    fact = (reason == BY_PROMISE) | (reason == BY_GRACE)
    alpha = plan.alpha[step] * plan.tiers[columns["flags"][rows] >> TIER]
    # n completions say something about a quantile of alpha from n = 1/alpha on: there the confidence is a half.
    trust = np.where(fact, 1.0, count / (count + 1 / np.maximum(alpha, 1e-6)))
    paced = rare ** pace(state, lane)
    due = columns["due"][rows]
    incident = np.where((kinds == STUCK) & (paced > alpha), incident_of(state, lane), np.uint64(0))
    return make(
        len(rows), id=_ids(plan, kinds, step, tx, columns["first"][rows]), kind=kinds, state=how, reason=reason,
        rule=step, tx=tx, lane=np.where(lane >= 0, state.lanes.index.keys[np.maximum(lane, 0)], np.uint64(0)),
        subject=columns["subject"][rows], at=now, due=due, since=columns["first"][rows],
        promise=columns["promise"][rows], typical=typical, limit=due - columns["first"][rows],
        rare=rare, paced=paced, count=count, confidence=trust, amount=columns["amount"][rows],
        overtakes=columns["overtakes"][rows], incident=incident,
    )  # fmt: skip


def _rarity(
    plan: Plan, model: Model, state: State, rows: I64, age: I64
) -> tuple[npt.NDArray[np.float64], I64, I64]:
    """(share of its like still open at this age, completions that say so, their median)."""
    columns = state.rows
    step, lane = columns["step"][rows], np.maximum(columns["lane"][rows], 0)
    rare, count = np.full(len(rows), 0.01), np.zeros(len(rows), np.int64)
    typical = plan.typical[step].copy()
    watched = plan.flavour[step] != NEED
    if watched.any():
        _, median, done = peers(plan, state, lane[watched], step[watched])
        typical[watched], count[watched] = median, done
        rare[watched] = np.maximum(plan.alpha[step[watched]], 1 / (done + 2.0))
    cohort = (
        np.where(watched, state.known[np.maximum(columns["cohort"][rows], 0)], -1)
        if len(state.known)
        else None
    )
    if cohort is not None and (cohort >= 0).any():
        have = cohort >= 0
        rare[have] = curves.read(model.curve, cohort[have], age[have])
        count[have] = model.count[cohort[have]]
        typical[have] = curves.upper(curves.median_bucket(model.curve[cohort[have]].astype(np.float64)))
    return rare, count, typical
