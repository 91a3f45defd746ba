"""What was learned: for each cohort how long its like takes, for each lane how often one is overtaken. Plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch import curves
from makegood.watch.keys import U64
from makegood.watch.plan import I64, Plan

F64 = npt.NDArray[np.float64]
NEVER = np.int64(1 << 61)
#: Overtakes are counted exactly up to this; more is one bucket.
MOST_OVERTAKES = 4096


@dataclass(frozen=True)
class Model:
    """Cohorts and lanes sorted by key. ``version`` names it in findings; 0 is the model that has learned nothing.

    ``curve`` is S* by bucket, ``count`` the completions behind it, ``never`` the share that never finishes. ``shares``
    and ``odds`` are histograms over kept promises: of the share of the promised time that was used, and of the chance of
    missing it just before it was kept. ``passed`` is, by lane, how many overtakes the finished ones had suffered.
    """

    version: int
    step: I64  # by cohort, into the codes of the plan it was learned with
    cohort: U64
    count: I64
    never: F64
    curve: npt.NDArray[np.float32]
    shares: F64  # cohort x SHARES, counts
    odds: F64  # cohort x SHARES, counts
    lane: U64
    lane_step: I64
    lane_count: I64
    lane_fifo: F64  # share that nobody overtook
    lane_tail: npt.NDArray[np.int32]  # lane x TAILS: overtakes that a share of 1/2**t is above

    def find(self, keys: U64) -> I64:
        """The number of each cohort, -1 where nothing was learned."""
        return _lookup(self.cohort, keys)

    def find_lane(self, keys: U64) -> I64:
        return _lookup(self.lane, keys)


TAILS = np.array([0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005])


@dataclass(frozen=True)
class Limits:
    """What alpha makes of a model: by cohort how long to wait (µs), which share of a promise, which odds; by lane. One
    tier of the plan after the other: tier t of cohort c stands at t x cohorts + c."""

    wait: I64
    share: F64
    odds: F64
    overtakes: I64


def nothing(version: int = 0) -> Model:
    """The model of the first day."""
    none, some = np.zeros(0, np.int64), np.zeros(0)
    return Model(
        version, none, np.zeros(0, np.uint64), none, some, np.zeros((0, curves.BUCKETS), np.float32),
        np.zeros((0, curves.SHARES)), np.zeros((0, curves.SHARES)), np.zeros(0, np.uint64), none, none, some,
        np.zeros((0, len(TAILS)), np.int32),
    )  # fmt: skip


def limits(plan: Plan, model: Model) -> Limits:
    """Thresholds from quantiles; each step has one chance to be a false alarm, with the probability ``plan.alpha`` (times
    the factor of its tier).

    An alpha of 0 switches a step off, but for the promise itself. No quantile is read finer than the data allow: alpha is at least 1 / (n + 1) (watch.md 1.6).
    """
    each = [
        _limits(replace(plan, alpha=np.minimum(plan.alpha * factor, 0.5)), model)
        for factor in plan.tiers.tolist()
    ]
    if len(each) == 1:
        return each[0]
    return Limits(*(np.concatenate([getattr(one, f.name) for one in each]) for f in fields(Limits)))


def _limits(plan: Plan, model: Model) -> Limits:
    alpha = plan.alpha[model.step] if len(model.step) else np.zeros(0)
    wait = curves.upper(
        curves.quantile(model.curve.astype(np.float64), np.maximum(alpha, 1 / (model.count + 1)))
    )
    lane_alpha = plan.alpha[model.lane_step] if len(model.lane) else np.zeros(0)
    tail = np.minimum(np.searchsorted(-TAILS, -lane_alpha - 1e-12), len(TAILS) - 1)
    return Limits(
        wait=np.where((model.count > 0) & (alpha > 0), wait, NEVER),
        share=_share(model.shares, alpha, np.inf),
        odds=_share(model.odds, alpha, np.inf),
        overtakes=model.lane_tail[np.arange(len(tail)), tail].astype(np.int64),
    )


def _share(counts: F64, alpha: F64, otherwise: float) -> F64:
    """The share that at most ``alpha`` of the kept ones used more of; ``otherwise`` where nothing was learned."""
    total = counts.sum(-1)
    above = total[:, None] - counts.cumsum(-1)
    allowed = np.maximum(alpha, 1 / (total + 1)) * total
    at = np.argmax(above <= allowed[:, None] + 1e-9, axis=-1)
    return np.where((total > 0) & (alpha > 0), curves.share_of(at), otherwise)


def _lookup(known: U64, keys: U64) -> I64:
    if not len(known):
        return np.full(len(keys), -1, np.int64)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[at] == keys, at, -1)


def columns(model: Model) -> dict[str, Any]:
    """Its arrays by name: what a store keeps."""
    return {field.name: getattr(model, field.name) for field in fields(model)}


def renumbered(model: Model, steps: I64) -> Model:
    """The model for a plan whose steps have other numbers; cohorts of steps that are gone (-1) are left out."""
    own = steps[model.step] if len(model.step) else model.step
    lanes = steps[model.lane_step] if len(model.lane) else model.lane_step
    kept, here = own >= 0, lanes >= 0
    return replace(
        model, step=own[kept], cohort=model.cohort[kept], count=model.count[kept], never=model.never[kept],
        curve=model.curve[kept], shares=model.shares[kept], odds=model.odds[kept],
        lane=model.lane[here], lane_step=lanes[here], lane_count=model.lane_count[here],
        lane_fifo=model.lane_fifo[here], lane_tail=model.lane_tail[here],
    )  # fmt: skip
