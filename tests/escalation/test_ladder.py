"""The ladder: every rung once, the last one again and again, and never silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from makegood.escalation import ladder
from makegood.packs import escalation
from makegood.packs.escalations import Rung

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
RUNGS = (
    Rung(timedelta(minutes=15), "owner"),
    Rung(timedelta(minutes=30), "lead"),
    Rung(timedelta(minutes=60), "manager"),
)
ladders = st.lists(st.integers(1, 5000), min_size=1, max_size=5, unique=True).map(
    lambda minutes: tuple(Rung(timedelta(minutes=m), "lead") for m in sorted(minutes))
)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_each_rung_is_reached_at_its_moment_and_once():
    assert ladder.step(RUNGS, START, 0, at(14)).fire == ()
    assert ladder.step(RUNGS, START, 0, at(15)) == ladder.Step((0,), 1, at(30))
    assert ladder.step(RUNGS, START, 1, at(29)).fire == ()
    assert ladder.step(RUNGS, START, 1, at(61)) == ladder.Step((1, 2), 3, at(90))


def test_the_last_rung_repeats_and_a_long_sleep_does_not_repeat_it_for_every_lost_gap():
    assert ladder.step(RUNGS, START, 3, at(90)).fire == (2,)
    after_the_night = ladder.step(RUNGS, START, 0, at(600))
    assert after_the_night.fire == (0, 1, 2) and after_the_night.next_at > at(600)


@given(ladders, st.integers(0, 20_000), st.integers(0, 20_000))
def test_it_always_ends_looks_ahead_and_goes_on_where_it_was(rungs, first, more):
    one = ladder.step(rungs, START, 0, at(first))
    two = ladder.step(rungs, START, one.fired, at(first + more))
    assert one.next_at > at(first) and two.next_at > at(first + more) and two.fired >= one.fired
    assert ladder.step(rungs, START, 0, at(first + more)).fired == two.fired
    assert ladder.read(ladder.kept(rungs)) == rungs


def test_a_more_urgent_ladder_never_begins_later():
    rules = escalation()
    firsts = [rules.ladder(level, "")[0].after for level in range(1, 6)]
    assert firsts == sorted(firsts, reverse=True)
