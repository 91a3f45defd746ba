"""The watch on streams: what it finds of chunks is what the kernel tells of the same events, and what it tells has a name."""

from __future__ import annotations

import json
import threading
import time
from datetime import timedelta
from threading import Event

import numpy as np
import pytest
from django.db import connection

from makegood.base import clock
from makegood.jobs import watching
from makegood.transactions import facts
from makegood.transactions.models import StreamChunk
from makegood.watch import exporting, following, house, naming, relearn, streaming
from makegood.watch.advance import advance
from makegood.watch.batch import concatenated, empty, make
from makegood.watch.findings import RECOVERED
from makegood.watch.following import Place, Reader
from makegood.watch.keys import name_key
from makegood.watch.log_events import signed, to_batch
from makegood.watch.models import Finding, WatchName, WatchState
from makegood.watch.replay.running import run
from makegood.watch.runner import Runner
from makegood.watch.spark import files
from tests.jobs.test_watching import drained, found
from tests.log import chunks_seen_by_readers, seen_by_readers
from tests.watch.telling import flat, store_of, stream, tell, tell_stream

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def log(cast):
    """The days of the log, and Haneul's store."""
    facts.days_ahead((clock.now() - timedelta(days=25)).date(), 30)
    return store_of(cast.haneul)


def kernel_alone(plan, model, batch):
    """The ids of what the kernel tells of all these events, in the order of time."""
    batch = batch.take(np.argsort(batch.at, kind="stable"))
    whole = run(plan, batch, model=model, relearn=0, tick=60 * 10**6 * 60, tail=0)
    end = int(clock.now().timestamp() * 1e6)
    _state, last, _ = advance(whole.state, empty(plan), model, end, plan)
    told = np.concatenate([whole.findings, last])
    told = told[(told["state"] != RECOVERED) & np.isin(told["kind"], (0, 2, 3))]
    return {signed(int(f["id"])) for f in told}


def as_batch(plan, events, shop, store):
    """Flat events by the kernel's own words, without the code of the door."""
    columns = {
        a: [
            e.get(a, f"store:{store}" if a in ("provider", "bank", "warehouse", "merchant") else "")
            for e in events
        ]
        for a in plan.attributes
    }
    columns["shop"] = [str(shop)] * len(events)
    us = [round(np.datetime64(e["at"][:26]).astype("datetime64[us]").astype(np.int64)) for e in events]
    promised = [
        round(np.datetime64(e["promised_at"][:26]).astype("datetime64[us]").astype(np.int64))
        if "promised_at" in e
        else 0
        for e in events
    ]
    return make(
        plan, [e["event"] for e in events], [f"{shop}/{e['tx']}" for e in events], us,
        ids=[f"{store}/{e['id']}/{e['event']}" for e in events], amount=[float(e.get("amount", 0)) for e in events],
        attributes=columns, moments={"promised_at": promised},
    )  # fmt: skip


@pytest.mark.parametrize(("seed", "share"), [(1, 1.0), (2, 1.0), (3, 0.5), (4, 0.2)])
def test_a_stream_and_facts_together_tell_what_the_kernel_tells_of_the_same_events(
    log, cast, seed, share, capsys
):
    now, luck = clock.now(), np.random.default_rng(seed)
    every = stream(now - timedelta(days=21), 300, 12, seed)
    streamed = {number for number in {f.told.order for f in every} if luck.random() < share}
    mine, theirs = (
        [f for f in every if f.told.order in streamed],
        [f for f in every if f.told.order not in streamed],
    )
    count = tell_stream(log, mine, 90) + (tell(log, theirs, 70) if theirs else 0)
    chunks_seen_by_readers()
    assert relearn.learn_anew()
    assert drained() == count
    plan = house.watched().plan
    model = house.newest(plan)
    told = to_batch(plan, facts.after(facts.START, 10_000), {log.pk: cast.haneul.pk})[0]
    both = concatenated(plan, [as_batch(plan, flat(mine), cast.haneul.pk, log.pk), told])
    ours = set(
        Finding.objects.filter(kind__in=["stuck", "duplicate", "mismatch"]).values_list("uid", flat=True)
    )
    tells = kernel_alone(plan, model, both)
    with capsys.disabled():
        print(
            f"\n{len(flat(mine))} events in chunks, {len(theirs)} facts: kernel {len(tells)}, both logs {len(ours)}, in both {len(tells & ours)}"
        )
    assert ours == tells and ours


