"""The door for events: what Haneul's shop sends is stored before it is answered, and what is wrong is said, kept and tried again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.seal import seal
from makegood.desk import events_in
from makegood.people.models import Customer
from makegood.transactions.models import EventAside, Order, Payment, Refund, Shipment, StoreFact
from tests.transactions.sending import MANY, SECRET, event, send, settle, store_of, won

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(cast):
    settle.last = 0
    return store_of(cast.haneul)


def test_what_the_shop_tells_is_in_the_log_and_then_in_the_tables(store, cast):
    answer = send(
        [
            event("payment.captured", "e1", data=won("39000") | {"method": "card"}),
            event("shipment.moving", "e2", data={"carrier": "CJ", "tracking": "612345", "x": {"gate": 4}}),
        ]
    )
    assert answer.status_code == 202, answer.content
    assert [r["result"] for r in answer.json()["results"]] == ["accepted", "accepted"]
    assert StoreFact.objects.count() == 2 and not Payment.objects.exists(), "stored, not yet worked on"
    assert json.loads(StoreFact.objects.get(event_id="e2").raw)["data"]["x"] == {"gate": 4}
    settle()
    payment = Payment.objects.get(ref="payment-1")
    assert payment.order == cast.order and payment.state == "taken" and payment.amount == 39000
    parcel = Shipment.objects.get(ref="shipment-1")
    assert (parcel.state, parcel.carrier, parcel.tracking, parcel.order) == (
        "moving",
        "CJ",
        "612345",
        cast.order,
    )


def test_a_payment_that_is_told_before_its_order_finds_it(store, cast):
    early = event("payment.captured", "e1", subject="HN-77", data=won("1000"))
    send(early)
    settle()
    assert Payment.objects.get().order is None
    send(event("order.placed", "e2", subject="HN-77", data=won("1000") | {"made_for": "HN-20261101"}))
    settle()
    order = Order.objects.get(number="HN-77")
    assert Payment.objects.get().order == order and order.total == 1000 and order.made_for == "HN-20261101"


def test_the_same_event_twice_changes_nothing_and_the_same_id_with_other_words_is_set_aside(store):
    sent = event("refund.sent", data=won("39000"), time="2026-11-20T10:00:00Z")
    send(sent)
    assert send(sent, message_id="msg_2").json()["results"] == [{"id": "e1", "result": "duplicate"}]
    other = event("refund.sent", data=won("12000"), time="2026-11-20T10:00:00Z")
    told = send(other).json()["results"][0]
    assert (told["result"], told["reason"]) == ("set_aside", "same_id_other_content")
    assert StoreFact.objects.count() == 1
    settle()
    assert Refund.objects.get().amount == 39000


def test_an_old_version_that_comes_late_is_kept_and_marked_and_changes_nothing(store):
    now = clock.now()
    send(event("refund.paid_out", "new", time=now - timedelta(hours=1), data=won("39000")))
    settle()
    send(event("refund.sent", "old", time=now - timedelta(hours=3), data=won("39000")))
    settle()
    assert Refund.objects.get().state == "paid_out"
    assert StoreFact.objects.get(event_id="old").stale and not StoreFact.objects.get(event_id="new").stale
    send(event("refund.reversed", "back", time=now - timedelta(minutes=5)))
    settle()
    assert Refund.objects.get().state == "reversed", "a state may go back"


def test_one_bad_event_stops_nobody_and_is_tried_again_when_it_can_be(store, cast):
    good = event("refund.sent", "good", data=won("39000"))
    bad = event("refund.sent", "bad", data={"ref": "refund-2", "money": {"amount": "10", "currency": "USD"}})
    results = send([good, bad, "no event"]).json()["results"]
    assert [r["result"] for r in results] == ["accepted", "set_aside", "set_aside"]
    assert results[1]["reason"] == "currency" and results[1]["id"] == "bad"
    assert {(h.reason, h.count) for h in events_in.heaps(by=cast.by(cast.hana))} == {
        ("currency", 1),
        ("no_object", 1),
    }
    assert events_in.replay(by=cast.by(cast.hana), reason="currency") == (0, 1), "still wrong"
    store.currencies = ["KRW", "USD"]
    store.save(update_fields=["currencies"])
    assert events_in.replay(by=cast.by(cast.hana), reason="currency") == (1, 0)
    settle()
    assert Refund.objects.get(ref="refund-2").currency == "USD"
    assert EventAside.objects.get(reason="currency").state == "replayed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "no_id"),
        ({"id": "   "}, "no_id"),
        ({"time": ""}, "no_time"),
        ({"time": "2026-11-03T10:00:00"}, "bad_time"),
        ({"time": "2026-02-30T10:00:00Z"}, "bad_time"),
        ({"time": "2999-01-01T00:00:00Z"}, "from_the_future"),
        ({"specversion": "0.3"}, "specversion"),
        ({"type": "refund.vanished.v1"}, "unknown_type"),
        ({"subject": None}, "no_subject"),
        ({"source": ""}, "no_source"),
        ({"sequence": "seven"}, "sequence"),
        ({"sequence": True}, "sequence"),
        ({"UPPER": "x"}, "attribute"),
        ({"nested": {"a": 1}}, "attribute"),
        ({"data": "text"}, "schema"),
        ({"data": {"ref": "r", "money": {"amount": "39000.50", "currency": "KRW"}}}, "decimals"),
        ({"data": {"ref": "r", "money": {"amount": 39000, "currency": "KRW"}}}, "schema"),
        ({"data": {"ref": "r", "money": {"amount": "-1", "currency": "KRW"}}}, "schema"),
        ({"data": {"ref": "r", "money": {"amount": "1e3", "currency": "KRW"}}}, "schema"),
        ({"data": {"ref": "r", "money": {"amount": "1", "currency": "XXQ"}}}, "currency"),
        ({"data": {"ref": "r"}}, "schema"),
        ({"data": {"ref": "r", **won("1"), "colour": "red"}}, "schema"),
        ({"data": {"ref": "r\x00", **won("1")}}, "bad_text"),
        ({"data": {"ref": "\ud800", **won("1")}}, "bad_text"),
        ({"data": {"ref": "r", **won("1"), "x": {"a": "b" * 300_000}}}, "too_large"),
        ({"datacontenttype": "text/plain"}, "datacontenttype"),
        ({"data_base64": "aGk="}, "datacontenttype"),
    ],
)
def test_what_is_not_exactly_right_is_set_aside_with_its_reason(store, change, reason):
    sent = {**event("refund.sent", data=won("39000")), **change}
    answer = send(sent)
    assert answer.status_code == 202, answer.content
    assert answer.json()["results"][0].get("reason") == reason, answer.content
    assert not StoreFact.objects.exists() and EventAside.objects.get().reason == reason
    assert str(events_in.sentence(reason)) != str(events_in.sentence("no such reason"))


def test_a_deep_bomb_and_no_json_are_refused_and_kept(store):
    assert send(b"[" * 200_000).status_code == 400
    assert send(b'{"a": NaN}').json()["error"] == "not_json"
    assert send([event("order.changed")] * 1001).status_code == 413
    assert {row.reason for row in EventAside.objects.all()} == {"too_deep", "not_json", "too_many"}
    send(b'{"a": NaN}')
    assert EventAside.objects.get(reason="not_json").times == 2, "the same body again is the same row"


def test_ten_megabytes_are_refused_at_the_door(store):
    assert send(b" " * 10 * 2**20).status_code == 413
    assert not EventAside.objects.exists()


def test_nobody_gets_in_without_the_signature(store, cast):
    sent = event("refund.paid_out", data=won("39000"))
    refused = [
        send(sent, secret="whsec_c3RyYW5nZXJzdHJhbmdlcg=="),
        send(sent, at=clock.now() - timedelta(minutes=6)),
        send(sent, at=clock.now() + timedelta(minutes=6)),
        send(sent, headers={"webhook-signature": "v1,garbage v1 , ,"}),
        send(sent, headers={"webhook-timestamp": "tomorrow"}),
        send(sent, headers={"webhook-id": ""}),
        send(b"\xff\xfe", headers={}),
    ]
    assert [r.status_code for r in refused] == [401] * len(refused)
    assert not StoreFact.objects.exists() and not EventAside.objects.exists()
    assert send(sent, code="nobody").status_code == 404
    store_of(cast.moon, "mute", hook_secret=b"")
    assert send(sent, code="mute").status_code == 401, "without a secret nobody is believed"


def test_while_a_key_is_changed_both_are_taken(store):
    fresh = "whsec_bmV3bmV3bmV3bmV3bmV3bmV3"
    store.hook_secret = seal({"now": fresh, "before": SECRET})
    store.save(update_fields=["hook_secret"])
    assert send(event("order.changed", "a"), secret=fresh).status_code == 202
    assert send(event("order.changed", "b"), secret=SECRET).status_code == 202


def test_binary_mode_only_where_the_store_allows_what_it_leaves_unsigned(store):
    ce = {"ce-specversion": "1.0", "ce-id": "b1", "ce-source": "/s", "ce-type": "refund.sent.v1"}
    ce |= {"ce-time": clock.now().isoformat(), "ce-subject": "HN%2D20261101"}
    data = {"ref": "refund-1", **won("39000")}
    assert send(data, kind="application/json", headers=ce).status_code == 415
    store.binary = True
    store.save(update_fields=["binary"])
    assert send(data, kind="application/json", headers=ce).status_code == 415, (
        "webhook-id is not the event's id"
    )
    told = send(data, kind="application/json", headers=ce, message_id="b1").json()
    assert told["results"] == [{"id": "b1", "result": "accepted"}]
    assert StoreFact.objects.get().order_number == "HN-20261101"


def test_a_clock_that_is_known_to_be_ahead_is_set_right(store):
    store.skew = 3600
    store.save(update_fields=["skew"])
    ahead = clock.now() + timedelta(minutes=59)
    assert send(event("order.changed", time=ahead)).json()["results"][0]["result"] == "accepted"
    assert StoreFact.objects.get().at < clock.now()


def test_an_empty_batch_is_nothing_and_other_content_is_not_ours(store):
    assert send([]).json() == {"results": []}
    assert send({"a": 1}, kind="text/csv").status_code == 415
    assert send({"a": 1}, kind=MANY).json()["error"] == "no_batch"


def test_the_shop_says_who_ordered_and_they_are_found_again_by_their_address(store, cast):
    who = {"name": "Jiwoo", "email": cast.jiwoo.email.upper(), "language": "ko-KR"}
    send(event("order.placed", "e1", subject="HN-77", data=won("1000") | {"customer": who}))
    new = {"name": "Bomi", "email": "bomi@customer.example", "language": "zh_CN"}
    send(event("order.placed", "e2", subject="HN-78", data=won("1000") | {"customer": new}), message_id="m2")
    settle()
    assert Order.objects.get(number="HN-77").customer == cast.jiwoo
    bomi = Order.objects.get(number="HN-78").customer
    assert (bomi.name, bomi.email, bomi.language, bomi.shop) == ("Bomi", new["email"], "zh-hans", cast.haneul)
    assert "bomi" not in json.dumps(Order.objects.get(number="HN-78").known), "their words are not kept twice"
    send(event("order.changed", "e3", subject="HN-78", data={"customer": who}), message_id="m3")
    settle()
    assert Order.objects.get(number="HN-78").customer == bomi, "an order does not change hands by an event"


def test_a_buyer_of_whom_only_a_name_or_no_address_is_told_is_nobody_yet(store, cast):
    count = Customer.objects.count()
    for n, who in enumerate(({"name": "Jiwoo"}, {"email": "at home"}, {})):
        send(
            event("order.placed", f"e{n}", subject=f"HN-8{n}", data=won("1000") | {"customer": who}),
            message_id=f"m{n}",
        )
    settle()
    assert Order.objects.filter(number__startswith="HN-8", customer=None).count() == 3
    assert Customer.objects.count() == count and not EventAside.objects.exists()
    send(
        event("order.changed", "e9", subject="HN-80", data={"customer": {"phone": "010-0000-9999"}}),
        message_id="m9",
    )
    settle()
    assert Order.objects.get(number="HN-80").customer.phone == "010-0000-9999"
