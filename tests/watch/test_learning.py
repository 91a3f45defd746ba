"""What is learned from a log: calibrated, open items counted, incidents left out."""

from __future__ import annotations

import numpy as np
import pytest

from makegood.watch import curves
from makegood.watch.batch import Batch, make
from makegood.watch.deadlines import learned_dues
from makegood.watch.inversions import overtakes
from makegood.watch.learn import Incident, learn
from makegood.watch.model import limits
from makegood.watch.pairing import pair
from makegood.watch.plan import DAY, HOUR, Plan
from tests.watch.streams import NOON, plan_of

ALPHA = 0.005


def packing(
    plan: Plan, count: int, seed: int, begin: float = 0, days: float = 12, never: float = 0.0025
) -> Batch:
    """Orders of 30 shops, packed after hours that are spread as real ones are (lognormal, each shop its own speed)."""
    random = np.random.default_rng(seed)
    shop = random.integers(0, 30, count)
    asked = NOON + ((begin + random.uniform(0, days, count)) * DAY).astype(np.int64)
    took = random.lognormal(np.log(4 + shop / 5), 0.8, count) * HOUR
    done = random.random(count) > never
    names = [f"{seed}-{i}" for i in range(count)]
    shops = [f"shop-{s}" for s in shop.tolist()]
    return make(
        plan, ["order.paid"] * count + ["order.packed"] * int(done.sum()),
        names + [n for n, d in zip(names, done.tolist(), strict=True) if d],
        np.concatenate([asked, (asked + took.astype(np.int64))[done]]),
        attributes={"shop": shops + [s for s, d in zip(shops, done.tolist(), strict=True) if d]},
    )  # fmt: skip


def test_false_alarms_come_as_often_as_was_promised_also_where_some_are_still_open() -> None:
    plan = plan_of("order", alpha=ALPHA * 10)  # packing has a tenth of the budget
    step = plan.codes.index("order.packing")
    assert plan.alpha[step] == pytest.approx(ALPHA)
    log = packing(plan, 60_000, seed=1, days=12)
    model = learn(plan, log, NOON + 12 * DAY)
    later = pair(plan, packing(plan, 40_000, seed=2, begin=13))
    dues = learned_dues(
        plan, model, limits(plan, model), later.step, later.opened, later.promise, _cohorts(model, later)
    ).due
    false = np.mean(dues[later.done] < later.ended[later.done])
    assert 0.8 * ALPHA < false < 1.4 * ALPHA
    assert (dues[~later.done] < NOON + 60 * DAY).all(), "what never ends is always found"


def _cohorts(model: object, history: object) -> np.ndarray:
    best = np.full(len(history), -1, np.int64)  # type: ignore[arg-type]
    for level in history.levels:  # type: ignore[attr-defined]
        found = model.find(level)  # type: ignore[attr-defined]
        best = np.where(found >= 0, found, best)
    return best


def test_the_share_that_never_finishes_is_seen() -> None:
    plan = plan_of("order")
    model = learn(plan, packing(plan, 60_000, seed=3, never=0.01), NOON + 40 * DAY)
    whole = model.find(np.array([plan.keys[plan.codes.index("order.packing")]], np.uint64))
    assert 0.007 < model.never[whole[0]] < 0.013


def test_a_shop_that_is_twice_as_slow_is_judged_by_its_own_speed_and_a_new_one_by_all() -> None:
    plan = plan_of("order")
    model = learn(plan, packing(plan, 60_000, seed=4), NOON + 40 * DAY)
    known = limits(plan, model)
    log = packing(plan, 2000, seed=5)
    h = pair(plan, log)
    waits = known.wait[_cohorts(model, h)]
    shops = np.unique(waits)
    assert len(shops) > 5, "shops have thresholds of their own"
    assert shops.max() > 1.3 * shops.min()
    stranger = make(plan, ["order.paid"], ["x"], [NOON], attributes={"shop": ["new"]})
    assert (
        _cohorts(model, pair(plan, stranger))[0] == model.find(np.array([plan.keys[h.step[0]]], np.uint64))[0]
    )


def test_nothing_is_learned_from_a_known_outage() -> None:
    plan = plan_of("payment")
    random = np.random.default_rng(6)
    count = 20_000
    asked = NOON + np.sort(random.uniform(0, 2 * DAY, count)).astype(np.int64)
    took = (random.lognormal(np.log(0.01), 0.6, count) * HOUR).astype(np.int64)
    down = (asked > NOON + DAY) & (asked < NOON + DAY + 4 * HOUR)
    took[down] += NOON + DAY + 4 * HOUR - asked[down]
    names = [str(i) for i in range(count)]
    log = make(
        plan,
        ["payment.requested"] * count + ["payment.captured"] * count,
        names * 2,
        np.concatenate([asked, asked + took]),
    )

    def wait(incidents: tuple[Incident, ...]) -> int:
        model = learn(plan, log, NOON + 3 * DAY, incidents=incidents)
        return int(limits(plan, model).wait[0])

    fault = Incident(NOON + DAY, NOON + DAY + 4 * HOUR, "payment.capture")
    assert wait(()) > 2 * HOUR
    assert wait((fault,)) < HOUR / 10


