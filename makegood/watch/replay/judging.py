"""How good the alarms are: recall with days of lead at a share of false alarms, against three simple rules.

The first table is what a house would have had: limits chosen on what was known at the time and steered by what came true
(`watch.tuning`, the same that learns at night). A second one chooses them so that the part judged has just that share of
false alarms, to compare at equal cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from makegood.watch.findings import Findings
from makegood.watch.learn import learn
from makegood.watch.model import Model
from makegood.watch.outcomes import NEVER, Outcomes, told_at
from makegood.watch.pairing import History, pair
from makegood.watch.plan import DAY, I64, Plan
from makegood.watch.replay.reading import Log
from makegood.watch.replay.running import run
from makegood.watch.tuning import Ladders, came_true, movable, share_out, steered

BUDGETS = (0.01, 0.02, 0.05)
LEADS = (0, 1, 3, 7)
#: What is worth telling early, in µs: LEADS but the first.
WORTH = tuple(lead * DAY for lead in LEADS[1:])
#: How often the past is learned from again, and the limits with it.
WEEK = 7 * DAY


@dataclass(frozen=True)
class Score:
    """Shares of the weight: good ones that were told of, bad ones told of at least LEADS days before it was too late."""

    false: float
    recall: tuple[float, ...]
    bad: int
    good: int


def score(outcomes: Outcomes, told: I64) -> Score:
    """``told``: when each transaction was told of, NEVER if it was not. Told at or after the end is not told."""
    early = told < outcomes.over
    bad, good = outcomes.weight * outcomes.bad, outcomes.weight * outcomes.good
    recall = tuple(
        float((bad * (early & (outcomes.lead_to - told >= lead * DAY))).sum() / max(bad.sum(), 1e-9))
        for lead in LEADS
    )
    return Score(
        float((good * early).sum() / max(good.sum(), 1e-9)),
        recall,
        int(outcomes.bad.sum()),
        int(outcomes.good.sum()),
    )


def ladders(plan: Plan, model: Model, history: History, outcomes: Outcomes) -> Ladders:
    return Ladders(plan, model, history, outcomes, steps=movable(plan), floor=np.zeros(len(plan.codes)))


@dataclass
class Tuner:
    """Chooses limits at each moment from what was known then, and from what became of its own alarms."""

    history: History
    outcomes: Outcomes
    budget: float
    working: float = 0.0
    since: int = 0  # when it began; nothing before was told by it
    last: int = 0
    path: list[tuple[int, float, float]] = field(
        default_factory=list
    )  # (moment, shared out, realised since the last)

    def __call__(self, plan: Plan, model: Model, now: int, findings: Findings) -> Plan:
        if not self.since:
            self.since, self.working = now, self.budget
        else:
            told = told_at(self.outcomes, findings)
            vain, known = came_true(self.outcomes, told, self.since, self.last, now)
            self.working = steered(self.working, self.budget, vain, known, (now - self.last) / DAY)
            self.path.append((now, self.working, vain))
        self.last = now
        tried = ladders(plan, model, self.history, self.outcomes)
        bad = self.outcomes.bad & (self.outcomes.known < now)
        shared = share_out(tried, bad, self.outcomes.fine(now), self.working, WORTH, self.budget)
        return tried.setting(shared.rungs).on(plan)


@dataclass(frozen=True)
class Row:
    name: str
    budget: float
    score: Score
    shares: dict[str, float] = field(
        default_factory=dict
    )  # what each step was given; of ours at equal false alarms


def judge(
    plan: Plan, log: Log, truth: Outcomes, learn_until: int, *,
    budgets: Sequence[float] = BUDGETS, said: Callable[[str], None] = lambda what: None,
) -> tuple[list[Row], list[Row]]:  # fmt: skip
    """(thresholds from the past alone, thresholds at equal false alarms) for us and the three baselines."""
    begun_later = truth.begun >= learn_until
    later = truth.take(begun_later)
    known = truth.known < learn_until
    past = truth.take(known & ~begun_later)
    history = pair(plan, log.batch)
    tried = ladders(plan, learn(plan, log.batch, learn_until), history, truth)
    honest, equal = [], []
    for budget in budgets:
        said(f"{budget:.0%}")
        tuner = Tuner(history, truth, budget)
        told = run(plan, log.batch, learn_until=learn_until, relearn=WEEK, tune=tuner, tick=DAY // 4)
        honest.append(Row("watch", budget, score(later, told_at(later, told.findings))))
        # What is worth most is judged by the past; only how much is told, by the part judged.
        cost = np.where(begun_later & truth.good, truth.weight, 0.0)
        same = share_out(tried, truth.bad & known & ~begun_later, cost, budget, WORTH)
        given = tried.setting(same.rungs).alpha
        shares = {plan.codes[step]: float(given[step]) for step in tried.steps if given[step]}
        equal.append(Row("watch", budget, score(later, tried.at(same.rungs)[begun_later]), shares))
        for name, rule in baselines(log, truth):
            honest.append(_baseline(name, rule, past, later, budget, tuned_on=past, all_=truth))
            equal.append(_baseline(name, rule, past, later, budget, tuned_on=later, all_=truth))
    return honest, equal


Rule = Callable[[float], I64]
DAYS = np.concatenate([np.arange(0.25, 30, 0.25), np.arange(30, 120, 2.0)])


def baselines(log: Log, truth: Outcomes) -> list[tuple[str, Rule]]:
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
    name: str,
    rule: Rule,
    past: Outcomes,
    later: Outcomes,
    budget: float,
    *,
    tuned_on: Outcomes,
    all_: Outcomes,
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
