"""Letters on the pages: on the sheet beside each message, on the page of leads and managers, and 'do not ask me again'."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from makegood.api import sheet
from makegood.base import clock
from makegood.cases import access, links
from makegood.conversations import outbox
from makegood.conversations.models import Delivery
from makegood.desk import delivering, letters_out
from makegood.people import actors
from tests import cast as stages
from tests.api.conftest import ALL, Caller

pytestmark = pytest.mark.django_db


def came_back(cast, **more):
    case = stages.answered(cast, **more)
    Delivery.objects.filter(case=case).update(state="sent", sent_at=clock.now())
    letter = case.deliveries.order_by("id").last()
    delivering.bounced(letter, by=actors.system(), why="550 5.1.1 user <unknown>", for_good=True)
    return stages.fresh(case), letter


def page(client, user, case) -> str:
    client.force_login(user)
    return client.get(f"/cases/{case.number}/").content.decode()


def test_the_sheet_says_of_each_answer_whether_it_left(cast, client):
    cast.minji.language = "en"
    cast.minji.save(update_fields=["language"])
    case = stages.answered(cast)
    assert "letter: Waiting to be sent" in page(client, cast.minji, case)
    Delivery.objects.update(state="sent", sent_at=clock.now())
    assert "letter: Sent" in page(client, cast.minji, case)


def test_minji_corrects_the_address_beside_the_letter_that_came_back(cast, client):
    case, letter = came_back(cast)
    read = page(client, cast.hana, case)
    assert "The customer did not get this: the letter came back." in read
    assert "Letters to this address come back" in read and "user &lt;unknown&gt;" in read
    sent = {"seen": case.version, "delivery": letter.pk, "to": "jiwoo@new.example"}
    answer = client.post(f"/cases/{case.number}/send_again/", sent)
    assert answer.status_code == 303
    again = Delivery.objects.get(again_of=letter)
    assert (again.to, again.state, again.by_id) == ("jiwoo@new.example", "waiting", cast.hana.pk)
    read = page(client, cast.hana, case)
    assert "letter: Waiting to be sent" in read and "did not get this" not in read
    assert "Corrected the customer" in read and "come back" not in read


def test_a_refused_address_comes_back_as_it_was_typed_with_the_reason_beside(cast, client):
    case, letter = came_back(cast)
    client.force_login(cast.hana)
    sent = {"seen": case.version, "delivery": letter.pk, "to": "alex@customer.example"}
    answer = client.post(f"/cases/{case.number}/send_again/", sent)
    assert answer.status_code == 422
    read = answer.content.decode()
    assert (
        "Another customer of this shop has this address." in read and 'value="alex@customer.example"' in read
    )
    assert not Delivery.objects.filter(again_of=letter).exists()


def test_a_confirmation_that_did_not_arrive_stands_beside_the_report(cast, client):
    case = stages.reported(cast)
    letter = delivering.claim()
    delivering.undelivered(letter, "550 5.1.1", by=actors.system(), for_good=True, address_is_wrong=True)
    assert "confirmation by letter: Not delivered" in page(client, cast.hana, case)


def test_a_letter_that_was_not_even_tried_says_why_in_words(cast, client):
    case, _letter = came_back(cast)
    stages.reply(case, by=cast.by(cast.minji), seen=None, text="다시", next_word_at=stages.soon())
    claimed = delivering.claim()
    assert delivering.marked(claimed)
    delivering.undelivered(claimed, delivering.MARKED, by=actors.system(), for_good=True)
    assert "Earlier letters to this address came back" in page(client, cast.hana, case)


def test_leads_see_what_did_not_arrive_oldest_first_and_send_it_again(cast, client):
    first, letter = came_back(cast)
    second, _ = came_back(cast, customer=cast.alex)
    client.force_login(cast.hana)
    read = client.get("/outbox/").content.decode()
    assert 0 < read.index(str(first.number)) < read.index(str(second.number))
    answer = client.post(f"/outbox/{first.number}/{letter.pk}/again/", {"view": "bounced"})
    assert answer.status_code == 302 and answer["Location"] == "/outbox/?view=bounced"
    read = client.get("/outbox/?view=bounced").content.decode()
    assert str(first.number) not in read and str(second.number) in read
    assert str(first.number) in client.get("/outbox/?view=waiting").content.decode()
    client.post(f"/outbox/{first.number}/{letter.pk}/again/", {"view": "//evil.example"})
    assert Delivery.objects.filter(again_of=letter).count() == 1


def test_agents_and_strangers_neither_see_nor_send(cast, client):
    case, letter = came_back(cast)
    for who in (cast.minji, cast.kang):
        client.force_login(who)
        assert client.get("/outbox/").status_code in (403, 404)
        assert client.post(f"/outbox/{case.number}/{letter.pk}/again/").status_code in (403, 404)
    assert not Delivery.objects.filter(again_of=letter).exists()


def test_a_lead_sees_only_letters_of_cases_that_are_theirs(cast):
    _mine, letter = came_back(cast)
    _other, foreign = came_back(cast, customer=cast.lina)
    cast.front.shops.add(cast.haneul)
    seen = {x.pk for x in letters_out.read(actors.user(cast.sujin), "bounced").letters}
    assert letter.pk in seen and foreign.pk not in seen


def test_the_page_takes_as_many_queries_for_many_letters_as_for_one(cast, client, monkeypatch):
    monkeypatch.setattr(letters_out, "PAGE", 3)
    client.force_login(cast.hana)
    counts = []
    for customer in (cast.jiwoo, cast.alex, cast.lina, cast.jiwoo):
        came_back(cast, customer=customer)
        client.get("/outbox/?view=bounced")
        with CaptureQueriesContext(connection) as seen:
            read = client.get("/outbox/?view=bounced").content.decode()
        counts.append(len(seen))
    assert len(set(counts)) == 1, counts
    last = letters_out.read(actors.user(cast.hana), "bounced")
    assert last.more and f"after={last.more}" in read
    assert len(letters_out.read(actors.user(cast.hana), "bounced", last.more).letters) == 1


def test_the_api_tells_staff_of_the_letter_and_the_merchant_nothing(cast, client):
    case, letter = came_back(cast)
    told = [m["letter"] for m in sheet.said(case, actors.user(cast.minji))]
    assert told[-1]["id"] == letter.pk and told[-1]["state"] == "bounced"
    assert all(m["letter"] is None for m in sheet.said(case, actors.user(cast.kang)))


def test_the_api_sends_it_again_to_a_corrected_address(cast):
    case, letter = came_back(cast)
    minji = Caller(cast.minji, ALL)
    body = {"seen": case.version, "delivery": letter.pk, "to": "no address"}
    refused = minji.verb(case.number, "send_again", body)
    assert refused.status_code == 422 and refused.json()["field"] == "to"
    done = minji.verb(case.number, "send_again", {**body, "to": "jiwoo@new.example"})
    assert done.status_code == 200 and done.json()["event"]["kind"] == "address_corrected"
    assert Delivery.objects.get(again_of=letter).to == "jiwoo@new.example"


def test_opening_the_address_stops_nothing_and_one_click_does(cast):
    case = stages.told(cast)
    address = links.quiet_address(case.links.get()).partition("8000")[2]
    visitor = Client(enforce_csrf_checks=True)
    read = visitor.get(address)
    assert read.status_code == 200 and '<form method="post">' in read.content.decode()
    assert visitor.head(address).status_code == 200 and not outbox.declined(case)
    one_click = visitor.post(address, {"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200 and outbox.declined(case)
    assert '<form method="post">' not in visitor.get(address).content.decode()
    assert case.events.filter(kind="asks_declined").count() == 1


def test_the_address_that_stops_asks_is_no_key_to_the_case_nor_the_other_way_round(cast):
    case = stages.told(cast)
    link = case.links.get()
    assert Client().get(f"/c/{access.quiet_token_of(link)}/").status_code == 404
    assert Client().post(f"/quiet/{access.token_of(link)}/").status_code == 404
    assert Client().post(f"/quiet/{link.pk}~forged/").status_code == 404
    read = Client().get(f"/quiet/{access.quiet_token_of(link)}/").content.decode()
    assert stages.WORDS["ko"] not in read and access.token_of(link) not in read
    assert not outbox.declined(case)
