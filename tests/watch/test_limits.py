"""What was promised is kept: false alarms come as often as was said, of all steps, of one shop, of one lane."""

from __future__ import annotations

import numpy as np
import pytest

from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty, make
from makegood.watch.fault_curves import MOST, grown
from makegood.watch.findings import join
from makegood.watch.keys import name_key, pair_key
from makegood.watch.learn import learn
from makegood.watch.model import Model
from makegood.watch.plan import DAY, HOUR, MOST_TIERS, Plan, with_tiers
from makegood.watch.snapshot import restore, snapshot
from makegood.watch.state import new_state
from tests.watch.streams import NOON, plan_of

#: Step -> (opening, closing, median hours, spread): six kinds of waiting, from seconds to days.
STEPS = {
    "payment.capture": ("payment.requested", "payment.captured", 0.02, 0.6),
    "invoice.issue": ("invoice.requested", "invoice.issued", 0.3, 0.8),
    "refund.decision": ("refund.requested", "refund.approved", 12.0, 0.7),
    "order.packing": ("order.paid", "order.packed", 6.0, 0.9),
    "order.transport": ("order.handed_over", "order.delivered", 30.0, 0.5),
    "return.inspection": ("return.received", "return.inspected", 20.0, 1.0),
}


def work(
    plan: Plan, opens: str, closes: str, hours: float, sigma: float, count: int, seed: int, begin: float
) -> Batch:
    """``count`` steps over twelve days from ``begin``, lognormal, one of 200 never done; of two shops."""
    random = np.random.default_rng(seed)
    asked = NOON + ((begin + np.sort(random.uniform(0, 12, count))) * DAY).astype(np.int64)
    done = random.random(count) > 0.005
    ended = asked + (random.lognormal(np.log(hours), sigma, count) * HOUR).astype(np.int64)
    names, shops = [f"{seed}-{i}" for i in range(count)], random.choice(["kang", "luo"], count).tolist()
    kept = np.flatnonzero(done).tolist()
    return make(
        plan, [opens] * count + [closes] * len(kept), names + [names[i] for i in kept], np.concatenate([asked, ended[done]]),
        attributes={"shop": shops + [shops[i] for i in kept]},
    )  # fmt: skip


def told_in_vain(plan: Plan, model: Model, log: Batch, step: int) -> tuple[float, int]:
    """The share of the steps that were done and had been told, by the kernel itself, and how many were done."""
    log = log.take(np.argsort(log.at, kind="stable"))
    state, found = new_state(plan), []
    for part in np.array_split(np.arange(len(log)), 60):
        batch = log.take(part)
        state, some, _ = advance(state, batch, model, int(batch.at[-1]), plan)
        found.append(some)
    every = join(found)
    done = int(np.count_nonzero(plan.closes.spread(log.event)[1] == step))
    over = every[(every["kind"] == 0) & (every["rule"] == step) & (every["state"] != 0)]
    return len(over) / done, done


@pytest.mark.parametrize("code", list(STEPS))
def test_false_alarms_of_a_step_lie_within_a_fifth_of_what_was_promised(code: str) -> None:
    opens, closes, hours, sigma = STEPS[code]
    plan = plan_of(code.partition(".")[0])
    assert code in plan.codes, f"{code} is no step any more"
    step, alpha = plan.codes.index(code), 0.02
    only = np.zeros(len(plan.codes))
    only[step] = alpha
    object.__setattr__(plan, "alpha", only)
    object.__setattr__(
        plan, "allowed", np.where(plan.flavour == 0, 0, plan.allowed)
    )  # the learned clock alone
    model = learn(plan, work(plan, opens, closes, hours, sigma, 40_000, 1, 0), NOON + 40 * DAY)
    vain, done = told_in_vain(plan, model, work(plan, opens, closes, hours, sigma, 40_000, 2, 41), step)
    assert done > 39_000
    assert 0.8 * alpha < vain < 1.2 * alpha, f"{1000 * vain:.1f} of 1,000, promised were {1000 * alpha:.0f}"


def packing(factor: float) -> tuple[Plan, Model, Plan]:
    plan = plan_of("order")
    object.__setattr__(plan, "alpha", np.where(np.array(plan.codes) == "order.packing", 0.02, 0.0))
    model = learn(plan, work(plan, "order.paid", "order.packed", 6.0, 0.9, 20_000, 3, 0), NOON + 40 * DAY)
    return plan, model, with_tiers(plan, {pair_key(name_key("order.packing"), name_key("kang")): factor})


def dues(plan: Plan, model: Model, snapped: bool = False) -> dict[str, int]:
    """How long a step of each shop may wait, as an open step has it."""
    state = new_state(plan)
    paid = make(plan, ["order.paid"] * 2, ["a", "b"], [NOON] * 2, attributes={"shop": ["kang", "luo"]})
    state, _, _ = advance(state, paid, model, NOON, plan)
    if snapped:
        state = restore(snapshot(state, plan), plan)
        state, _, _ = advance(state, empty(plan), model, NOON + 1, plan)
    rows = np.flatnonzero(state.rows["step"] == plan.codes.index("order.packing"))
    keys = {
        int(state.lanes.index.keys[state.rows["lane"][r]]): int(state.rows["due"][r]) - NOON for r in rows
    }
    step = name_key("order.packing")
    return {shop: keys[pair_key(step, name_key(shop))] for shop in ("kang", "luo")}


def test_a_shop_that_accepts_fewer_false_alarms_waits_longer_and_the_other_does_not() -> None:
    plan, model, stricter = packing(0.1)
    before, after = dues(plan, model), dues(stricter, model)
    assert after["kang"] > 1.5 * before["kang"]
    assert after["luo"] == before["luo"]
    assert dues(stricter, model, snapped=True) == after


def test_a_shop_that_accepts_more_hears_sooner() -> None:
    plan, model, looser = packing(5.0)
    assert dues(looser, model)["kang"] < 0.7 * dues(plan, model)["kang"]


def test_a_limit_that_changes_under_open_steps_counts_for_what_opens_next() -> None:
    _, model, stricter = packing(0.1)
    state = new_state(stricter)
    paid = make(stricter, ["order.paid"], ["a"], [NOON], attributes={"shop": ["kang"]})
    state, _, _ = advance(state, paid, model, NOON, stricter)
    other = with_tiers(stricter, {1: 0.5, 2: 0.12})
    moved = restore(snapshot(state, stricter), other)
    tier = int(moved.rows["flags"][moved.rows.index.rows()][0] >> 3)
    assert other.tiers[tier] == 0.12, "the nearest factor to what it was opened with"


def test_of_more_different_limits_than_a_row_can_hold_each_goes_to_the_next_stricter_one() -> None:
    wanted = {key: 0.01 + key / 1000 for key in range(1, 200)}
    plan = with_tiers(plan_of("order"), wanted)
    assert len(plan.tiers) <= MOST_TIERS
    own = plan.tiers[plan.tier(np.array(list(wanted), np.uint64))]
    asked = np.array(list(wanted.values()))
    assert (own <= asked + 1e-12).all()
    assert (own > asked / 3).all()


def test_the_curve_of_a_long_fault_keeps_its_beginning_its_end_and_a_bounded_number_of_points() -> None:
    points: list[list[object]] = []
    for minute in range(5000):
        points = grown(
            points,
            f"2026-11-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}",
            minute / 2,
            minute // 9,
        )
        assert len(points) <= MOST
    assert points[0][1] == 0 and points[-1][1] == 4999 / 2
    assert [p[0] for p in points] == sorted(p[0] for p in points)
    assert grown(points, points[-1][0], 9, 9) == points
