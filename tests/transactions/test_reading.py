"""An event is a nudge: Kang's shop is asked, and its answer is what the sheet shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from makegood.base import clock
from makegood.connectors import circuit
from makegood.connectors.canon import Money, Told
from makegood.connectors.errors import Later, Never
from makegood.jobs import events
from makegood.transactions import reading, sources, toread
from makegood.transactions.models import Order, Refund, StoreFact, ToRead
from tests import cast as stages
from tests.transactions.sending import event, send, settle, store_of, won

pytestmark = pytest.mark.django_db


@dataclass
class KangsShop:
    """A shop that can be asked; it counts how often it was."""

    told_: list[Told] = field(default_factory=list)
    trouble: Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def read(self, noun, ref):
        self.asked.append((noun, ref))
        if self.trouble:
            raise self.trouble
        return [t for t in self.told_ if (t.noun, t.ref) == (noun, ref) or noun == "order"]

    def told(self, headers, body):
        if headers.get("x-kang") != "yes":
            raise Never("forged")
        if body == b"broken":
            raise ZeroDivisionError
        return self.told_


@pytest.fixture
def shop(monkeypatch):
    shop = KangsShop()
    monkeypatch.setattr(sources, "opener", lambda: lambda kind, settings: shop)
    return shop


@pytest.fixture
def store(cast, shop):
    settle.last = 0
    return store_of(cast.haneul, told_by="reading", kind="kang")


def refund(state, minutes, **more):
    at = clock.now() - timedelta(minutes=minutes)
    return Told(
        "refund.sent",
        "refund",
        "refund-1",
        at,
        state,
        "HN-20261101",
        None,
        Money(Decimal(39000), "KRW"),
        more,
    )


def test_an_event_makes_us_read_and_what_was_read_counts(store, shop):
    send(event("refund.sent", data=won("39000")))
    settle()
    assert ToRead.objects.get().ref == "refund-1"
    shop.told_ = [refund("stuck", 1, reason="account closed")]
    assert events.read_due() == 1 and shop.asked == [("refund", "refund-1")]
    settle()
    seen = Refund.objects.get()
    assert seen.state == "stuck" and seen.more["reason"] == "account closed"
    assert events.read_due() == 0, "one nudge, one reading"
    assert StoreFact.objects.filter(way="reading").count() == 1


def test_a_hundred_nudges_are_one_reading_and_a_shop_may_ask_for_patience(store, shop):
    store.read_after = 30
    store.save(update_fields=["read_after"])
    send([event("refund.sent", f"e{n}", data=won("39000")) for n in range(100)])
    settle()
    assert events.read_due() == 0, "the shop's own state follows its notices after half a minute"
    with clock.travel(timedelta(seconds=31)):
        assert events.read_due() == 1


def test_what_cannot_be_read_is_tried_again_and_then_left(store, shop):
    send(event("refund.sent", data=won("39000")))
    settle()
    shop.trouble = Later("slow")
    assert events.read_due() == 1
    row = ToRead.objects.get()
    assert row.trouble == "slow" and row.look_at > clock.now()
    for _n in range(2):
        circuit.failed(f"store:{store.pk}")
    with pytest.raises(Later, match="resting"):
        reading.ask(store, "refund", "refund-1")
    shop.trouble = Never("not_there")
    toread.failed(row, "not_there", again=False)
    assert ToRead.objects.get().look_at is None


def test_a_state_that_was_read_again_is_only_younger(store, shop, cast):
    shop.told_ = [refund("sent", 60)]
    assert reading.keep(store, shop.told_) == 1
    settle()
    Refund.objects.update(heard_at=clock.now() - timedelta(days=2))
    assert reading.keep(store, shop.told_) == 0, "nothing new"
    assert clock.now() - Refund.objects.get().heard_at < timedelta(minutes=1)
    assert Refund.objects.get().told_at == shop.told_[0].at


def test_a_stranger_is_refused_and_what_breaks_the_connector_is_kept(store, shop):
    shop.told_ = [refund("paid_out", 1)]
    kind = {"kind": "application/json"}
    assert send({"any": 1}, **kind).status_code == 401
    assert not StoreFact.objects.exists()
    assert send({"any": 1}, headers={"x-kang": "yes"}, **kind).json()["results"][0]["result"] == "accepted"
    assert send({"any": 1}, headers={"x-kang": "yes"}, **kind).json()["results"][0]["result"] == "duplicate"
    told = send(b"broken", headers={"x-kang": "yes"}, **kind).json()["results"][0]
    assert (told["result"], told["reason"]) == ("set_aside", "cannot_translate")


def test_unsigned_webhooks_are_never_believed_only_read(store, shop):
    store.believed = False
    store.save(update_fields=["believed"])
    shop.told_ = [refund("paid_out", 1)]
    answer = send({"any": 1}, headers={"x-kang": "yes"}, kind="application/json")
    assert answer.json()["results"][0]["result"] == "will_be_read"
    assert not StoreFact.objects.exists() and ToRead.objects.get().noun == "refund"


def test_minji_reads_the_order_now_and_sees_how_each_thing_stands(store, shop, cast, client):
    from django.contrib.auth import get_user_model

    get_user_model().objects.update(language="en")
    case = stages.owned(cast, order_number="HN-20261101")
    Order.objects.filter(pk=cast.order.pk).update(store=store, ref="o-1")
    soon = clock.now() + timedelta(hours=2)
    shop.told_ = [refund("asked", 60, held_by="finance", held_until=soon)]
    client.force_login(cast.minji)
    shown = client.get(f"/cases/{case.number}/").content.decode()
    assert "Read it at the shop now" in shown and "Held for review" not in shown
    pressed = client.post(f"/cases/{case.number}/refresh_order/")
    assert pressed.status_code == 303
    settle()
    shown = client.get(f"/cases/{case.number}/").content.decode()
    assert "Read now: something is new." in shown
    assert "Held for review by finance until" in shown and "39,000 KRW" in shown
    assert shown.count("<circle") == 1 and "Refund asked for" in shown
    shop.trouble = Later("slow")
    panel = client.post(
        f"/cases/{case.number}/refresh_order/", headers={"hx-request": "true"}
    ).content.decode()
    assert "The shop did not answer. What is shown is what we knew before." in panel and "<html" not in panel
    store.told_by = "push"
    store.save(update_fields=["told_by"])
    panel = client.post(
        f"/cases/{case.number}/refresh_order/", headers={"hx-request": "true"}
    ).content.decode()
    assert "This shop cannot be asked" in panel and "cannot be asked." in panel and "Read it at" not in panel


def test_an_order_that_was_told_after_the_case_is_on_its_sheet(store, shop, cast, client):
    case = stages.reported(cast, order_number="HN-909")
    client.force_login(cast.hana)
    assert (
        "The shop has told us nothing about this order."
        in client.get(f"/cases/{case.number}/").content.decode()
    )
    send(event("order.placed", subject="HN-909", data=won("5000")))
    settle()
    assert "5,000 KRW" in client.get(f"/cases/{case.number}/").content.decode()
