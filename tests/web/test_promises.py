"""What people see of promises: the customer's page, the merchant's, the sheet, and the notices of the desk."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest
from django.test import Client

from makegood.base import clock
from makegood.cases import access, links
from makegood.cases.models import Notice
from makegood.desk.notices import notify
from makegood.desk.promising import promise, withdraw_promise
from makegood.desk.snoozing import snooze
from makegood.desk.talking import reply
from makegood.jobs import sweep
from makegood.people.models import User
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def customer_page(case, language: str = "en") -> str:
    client = Client()
    client.cookies["language"] = language
    return html.unescape(client.get(f"/c/{access.token_of(links.make(case))}/").content.decode())


def page(user, address: str) -> str:
    client = Client()
    client.force_login(user)
    client.cookies["language"] = "en"
    return html.unescape(client.get(address).content.decode())


def promised(cast, case, what: str, to: str = "customer", hours: float = 3) -> Promise:
    event = promise(
        case,
        by=cast.by(cast.minji),
        seen=None,
        what=what,
        due_at=stages.soon(hours),
        words=f"words of {what} to {to}",
        to=to,
    )
    return Promise.objects.get(pk=event.data["promise"])


def test_alex_sees_every_kind_that_is_open_by_its_own_name_and_none_that_is_not_his(cast):
    case = stages.answered(cast, customer=cast.alex)
    promised(cast, case, "call_back")
    promised(cast, case, "other", to="merchant")
    promised(cast, case, "other", to="staff")
    read = customer_page(case)
    assert "Call back" in read and "words of call_back to customer" in read
    assert "Decision" in read and "By our own rule" in read and "Promised by a person" in read
    assert "words of other" not in read
    sold = page(cast.kang, f"/merchant/{case.number}/")
    assert "words of other to merchant" in sold and "words of other to staff" not in sold
    desk = page(cast.minji, f"/cases/{case.number}/")
    assert "words of other to staff" in desk and "promise-line" in desk


def test_alex_sees_how_each_ended_and_that_we_are_late_with_the_new_time(cast):
    case = stages.answered(cast, customer=cast.alex)
    gone = promised(cast, case, "call_back", hours=30)
    withdraw_promise(case, gone.pk, by=cast.by(cast.sujin), seen=None, reason="secret reason")
    reply(case, by=cast.by(cast.minji), seen=None, text="Soon.", next_word_at=stages.soon(2))
    with clock.travel(timedelta(hours=2, minutes=1)):
        sweep.tick()
        read = customer_page(case)
        assert "and are late" in read and "You hear from us by" in read
        for how in ("kept", "broken", "withdrawn"):
            assert f">{how}</span>" in read, how
        assert "secret reason" not in read
        desk = page(cast.jun, f"/cases/{case.number}/")
        assert "overdue" in desk and "A promise was broken: Next word" in desk
        reply(case, by=cast.by(cast.minji), seen=None, text="Sorry.", next_word_at=stages.soon(2))
        assert "and are late" not in customer_page(case)


def test_a_customer_answers_whether_it_held_on_their_page_with_two_answers(cast):
    case = stages.made_good(cast, customer=cast.alex)
    assert "Is it still good?" not in customer_page(case)
    with clock.travel(timedelta(days=8)):
        sweep.tick()
        read = customer_page(case)
        assert "Is it still good?" in read and 'value="yes"' in read and 'value="no"' in read
        token = access.token_of(links.make(case))
        client = Client()
        client.cookies["language"] = "en"
        refused = client.post(f"/c/{token}/held/", {"words": "gone again"})
        assert refused.status_code == 422 and "gone again</textarea>" in refused.content.decode()
        assert client.get(f"/c/{token}/held/").status_code == 302 and not stages.fresh(case).is_open
        client.post(f"/c/{token}/held/", {"answer": "no", "words": "gone again"})
        assert stages.fresh(case).is_open
        assert 'id="held"' not in customer_page(case)


def test_notices_are_counted_in_the_navigation_listed_and_seen_by_their_reader_only(cast):
    case = stages.answered(cast)
    notify(case, "woken", to=[cast.minji.pk, cast.minji.pk, None, cast.jun.pk, cast.kang.pk])
    notify(
        case, "promise_near", to=[cast.minji.pk], data={"what": "call_back", "until": clock.now().isoformat()}
    )
    assert Notice.objects.count() == 3, "each once, nobody outside the desk"
    User.objects.update(language="en")
    client = Client()
    client.force_login(cast.minji)
    client.cookies["language"] = "en"
    read = client.get("/notices/").content.decode()
    assert "data-unseen><span>2</span>" in read and "awake again" in read and "Call back" in read
    assert f"/cases/{case.number}/" in read
    assert client.get("/notices/").content.decode().count(">New<") == 2, "looking is not seeing"
    one = Notice.objects.filter(user=cast.minji).last()
    juns = Notice.objects.get(user=cast.jun)
    for odd in (one.pk, juns.pk, "x", "9" * 30, "-1"):
        assert client.post("/notices/seen/", {"notice": odd}).status_code == 302
    juns.refresh_from_db()
    assert juns.seen_at is None
    assert client.get("/notices/").content.decode().count(">New<") == 1
    client.post("/notices/seen/")
    read = client.get("/notices/").content.decode()
    assert ">New<" not in read and "data-unseen hidden" in read


def test_what_is_put_aside_stands_in_its_own_view(cast):
    case, other = stages.answered(cast), stages.answered(cast)
    snooze(case, by=cast.by(cast.minji), seen=None, until=stages.soon(1), reason="Bank opens.")
    aside = page(cast.jun, "/?view=snoozed")
    assert str(case.number) in aside and str(other.number) not in aside and "Put aside until" in aside
    assert "Put aside until" in page(cast.jun, f"/cases/{case.number}/")


def test_the_box_for_our_decision_stands_only_where_one_is_promised(cast):
    case = stages.answered(cast)
    assert 'name="decides"' in page(cast.minji, f"/cases/{case.number}/")
    client = Client()
    client.force_login(cast.minji)
    sent = {"seen": case.version, "text": "환불해 드립니다.", "next_word": "2h", "decides": "on"}
    client.post(f"/cases/{case.number}/reply/", sent)
    assert case.promises.get(what="decision").state == "kept"
    assert 'name="decides"' not in page(cast.minji, f"/cases/{case.number}/")
