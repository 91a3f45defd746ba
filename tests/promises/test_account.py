"""The account says the same as the ledger that it was read from; it is only read once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from makegood.base import clock
from makegood.promises import account, ledger
from makegood.promises.models import Promise
from tests import cast as stages

KINDS = ("first_word", "next_word", "decision", "call_back", "other")


def entries():
    moments = some.integers(1, 90).map(lambda n: clock.now() + timedelta(minutes=n))
    return some.lists(
        some.builds(
            account.Entry,
            id=some.integers(1, 10**6),
            what=some.sampled_from(KINDS),
            basis=some.sampled_from(["policy", "promised"]),
            to=some.sampled_from(["customer", "staff"]),
            state=some.sampled_from(["open", "broken"]),
            due_at=moments,
            answered=some.booleans(),
        ),
        max_size=8,
        unique_by=lambda e: e.id,
    )


@given(entries())
def test_a_break_counts_once_and_a_word_stays_owed_since_it_was_due(found):
    before = account.Account(tuple(found))
    for entry in (e for e in found if e.is_open):
        after = before.broke(entry.id)
        assert after.broken == before.broken + 1
        if entry.is_word and not entry.answered:
            assert after.next_due == before.next_due, "a broken word is due until it comes"
        assert entry not in after.decisions_after(entry.due_at - timedelta(seconds=1))


@pytest.mark.django_db
def test_it_reads_what_the_ledger_says_of_jiwoos_case(cast):
    case = stages.owned(cast)
    now = clock.now()
    Promise.objects.create(
        case=case,
        what="next_word",
        basis="policy",
        made_at=now - timedelta(hours=3),
        due_at=now - timedelta(hours=2),
        state="broken",
        settled_at=now - timedelta(hours=2),
    )
    found = account.read(case.pk)
    assert {e.id for e in found.entries} == set(
        Promise.objects.filter(case=case, state__in=["open", "broken"]).values_list("pk", flat=True)
    )
    assert found.next_due == ledger.next_due(case) == now - timedelta(hours=2)
    assert (found.broken, found.unanswered) == (1, 1)
    assert found.word_stands is ledger.standing(case, "first_word", "next_word").exists()


@pytest.mark.django_db
def test_a_word_that_came_late_is_owed_no_more(cast):
    case = stages.owned(cast)
    now, message = clock.now(), case.messages.first()
    Promise.objects.filter(case=case).delete()
    Promise.objects.create(
        case=case,
        what="next_word",
        basis="policy",
        made_at=now - timedelta(hours=3),
        due_at=now - timedelta(hours=2),
        state="broken",
        settled_at=now - timedelta(hours=2),
        proof=message,
    )
    found = account.read(case.pk)
    assert found.next_due is None and found.unanswered == 0 and found.broken == 1