def test_learned_of_a_stream_is_what_is_learned_of_the_same_facts(log):
    every = stream(clock.now() - timedelta(days=21), 200, 12)
    tell(log, every)
    assert relearn.learn_anew()
    plan = house.watched().plan
    of_facts = house.newest(plan)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE makegood_storefact, makegood_factkey")
    tell_stream(log, every)
    assert relearn.learn_anew()
    of_stream = house.newest(plan)
    assert of_stream.version != of_facts.version
    assert np.array_equal(of_stream.cohort, of_facts.cohort) and np.array_equal(
        of_stream.count, of_facts.count
    )
    assert np.array_equal(of_stream.curve, of_facts.curve)


def test_what_is_told_of_a_stream_has_its_name_and_nothing_else_is_named(log, cast):
    every = stream(clock.now() - timedelta(days=21), 300, 12)
    tell_stream(log, every)
    chunks_seen_by_readers()
    assert watching.follow(Event(), drained=True) == len(flat(every))
    late = Finding.objects.filter(step="order.delivery", state="raised")
    silent = {f.told.order for f in every} - {
        f.told.order for f in every if f.told.type == "shipment.delivered"
    }
    assert {f.order_number for f in late} == silent and silent
    assert all(f.shop == cast.haneul and f.currency == "KRW" for f in late)
    told = {f.tx for f in Finding.objects.exclude(tx=0)}
    orders = WatchName.objects.exclude(order_number="")
    assert set(orders.values_list("key", flat=True)) <= told, (
        "a transaction of which nothing is told costs no name"
    )
    lanes = set(WatchName.objects.filter(order_number="").values_list("ref", flat=True))
    assert "CJ" in lanes and f"store:{log.pk}" in lanes


def test_a_finding_whose_name_nobody_knows_any_more_is_written_all_the_same(log, monkeypatch):
    tell_stream(log, stream(clock.now() - timedelta(days=21), 100, 12))
    chunks_seen_by_readers()
    monkeypatch.setattr(naming, "MOST", 0)
    watching.follow(Event(), drained=True)
    assert Finding.objects.filter(order_number="", tx__isnull=False).exclude(tx=0).exists()
    assert not Finding.objects.exclude(order_number="").exists()


def test_a_thing_that_is_no_order_is_called_by_its_own_name(log, cast):
    at = (clock.now() - timedelta(days=9)).isoformat()
    body = [{"tx": tx, "at": at, "event": "invoice.requested"} for tx in ("invoice:I-7", "HN:5", "x" * 61)]
    streaming.take(log, json.dumps(body).encode())
    chunks_seen_by_readers()
    watching.follow(Event(), drained=True)
    assert {f.order_number for f in Finding.objects.filter(step="invoice.issue")} == {"", "HN:5"}
    assert set(WatchName.objects.exclude(ref__startswith="store").values_list("ref", flat=True)) == {
        "invoice:I-7",
        "HN:5",
        "x" * 61,
    }


def test_a_chunk_is_taken_in_part_where_the_other_log_waits_and_the_place_is_kept(log, monkeypatch):
    """Facts are read a few at a time; the chunk that tells of twelve days waits for them, and no event is taken twice or left."""
    every = stream(clock.now() - timedelta(days=21), 120, 12)
    mine, theirs = every[::2], every[1::2]
    count = tell_stream(log, mine, 5000) + tell(log, theirs)
    chunks_seen_by_readers()
    seen_by_readers()
    monkeypatch.setattr(following, "FACTS", 40)
    runner, cut = Runner.load(), 0
    while count:
        count -= runner.step(100)
        place = runner.reader.place
        cut += place.done > 0
        runner.keep()
        row = WatchState.objects.get()
        assert Place((row.tx, row.fact_id), (row.chunk_tx, row.chunk_id), row.chunk_done) == place
        if cut % 3 == 1:
            runner = Runner.load()  # as after a crash
    assert cut > 5 and runner.step(100) == 0
    others = found()
    Finding.objects.all().delete()
    WatchState.objects.all().delete()
    monkeypatch.setattr(following, "FACTS", 20_000)
    watching.follow(Event(), drained=True)
    assert found() == others


