"""When the sweep looks at a promise: the owner before the lead before the break, whatever the span."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from makegood.packs import policy
from makegood.packs.shapes import PromiseRules
from makegood.promises.due import DUE, LEAD, OWNER, next_look, reached, steps

MOMENTS = st.integers(0, 20 * 365 * 86400).map(
    lambda n: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=n)
)
SPANS = st.timedeltas(timedelta(microseconds=2), timedelta(days=400))
RULES = st.builds(
    lambda parts, minutes: PromiseRules(
        min(parts), max(parts), timedelta(minutes=max(minutes)), timedelta(minutes=min(minutes)), 1, 3, 2
    ),
    st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99)),
    st.tuples(st.floats(0.1, 600), st.floats(0.1, 600)),
)


@given(MOMENTS, SPANS, RULES)
def test_the_owner_is_warned_before_the_lead_and_both_before_it_breaks(made_at, span, rules):
    owner, lead, due_at = steps(made_at, made_at + span, rules)
    assert made_at <= owner <= lead <= due_at == made_at + span
    assert owner >= made_at + span / 2 or owner >= made_at + span * rules.warn_owner_at


@given(MOMENTS, SPANS, RULES, st.lists(st.floats(0, 1.5), max_size=6))
def test_however_often_and_late_it_is_looked_at_each_step_comes_once_and_the_break_comes(
    made_at, span, rules, looks
):
    """A sweep that wakes at any moments, then exactly when it was told to: at most three looks more, never none."""
    due_at, warned, done = made_at + span, 0, []
    for now in sorted(made_at + span * part for part in looks):
        at = reached(made_at, due_at, now, rules)
        done += range(warned + 1, at + 1)
        warned = max(warned, at)
        assert warned == DUE or next_look(made_at, due_at, warned, now, rules) > now or now >= due_at
    now, left = made_at, 0
    while warned < DUE:
        now, left = max(now, next_look(made_at, due_at, warned, now, rules)), left + 1
        at = reached(made_at, due_at, now, rules)
        assert at > warned and left <= 3
        done += range(warned + 1, at + 1)
        warned = at
    assert done == [OWNER, LEAD, DUE]


@given(MOMENTS, SPANS, RULES, st.floats(0, 2), st.floats(0, 2))
def test_what_was_reached_is_never_unreached(made_at, span, rules, one, other):
    due_at = made_at + span
    early, late = sorted((made_at + span * one, made_at + span * other))
    assert reached(made_at, due_at, early, rules) <= reached(made_at, due_at, late, rules)
    assert reached(made_at, due_at, due_at, rules) == DUE


def test_a_day_is_warned_of_at_18_hours_and_half_an_hour_ten_minutes_ahead():
    made_at, rules = datetime(2026, 11, 2, 0, 0, tzinfo=UTC), policy().promises
    owner, lead, _due = steps(made_at, made_at + timedelta(hours=24), rules)
    assert owner == made_at + timedelta(hours=18) and lead == made_at + timedelta(hours=21.6)
    owner, lead, _due = steps(made_at, made_at + timedelta(minutes=30), rules)
    assert owner == made_at + timedelta(minutes=20) and lead == made_at + timedelta(minutes=25)
    owner, _lead, _due = steps(made_at, made_at + timedelta(minutes=4), rules)
    assert owner == made_at + timedelta(minutes=2), "a short promise is warned of at its half"
