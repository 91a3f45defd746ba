"""How good the alarms are: recall with days of lead at a share of false alarms, against three simple rules.

Thresholds are chosen on what was known at the time (re-tuned monthly on transactions whose end was known) and judged on
what came later; a second table chooses them so that the later part has just that share, to compare at equal cost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from makegood.watch.deadlines import learned_dues
from makegood.watch.findings import Findings
from makegood.watch.learn import learn
from makegood.watch.model import Model, limits
from makegood.watch.pairing import History, pair
from makegood.watch.plan import DAY, I64, NEED, OVERTAKEN, STUCK, Plan
from makegood.watch.replay.reading import Log
from makegood.watch.replay.running import run
from makegood.watch.replay.truth import NEVER, Truth
from makegood.watch.state import LEVELS

BUDGETS = (0.01, 0.02, 0.05)
LEADS = (0, 1, 3, 7)
#: What tuning may choose: alpha of the promise, of the milestones before it, of single steps; patience after the promise.
WHOLE = (0.0, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08)
EARLY = (0.0, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05)
SINGLE = (0.0, 0.001, 0.005, 0.02)
PATIENCE = (0.0, 0.05, 0.15, 0.4, 50.0)


@dataclass(frozen=True)
class Setting:
    whole: float
    early: float
    single: float
    patience: float

    def on(self, plan: Plan) -> Plan:
        """The plan with these limits instead of its own."""
        promised = (plan.moment >= 0) | (plan.allowed > 0)
        alpha = np.where(
            plan.of >= 0, self.early, np.where(promised & ~plan.foresee, self.whole, self.single)
        )
        alpha = np.where(plan.flavour == NEED, 0, alpha)
        return replace(plan, alpha=alpha, patience=np.where(plan.of < 0, self.patience, 0.0))


@dataclass(frozen=True)
class Score:
    """Shares of the weight: good ones that were told of, bad ones told of at least LEADS days before it was too late."""

    false: float
    recall: tuple[float, ...]
    bad: int
    good: int


def score(truth: Truth, told: I64) -> Score:
    """``told``: when each transaction was told of, NEVER if it was not. Told at or after the end is not told."""
    early = (told < truth.ended) & (told < truth.lead_to)
    bad, good = truth.weight * truth.bad, truth.weight * truth.good
    recall = tuple(
        float((bad * (early & (truth.lead_to - told >= lead * DAY))).sum() / max(bad.sum(), 1e-9))
        for lead in LEADS
    )
    return Score(
        float((good * early).sum() / max(good.sum(), 1e-9)),
        recall,
        int(truth.bad.sum()),
        int(truth.good.sum()),
    )


def told_at(truth: Truth, findings: Findings) -> I64:
    """When each transaction was first told of: the due time of its first stuck or overtaken step.

    The runner is a tick behind that; a replay's tick is coarse, the product's a tenth of a second.
    """
    mine = findings[np.isin(findings["kind"], (STUCK, OVERTAKEN)) & (findings["state"] != 1)]
    return _earliest(truth, mine["tx"], np.maximum(mine["due"], mine["since"]))


def _earliest(truth: Truth, tx: np.ndarray, at: I64) -> I64:
    order = np.argsort(truth.tx)
    place = np.minimum(np.searchsorted(truth.tx[order], tx), len(order) - 1)
    mine = truth.tx[order][place] == tx
    out = np.full(len(truth), NEVER)
    np.minimum.at(out, order[place[mine]], at[mine])
    return out


@dataclass(frozen=True)
class Quick:
    """Alarm times of a whole log at once, from the same due times as the kernel's: what tuning tries its settings on."""

    history: History
    truth: Truth

    def told(self, plan: Plan, model: Model) -> I64:
        h = self.history
        cohort = np.full(len(h), -1, np.int64)
        for depth in range(LEVELS):
            found = model.find(h.levels[depth])
            cohort = np.where(found >= 0, found, cohort)
        dues = learned_dues(plan, model, limits(plan, model), h.step, h.opened, h.promise, cohort)
        late = (dues.due < h.ended) | (h.ended == 0)
        return _earliest(self.truth, h.tx[late], dues.due[late])


class Tried:
    """Every setting's alarm times: the earliest of four parts, each computed once for each of its values."""

    def __init__(self, plan: Plan, model: Model, quick: Quick) -> None:
        off = Setting(0.0, 0.0, 0.0, PATIENCE[-1])
        self.truth = quick.truth
        self.recent: npt.NDArray[np.bool_] | None = None

        def told(setting: Setting) -> I64:
            return quick.told(setting.on(plan), model)

        self.whole = {x: told(replace(off, whole=x)) for x in WHOLE}
        self.early = {x: told(replace(off, early=x)) for x in EARLY}
        self.single = {x: told(replace(off, single=x)) for x in SINGLE}
        self.patience = {x: told(replace(off, patience=x)) for x in PATIENCE}

    def told(self, s: Setting) -> I64:
        early = np.minimum(self.whole[s.whole], self.early[s.early])
        return np.minimum(early, np.minimum(self.single[s.single], self.patience[s.patience]))

    def false(self, s: Setting) -> float:
        """False alarms, on all that is known or on the newest third of it where that has more: rates drift (watch.md 5)."""
        told = self.told(s)
        if self.recent is None:
            newest = np.quantile(self.truth.begun, 2 / 3) if len(self.truth) else 0
            self.recent = self.truth.begun >= newest
        return max(
            score(self.truth, told).false, score(self.truth.take(self.recent), told[self.recent]).false
        )