def test_overtakes_are_counted_as_one_would_count_them_by_hand() -> None:
    random = np.random.default_rng(7)
    for size in (0, 1, 2, 17, 200):
        for spread in (4, 1000):
            opened = random.integers(0, spread, size)
            ended = opened + random.integers(0, spread, size)
            by_hand = [int(((opened > o) & (ended < e)).sum()) for o, e in zip(opened, ended, strict=True)]
            assert overtakes(opened, ended).tolist() == by_hand


def test_a_curve_of_a_few_is_pulled_to_its_parent_and_one_of_many_stands_by_itself() -> None:
    parent = np.linspace(1, 0, curves.BUCKETS)
    own = np.where(np.arange(curves.BUCKETS) < 100, 1.0, 0.0)
    few, many = curves.shrink(own, 2, parent), curves.shrink(own, 5000, parent)
    assert abs(few - parent).mean() < abs(few - own).mean()
    assert abs(many - own).mean() < 0.02


def test_a_quantile_is_read_no_finer_than_the_number_of_observations_allows() -> None:
    plan = plan_of("payment")
    names = [str(i) for i in range(30)]
    at = [NOON + i * HOUR for i in range(30)]
    ends = [a + (i + 1) * 60_000_000 for i, a in enumerate(at)]
    log = make(plan, ["payment.requested"] * 30 + ["payment.captured"] * 30, names * 2, at + ends)
    model = learn(plan, log, NOON + 10 * DAY)
    assert model.count.max() == 30
    assert limits(plan, model).wait[0] >= 29 * 60_000_000


def promised(plan: Plan, count: int, seed: int, days: float) -> Batch:
    """Parcels that are promised for twelve days after the order and come after eight, give or take two."""
    random = np.random.default_rng(seed)
    placed = NOON + (random.uniform(0, days, count) * DAY).astype(np.int64)
    took = (np.clip(random.normal(8, 2, count), 0.5, 11.9) * DAY).astype(np.int64)
    names = [f"{seed}-{i}" for i in range(count)]
    at = np.concatenate([placed, placed + took])
    return make(
        plan, ["order.placed"] * count + ["order.delivered"] * count, names + names, at,
        moments={"promised_at": np.concatenate([placed + 12 * DAY, np.zeros(count, np.int64)])},
    )  # fmt: skip


@pytest.mark.parametrize("with_promise", [True, False])
def test_five_days_of_learning_do_not_say_that_slow_parcels_never_come(with_promise: bool) -> None:
    plan = plan_of("order")
    log = promised(plan, 20_000, 7, days=5)
    if not with_promise:
        log = Batch(
            log.event,
            log.tx,
            log.at,
            log.id,
            log.amount,
            log.attributes,
            tuple(np.zeros_like(m) for m in log.moments),
        )
    model = learn(plan, log, NOON + 5 * DAY)
    later = pair(plan, promised(plan, 20_000, 8, days=5))
    later = later.take(later.step == plan.codes.index("order.delivery"))
    if not with_promise:
        later = type(later)(
            later.step,
            later.tx,
            later.opened,
            later.ended,
            later.cancelled,
            0 * later.promise,
            later.lane,
            later.levels,
        )
    dues = learned_dues(
        plan, model, limits(plan, model), later.step, later.opened, later.promise, _cohorts(model, later)
    ).due
    false = float(np.mean(dues < later.ended))
    assert len(later) == 20_000
    assert false < 0.003, f"{false:.1%} of parcels that came in time were told"


def test_parcels_that_truly_never_come_are_known_once_they_were_waited_for_long_enough() -> None:
    plan = plan_of("order")
    log = promised(plan, 20_000, 9, days=5)
    lost = np.char.startswith(np.arange(20_000).astype(str), "77")  # about one in a hundred
    log = log.take(np.concatenate([np.ones(20_000, bool), ~lost]))
    whole = np.array([plan.keys[plan.codes.index("order.delivery")]], np.uint64)
    model = learn(plan, log, NOON + 40 * DAY)
    assert model.never[model.find(whole)[0]] == pytest.approx(lost.mean(), rel=0.05)
    early = learn(plan, log, NOON + 6 * DAY)
    assert early.never[early.find(whole)[0]] == 0
