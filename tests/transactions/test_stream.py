"""The door for streams: what Haneul's invoice queue tells is in the log of chunks, and what is wrong is said, kept and tried again."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import IntegrityError, connection
from django.test import Client

from makegood.base import clock, webhooks
from makegood.desk import events_in
from makegood.packs.watching import processes
from makegood.transactions import chunks, facts
from makegood.transactions.models import EventAside, Order, StoreFact, StreamChunk
from makegood.watch.chunks import BadChunk, open_chunk, written
from makegood.watch.keys import name_key
from makegood.watch.plan import compile_plan
from makegood.watch.stream import BODY, EVENTS
from tests.transactions.sending import SECRET, store_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(cast):
    return store_of(cast.haneul)


def asked(n=1, **more):
    """An invoice that was asked for a minute ago."""
    at = clock.now() - timedelta(minutes=1)
    return {"tx": f"HN-{n}", "at": at.isoformat(), "event": "invoice.requested", "customer": "jiwoo", **more}


def post(content, *, secret=SECRET, code="haneul-shop", lines=False, message="m1"):
    if isinstance(content, list):
        content = "\n".join(map(json.dumps, content)) if lines else json.dumps(content)
    body = content if isinstance(content, bytes) else content.encode()
    signed = webhooks.sign(secret, message, clock.now(), body.decode("utf-8", "replace"))
    kind = "application/x-ndjson" if lines else "application/json"
    return Client().post(f"/events/{code}/stream/", body, content_type=kind, headers=signed)


def opened():
    """Every event of the log of chunks, as (event, time, attributes by name)."""
    plan = compile_plan(processes().values())
    out = []
    for row in StreamChunk.objects.order_by("id"):
        batch = open_chunk(plan, row.keys, row.data, shop=row.store.shop_id, store=row.store_id).batch
        for n in range(len(batch)):
            own = {a: int(batch.attributes[i][n]) for i, a in enumerate(plan.attributes)}
            moments = {m: int(batch.moments[i][n]) for i, m in enumerate(plan.moments)}
            out.append(
                (
                    plan.events[batch.event[n]],
                    int(batch.tx[n]),
                    int(batch.at[n]),
                    float(batch.amount[n]),
                    own | moments,
                )
            )
    return out


@pytest.mark.parametrize("lines", [True, False])
def test_what_a_queue_tells_is_one_row_and_means_what_was_sent(store, cast, lines):
    due = clock.now() + timedelta(days=1)
    sent = [
        asked(2, amount="39000", currency="KRW", provider="toss"),
        asked(1, amount=5, promised_at=due.isoformat()),
    ]
    answer = post(sent, lines=lines)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "duplicate": 0, "set_aside": []})
    row = StreamChunk.objects.get()
    assert (
        row.events == 2
        and not StoreFact.objects.exists()
        and not Order.objects.filter(number="HN-1").exists()
    )
    first, second = opened()
    assert first[0] == "invoice.requested" and first[1] == name_key(f"{cast.haneul.pk}/HN-2"), (
        "as a fact of this order"
    )
    assert (
        first[3] == 39000
        and first[4]["customer"] == name_key("jiwoo")
        and first[4]["provider"] == name_key("toss")
    )
    assert second[4]["provider"] == name_key(f"store:{store.pk}"), "who tells no provider is one account"
    assert first[4]["shop"] == name_key(str(cast.haneul.pk)) and first[4]["promised_at"] == 0
    assert second[4]["promised_at"] == round(due.timestamp() * 1e6)
    texts = written(row.texts)
    assert texts["tx"] == ["HN-2", "HN-1"] and texts["currency"] == ["KRW", ""]
    assert "jiwoo" in texts["a:customer"] and row.first_at == datetime.fromisoformat(sent[0]["at"])


def test_the_same_body_twice_is_written_once(store):
    body = json.dumps([asked(1), asked(2)])
    assert post(body).json()["accepted"] == 2
    assert post(body, message="m2").json() == {"accepted": 0, "duplicate": 2, "set_aside": []}
    assert StreamChunk.objects.count() == 1
    assert post([asked(1)]).json()["accepted"] == 1, (
        "another body is another chunk: to the watch its events are the same ones"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tx": None}, "bad_value"), ({"tx": ""}, "no_tx"), ({"tx": "  "}, "no_tx"), ({"tx": True}, "bad_value"),
        ({"tx": "x" * 121}, "too_long"), ({"tx": "HN\0"}, "bad_text"), ({"customer": "\ud83d"}, "bad_text"),
        ({"at": ""}, "no_time"), ({"at": "yesterday"}, "bad_time"), ({"at": "2026-02-30T10:00:00Z"}, "bad_time"),
        ({"at": "2999-01-01T00:00:00Z"}, "bad_time"), ({"at": "2027-06-01T00:00:00Z"}, "from_the_future"),
        ({"at": 1763800000000}, "bad_time"), ({"at": 0}, "bad_time"), ({"at": 10**30}, "bad_time"), ({"at": -5.5}, "bad_time"),
        ({"event": "invoice.sung"}, "unknown_event"), ({"event": ""}, "unknown_event"), ({"event": None}, "bad_value"),
        ({"amount": "lots"}, "bad_value"), ({"amount": "nan"}, "bad_value"), ({"amount": True}, "bad_value"),
        ({"currency": "USD"}, "currency"), ({"currency": "WON"}, "currency"),
        ({"customer": {"name": "Jiwoo"}}, "bad_value"), ({"customer": "x" * 121}, "too_long"), ({"id": "x" * 201}, "too_long"),
        ({"colour": "red"}, "unknown_field"), ({"shop": "2"}, "unknown_field"),
        ({"promised_at": "soon"}, "bad_time"), ({"promised_at": 12}, "bad_time"), ({"promised_at": False}, "bad_value"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lines", [True, False])
def test_one_bad_event_stops_nobody_and_is_named_and_kept(store, cast, change, reason, lines):
    with clock.travel(datetime(2026, 11, 22, 12, tzinfo=UTC)):
        answer = post([asked(1), asked(2, **change), asked(3)], lines=lines)
    told = answer.json()
    assert answer.status_code == 202 and told["accepted"] == 2, told
    assert [(one["index"], one["reason"]) for one in told["set_aside"]] == [(1, reason)]
    assert told["set_aside"][0]["detail"]
    row = EventAside.objects.get()
    kept = json.loads(bytes(row.body).splitlines()[0])
    assert (row.way, row.reason) == ("stream", reason)
    for name, value in change.items():
        assert kept.get(name) == value, "as it came"
    assert reason in {heap.reason for heap in events_in.heaps(by=cast.by(cast.hana))}
    assert events_in.sentence(reason) != "Something went wrong on our side."
    assert len(opened()) == 2


def test_lines_that_are_none_and_events_that_are_none_are_named_by_their_place(store):
    good = json.dumps(asked(1))
    told = post(f'{good}\n{{"tx": \n\n[1]\n{good[:-1]}\n{good}'.encode(), lines=True).json()
    assert told["accepted"] == 2
    assert [(one["index"], one["reason"]) for one in told["set_aside"]] == [
        (1, "not_json"),
        (2, "no_object"),
        (3, "not_json"),
    ]
    assert post(b"\xef\xbb\xbf" + good.encode()).json()["accepted"] == 1, (
        "some write a mark of their encoding first"
    )
    told = post([asked(1), 7, None, [asked(2)], {}]).json()
    assert [(one["index"], one["reason"]) for one in told["set_aside"]] == [
        (1, "no_object"), (2, "no_object"), (3, "no_object"), (4, "no_tx"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [b"", b"  \n ", b"hello", b"[", b"[" * 100_000, b'[{"tx": "a"', b"<xml/>", b"[1,]"],
)
def test_a_body_that_is_no_json_is_refused_clearly_and_kept(store, body):
    answer = post(body)
    assert (
        answer.status_code == 400
        and answer.json()["error"] in ("not_json", "too_deep")
        and answer.json()["detail"] is not None
    )
    assert bytes(EventAside.objects.get().body) == body and not StreamChunk.objects.exists()


def test_too_large_and_too_many_are_refused_and_the_most_is_taken(store):
    assert post(b" " * (BODY + 1)).status_code == 413
    now = clock.now().isoformat()
    many = [{"tx": f"HN-{n}", "at": now, "event": "invoice.requested"} for n in range(EVENTS + 1)]
    refused = post(many)
    assert (refused.status_code, refused.json()["error"]) == (413, "too_many")
    assert post(many, lines=True).status_code == 413 and not StreamChunk.objects.exists()
    assert post(many[1:]).json()["accepted"] == EVENTS and len({tx for _e, tx, *_ in opened()}) == EVENTS


def test_strangers_and_stores_that_are_none_are_refused(store):
    other = webhooks.new_secret()
    assert post([asked(1)], secret=other).status_code == 401
    assert post([asked(1)], code="nobody").status_code == 404
    assert not StreamChunk.objects.exists() and not EventAside.objects.exists()


def test_what_was_set_aside_is_tried_again_when_it_can_be_taken(store, cast):
    hana = cast.by(cast.hana)
    assert post([asked(1), asked(2, currency="USD"), asked(3, currency="USD")]).json()["accepted"] == 1
    assert EventAside.objects.count() == 1, "what is wrong in one way is kept together"
    assert events_in.replay(by=hana, reason="currency") == (0, 1), "still wrong"
    store.currencies = ["KRW", "USD"]
    store.save(update_fields=["currencies"])
    assert events_in.replay(by=hana, reason="currency") == (1, 0)
    assert [tx for _e, tx, *_ in opened()] == [name_key(f"{cast.haneul.pk}/HN-{n}") for n in (1, 2, 3)]
    assert EventAside.objects.get().state == "replayed"


def test_of_a_name_told_twice_in_one_event_the_last_counts(store):
    body = json.dumps(asked(1))[:-1] + ', "customer": "lina"}'
    assert post(body.encode(), lines=True).json()["accepted"] == 1
    assert opened()[0][4]["customer"] == name_key("lina")


def test_a_clock_that_is_known_to_be_ahead_is_set_right_and_moments_may_be_written_in_four_ways(store):
    store.skew = 3600
    store.save(update_fields=["skew"])
    at = clock.now().replace(microsecond=250_000) + timedelta(minutes=50)
    naive, seconds = at.astimezone(UTC).replace(tzinfo=None).isoformat(), at.timestamp()
    seoul = at.astimezone(__import__("zoneinfo").ZoneInfo("Asia/Seoul")).isoformat()
    ways = [at.isoformat().replace("+00:00", "Z"), naive, seoul, seconds]
    for n, way in enumerate(ways):
        assert post([asked(n, at=way)]).json()["accepted"] == 1
    assert post([asked(n, at=way) for n, way in enumerate(ways)]).json()["accepted"] == 4, "also mixed"
    assert {when for _e, _t, when, *_ in opened()} == {round((seconds - 3600) * 1e6)}


def test_a_thing_told_by_a_stream_and_as_a_fact_is_one_event(store, cast):
    """So that a payment that comes on both ways is no second charge."""
    from makegood.watch.log_events import to_batch

    plan, at = compile_plan(processes().values()), clock.now()
    told = StoreFact(
        store=store, type="payment.captured", noun="payment", ref="p-1", order_number="HN-1", at=at, more={}
    )
    batch, _ = to_batch(plan, [told], {store.pk: cast.haneul.pk})
    post([{"tx": "HN-1", "at": at.isoformat(), "event": "payment.captured", "id": "payment/p-1"}])
    row = StreamChunk.objects.get()
    stream = open_chunk(plan, row.keys, row.data, shop=cast.haneul.pk, store=store.pk).batch
    place = [plan.events[e] for e in batch.event].index("payment.captured")
    assert (int(stream.tx[0]), int(stream.id[0])) == (int(batch.tx[place]), int(batch.id[place]))


def test_chunks_are_only_added_and_their_days_come_and_go(store):
    post([asked(1)])
    for change in ("UPDATE makegood_streamchunk SET events = 7", "DELETE FROM makegood_streamchunk"):
        with (
            pytest.raises(IntegrityError, match="facts are only added"),
            __import__("django").db.transaction.atomic(),
        ):
            connection.cursor().execute(change)
    long_ago = clock.now() - timedelta(days=500)
    with clock.travel(long_ago):
        post([asked(1)])
    assert StreamChunk.objects.count() == 2, "nobody made that day, and nothing was lost"
    facts.days_ahead(long_ago.date(), 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM makegood_streamchunk ORDER BY came_at LIMIT 1")
        assert cursor.fetchone() == (f"makegood_streamchunk_p{long_ago:%Y%m%d}",)
    assert facts.forget((clock.now() - timedelta(days=400)).date()) == len(facts.LOGS)
    assert StreamChunk.objects.count() == 1


def test_bytes_that_are_no_chunk_are_said_to_be_none():
    plan = compile_plan(processes().values())
    for data in (
        b"",
        b"\x01",
        b"\xff" * 40,
        b"\x02\x00\x00\x00{}",
        b"\x40\x00\x00\x00" + b'{"form":1,"size":3,"events":[],"columns":[]}'.ljust(64),
    ):
        with pytest.raises(BadChunk):
            open_chunk(plan, b"", data, shop=1, store=1)
        with pytest.raises(BadChunk):
            written(data)


def test_whatever_comes_the_door_answers_and_takes_what_is_good(store):
    """Bodies broken at random: never an error of ours, and every event is taken, set aside, or its body kept whole."""
    luck = random.Random(5)
    good = [asked(n, amount=n, id=f"e{n}", provider=luck.choice(["toss", "kakao", None])) for n in range(6)]
    for n in range(150):
        body = bytearray("\n".join(map(json.dumps, good)).encode() if n % 2 else json.dumps(good).encode())
        for _ in range(luck.randrange(1, 4)):
            place = luck.randrange(len(body))
            body[place : place + luck.randrange(3)] = bytes(
                luck.randrange(32, 127) for _ in range(luck.randrange(3))
            )
        answer = post(bytes(body), message=f"m{n}")
        told = answer.json()
        assert answer.status_code in (202, 400), told
        if answer.status_code == 202 and body[:1] == b"[":
            assert told["accepted"] + told["duplicate"] + len(told["set_aside"]) == len(
                json.loads(bytes(body))
            )
    assert np.isfinite([amount for *_, amount, _own in opened()]).all()
    assert not chunks.covering([], 5)
