"""Two agents, one case: eight who write at once on what they saw are one success and seven who are told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from makegood.base.errors import Stale
from makegood.desk.handling import assign
from makegood.desk.talking import note, reply
from tests import cast as stages


def together(n: int, work) -> list[object]:
    """Run ``work(i)`` in n threads that start at the same moment, each on its own connection; returns results or errors."""
    start = threading.Barrier(n)

    def one(i: int) -> object:
        try:
            start.wait(10)
            return work(i)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


@pytest.mark.django_db(transaction=True)
def test_eight_replies_at_once_are_one_reply_and_seven_refusals():
    cast = stages.assemble()
    case = stages.owned(cast)
    by = cast.by(cast.minji)
    done = together(
        8, lambda i: reply(case, by=by, seen=case.version, text=f"reply {i}", next_word_at=stages.soon())
    )
    stale = [d for d in done if isinstance(d, Stale)]
    assert len(stale) == 7, done
    now = stages.fresh(case)
    assert now.version == case.version + 1 and now.messages.filter(author="staff").count() == 1
    assert {s.now_at for s in stale} == {now.version}


@pytest.mark.django_db(transaction=True)
def test_eight_notes_at_once_are_eight_notes_without_a_gap():
    cast = stages.assemble()
    case = stages.owned(cast)
    done = together(8, lambda i: note(case, by=cast.by(cast.minji), text=f"note {i}"))
    assert not [d for d in done if isinstance(d, Exception)], done
    now = stages.fresh(case)
    assert [*now.events.values_list("seq", flat=True)] == [*range(1, now.version + 1)]
    assert now.version == case.version + 8


@pytest.mark.django_db(transaction=True)
def test_a_stale_assignment_changes_nothing():
    cast = stages.assemble()
    case = stages.owned(cast)
    note(case, by=cast.by(cast.wei), text="looked at the ledger")
    with pytest.raises(Stale):
        assign(case, by=cast.by(cast.sujin), seen=case.version, owner=cast.wei)
    assert stages.fresh(case).owner_id == cast.minji.pk
