"""What a sender may do wrong: the watch says how much of it, and goes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from makegood.packs.watching import processes
from makegood.watch.advance import advance
from makegood.watch.batch import BadBatch, Batch, empty
from makegood.watch.model import nothing
from makegood.watch.plan import DAY, compile_plan
from makegood.watch.snapshot import BadSnapshot, restore, snapshot
from makegood.watch.state import new_state
from tests.watch.streams import MINUTE, batch, minute, plan_of, told

PLAN = plan_of("invoice")


def test_a_close_that_comes_before_its_opening_leaves_nothing_open() -> None:
    state, _, counters = advance(
        new_state(PLAN), batch(PLAN, ("invoice.issued", "a", 5)), nothing(), minute(5), PLAN
    )
    assert counters.number["unmatched"] == 1
    state, _, _ = advance(state, batch(PLAN, ("invoice.requested", "a", 0)), nothing(), minute(6), PLAN)
    _, found, _ = advance(state, empty(PLAN), nothing(), minute(5 * 1440), PLAN)
    assert [t for t in told(PLAN, found) if t[0] == "stuck"] == []


def test_a_request_that_is_a_year_late_opens_nothing_and_is_counted() -> None:
    event = batch(PLAN, ("invoice.requested", "old", -365 * 1440), ("invoice.requested", "new", 0))
    state, found, counters = advance(new_state(PLAN), event, nothing(), minute(1), PLAN)
    assert (counters.number["late"], counters.number["opened"], told(PLAN, found)) == (1, 1, [])
    assert state.open_steps == 1


def test_a_clock_that_is_a_year_ahead_counts_from_now() -> None:
    event = batch(PLAN, ("invoice.requested", "ahead", 365 * 1440))
    state, _, counters = advance(new_state(PLAN), event, nothing(), minute(0), PLAN)
    assert counters.number["ahead"] == 1
    _, found, _ = advance(state, empty(PLAN), nothing(), minute(4 * 1440), PLAN)
    assert told(PLAN, found) == [("stuck", "invoice.issue", 0)]


def test_our_own_clock_that_jumps_back_is_held() -> None:
    state, _, _ = advance(
        new_state(PLAN), batch(PLAN, ("invoice.requested", "a", 0)), nothing(), minute(1000), PLAN
    )
    state, found, _ = advance(state, empty(PLAN), nothing(), minute(-1000), PLAN)
    assert state.now == minute(1000)
    assert told(PLAN, found) == []


def test_a_poison_batch_is_counted_and_the_good_events_in_it_are_not_lost() -> None:
    good = batch(PLAN, *[("invoice.requested", f"i{n}", 0) for n in range(6)])
    at, tx, amount, event = (
        good.at.copy(),
        good.tx.copy(),
        np.array([np.nan, np.inf, -5, 1e300, 1, 1]),
        good.event.copy(),
    )
    at[0], at[1], tx[2], event[3] = 0, np.iinfo(np.int64).max, 0, 99
    bad = replace(good, at=at, tx=tx, amount=amount, event=event)
    state, _, counters = advance(new_state(PLAN), bad, nothing(), minute(1), PLAN)
    assert counters.number["poison"] == 3
    assert counters.number["unwatched"] == 1
    assert state.open_steps == 2
    _, found, _ = advance(state, empty(PLAN), nothing(), minute(5000), PLAN)
    assert np.isfinite(found["rank"]).all()
    assert np.isfinite(found["amount"]).all()


def test_columns_that_do_not_fit_are_refused_before_anything_is_changed() -> None:
    good = batch(PLAN, ("invoice.requested", "a", 0))
    state = new_state(PLAN)
    with pytest.raises(BadBatch):
        advance(state, replace(good, at=np.zeros(2, np.int64)), nothing(), minute(1), PLAN)
    with pytest.raises(BadBatch):
        advance(state, replace(good, attributes=()), nothing(), minute(1), PLAN)
    assert state.open_steps == 0


def test_a_shop_that_sends_a_hundred_times_its_usual_is_taken_in_and_each_request_is_its_own() -> None:
    burst = batch(
        PLAN, *[("invoice.requested", f"i{n}", n / 1000) for n in range(20_000)], shop="kang", provider="p"
    )
    state, _, counters = advance(new_state(PLAN), burst, nothing(), minute(21), PLAN)
    assert counters.number["opened"] == 20_000
    done = batch(
        PLAN, *[("invoice.issued", f"i{n}", 21 + n / 1000) for n in range(20_000)], shop="kang", provider="p"
    )
    state, _, counters = advance(state, done, nothing(), minute(42), PLAN)
    assert counters.number["closed"] == 20_000
    assert state.open_steps == 0


def test_a_process_that_changes_under_open_steps_goes_on_with_them_and_drops_what_is_gone() -> None:
    plan = plan_of("invoice", "refund")
    state, _, _ = advance(
        new_state(plan),
        batch(plan, ("invoice.requested", "a", 0), ("refund.requested", "b", 0)),
        nothing(),
        minute(1),
        plan,
    )
    assert state.open_steps == 4
    invoice = processes()["invoice"]
    sooner = replace(
        invoice.steps["invoice.issue"], promise=replace(invoice.steps["invoice.issue"].promise, hours=2)
    )  # type: ignore[type-var]
    changed = compile_plan([replace(invoice, version=2, steps={"invoice.issue": sooner})])
    with pytest.raises(ValueError, match="needs `moved_to`"):
        advance(state, _nothing(changed), nothing(), minute(2), changed)
    moved = restore(snapshot(state, plan), changed)
    assert moved.open_steps == 1
    _, found, _ = advance(moved, _nothing(changed), nothing(), minute(121), changed)
    assert told(changed, found) == [("stuck", "invoice.issue", 0)]
    assert found["due"][0] == minute(120)


def _nothing(plan: object) -> Batch:
    return empty(plan)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"ARROW1", b"\0" * 5000])
def test_bytes_that_are_no_state_are_refused(data: bytes) -> None:
    with pytest.raises(BadSnapshot):
        restore(data, PLAN)


def test_what_was_closed_is_remembered_for_the_time_that_events_may_be_late() -> None:
    state, _, _ = advance(
        new_state(PLAN),
        batch(PLAN, ("invoice.requested", "a", 0), ("invoice.issued", "a", 5)),
        nothing(),
        minute(5),
        PLAN,
    )
    late = int(PLAN.late[0])
    for step in range(1, 15):  # the memory turns over while nothing else happens
        now = minute(5) + step * late // 15
        state, _, _ = advance(state, empty(PLAN), nothing(), now, PLAN)
    again = batch(PLAN, ("invoice.requested", "a", 0))
    state, _, counters = advance(state, again, nothing(), minute(0) + late - MINUTE, PLAN)
    assert counters.number["opened"] == 0
    assert late == 14 * DAY
