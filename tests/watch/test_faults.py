"""Faults: which of them is one lane's and which the whole step's, and that each is told once under a name of its own."""

from __future__ import annotations

import numpy as np
import pytest

from makegood.watch.advance import advance
from makegood.watch.batch import Batch, make
from makegood.watch.findings import RAISED, RECOVERED, Findings, join
from makegood.watch.keys import name_key, pair_key
from makegood.watch.learn import learn
from makegood.watch.model import Model
from makegood.watch.plan import SYSTEMIC, Plan
from makegood.watch.snapshot import restore, snapshot
from makegood.watch.state import new_state
from tests.watch.streams import MINUTE, NOON, minute, plan_of

FOUR = {"toss": 0.5, "inicis": 0.3, "alipay": 0.15, "wechat": 0.05}
ONE = {"toss": 1.0}
Stops = tuple[
    tuple[frozenset[str], float, float], ...
]  # providers that confirm nothing from one minute to another


def payments(
    plan: Plan,
    begin: float,
    end: float,
    seed: int,
    share: dict[str, float],
    *stops: tuple[set[str], float, float],
) -> Batch:
    """Some 46 payments a minute, confirmed in about half a minute; in a stop none, and all of them soon after it."""
    random = np.random.default_rng(seed)
    count = int((end - begin) * 46)
    asked = np.sort(random.uniform(begin, end, count))
    captured = asked + random.lognormal(np.log(0.5), 0.6, count)
    provider = random.choice(list(share), count, p=list(share.values()))
    for who, low, high in stops:
        held = np.isin(provider, list(who)) & (captured >= low) & (captured < high)
        captured[held] = high + random.uniform(0, 1, int(held.sum()))
    names = [f"order-{seed}-{i}" for i in range(count)]
    at = np.concatenate([asked, captured])
    log = make(
        plan, ["payment.requested"] * count + ["payment.captured"] * count, names * 2, NOON + (at * MINUTE).astype(np.int64),
        attributes={"provider": np.concatenate([provider, provider]).tolist()},
    )  # fmt: skip
    return log.take(np.argsort(log.at, kind="stable"))


PLAN = plan_of("payment")


def learned(share: dict[str, float]) -> Model:
    return learn(PLAN, payments(PLAN, -2880, -1440, 1, share), minute(-1440))


def faults(log: Batch, model: Model, end: int, *, kept: bool = False) -> Findings:
    """What is told of lanes, a minute at a time; ``kept``: the state goes through its bytes every time."""
    state, parts, low = new_state(PLAN), list[Findings](), 0
    begin = int((log.at[0] - NOON) // MINUTE)
    for n in range(begin + 1, end + 1):
        high = int(np.searchsorted(log.at, minute(n), side="right"))
        state, found, _ = advance(state, log.take(slice(low, high)), model, minute(n), PLAN)
        parts.append(found[found["kind"] == SYSTEMIC])
        low = high
        if kept:
            state = restore(snapshot(state, PLAN), PLAN)
    return join(parts)


def named(found: Findings) -> set[str]:
    """Whom the raised ones are about: a provider, or 'all'."""
    step = int(PLAN.keys[PLAN.codes.index("payment.capture")])
    names = {step: "all", **{pair_key(step, name_key(code)): code for code in FOUR}}
    raised = found[found["state"] == RAISED]
    assert len(raised) == len({int(lane) for lane in raised["lane"]}), "each is told once"
    return {names[int(lane)] for lane in raised["lane"]}


@pytest.mark.parametrize("provider", list(FOUR))
def test_one_provider_of_four_that_stops_is_the_incident_and_not_all_payments(provider: str) -> None:
    log = payments(PLAN, -60, 40, 3, FOUR, ({provider}, 0, 500))
    assert named(faults(log, learned(FOUR), 40)) == {provider}


def test_two_providers_that_stop_are_two_incidents_while_the_others_go_on() -> None:
    share = {"toss": 0.1, "inicis": 0.1, "alipay": 0.4, "wechat": 0.4}
    log = payments(PLAN, -60, 40, 4, share, ({"toss", "inicis"}, 0, 500))
    assert named(faults(log, learned(share), 40)) == {"toss", "inicis"}


@pytest.mark.parametrize("share", [
    FOUR, {"toss": 0.25, "inicis": 0.25, "alipay": 0.25, "wechat": 0.25}, {"toss": 0.8, "inicis": 0.1, "alipay": 0.06, "wechat": 0.04},
])  # fmt: skip
def test_when_all_providers_stop_it_is_one_incident_of_the_whole_step(share: dict[str, float]) -> None:
    log = payments(PLAN, -60, 40, 5, share, (set(share), 0, 500))
    found = faults(log, learned(share), 40)
    assert named(found) == {"all"}
    assert found["at"][0] <= minute(5)


def test_the_stop_of_one_bank_is_not_all_payments_because_two_at_another_are_late() -> None:
    """Toss stops; of WeChat hardly anything is expected in those minutes, and what is, is late too."""
    share = {"toss": 0.98, "wechat": 0.02}
    log = payments(PLAN, -60, 15, 6, share, ({"toss"}, 0, 500), ({"wechat"}, 0, 4))
    assert named(faults(log, learned(share), 15)) == {"toss"}


def test_a_step_with_one_lane_is_told_once_as_that_lane() -> None:
    log = payments(PLAN, -60, 40, 7, ONE, ({"toss"}, 0, 500))
    assert named(faults(log, learned(ONE), 40)) == {"toss"}


def test_quiet_payments_are_no_fault() -> None:
    assert not len(faults(payments(PLAN, -60, 240, 8, FOUR), learned(FOUR), 240))


def test_a_fault_that_comes_again_at_once_has_a_name_of_its_own() -> None:
    """Toss stops, everything that waited is confirmed within a minute, and in the next minutes it stops again, three times."""
    stops = [({"toss"}, low, low + 6.0) for low in (0.0, 7.0, 14.0)]
    log = payments(PLAN, -60, 60, 9, FOUR, *stops)
    model = learned(FOUR)
    found = faults(log, model, 60)
    raised, over = found[found["state"] == RAISED], found[found["state"] == RECOVERED]
    assert len(raised) >= 2, "the story is of a fault that comes again"
    assert len(set(raised["id"].tolist())) == len(raised)
    assert set(over["id"].tolist()) == set(raised["id"].tolist())
    assert np.array_equal(found["id"], faults(log, model, 60, kept=True)["id"]), (
        "a state that was kept names them alike"
    )
