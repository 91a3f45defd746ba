"""Every state has a definite word; none is a 'maybe'."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from makegood.connectors.canon import STATES
from makegood.desk.standing import STANDS, WORDS, of_state, standing
from makegood.transactions.models import MODELS, Refund, Shipment

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


def said(noun, thing):
    found = standing(noun, thing, now=NOW, today=NOW.date())
    return found.code, found.sentence


@pytest.mark.parametrize("noun", STATES)
def test_no_state_is_without_a_word_and_the_tables_know_them_all(noun):
    assert set(STANDS[noun]) == set(STATES[noun]) == set(MODELS[noun].State.values)
    assert {of_state(noun, state) for state in STATES[noun]} <= set(WORDS)


def test_who_holds_it_and_until_when_is_said_and_when_nobody_told_that_too():
    held = {"held_by": "finance", "held_until": (NOW + timedelta(hours=2)).isoformat()}
    assert said("refund", Refund(state="asked", more=held))[1].startswith("Held for review by finance until ")
    late = {**held, "held_until": (NOW - timedelta(hours=2)).isoformat()}
    assert "the decision was due" in said("refund", Refund(state="asked", more=late))[1]
    assert said("refund", Refund(state="asked")) == (
        "held",
        "Held for review; nobody said by whom or until when.",
    )
    assert said("refund", Refund(state="approved", more=held))[0] == "held"
    assert said("refund", Refund(state="paid_out", more=held)) == ("done", ""), (
        "what is over is held by nobody"
    )


def test_what_is_late_says_since_when():
    assert said("refund", Refund(state="sent", expected_by=date(2026, 11, 10))) == (
        "queued",
        "Late: it was due by 2026-11-10.",
    )
    assert (
        said("shipment", Shipment(state="moving", promised_by=date(2026, 11, 25)))[1] == "Due by 2026-11-25."
    )
    assert said("shipment", Shipment(state="silent"))[0] == "stuck"
    assert said("refund", Refund(state="")) == ("queued", "We heard of it, but not how it stands.")
