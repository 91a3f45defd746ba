"""Hana connects Haneul's system, sees what it sent wrongly, and tries it again."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from makegood.people import roles
from makegood.transactions.models import EventAside, Refund, Store
from tests.transactions.sending import event, send, settle, store_of, won

pytestmark = pytest.mark.django_db


def make(*words):
    out = io.StringIO()
    call_command("make-store", "haneul-shop", *words, stdout=out)
    return out.getvalue()


def secret_in(text):
    return text.rsplit(": ", 1)[1].strip()


def test_a_store_is_made_its_secret_shown_once_and_changed_without_a_gap(cast):
    said = make("--shop", "haneul", "--currency", "KRW", "--secret", "key=top")
    first = secret_in(said)
    assert "/events/haneul-shop/" in said and first.startswith("whsec_")
    row = Store.objects.get()
    assert b"top" not in bytes(row.secret) and first.encode() not in bytes(row.hook_secret)
    second = secret_in(make("--new-secret"))
    assert {send(event("order.changed"), secret=s).status_code for s in (first, second)} == {202}
    make("--drop-old-secret")
    assert send(event("order.changed"), secret=first).status_code == 401
    assert send(event("order.changed"), secret=second).status_code == 202


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--shop", "nobody"], "There is no such shop."),
        (["--shop", "haneul", "--currency", "won"], "three capital letters"),
    ],
)
def test_what_cannot_be_connected_is_said(cast, words, sentence):
    with pytest.raises(CommandError, match=sentence):
        make(*words)
    assert not Store.objects.exists()
    with pytest.raises(CommandError, match="no such store"):
        make("--new-secret")


def test_hana_sees_what_was_set_aside_and_tries_it_again_and_minji_does_not(cast, client):
    store = store_of(cast.haneul)
    settle.last = 0
    dollars = {"ref": "refund-9", "money": {"amount": "10", "currency": "USD"}}
    send(
        [event("refund.sent", "a", data=dollars), event("refund.sent", "b", data={**dollars, "ref": "<b>x"})]
    )
    assert not roles.may(cast.by(cast.minji), "keep_stores")
    client.force_login(cast.hana)
    page = client.get("/events/").content.decode()
    assert "This store does not use that currency." in page and "refund-9" in page and "<b>x" not in page
    client.post("/events/", {"pk": EventAside.objects.order_by("pk").first().pk})
    assert "1 event still cannot be taken." in client.get("/events/").content.decode()
    store.currencies = []
    store.save(update_fields=["currencies"])
    client.post("/events/", {"reason": "currency"})
    page = client.get("/events/").content.decode()
    assert "2 events are taken now." in page and "Nothing is set aside." in page
    settle()
    assert Refund.objects.get(ref="refund-9").amount == 10
    assert client.post("/events/", {"pk": 999999}).status_code == 404


def test_what_is_let_go_comes_back_when_it_is_sent_again(cast, client):
    store_of(cast.haneul)
    client.force_login(cast.hana)
    wrong = event("refund.sent", data=won("1.5"))
    send(wrong)
    client.post("/events/", {"away": EventAside.objects.get().pk})
    assert "Nothing is set aside." in client.get("/events/").content.decode()
    send(wrong)
    assert EventAside.objects.get().state == "aside" and EventAside.objects.get().times == 2
