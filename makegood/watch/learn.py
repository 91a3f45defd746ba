"""Learning: from the log up to a moment to a model. Pure; only what was known at that moment is used.

Rules found by measurement (watch.md 1.2): open items are censored at their age; intervals inside known incidents are left
out (a single outage doubled a threshold); the window should be twice the 99.9 % duration at least.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from makegood.watch import curves
from makegood.watch.batch import Batch
from makegood.watch.keys import U64
from makegood.watch.learn_lanes import Lane, learn_lanes
from makegood.watch.model import Model, nothing
from makegood.watch.pairing import History, pair
from makegood.watch.plan import I64, Bools, Plan
from makegood.watch.state import LEVELS

F64 = npt.NDArray[np.float64]
#: A cohort of fewer completions than this is its parent.
LEAST = 20


@dataclass(frozen=True)
class Incident:
    """A fault that is known: what was open in it is not learned from. ``lane`` 0: every lane of the step; step '': all."""

    begun: int
    over: int
    step: str = ""
    lane: int = 0


@dataclass
class _Cohort:
    step: int
    key: int
    count: int
    never: float
    curve: F64
    shares: F64
    odds: F64


def learn(plan: Plan, log: Batch, now: int, *, incidents: Iterable[Incident] = (), version: int = 1) -> Model:
    """The model that could be known at ``now`` (µs) from the events up to then."""
    history = pair(plan, log.take(log.at <= now))
    if not len(history):
        return nothing(version)
    kept = kept_promises(plan, history, now)
    usable = ~_in_incidents(plan, history, now, incidents)
    cohorts = [c for step in range(len(plan.codes)) for c in _step(plan, history, step, usable, kept, now)]
    if not cohorts:
        return nothing(version)
    return _model(cohorts, learn_lanes(plan, history.take(usable)), version)


def kept_promises(plan: Plan, history: History, now: int) -> Bools:
    """Steps whose promise is known to be kept: it was due by ``now`` and it was met.

    A milestone (a step 'of' another) is kept when the transaction kept the promise of the whole. Promises not due yet
    are left out on both sides: counting only those that were already met would learn from the quick ones.
    """
    due = (history.promise > 0) & (history.promise <= now)
    own = due & history.done & (history.ended <= history.promise)
    out = own.copy()
    for step in np.flatnonzero(plan.of >= 0):
        mine = history.step == step
        whole = history.tx[own & (history.step == plan.of[step])]
        out[mine] = due[mine] & history.done[mine] & np.isin(history.tx[mine], whole)
    return out


def _in_incidents(plan: Plan, history: History, now: int, incidents: Iterable[Incident]) -> Bools:
    inside = np.zeros(len(history), bool)
    until = np.where(history.ended > 0, history.ended, now)
    for one in incidents:
        mine = (history.opened < one.over) & (until > one.begun)
        if one.step:
            mine &= history.step == (plan.codes.index(one.step) if one.step in plan.codes else -1)
        if one.lane:
            mine &= history.lane == np.uint64(one.lane)
        inside |= mine
    return inside


def _step(plan: Plan, history: History, step: int, usable: Bools, kept: Bools, now: int) -> list[_Cohort]:
    """The cohorts of one step, wide to narrow, each shrunk to the one above it."""
    mine = history.step == step
    if not mine.any():
        return []
    own = history.take(mine)
    found: dict[int, _Cohort] = {}
    parents = np.zeros(len(own), np.uint64)
    for depth in range(LEVELS):
        keys = own.levels[depth]
        if not keys.any():
            break
        _level(plan, own, step, keys, parents, usable[mine], kept[mine], now, found)
        # The nearest that was learned: below one that was too small, a cohort of three was its own whole truth.
        learned = np.fromiter(found, np.uint64, len(found))
        parents = np.where(np.isin(keys, learned), keys, parents)
    return list(found.values())


def _level(
    plan: Plan, own: History, step: int, keys: U64, parents: U64, usable: Bools, kept: Bools, now: int,
    found: dict[int, _Cohort],
) -> None:  # fmt: skip
    names, number = np.unique(keys, return_inverse=True)
    took = np.maximum(plan.age(own.step, own.opened, np.where(own.ended > 0, own.ended, now)), 0)
    shape = (len(names), curves.BUCKETS)
    closed, censored = (
        _histogram(number, took, usable & own.done, shape),
        _histogram(number, took, usable & ~own.done, shape),
    )
    shares = _share_histogram(number, own, kept, len(names))
    first = np.unique(number, return_index=True)[1]
    waits = usable & ~own.done & ~own.cancelled
    ripe = _histogram(number, took, waits & (own.promise <= now), shape)
    known = curves.seen_to_the_end(closed, _histogram(number, took, waits, shape), ripe)
    survival = curves.kaplan_meier(closed, censored)
    ends = curves.plateau(survival)
    for i, key in enumerate(names.tolist()):
        count = int(closed[i].sum())
        above = found.get(int(parents[first[i]]))
        # Not seen to the end by itself: what its parent knows, but no more than its own plateau.
        never = float(ends[i] if known[i] else min(above.never, ends[i]) if above else 0)
        curve = curves.completers(survival[i], never)
        if above is None:
            if count or shares[i].any():
                cohort = _Cohort(step, key, count, never, curve, shares[i], np.zeros(curves.SHARES))
                found[key] = cohort
        elif count >= LEAST:
            pulled = curves.shrink(curve, count, above.curve)
            weight = count / (count + curves.SHRINK)
            cohort = _Cohort(
                step, key, count, weight * never + (1 - weight) * above.never, pulled,
                _pulled(shares[i], above.shares), np.zeros(curves.SHARES),
            )  # fmt: skip
            found[key] = cohort
        else:
            continue
        if key in found and plan.foresee[step]:
            here = number == i
            own_odds = _odds(plan, found[key].curve, own, took, kept & here)
            found[key].odds = own_odds if above is None else _pulled(own_odds, above.odds)


def _histogram(number: I64, took: I64, which: Bools, shape: tuple[int, int]) -> F64:
    flat = number[which] * shape[1] + curves.bucket(took[which])
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)


def _share_histogram(number: I64, own: History, kept: Bools, size: int) -> F64:
    used = (own.ended[kept] - own.opened[kept]) / np.maximum(own.promise[kept] - own.opened[kept], 1)
    place = curves.share_bucket(used)
    flat = np.bincount(number[kept] * curves.SHARES + place, minlength=size * curves.SHARES)
    return flat.reshape(size, curves.SHARES).astype(np.float64)


def _odds(plan: Plan, curve: F64, own: History, took: I64, kept: Bools) -> F64:
    """P(miss | age) = S(window) / S(age) as it stood just before each kept promise was met."""
    one = curve[None, :].astype(np.float32)
    zero = np.zeros(int(kept.sum()), np.int64)
    window = plan.age(own.step[kept], own.opened[kept], own.promise[kept])
    odds = curves.read(one, zero, window) / curves.read(one, zero, took[kept])
    return np.bincount(curves.share_bucket(odds), minlength=curves.SHARES).astype(np.float64)


def _pulled(own: F64, above: F64) -> F64:
    """Counts with the parent's as 50 more observations."""
    total = above.sum()
    return own + (curves.SHRINK * above / total if total else 0)


def _model(cohorts: list[_Cohort], lanes: list[Lane], version: int) -> Model:
    cohorts = sorted(cohorts, key=lambda c: c.key)
    lanes = sorted(lanes, key=lambda lane: lane.key)
    empty = nothing(version)
    return Model(
        version=version,
        step=np.array([c.step for c in cohorts], np.int64),
        cohort=np.array([c.key for c in cohorts], np.uint64),
        count=np.array([c.count for c in cohorts], np.int64),
        never=np.array([c.never for c in cohorts]),
        curve=np.array([c.curve for c in cohorts], np.float32),
        shares=np.array([c.shares for c in cohorts]),
        odds=np.array([c.odds for c in cohorts]),
        lane=np.array([lane.key for lane in lanes], np.uint64),
        lane_step=np.array([lane.step for lane in lanes], np.int64),
        lane_count=np.array([lane.count for lane in lanes], np.int64),
        lane_fifo=np.array([lane.fifo for lane in lanes], np.float64),
        lane_tail=np.array([lane.tail for lane in lanes], np.int32) if lanes else empty.lane_tail,
    )
