"""The stories that the watch exists for: two invoices (mission D), an outage of payments, a double charge, a refund nobody paid."""

from __future__ import annotations

import numpy as np

from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty, make
from makegood.watch.findings import Findings, join
from makegood.watch.learn import learn
from makegood.watch.model import Model, nothing
from makegood.watch.plan import DAY, KINDS, SYSTEMIC, Plan
from makegood.watch.state import State, new_state
from tests.watch.streams import MINUTE, NOON, batch, minute, plan_of, queue, told


def test_kangs_large_invoice_is_noticed_the_moment_the_later_small_one_is_issued() -> None:
    plan = plan_of("invoice")
    past = queue(plan, 400)
    model = learn(plan, past, minute(-1))
    state, _, _ = advance(new_state(plan), past, model, minute(-1), plan)
    state, before, _ = advance(state, _two_invoices(plan, 0, 10), model, minute(14.9), plan)
    state, found, _ = advance(state, _issued(plan, "small", 15), model, minute(15), plan)
    assert told(plan, before) == []
    assert told(plan, found) == [("overtaken", "invoice.issue", 0)]
    assert found["overtakes"][0] == 1
    assert found["other_at"][0] == minute(15)
    assert found["confidence"][0] > 0.99


def test_without_any_history_the_large_invoice_is_noticed_within_64_minutes() -> None:
    plan, model = plan_of("invoice"), nothing()
    state, _, _ = advance(new_state(plan), _two_invoices(plan, 0, 10), model, minute(10), plan)
    state, _, _ = advance(state, _issued(plan, "small", 15), model, minute(15), plan)
    state, early, _ = advance(state, empty(plan), model, minute(63), plan)
    state, found, _ = advance(state, empty(plan), model, minute(64), plan)
    assert told(plan, early) == []
    assert told(plan, found) == [("stuck", "invoice.issue", 0)]
    assert found["confidence"][0] < 0.5, "one peer is a guess: it is ranked and raises no alarm"
    _, over, _ = advance(state, _issued(plan, "large", 300), model, minute(300), plan)
    assert told(plan, over) == [("stuck", "invoice.issue", 1)]
    assert over["id"][0] == found["id"][0], "the case that was opened hears that it is over"


def _two_invoices(plan: Plan, first: float, second: float) -> Batch:
    return batch(
        plan,
        ("invoice.requested", "large", first),
        ("invoice.requested", "small", second),
        provider="hometax",
    )


def _issued(plan: Plan, name: str, at: float) -> Batch:
    return batch(plan, ("invoice.issued", name, at), provider="hometax")


PAYMENTS_A_DAY = 66_000


def _payments(
    plan: Plan, begin: float, end: float, seed: int, outage: tuple[float, float] | None = None
) -> Batch:
    """Payments of four providers at 66,000 a day; in the outage none is confirmed until it ends."""
    random = np.random.default_rng(seed)
    count = int((end - begin) * PAYMENTS_A_DAY / 1440)
    asked = np.sort(random.uniform(begin, end, count))
    captured = asked + random.lognormal(np.log(0.5), 0.6, count)
    if outage:
        waits = (captured >= outage[0]) & (captured < outage[1])
        captured[waits] = outage[1] + random.uniform(0, 5, int(waits.sum()))
    finished = random.random(count) > 0.0025
    providers = random.choice(["toss", "inicis", "alipay", "wechat"], count, p=[0.5, 0.3, 0.15, 0.05])
    names = [f"order-{seed}-{i}" for i in range(count)]
    names += [name for name, done in zip(names, finished.tolist(), strict=True) if done]
    at = np.concatenate([asked, captured[finished]])
    return make(
        plan, ["payment.requested"] * count + ["payment.captured"] * int(finished.sum()), names,
        NOON + (at * MINUTE).astype(np.int64),
        attributes={"provider": np.concatenate([providers, providers[finished]]).tolist()},
    )  # fmt: skip


def _played(
    plan: Plan, state: State, log: Batch, model: Model, begin: float, end: float
) -> tuple[State, Findings]:
    """A minute at a time, as the worker does it."""
    parts = []
    order = np.argsort(log.at, kind="stable")
    log = log.take(order)
    edges = [minute(m) for m in np.arange(begin + 1, end + 1)]
    cuts = np.searchsorted(log.at, edges, side="right")
    low = 0
    for now, high in zip(edges, cuts.tolist(), strict=True):
        state, found, _ = advance(state, log.take(slice(low, high)), model, now, plan)
        parts.append(found)
        low = high
    return state, join(parts)