def best(tried: Tried, budget: float, by: Tried | None = None) -> Setting:
    """The setting with the most recall (with 1, 3 and 7 days of lead) within the budget of false alarms.

    ``by``: another part on which the budget has to hold. Nothing within it: the most careful setting there is.
    """
    chosen, most = Setting(0.0, 0.0, 0.0, PATIENCE[-1]), -1.0
    for values in product(WHOLE, EARLY, SINGLE, PATIENCE):
        setting = Setting(*values)
        recall = sum(score(tried.truth, tried.told(setting)).recall[1:])
        if recall <= most + 1e-9:
            continue
        if (score(by.truth, by.told(setting)).false if by else tried.false(setting)) <= budget:
            chosen, most = setting, recall
    return chosen


@dataclass(frozen=True)
class Row:
    name: str
    budget: float
    score: Score
    setting: Setting | None = None


def judge(
    plan: Plan, log: Log, truth: Truth, learn_until: int, said: Callable[[str], None] = lambda what: None
) -> tuple[list[Row], list[Row]]:
    """(thresholds from the past alone, thresholds at equal false alarms) for us and the three baselines."""
    later = truth.take(truth.begun >= learn_until)
    past = truth.take(truth.begun < learn_until).known_by(learn_until)
    history = pair(plan, log.batch)
    model = learn(plan, log.batch, learn_until)
    quick = Quick(history, later)
    before, after = Tried(plan, model, Quick(history, past)), Tried(plan, model, quick)
    tries: dict[int, Tried] = {}
    honest, equal = [], []
    for budget in BUDGETS:
        said(f"{budget:.0%}")

        def tune(own: Plan, known: Model, now: int, budget: float = budget) -> Plan:
            if now not in tries:
                tries[now] = Tried(own, known, Quick(history, truth.known_by(now)))
            return best(tries[now], budget).on(own)

        told = run(plan, log.batch, learn_until=learn_until, tune=tune, tick=DAY // 4)
        honest.append(Row("watch", budget, score(later, told_at(later, told.findings)), best(before, budget)))
        same = best(before, budget, by=after)
        equal.append(Row("watch", budget, score(later, quick.told(same.on(plan), model)), same))
        for name, rule in baselines(log, truth):
            honest.append(_baseline(name, rule, past, later, budget, tuned_on=past, all_=truth))
            equal.append(_baseline(name, rule, past, later, budget, tuned_on=later, all_=truth))
    return honest, equal


Rule = Callable[[float], I64]
DAYS = np.concatenate([np.arange(0.25, 30, 0.25), np.arange(30, 120, 2.0)])


def baselines(log: Log, truth: Truth) -> list[tuple[str, Rule]]:
    """'silence' and 'age' longer than so many days, 'late' so many days after it was late: one threshold each."""
    order = np.argsort(truth.tx)
    place = np.minimum(np.searchsorted(truth.tx[order], log.batch.tx), len(order) - 1)
    mine = truth.tx[order][place] == log.batch.tx
    who, at = order[place[mine]], log.batch.at[mine]
    by = np.lexsort((at, who))
    who, at = who[by], at[by]
    following = np.append(at[1:], NEVER)
    following[np.append(who[1:] != who[:-1], True)] = NEVER

    def silence(days: float) -> I64:
        long = following - at > days * DAY
        out = np.full(len(truth), NEVER)
        np.minimum.at(out, who[long], at[long] + int(days * DAY))
        return out

    return [
        ("late by", lambda days: truth.due + int((days - DAYS[0]) * DAY)),
        ("silence", silence),
        ("age", lambda days: truth.begun + int(days * DAY)),
    ]


def _baseline(
    name: str, rule: Rule, past: Truth, later: Truth, budget: float, *, tuned_on: Truth, all_: Truth
) -> Row:
    """The shortest time that keeps the budget on ``tuned_on``, judged on the later part."""
    where = {int(tx): i for i, tx in enumerate(all_.tx.tolist())}
    tuned = np.array([where[int(tx)] for tx in tuned_on.tx.tolist()], np.int64)
    judged = np.array([where[int(tx)] for tx in later.tx.tolist()], np.int64)
    for days in DAYS:
        told = rule(float(days))
        if score(tuned_on, told[tuned]).false <= budget:
            break
    return Row(f"{name} > {days:g} d", budget, score(later, told[judged]))
