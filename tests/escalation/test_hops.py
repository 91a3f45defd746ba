"""Hops and bounces: what the log of a case says about how it travelled."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from makegood.escalation.hops import Moment, bounces, hops, pairs, path

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def log(*steps: tuple[int, str]) -> list[Moment]:
    return [Moment(START + timedelta(hours=hour), team) for hour, team in steps]


def test_a_case_that_stays_has_no_hop():
    assert hops(log((0, "front"), (1, "front"), (5, ""))) == []


def test_the_wait_ends_with_the_next_thing_that_anybody_does():
    (hop,) = hops(log((0, "front"), (2, "finance"), (8, "finance"), (9, "finance")))
    assert (hop.giver, hop.receiver, hop.nth) == ("front", "finance", 1)
    assert hop.wait(START + timedelta(days=9)) == timedelta(hours=6)


def test_a_case_that_nobody_touched_since_is_still_waiting():
    (hop,) = hops(log((0, "front"), (2, "finance")))
    assert hop.touched_at is None and hop.wait(START + timedelta(hours=12)) == timedelta(hours=10)


def test_a_b_a_is_a_bounce_and_a_b_c_is_none():
    assert bounces(hops(log((0, "front"), (1, "finance"), (2, "front")))) == 1
    assert bounces(hops(log((0, "front"), (1, "finance"), (2, "technology")))) == 0
    assert bounces(hops(log((0, "a"), (1, "b"), (2, "a"), (3, "b")))) == 2


def test_who_gives_to_whom_is_counted():
    found = hops(log((0, "a"), (1, "b"), (2, "a"), (3, "b")))
    assert pairs(found) == {("a", "b"): 2, ("b", "a"): 1} and path(found) == ["a", "b", "a", "b"]


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=30))
def test_each_change_of_team_is_one_hop_and_none_is_lost(teams: list[str]) -> None:
    moments = [Moment(START + timedelta(minutes=n), team) for n, team in enumerate(teams)]
    found = hops(moments)
    named = [t for t in teams if t]
    changes = sum(one != two for one, two in itertools.pairwise(named))
    assert len(found) == changes and [h.nth for h in found] == list(range(1, changes + 1))
    assert bounces(found) <= max(0, len(found) - 1) and sum(pairs(found).values()) == len(found)
    assert all(one.receiver == two.giver for one, two in itertools.pairwise(found))