def test_an_outage_of_payments_is_one_incident_within_five_minutes_and_says_when_it_is_over() -> None:
    plan = plan_of("payment")
    model = learn(plan, _payments(plan, -2880, -1440, seed=1), minute(-1440))
    log = _payments(plan, -120, 180, seed=2, outage=(0, 60))
    _, found = _played(plan, new_state(plan), log, model, -120, 180)
    incidents = found[found["kind"] == SYSTEMIC]
    raised, over = incidents[incidents["state"] == 0], incidents[incidents["state"] == 1]
    assert len(raised) == 1, "one fault is one incident, not one for every provider"
    assert minute(0) < raised["at"][0] <= minute(5)
    assert raised["expected"][0] > 16 > raised["observed"][0] + 8
    assert len(over) == 1
    assert minute(60) < over["at"][0] <= minute(75)
    alone = found[
        (found["kind"] == 0) & (found["state"] == 0) & (found["at"] > minute(10)) & (found["at"] < minute(60))
    ]
    assert len(alone) > 100
    assert np.mean(alone["incident"] == raised["id"][0]) > 0.95, "payments that wait are part of the incident"


def test_one_provider_that_stops_is_named_and_the_others_are_not() -> None:
    plan = plan_of("payment")
    model = learn(plan, _payments(plan, -2880, -1440, seed=1), minute(-1440))
    log = _payments(plan, -60, 30, seed=3)
    inicis = log.attributes[plan.attributes.index("provider")]
    stopped = batch(plan, ("payment.captured", "x", 0), provider="inicis").attributes[
        plan.attributes.index("provider")
    ][0]
    captured = log.event == plan.events.index("payment.captured")
    log = log.take(~(captured & (inicis == stopped) & (log.at > minute(0))))
    _, found = _played(plan, new_state(plan), log, model, -60, 30)
    raised = found[(found["kind"] == SYSTEMIC) & (found["state"] == 0)]
    assert len(raised) == 1
    assert raised["lane"][0] != plan.keys[raised["rule"][0]], "the lane of the provider, not all payments"
    assert raised["at"][0] <= minute(10)


def test_linas_card_charged_twice_is_noticed_once_however_often_the_event_is_sent() -> None:
    plan = plan_of("payment")
    events = (("payment.captured", "order-1", 0.0, "a"), ("payment.captured", "order-1", 0.7, "b"))
    state, found, _ = advance(new_state(plan), batch(plan, *events), nothing(), minute(1), plan)
    assert told(plan, found) == [("duplicate", "payment.twice", 0)]
    state, again, counters = advance(state, batch(plan, *events), nothing(), minute(2), plan)
    assert told(plan, again) == []
    assert counters.number["doubled"] > 0


def test_the_same_capture_delivered_twice_is_no_double_charge() -> None:
    plan = plan_of("payment")
    event = ("payment.captured", "order-1", 0.0, "a")
    state, found, _ = advance(new_state(plan), batch(plan, event, event), nothing(), minute(1), plan)
    _, again, _ = advance(state, batch(plan, event), nothing(), minute(5), plan)
    assert told(plan, join([found, again])) == []


def test_two_like_payments_of_one_customer_count_only_within_the_window() -> None:
    plan = plan_of("payment")

    def pay(order: str, at: float) -> Batch:
        return make(
            plan, ["payment.captured"], [order], [minute(at)], amount=[49.9],
            attributes={"customer": ["alex"], "items": ["socks"]},
        )  # fmt: skip

    state, _, _ = advance(new_state(plan), pay("order-1", 0), nothing(), minute(0), plan)
    state, soon, _ = advance(state, pay("order-2", 10), nothing(), minute(10), plan)
    _, later, _ = advance(state, pay("order-3", 60), nothing(), minute(60), plan)
    assert told(plan, soon) == [("duplicate", "payment.alike", 0)]
    assert not (later["kind"] == KINDS.index("duplicate")).any()


def test_a_refund_paid_without_approval_is_told_after_the_grace_and_not_when_the_approval_comes_late() -> (
    None
):
    plan = plan_of("refund")
    state = new_state(plan)
    state, at_once, _ = advance(
        state, batch(plan, ("refund.paid", "r1", 0), ("refund.paid", "r2", 0)), nothing(), minute(1), plan
    )
    state, late, _ = advance(state, batch(plan, ("refund.approved", "r2", -5)), nothing(), minute(30), plan)
    _, found, _ = advance(state, empty(plan), nothing(), minute(121), plan)
    assert told(plan, join([at_once, late])) == []
    mine = found[found["kind"] == KINDS.index("mismatch")]
    assert told(plan, mine) == [("mismatch", "refund.unapproved", 0)]
    assert mine["tx"][0] == batch(plan, ("refund.paid", "r1", 0)).tx[0]


def test_a_second_late_invoice_for_the_same_customer_is_a_recurrence() -> None:
    plan = plan_of("invoice")
    state = new_state(plan)
    parts = []
    for i in range(2):
        begin = i * 3 * DAY / MINUTE
        asked = batch(plan, ("invoice.requested", f"i{i}", begin), provider="p", customer="luo")
        state, _, _ = advance(state, asked, nothing(), minute(begin), plan)
        state, found, _ = advance(state, empty(plan), nothing(), minute(begin + 2000), plan)
        parts.append(found)
    assert told(plan, join(parts)) == [
        ("stuck", "invoice.issue", 0), ("stuck", "invoice.issue", 0), ("recurrence", "invoice.again", 0),
    ]  # fmt: skip
