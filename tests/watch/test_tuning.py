"""False alarms shared out among clocks: to those that see trouble, within what is accepted, also when the world grows slower."""

from __future__ import annotations

import numpy as np
import pytest

from makegood.packs.watching import processes
from makegood.watch.batch import Batch, make
from makegood.watch.learn import learn
from makegood.watch.outcomes import NEVER, Outcomes, told_at
from makegood.watch.pairing import pair
from makegood.watch.plan import DAY, HOUR, Plan
from makegood.watch.replay.judging import WEEK, Tuner, score
from makegood.watch.replay.running import run
from makegood.watch.sharing import outcomes_of
from makegood.watch.tuning import LEAST, Ladders, Shared, came_true, floors, movable, share_out, steered
from tests.watch.streams import NOON, plan_of

LEADS = (DAY // 2, 2 * DAY)


def orders(
    plan: Plan, count: int, *, days: float, seed: int = 3, slower: float = 1.0, after: float = 1e9
) -> Batch:
    """Orders promised in ten days; one of ten is handed over so late that it breaks its promise. From day ``after`` on, all
    who keep it take ``slower`` times as long."""
    random = np.random.default_rng(seed)
    at = random.uniform(0, days, count)
    pace = np.where(at > after, slower, 1.0)
    stuck = random.random(count) < 0.1
    out = np.where(stuck, random.uniform(2, 10, count), random.lognormal(0.0, 0.4, count) * pace)
    there = out + np.minimum(
        random.lognormal(0.7, 0.3, count) * pace, np.where(stuck, 99, np.maximum(9.9 - out, 0.1))
    )
    there = np.where(stuck, np.maximum(there, 10.5), there)
    began = NOON + (at * DAY).astype(np.int64)
    names = [f"o-{i}" for i in range(count)]
    log = make(
        plan, ["order.placed"] * count + ["order.handed_over"] * count + ["order.delivered"] * count, names * 3,
        np.concatenate([began, began + (out * DAY).astype(np.int64), began + (there * DAY).astype(np.int64)]),
        moments={"promised_at": np.concatenate([began + 10 * DAY] * 3)},
    )  # fmt: skip
    return log.take(np.argsort(log.at, kind="stable"))


def known(plan: Plan, log: Batch) -> Outcomes:
    found = outcomes_of(plan, pair(plan, log), processes()["order"])
    assert found is not None
    return found


def test_what_is_accepted_goes_to_the_step_that_sees_trouble_days_before() -> None:
    plan = plan_of("order")
    log = orders(plan, 2000, days=60)
    outcomes, now = known(plan, log), NOON + 75 * DAY
    tried = Ladders(
        plan, learn(plan, log, now), pair(plan, log), outcomes, steps=movable(plan), floor=floors(plan), patience=None
    )  # fmt: skip
    found = share_out(tried, outcomes.bad, outcomes.fine(now), 0.02, LEADS)
    alpha = dict(zip(plan.codes, tried.setting(found.rungs).alpha.tolist(), strict=True))
    assert found.false <= 0.02
    assert alpha["order.dispatch"] == max(alpha.values())
    early = score(outcomes, tried.at(found.rungs))
    assert early.recall[2] > 0.5, "three days before: it has not even been handed over"
    assert early.false <= 0.02


def test_nothing_that_fits_means_nothing_is_told_but_what_is_over() -> None:
    plan = plan_of("order")
    log = orders(plan, 500, days=60)
    outcomes, now = known(plan, log), NOON + 75 * DAY
    tried = Ladders(
        plan, learn(plan, log, now), pair(plan, log), outcomes, steps=movable(plan), floor=0 * floors(plan)
    )
    everyone = np.where(outcomes.bad, 1.0, 0.0)  # whoever is told is told in vain
    found = share_out(tried, outcomes.bad, everyone, 0.0, LEADS)
    assert found == Shared((*(0 for _ in tried.steps), len(tried.after) - 1), 0.0, 0.0)
    assert np.array_equal(tried.at(found.rungs) < NEVER, outcomes.bad), "only promises that are over"


@pytest.mark.parametrize("budget", [0.03, 0.05])
def test_when_the_world_grows_slower_the_promise_of_few_false_alarms_is_kept_all_the_same(
    budget: float,
) -> None:
    plan = plan_of("order")
    log = orders(plan, 6000, days=240, slower=1.35, after=120)
    outcomes, begin = known(plan, log), NOON + 100 * DAY
    later = outcomes.begun >= begin
    once = Tuner(pair(plan, log), outcomes, budget)
    told = {
        "once": run(plan, log, learn_until=begin, relearn=0, tune=once, tick=DAY // 2),
        "weekly": run(
            plan, log, learn_until=begin, relearn=WEEK, tune=Tuner(pair(plan, log), outcomes, budget), tick=DAY // 2
        ),
    }  # fmt: skip
    false = {
        name: score(outcomes.take(later), told_at(outcomes, done.findings)[later]).false
        for name, done in told.items()
    }
    assert false["once"] > 1.5 * budget, "else this shows nothing"
    assert false["weekly"] <= 1.2 * budget


def test_what_came_true_lowers_what_is_shared_out_and_lets_it_rise_again_but_never_above_what_was_accepted() -> (
    None
):
    less = steered(0.05, 0.05, 0.15, 100, 7)
    assert less < 0.05
    assert steered(0.05, 0.05, 0.15, 2, 7) > less, "two outcomes say little"
    assert steered(0.05, 0.05, 0.15, 100_000, 1) > less, "a day moves it little, however many there were"
    again = less
    for _ in range(20):
        again = steered(again, 0.05, 0.0, 100, 7)
    assert again == 0.05
    worst = 0.05
    for _ in range(50):
        worst = steered(worst, 0.05, 1.0, 1000, 7)
    assert worst == pytest.approx(LEAST * 0.05)


def test_of_the_newest_orders_the_quick_ones_are_not_taken_for_all() -> None:
    """Lina's parcel came in two days and is known; Jun's of the same morning is still on its way."""
    plan = plan_of("order")
    day = 24
    log = make(
        plan, ["order.placed", "order.delivered", "order.placed"], ["lina", "lina", "jun"],
        np.array([NOON, NOON + 2 * day * HOUR, NOON]), moments={"promised_at": np.full(3, NOON + 10 * DAY)},
    )  # fmt: skip
    outcomes = known(plan, log)
    assert not outcomes.fine(NOON + 3 * DAY).any()
    assert np.count_nonzero(outcomes.fine(NOON + 11 * DAY)) == 1
    assert came_true(outcomes, np.full(2, NEVER), NOON, NOON, NOON + 3 * DAY) == (0.0, 1)
