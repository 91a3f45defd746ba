"""Hana connects a shop's system on a page, tries it, and reads what it can do; what is secret goes in and never comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from makegood.base.seal import unseal
from makegood.people.models import User
from makegood.transactions.models import Store
from tests.connectors.fakes.base import SECRET
from tests.connectors.fakes.shop import FakeShop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings: object) -> Iterator[FakeShop]:
    settings.SHOPS_INSIDE = frozenset({"127.0.0.1"})  # type: ignore[attr-defined]
    fake = FakeShop()
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def hana(cast, client):
    User.objects.update(language="en")
    client.force_login(cast.hana)
    return client


def given(cast, at: FakeShop, **more: object) -> dict[str, object]:
    return {"code": "haneul-own", "shop": cast.haneul.pk, "name": "Our shop", "readable": "on", "believed": "on", "active": "on",
            "currencies": "KRW", "set_address": at.url, "set_secret": SECRET, **more}  # fmt: skip


def connected(hana, cast, shop: FakeShop) -> Store:
    page = hana.post("/stores/new/generic/", given(cast, shop))
    assert page.status_code == 200, page.content.decode()
    return Store.objects.get()


def tried(hana) -> str:
    return hana.post("/stores/haneul-own/test/", follow=True).content.decode()


def test_hana_connects_a_store_and_its_secret_for_events_is_shown_once(hana, cast, shop):
    page = hana.post("/stores/new/generic/", given(cast, shop)).content.decode()
    shown = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    row = Store.objects.get()
    assert shown == [unseal(bytes(row.hook_secret))["now"]] and "/events/haneul-own/" in page
    later = hana.get("/stores/haneul-own/").content.decode()
    assert "whsec_" not in later and SECRET not in later and shop.url in later
    assert (row.told_by, row.settings, unseal(bytes(row.secret))) == (
        "reading",
        {"address": shop.url},
        {"secret": SECRET},
    )


def test_the_button_says_what_it_can_do(hana, cast, shop):
    connected(hana, cast, shop)
    page = tried(hana)
    assert "It works: the shop answered what it can do." in page
    assert "refund" in page and "freeze" in page and "Part of a payment can go back" in page
    assert "In order" in hana.get("/stores/").content.decode()


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "does not let us in"),
        ("no secret at all", "What is secret cannot be used"),
    ],
)
def test_a_wrong_secret_is_said_plainly(hana, cast, shop, secret, sentence):
    hana.post("/stores/new/generic/", given(cast, shop, set_secret=secret))
    assert sentence in tried(hana)


def test_nobody_answers(hana, cast, shop):
    connected(hana, cast, shop)
    shop.stop()
    assert "The shop does not answer" in tried(hana)


def test_an_address_inside_the_house_is_not_asked(hana, cast, shop, settings):
    connected(hana, cast, shop)
    settings.SHOPS_INSIDE = frozenset()
    assert "no address that can be asked" in tried(hana)
    row = Store.objects.get()
    row.settings = {"address": "https://127.0.0.1:9"}
    row.save(update_fields=["settings"])
    assert "inside the house" in tried(hana)
    assert shop.calls == []


def test_an_empty_secret_keeps_what_is_stored_and_another_address_needs_it_again(hana, cast, shop):
    connected(hana, cast, shop)
    kept = given(cast, shop, set_secret="", name="Renamed")
    assert hana.post("/stores/haneul-own/", kept).status_code == 302
    row = Store.objects.get()
    assert (row.name, unseal(bytes(row.secret))) == ("Renamed", {"secret": SECRET})
    moved = hana.post("/stores/haneul-own/", {**kept, "set_address": "https://elsewhere.example"})
    assert moved.status_code == 422 and "must be typed in again" in moved.content.decode()
    assert Store.objects.get().settings == {"address": shop.url}


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "Not A Code"},
        {"code": ""},
        {"shop": "0"},
        {"set_address": ""},
        {"currencies": "won"},
        {"skew": "999999"},
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_connected(hana, cast, shop, wrong):
    page = hana.post("/stores/new/generic/", given(cast, shop, **wrong))
    assert page.status_code == 422 and 'class="error"' in page.content.decode()
    assert not Store.objects.exists()


def test_a_new_secret_and_the_end_of_the_old_one(hana, cast, shop):
    row = connected(hana, cast, shop)
    first = unseal(bytes(row.hook_secret))["now"]
    second = re.findall(r"whsec_[A-Za-z0-9+/=]+", hana.post("/stores/haneul-own/secret/").content.decode())
    assert unseal(bytes(Store.objects.get().hook_secret)) == {"now": second[0], "before": first}
    hana.post("/stores/haneul-own/secret/", {"drop": "1"})
    assert unseal(bytes(Store.objects.get().hook_secret)) == {"now": second[0]}


def test_minji_finds_no_door(cast, client, shop):
    client.force_login(cast.minji)
    assert client.get("/stores/").status_code in (302, 403)
    assert client.post("/stores/new/generic/", given(cast, shop)).status_code in (302, 403)
    assert not Store.objects.exists()
