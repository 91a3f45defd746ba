"""How the false alarms that are accepted are shared out among the clocks of a process, and how the sum is kept. Pure.

Each step has a ladder of limits. From nothing upwards the step is raised that tells most of the trouble, and earliest, for
the false alarms it costs, until what is accepted is used up (`share_out`). Only transactions whose outcome is known count.

Rates drift, and what was right in the past overruns its budget later. So what came true steers what is shared out next
(`steered`): adaptive conformal inference (Gibbs & Candès 2021), alpha' = alpha + gain (budget - realised), with outcomes
counted when they are known. Chosen on the earlier halves of two real logs (docs/mechanisms/watch.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from makegood.watch.deadlines import learned_dues
from makegood.watch.model import Model, limits
from makegood.watch.outcomes import Outcomes
from makegood.watch.pairing import History
from makegood.watch.plan import I64, STEP, Bools, Plan
from makegood.watch.state import LEVELS

F64 = npt.NDArray[np.float64]
RUNGS = (0.0, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08)
#: How long after the promise is waited, as a share of it; the first is 'not at all told'.
PATIENCE = (50.0, 0.4, 0.15, 0.05, 0.0)
#: What one outcome moves, what a day moves at most, and how far below the budget it may go. Never above: it is a promise.
GAIN, A_DAY, LEAST = 0.005, 0.5 / 7, 0.2


@dataclass(frozen=True)
class Setting:
    """Limits by step of the plan; ``patience`` None: as written."""

    alpha: F64
    patience: float | None = None

    def on(self, plan: Plan) -> Plan:
        """The plan with these limits instead of its own."""
        if self.patience is None:
            return replace(plan, alpha=self.alpha)
        return replace(plan, alpha=self.alpha, patience=np.where(plan.of < 0, self.patience, 0.0))


class Ladders:
    """When each clock would tell of each transaction, on each of its rungs; a clock is a step, or the wait after the promise.

    ``steps``: those that may be moved; every other is off. ``floor``: by step, what it has at least (a queue is never switched off).
    """

    def __init__(
        self, plan: Plan, model: Model, history: History, outcomes: Outcomes, *,
        steps: Sequence[int], floor: F64, patience: Sequence[float] | None = PATIENCE,
    ) -> None:  # fmt: skip
        self.plan, self.outcomes, self.steps, self.patience = plan, outcomes, tuple(steps), patience
        self._model, self._history, self._cohort = model, history, cohorts(model, history)
        self.rungs = [sorted({floor[s], *(r for r in RUNGS if r > floor[s])}) for s in self.steps]
        self.told = [self._rungs(step, rungs) for step, rungs in zip(self.steps, self.rungs, strict=True)]
        waits = [None] if patience is None else list(patience)
        nothing = np.zeros(len(plan.codes))
        self.after = [self._under(Setting(nothing, wait), history, self._cohort) for wait in waits]

    def _rungs(self, step: int, rungs: Sequence[float]) -> list[I64]:
        mine = self._history.step == step
        own, cohort, out = self._history.take(mine), self._cohort[mine], []
        for alpha in rungs:
            alphas = np.zeros(len(self.plan.codes))
            alphas[step] = alpha
            out.append(self._under(Setting(alphas, PATIENCE[0]), own, cohort))
        return out

    def _under(self, setting: Setting, history: History, cohort: I64) -> I64:
        return told_under(setting.on(self.plan), self._model, history, self.outcomes, cohort)

    def at(self, rungs: Sequence[int]) -> I64:
        """When each is told with one rung of every step and, the last, of the wait."""
        told = self.after[rungs[-1]]
        for rows, rung in zip(self.told, rungs[:-1], strict=True):
            told = np.minimum(told, rows[rung])
        return told

    def setting(self, rungs: Sequence[int]) -> Setting:
        alpha = np.zeros(len(self.plan.codes))
        for step, values, rung in zip(self.steps, self.rungs, rungs[:-1], strict=True):
            alpha[step] = values[rung]
        return Setting(alpha, None if self.patience is None else self.patience[rungs[-1]])


def told_under(
    plan: Plan, model: Model, history: History, outcomes: Outcomes, cohort: I64 | None = None
) -> I64:
    """When each transaction would be told of with the plan's limits: by the same due times as the kernel's."""
    h = history
    of = cohorts(model, h) if cohort is None else cohort
    found = learned_dues(plan, model, limits(plan, model), h.step, h.opened, h.promise, of)
    late = (found.due < h.ended) | (h.ended == 0)
    return outcomes.earliest(h.tx[late], np.maximum(found.due, h.opened)[late])


def cohorts(model: Model, history: History) -> I64:
    """The narrowest learned cohort of each step, -1 for none."""
    out = np.full(len(history), -1, np.int64)
    for depth in range(LEVELS):
        found = model.find(history.levels[depth])
        out = np.where(found >= 0, found, out)
    return out


@dataclass(frozen=True)
class Shared:
    """A choice: one rung of every step and of the wait, what it told in vain and how much it was worth (0 to the number of leads)."""

    rungs: tuple[int, ...]
    false: float
    worth: float


def share_out(
    ladders: Ladders, bad: Bools, good: F64, budget: float, leads: Sequence[int], accepted: float = 0.0
) -> Shared:
    """The rungs that tell most of ``bad`` with the most of ``leads`` (µs) and at most ``budget`` of the weight of ``good``.

    From each wait after the promise on, the step is raised next whose gain is largest for its cost. A promise that is over
    is told at once, whatever the rest must do without, as long as that alone costs at most ``accepted``. Where nothing fits,
    the lowest rungs.
    """
    seen = _Seen(ladders, bad, good, leads)
    waits = range(len(ladders.after))
    if seen.alone(waits[-1]) <= accepted:
        waits = waits[-1:]
    chosen = Shared((*(0 for _ in ladders.steps), waits[0]), 0.0, -1.0)
    for wait in waits:
        found = seen.climb(wait, budget)
        if found and found.worth > chosen.worth + 1e-9:
            chosen = found
    return chosen


class _Seen:
    """Each rung as what is told in vain of the good ones, and what it is worth of the bad ones: computed once."""

    def __init__(self, ladders: Ladders, bad: Bools, good: F64, leads: Sequence[int]) -> None:
        outcomes = ladders.outcomes
        fine, wrong = np.flatnonzero(good > 0), np.flatnonzero(bad)
        self.good = good[fine] / max(good.sum(), 1e-9)
        weight = outcomes.weight[wrong]
        self.bad = weight / max(weight.sum(), 1e-9)
        over, lead_to = outcomes.over, outcomes.lead_to

        def vain(told: I64) -> Bools:
            return np.asarray(told[fine] < over[fine])

        def worth(told: I64) -> F64:
            mine = told[wrong]
            lead = np.where(mine < over[wrong], lead_to[wrong] - mine, -1)
            return np.sum([lead >= least for least in leads], axis=0, dtype=np.float64)

        self.vain = [[vain(told) for told in rows] for rows in (*ladders.told, ladders.after)]
        self.worth = [[worth(told) for told in rows] for rows in (*ladders.told, ladders.after)]

    def alone(self, wait: int) -> float:
        """What the wait after the promise costs by itself."""
        return float(self.good @ self.vain[-1][wait])

    def climb(self, wait: int, budget: float) -> Shared | None:
        rungs = [0] * (len(self.vain) - 1) + [wait]
        vain = np.any([rows[rung] for rows, rung in zip(self.vain, rungs, strict=True)], axis=0)
        worth = np.max([rows[rung] for rows, rung in zip(self.worth, rungs, strict=True)], axis=0)
        false, gained = float(self.good @ vain), float(self.bad @ worth)
        if false > budget:
            return None
        while True:
            most, step = 0.0, None
            for place in range(len(rungs) - 1):
                for rung in range(rungs[place] + 1, len(self.vain[place])):
                    cost = float(self.good @ (vain | self.vain[place][rung]))
                    if cost > budget:
                        break
                    more = float(self.bad @ np.maximum(worth, self.worth[place][rung])) - gained
                    if more > 1e-9 and more / max(cost - false, 1e-6) > most:
                        most, step = more / max(cost - false, 1e-6), (place, rung)
            if step is None:
                return Shared(tuple(rungs), false, gained)
            place, rung = step
            rungs[place] = rung
            vain, worth = vain | self.vain[place][rung], np.maximum(worth, self.worth[place][rung])
            false, gained = float(self.good @ vain), float(self.bad @ worth)


def movable(plan: Plan, codes: Sequence[str] | None = None) -> list[int]:
    """The steps whose limits may be shared out: all but needs, of these codes."""
    wanted = set(plan.codes if codes is None else codes)
    return [i for i, code in enumerate(plan.codes) if plan.flavour[i] == STEP and code in wanted]


def floors(plan: Plan) -> F64:
    """What each step keeps in any case: a queue what is written (being overtaken is not about promises), any other a tenth of
    it, for what stands still in a way that no promise showed yet."""
    return np.where(plan.overtaken, plan.alpha, plan.alpha / 10)


def steered(working: float, budget: float, vain: float, outcomes: int, days: float) -> float:
    """What is shared out next, after ``outcomes`` good ones were known in ``days``, ``vain`` of them (a share) told of.

    >>> round(steered(0.05, 0.05, 0.09, 100, 7), 4)
    0.03
    """
    gain = min(GAIN * outcomes, A_DAY * max(days, 0.0))
    return min(max(working + gain * (budget - vain), LEAST * budget), budget)


def came_true(outcomes: Outcomes, told: I64, watched_from: int, after: int, now: int) -> tuple[float, int]:
    """(share told in vain, how many there were) of the good ones that began under the watch and were known after ``after``."""
    mine = (
        outcomes.good & (outcomes.begun >= watched_from) & (outcomes.known >= after) & (outcomes.known < now)
    )
    weight = outcomes.weight * mine
    if not weight.sum():
        return 0.0, 0
    return float((weight * (told < outcomes.over)).sum() / weight.sum()), int(mine.sum())
