"""The log of facts: its cursor skips nothing, its rows stand, and its days come and go."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from makegood.base import clock
from makegood.jobs import events
from makegood.people.models import Shop
from makegood.transactions import applying, facts
from makegood.transactions.envelope import check
from makegood.transactions.models import EventAside, FactCursor, FactKey, Payment, StoreFact
from tests.transactions.sending import event, store_of, when_seen, won

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store():
    return store_of(
        Shop.objects.create(name="Haneul", code="haneul", language="ko", zone="Asia/Seoul", currency="KRW")
    )


def paid(store, id_, **more):
    return check(event("payment.captured", id_, data={"ref": id_} | won("1000"), **more), store)


def test_a_cursor_waits_for_what_commits_late(store):
    """The ids are drawn in one order and committed in the other: a reader of ids alone would lose the first."""
    began, go = threading.Event(), threading.Event()

    def slow():
        try:
            with transaction.atomic():
                facts.append(store, [paid(store, "slow")], way="event")
                began.set()
                assert go.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert began.wait(20)
    facts.append(store, [paid(store, "quick")], way="event")
    assert StoreFact.objects.get().event_id == "quick"
    assert facts.after(facts.START, 10) == [], "the quick one is behind one that still runs"
    go.set()
    thread.join()
    when_seen(2)
    first = facts.after(facts.START, 1)
    rest = facts.after(facts.cursor_of(first[0]), 10)
    assert [f.event_id for f in first + rest] == ["slow", "quick"]
    assert facts.after(facts.cursor_of(rest[-1]), 10) == []


def test_the_same_batches_sent_at_once_by_two_are_stored_once(store):
    many = [paid(store, f"e{n}") for n in range(200)]
    results = []

    def send(part):
        try:
            results.append(facts.append(store, part, way="event"))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=send, args=(part,)) for part in (many, many[::-1], many[50:] + many[:50])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(r.count("accepted") for r in results) == StoreFact.objects.count() == 200
    assert sum(r.count("duplicate") for r in results) == 400


def test_a_crash_between_state_and_cursor_loses_and_doubles_nothing(store, monkeypatch):
    facts.append(store, [paid(store, f"e{n}") for n in range(5)], way="event")

    when_seen(5)

    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(facts, "cursor_of", killed)
        applying.apply_next()
    assert Payment.objects.count() == 0, "the states went back with the cursor"
    assert applying.apply_next(3) == 3 and applying.apply_next() == 2 and applying.apply_next() == 0
    assert Payment.objects.count() == 5
    FactCursor.objects.update(tx=0, fact_id=0)
    before = list(Payment.objects.order_by("ref").values("ref", "state", "known"))
    assert events.apply_due() == 5, "all of it once more"
    assert list(Payment.objects.order_by("ref").values("ref", "state", "known")) == before


def test_one_fact_that_cannot_be_applied_is_set_aside_and_stops_nobody(store):
    facts.append(store, [paid(store, "good"), paid(store, "poison"), paid(store, "fine")], way="event")
    with connection.cursor() as cursor:
        cursor.execute("SET makegood.upkeep = 'on'")
        cursor.execute(
            "UPDATE makegood_storefact SET more = '{\"refunded\": \"lots\"}' WHERE event_id = 'poison'"
        )
        cursor.execute("SET makegood.upkeep = 'off'")
    when_seen(3)
    assert applying.apply_next() == 3
    assert set(Payment.objects.values_list("ref", flat=True)) == {"good", "fine"}
    assert EventAside.objects.get().reason == "cannot_apply"


def test_facts_are_only_added(store):
    facts.append(store, [paid(store, "e1")], way="event")
    for change in ("UPDATE makegood_storefact SET state = 'failed'", "DELETE FROM makegood_storefact"):
        with pytest.raises(IntegrityError, match="facts are only added"), connection.cursor() as cursor:
            cursor.execute(change)
    assert StoreFact.objects.get().state == "taken"


def parts():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, event_id FROM makegood_storefact ORDER BY event_id")
        return {event_id: part for part, event_id in cursor.fetchall()}


def test_days_are_made_ahead_take_what_came_before_them_and_are_forgotten_whole(store):
    long_ago = clock.now() - timedelta(days=500)
    with clock.travel(long_ago):
        facts.append(store, [paid(store, "old", time=long_ago)], way="event")
    assert parts()["old"] == "makegood_storefact_rest", "nobody made that day, and nothing was lost"
    assert (
        facts.days_ahead(long_ago.date(), 1) == len(facts.LOGS) and facts.days_ahead(long_ago.date(), 1) == 0
    )
    assert parts()["old"] == f"makegood_storefact_p{long_ago:%Y%m%d}"
    facts.append(store, [paid(store, "new")], way="event")
    assert events.upkeep()["fact_days_gone"] == len(facts.LOGS)
    assert list(parts()) == ["new"] and FactKey.objects.count() == 1
    assert facts.forget(date(2020, 1, 1)) == 0
