"""How close two alike must be to count as done twice: learned, so that who buys the same again is not told of."""

from __future__ import annotations

import numpy as np
import pytest

from makegood.watch.advance import advance
from makegood.watch.batch import Batch, make
from makegood.watch.model import nothing
from makegood.watch.plan import DAY, DUPLICATE, HOUR, Plan
from makegood.watch.state import new_state
from makegood.watch.windows import MEANT, learn_windows, with_windows
from tests.watch.streams import MINUTE, NOON, plan_of

RULE = "payment.alike"


def payments(
    plan: Plan, *, twice: int, again_every: float, slip: float = 90, customers: int = 400, days: int = 40
) -> Batch:
    """Each customer buys the same again at any hour, every ``again_every`` days on average; ``twice`` of all these were
    charged a second time within about ``slip`` minutes."""
    random = np.random.default_rng(7)
    at, who = [], []
    for customer in range(customers):
        day = float(random.uniform(0, days))
        while day < days:
            at.append(day * DAY)
            who.append(f"c-{customer}")
            day += float(random.exponential(again_every))
    for n in random.choice(len(at), twice, replace=False).tolist():
        at.append(at[n] + float(random.uniform(0.2, slip)) * MINUTE)
        who.append(who[n])
    order = np.argsort(at, kind="stable")
    names, size = [who[i] for i in order], len(at)
    return make(
        plan, ["payment.captured"] * size, [f"tx-{i}" for i in order], NOON + np.array(at)[order].astype(np.int64),
        amount=np.full(size, 49.9), attributes={"customer": names, "items": ["same"] * size},
    )  # fmt: skip


def test_where_customers_seldom_buy_the_same_again_a_late_second_charge_is_still_one() -> None:
    plan = plan_of("payment")
    log = payments(plan, twice=150, again_every=60)
    learned = learn_windows(plan, log)[RULE]
    assert 60 * MINUTE < learned.window < 12 * HOUR, (
        "the slips reach ninety minutes; the quarter of an hour as written misses most"
    )
    assert learned.meant < MEANT
    wide = with_windows(plan, {RULE: learned.window})
    assert told(wide, log) > 2 * told(plan, log)
    assert told(wide, log) >= 145


def test_where_everybody_buys_the_same_every_few_hours_only_what_is_very_close_counts() -> None:
    plan = plan_of("payment")
    log = payments(plan, twice=40, again_every=0.25, slip=10, customers=150)
    learned = learn_windows(plan, log)[RULE]
    assert learned.window == plan.duplicates[[d.code for d in plan.duplicates].index(RULE)].between[0]
    assert told(with_windows(plan, {RULE: learned.window}), log) < told(plan, log)


def told(plan: Plan, log: Batch) -> int:
    _state, found, _ = advance(new_state(plan), log, nothing(), int(log.at[-1]) + HOUR, plan)
    rule = plan.rules.index(RULE)
    return int(np.count_nonzero((found["kind"] == DUPLICATE) & (found["rule"] == rule)))


@pytest.mark.parametrize(("twice", "days"), [(5, 40), (150, 1)])
def test_of_too_few_repeats_or_too_few_days_nothing_is_learned(twice: int, days: int) -> None:
    plan = plan_of("payment")
    assert RULE not in learn_windows(plan, payments(plan, twice=twice, again_every=60, days=days))
    assert with_windows(plan, {}).duplicates == plan.duplicates


def test_a_window_is_held_between_what_the_process_allows() -> None:
    plan = plan_of("payment")
    rule = [d.code for d in plan.duplicates].index(RULE)
    least, most = plan.duplicates[rule].between
    assert with_windows(plan, {RULE: 1}).duplicates[rule].window == least
    assert with_windows(plan, {RULE: 90 * DAY}).duplicates[rule].window == most
    fixed = [d.code for d in plan.duplicates].index("payment.twice")
    assert with_windows(plan, {"payment.twice": HOUR}).duplicates[fixed].window == 0, (
        "one order is never paid twice"
    )
