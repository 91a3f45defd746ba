"""A step that people do on working days is no later for the weekend that lies in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.packs.errors import PackError
from makegood.packs.watching import processes, read_process
from makegood.packs.working_days import calendars
from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty, make
from makegood.watch.clocks import of_country
from makegood.watch.learn import learn
from makegood.watch.plan import DAY, HOUR, Plan, compile_plan
from makegood.watch.state import new_state
from tests.watch.streams import told

KOREA = of_country("kr")
#: Monday, 2 March 2026 would be a substitute holiday; the 9th is an ordinary Monday. 09:00 in Seoul.
MONDAY = int(datetime(2026, 3, 9, 0, 0, tzinfo=UTC).timestamp()) * 1_000_000


def working(calendar: str = "kr") -> Plan:
    """Refunds that are decided by people who work from 9 to 6."""
    refund = processes()["refund"]
    step = replace(
        refund.steps["refund.decision"],
        calendar=calendar,
        promise=None,
        overtaken=False,
        systemic=False,
        budget=1.0,
    )
    return compile_plan(
        [replace(refund, steps={"refund.decision": step}, needs=(), duplicates=(), recurrences=())], 0.02
    )


@given(st.integers(0, 3 * 365 * 24 * 60), st.integers(0, 500 * 60))
def test_the_table_says_what_the_calendar_says(minute: int, span: int) -> None:
    calendar = calendars()["kr"].calendar
    first = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    at = np.array([round(first.timestamp() * 1e6)])
    due = calendar.add(first, timedelta(minutes=span))
    if span:
        assert KOREA.after(at, np.array([span * 60_000_000]))[0] == round(due.timestamp() * 1e6)
    worked = KOREA.worked(np.array([round(due.timestamp() * 1e6)])) - KOREA.worked(at)
    assert worked[0] == calendar.measure(first, due) // timedelta(microseconds=1)


def decisions(plan: Plan, weeks: int, seed: int) -> Batch:
    """Asked for on working days, decided about five working hours later: before the evening, or the next working morning."""
    random = np.random.default_rng(seed)
    days = np.array([d for d in range(weeks * 7) if d % 7 < 5])
    asked = np.sort(
        MONDAY + random.choice(days, 4000) * DAY + (random.uniform(0, 9, 4000) * HOUR).astype(np.int64)
    )
    ended = KOREA.after(asked, (random.lognormal(np.log(5), 0.4, 4000) * HOUR).astype(np.int64))
    names = [f"{seed}-{i}" for i in range(4000)]
    return make(
        plan,
        ["refund.requested"] * 4000 + ["refund.approved"] * 4000,
        names * 2,
        np.concatenate([asked, ended]),
    )


def due_of(calendar: str, asked: int) -> tuple[int, float]:
    """When a refund asked for at this moment is told, and how many working hours that is later."""
    plan = working(calendar)
    model = learn(plan, decisions(plan, 8, 1), MONDAY + 70 * DAY)
    late = make(plan, ["refund.requested"], ["late"], [asked])
    state, _, _ = advance(new_state(plan), late, model, asked, plan)
    due = int(state.rows["due"][state.rows.index.rows()][0])
    state, early, _ = advance(state, empty(plan), model, due - 1, plan)
    _, found, _ = advance(state, empty(plan), model, due, plan)
    assert (told(plan, early), told(plan, found)) == ([], [("stuck", "refund.decision", 0)])
    worked = KOREA.worked(np.array([asked, due]))
    return due, float(worked[1] - worked[0]) / HOUR


def test_a_refund_of_friday_afternoon_is_late_after_as_many_working_hours_as_hardly_any_took() -> None:
    friday = MONDAY + 74 * DAY + 7 * HOUR
    due, hours = due_of("kr", friday)
    assert 10 < hours < 13, "five, and 98 of 100 in less than eleven and a half"
    assert due > friday + 3 * DAY, "Saturday and Sunday are in between"


def test_one_of_tuesday_is_told_on_wednesday_and_not_after_as_long_as_a_weekend_lasts() -> None:
    tuesday = MONDAY + 71 * DAY + HOUR
    with_hours, on_the_wall = due_of("kr", tuesday)[0], due_of("", tuesday)[0]
    assert with_hours < tuesday + 2 * DAY < on_the_wall


def test_a_calendar_that_nobody_knows_is_refused_with_its_place(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from makegood.packs.reading import SHIPPED

    text = (SHIPPED / "watch" / "refund.toml").read_text()
    own = tmp_path / "own.toml"
    own.write_text(text.replace("[[step]]\n", '[[step]]\ncalendar = "mars"\n', 1))
    with pytest.raises(PackError, match="mars"):
        read_process(own)
