"""The set of findings does not depend on the order in which events arrive, nor on how often: Hypothesis looks for the opposite."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from makegood.watch import curves
from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty
from makegood.watch.findings import join
from makegood.watch.model import nothing
from makegood.watch.plan import STUCK
from makegood.watch.snapshot import restore, snapshot
from makegood.watch.state import State, new_state
from tests.watch.streams import MINUTE, batch, minute, plan_of

PLAN = plan_of("refund")
EVENTS = (
    "refund.requested",
    "refund.approved",
    "refund.rejected",
    "refund.sent",
    "refund.paid",
    "refund.cancelled",
)
#: All within an hour, long before anything is due (the decision at the earliest).
events = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.sampled_from(["r1", "r2", "r3"]), st.integers(0, 60)),
    min_size=1, max_size=14, unique=True,
)  # fmt: skip


def ids_at_the_end(parts: list[Batch]) -> set[tuple[int, int]]:
    """(kind, id) of what is told when the parts came one after the other and then two months passed."""
    state, found = new_state(PLAN), []
    for part in parts:
        state, some, _ = advance(state, part, nothing(), minute(61), PLAN)
        found.append(some)
    for days in (1, 4, 15, 60):
        state, some, _ = advance(state, empty(PLAN), nothing(), minute(61 + 1440 * days), PLAN)
        found.append(some)
    every = join(found)
    # What waits by its few peers is told by what the lane showed meanwhile; the promise and the needs are the same always.
    sure = (every["state"] == 0) & (every["kind"] != STUCK) & (every["kind"] != 5)
    return set(zip(every["kind"][sure].tolist(), every["id"][sure].tolist(), strict=True))


def still_open(state: State) -> set[tuple[int, int]]:
    rows = state.rows.index.rows()
    return set(zip(state.rows.index.keys[rows].tolist(), state.rows["first"][rows].tolist(), strict=True))


def taken(parts: list[Batch]) -> State:
    state = new_state(PLAN)
    for part in parts:
        state, _, _ = advance(state, part, nothing(), minute(61), PLAN)
    return state


@given(events, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_within_a_batch_makes_no_difference(log: list[tuple[Any, ...]], random: Any) -> None:
    whole = batch(PLAN, *log)
    places = list(range(len(log)))
    random.shuffle(places)
    mixed = whole.take(np.array(places))
    assert still_open(taken([whole])) == still_open(taken([mixed]))
    assert ids_at_the_end([whole]) == ids_at_the_end([mixed])


def twice_opened(log: list[tuple[Any, ...]]) -> bool:
    """Three openings of one step in flight at once, the close in a later batch, are the known limit: a row keeps the first
    and the last. Within one batch, or sent again, they make no difference."""
    opened = [e[1] for e in log if e[0] in ("refund.requested", "refund.approved", "refund.paid")]
    return all(
        sum(1 for e in log if e[1] == tx and e[0] == kind) <= 2
        for tx in set(opened)
        for kind in ("refund.requested", "refund.approved", "refund.paid")
    )


@given(events, st.randoms(use_true_random=False), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_the_order_and_the_cut_of_batches_make_no_difference(
    log: list[tuple[Any, ...]], random: Any, cuts: int
) -> None:
    assume(twice_opened(log))
    whole = batch(PLAN, *log)
    places = list(range(len(log)))
    random.shuffle(places)
    parts = [whole.take(part) for part in np.array_split(np.array(places, dtype=np.int64), cuts)]
    assert still_open(taken([whole])) == still_open(taken(parts))
    assert ids_at_the_end([whole]) == ids_at_the_end(parts)


@given(events, st.integers(0, 13))
@settings(max_examples=40, deadline=None)
@example([("refund.requested", "r1", 0), ("refund.requested", "r1", 20), ("refund.requested", "r1", 40), ("refund.rejected", "r1", 10)], 0)  # fmt: skip
def test_events_sent_again_change_nothing(log: list[tuple[Any, ...]], again: int) -> None:
    whole = batch(PLAN, *log)
    doubled = [whole, whole.take(slice(again, again + 5)), whole]
    assert still_open(taken([whole])) == still_open(taken(doubled))
    assert ids_at_the_end([whole]) == ids_at_the_end(doubled)


@given(events)
@settings(max_examples=25, deadline=None)
def test_a_snapshot_goes_on_as_if_nothing_had_happened(log: list[tuple[Any, ...]]) -> None:
    half = len(log) // 2
    first, second = batch(PLAN, *log[:half]), batch(PLAN, *log[half:])
    state = taken([first])
    back = restore(snapshot(state, PLAN), PLAN)
    assert still_open(back) == still_open(state)
    outcomes = []
    for one in (state, back):
        one, _, _ = advance(one, second, nothing(), minute(62), PLAN)
        one, found, _ = advance(one, empty(PLAN), nothing(), minute(62 + 1440 * 60), PLAN)
        outcomes.append((still_open(one), sorted(found["id"].tolist()), sorted(found["rank"].tolist())))
    assert outcomes[0] == outcomes[1]


def test_packed_and_handed_over_in_one_batch_is_as_in_two() -> None:
    plan = plan_of("order")
    told = [("order.paid", "HN-1", 0.0), ("order.packed", "HN-1", 10.0), ("order.handed_over", "HN-1", 600.0)]
    for cuts in ([told], [told[:1], told[1:]], [told[:2], told[2:]]):
        state, took = new_state(plan), list[int]()
        for part in cuts:
            state, _found, counters = advance(state, batch(plan, *part), nothing(), minute(700), plan)
            took += counters.completed["bucket"].tolist()
        assert curves.bucket(10 * MINUTE) in took, "packing took ten minutes, whenever the parcel left"