def test_exported_a_stream_is_the_same_events(log, cast, tmp_path):
    every = stream(clock.now() - timedelta(days=21), 60, 12)
    tell_stream(log, every[::2], 50)
    tell(log, every[1::2])
    chunks_seen_by_readers()
    seen_by_readers()
    plan = house.watched().plan
    count = exporting.export(plan, tmp_path, 200)
    assert count == len(flat(every[::2])) + len(every[1::2]) and exporting.export(plan, tmp_path, 200) == 0
    parts = [batch for batch, _now in files.read(tmp_path, plan)]
    written = concatenated(plan, [part.take(part.event >= 0) for part in parts])
    wanted = {(name_key(f"{cast.haneul.pk}/{e['tx']}"), plan.events.index(e["event"])) for e in flat(every)}
    assert set(zip(written.tx.tolist(), written.event.tolist(), strict=True)) == wanted
    tell_stream(log, stream(clock.now() - timedelta(days=3), 5, 1, seed=9))
    chunks_seen_by_readers()
    assert exporting.export(plan, tmp_path, 200) > 0


def test_money_beyond_all_reason_and_a_chunk_that_cannot_be_read_stop_nothing(log):
    at = (clock.now() - timedelta(days=9)).isoformat()
    streaming.take(
        log, json.dumps([{"tx": "HN-1", "at": at, "event": "invoice.requested", "amount": 1e300}]).encode()
    )
    whole = StreamChunk.objects.get()
    broken = {
        "tx": whole.tx,
        "came_at": whole.came_at,
        "store": log,
        "events": 1,
        "first_at": whole.first_at,
        "last_at": whole.last_at,
    }
    StreamChunk.objects.create(**broken, keys=b"", data=b"\xff", texts=b"\xff")
    streaming.take(log, json.dumps([{"tx": "HN-2", "at": at, "event": "invoice.requested"}]).encode())
    chunks_seen_by_readers()
    watching.follow(Event(), drained=True)
    stuck = Finding.objects.filter(step="invoice.issue")
    assert {f.order_number for f in stuck} == {"HN-1", "HN-2"}
    assert max(f.amount for f in stuck) < 10**15


def test_a_shop_that_sends_a_hundred_times_its_usual_is_followed(log):
    """A quarter of a million events in one go, most of them of one moment."""
    at = clock.now() - timedelta(hours=2)
    for n in range(26):
        body = [
            {"tx": f"HN-{n}-{i}", "at": at.isoformat(), "event": "payment.requested"} for i in range(10_000)
        ]
        assert streaming.take(log, json.dumps(body, separators=(",", ":")).encode()).new == 10_000
    chunks_seen_by_readers()
    reader, count = Reader(house.watched().plan, Place()), 0
    while True:
        pieces, names, came = reader.read(65_536)
        count += came
        assert came < 80_000 and len(names) < 10
        if not came:
            break
        assert sum(len(piece.batch) for piece in pieces) == came
    assert count == 260_000


def test_the_worker_finds_and_acts_on_an_order_that_was_promised_for_yesterday(log, cast):
    """As bin/up runs it: the watch in one thread, what is done about it in another."""
    at, due = ((clock.now() - timedelta(days=days)).isoformat() for days in (3, 1))
    body = [{"tx": cast.order.number, "at": at, "event": "order.placed", "promised_at": due}]
    streaming.take(log, json.dumps(body).encode())
    chunks_seen_by_readers()
    late = Finding.objects.filter(order_number=cast.order.number, step="order.delivery")
    stop, until = Event(), time.monotonic() + 60
    watching.start(stop)
    try:
        while not late.exclude(acted="").exists():
            assert time.monotonic() < until, list(late.values("acted", "code"))
            time.sleep(0.05)
    finally:
        stop.set()
        for thread in threading.enumerate():
            if thread.name in ("watch", "watch-acts"):
                thread.join(20)
    one = late.get()
    assert one.acted in ("opened", "joined") and one.case.order_number == cast.order.number
