"""What is known does not depend on the order of arrival, nor on how often something came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.connectors.canon import STATES
from makegood.transactions.merging import Version, merge, newest, shown

START = datetime(2026, 11, 3, tzinfo=UTC)


def fact(seconds: int, state: str = "", sequence: int | None = None, store: int = 1, **told: object):
    said = {**told, **({"state": state} if state else {})}
    return Version(store, sequence, START + timedelta(seconds=seconds)), said


def after(*facts):
    known = {}
    for version, told in facts:
        known, _won = merge(known, "refund", version, told)
    return known


facts_ = st.builds(
    lambda seconds, state, sequence, store, reason, amount: fact(
        seconds, state, sequence, store, reason=reason, **({"money": [amount, "KRW"]} if amount else {})
    ),
    st.integers(0, 3),
    st.sampled_from(["", *STATES["refund"]]),
    st.none() | st.integers(0, 3),
    st.integers(1, 2),
    st.sampled_from(["bank closed", "card lost"]),
    st.sampled_from(["", "39000", "12000"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(facts_, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_and_any_doubling_tell_the_same(came, random):
    again = came + random.choices(came, k=len(came))
    random.shuffle(again)
    assert after(*again) == after(*came)
    assert shown(after(*again)) == shown(after(*came))


@settings(max_examples=300, deadline=None)
@given(st.lists(facts_, min_size=1, max_size=8, unique_by=lambda f: f[0].sequence))
def test_where_a_source_has_versions_the_newest_counts_whatever_its_clock_says(came):
    came = [(Version(1, v.sequence, v.at), told) for v, told in came if v.sequence is not None and "state" in told]
    if came:
        assert shown(after(*came))["state"] == max(came, key=lambda f: f[0].sequence)[1]["state"]


def test_a_state_may_go_back_but_an_older_version_is_refused():
    paid, reversed_ = fact(10, "paid_out"), fact(20, "reversed")
    known = after(paid, reversed_)
    assert shown(known)["state"] == "reversed"
    known, won = merge(known, "refund", *paid)
    assert shown(known)["state"] == "reversed" and "state" not in won


def test_what_a_late_fact_alone_knew_is_kept():
    known = after(fact(20, "sent"), fact(10, "approved", destination="same card"))
    assert shown(known) == {"state": "sent", "destination": "same card"}
    assert newest(known)[0] == START + timedelta(seconds=20)


def test_of_the_same_moment_the_later_stage_counts():
    assert shown(after(fact(5, "sent"), fact(5, "approved")))["state"] == "sent"
    assert shown(after(fact(5, "approved"), fact(5, "sent")))["state"] == "sent"


def test_a_clock_that_jumped_back_does_not_hide_the_next_version():
    assert shown(after(fact(3600, "sent", 5), fact(0, "paid_out", 6)))["state"] == "paid_out"
