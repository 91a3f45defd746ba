"""When an open step is told: computed once, when it opens (and again when the model changes). Pure.

watch.md 1.2 (1): alarm when now >= min(d_i, o_i + Q_c(1 - alpha)), on the clock of hours, or on that of the promise where
one was given: u = age / (d_i - o_i), alarm at u >= Q(1 - alpha) of u among kept promises. A step that ``foresees`` is told
when its chance to be in time is gone: P(miss | age) = S(d - o) / S(age) grows with age, so it crosses its limit once.
Cold start (watch.md 1.2): median of the peers x exp(z sigma sqrt(1 + 1/n)), sigma 0.7 pooled over all steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from makegood.watch import curves, loops
from makegood.watch.model import NEVER, Limits, Model
from makegood.watch.plan import I64, NEED, Bools, Plan
from makegood.watch.state import (
    BY_GRACE,
    BY_HOURS,
    BY_ODDS,
    BY_PEERS,
    BY_PROMISE,
    BY_SHARE,
    LATER,
    TIER,
    State,
)

SIGMA = 0.7
MINUTE = 60_000_000
_WHYS = tuple(np.int8(why) for why in (BY_GRACE, BY_HOURS, BY_SHARE, BY_PROMISE))
#: Bit of ``flags``: the promise came with the event (else it is what the process allows everybody).
GIVEN = 4


@dataclass
class Dues:
    """The earliest of several times, and why it is that one."""

    due: I64
    reason: npt.NDArray[np.int8]

    def earlier(self, when: I64, which: Bools, why: int) -> None:
        take = which & (when < self.due)
        self.due[take], self.reason[take] = when[take], why


def set_dues(plan: Plan, model: Model, state: State, rows: I64) -> None:
    """Write ``due`` and ``reason`` of these rows; expects ``state.limits`` to be those of the model."""
    if not len(rows) or state.limits is None:
        return
    columns = state.rows
    step, first, promise, cohort, tier, given = loops.standing(
        rows, columns["step"], columns["first"], columns["promise"], columns["cohort"], columns["flags"], state.known,
        np.uint8(GIVEN), TIER,
    )  # fmt: skip
    dues = learned_dues(plan, model, state.limits, step, first, promise, cohort, tier)
    cold = (plan.flavour[step] != NEED) & ~given & (cohort < 0)
    if cold.any():
        when = np.full(len(rows), LATER)
        wait = peers(plan, state, columns["lane"][rows[cold]], step[cold], tier[cold])[0]
        when[cold] = plan.after(step[cold], first[cold], wait)
        dues.earlier(when, cold, BY_PEERS)
    columns["due"][rows], columns["reason"][rows] = dues.due, dues.reason


def learned_dues(
    plan: Plan,
    model: Model,
    limits: Limits,
    step: I64,
    first: I64,
    promise: I64,
    cohort: I64,
    tier: I64 | None = None,
) -> Dues:
    """Due times of steps by grace, promise and what was learned. ``cohort``: number in the model, -1: not known to it;
    ``tier``: of plan.tiers, none: 0."""
    dues = Dues(np.full(len(step), LATER), np.zeros(len(step), np.int8))
    tier = np.zeros(len(step), np.int64) if tier is None else tier
    worked = step[:0]
    if plan.clocks and len(limits.wait):
        wait = limits.wait[np.maximum(cohort, 0) + tier * len(model.cohort)]
        worked = plan.after(step, first, np.where((cohort >= 0) & (wait < NEVER), wait, 0))
    ask = loops.dues(
        step, first, promise, cohort, tier, plan.flavour == NEED, plan.allowed, plan.of >= 0, plan.patience,
        plan.foresee, limits.wait, limits.share, limits.odds, len(model.cohort), worked, NEVER, _WHYS, dues.due, dues.reason,
    )  # fmt: skip
    if len(ask):
        row = cohort[ask]
        level = curves.read(model.curve, row, plan.age(step[ask], first[ask], promise[ask]))
        level /= limits.odds[row + tier[ask] * len(model.cohort)]
        wait = np.where(level >= 1, 0, curves.crossing(model.curve, row, level))
        when = plan.after(step[ask], first[ask], wait)
        # Of the chance and the promise itself at one moment the chance is the reason.
        sooner = (when < dues.due[ask]) | ((when == dues.due[ask]) & (dues.reason[ask] == BY_PROMISE))
        dues.due[ask[sooner]], dues.reason[ask[sooner]] = when[sooner], BY_ODDS
    return dues


def peers(
    plan: Plan,
    state: State,
    lanes: npt.NDArray[np.int32],
    step: npt.NDArray[np.integer],
    tier: I64 | None = None,
) -> tuple[I64, I64, I64]:
    """(how long to wait, median of the peers, how many they are) from what the lane itself has shown so far.

    With none yet the process's own ``typical_hours`` stands for one peer. Such a guess is not good to the second: above
    ten minutes it is cut to the minute.
    """
    done = state.lanes["done"][lanes]
    count = np.maximum(done, 1)
    mean = np.where(
        done > 0, state.lanes["logs"][lanes] / count, np.log(plan.typical[step].astype(np.float64))
    )
    normal = NormalDist()
    alphas = plan.alpha[:, None] * plan.tiers[None, :]
    every = np.array([normal.inv_cdf(1 - min(max(a, 1e-6), 0.4)) for a in alphas.ravel()]).reshape(
        alphas.shape
    )
    z = every[step, 0 if tier is None else tier]
    wait = np.exp(np.minimum(mean + z * SIGMA * np.sqrt(1 + 1 / count), 40.0))
    wait = np.where(wait > 10 * MINUTE, np.floor(wait / MINUTE) * MINUTE, wait)
    return wait.astype(np.int64), np.exp(mean).astype(np.int64), done
