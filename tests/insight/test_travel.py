"""How our own cases travel, as the sheet and the page between teams tell it."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from makegood.base import clock
from makegood.desk.handling import wait
from makegood.desk.talking import note, reply
from makegood.insight import travel
from tests import cast as stages
from tests.cast import fresh
from tests.desk.test_handing import accept, offered

pytestmark = pytest.mark.django_db


def handed_over(cast, **more):
    case = offered(cast, **more)
    accept(case, cast.by(cast.wei))
    return fresh(case)


def test_a_hop_lasts_until_the_new_team_does_something(cast):
    case = handed_over(cast)
    (leg,) = travel.of_case(case)
    assert (leg.giver, leg.receiver, leg.touched) == ("Front line", "Technology", False)
    with clock.travel(timedelta(hours=9)):
        assert travel.of_case(case)[0].late
        note(case, by=cast.by(cast.wei), text="It is the gateway.")
    with clock.travel(timedelta(days=3)):
        (leg,) = travel.of_case(case)
    assert leg.touched and timedelta(hours=8.9) < leg.wait < timedelta(hours=9.1)


def test_what_arrived_is_counted_on_the_card(cast):
    text = "세 번째 문의입니다. 소비자원에 신고하겠습니다. 주문번호 HN-20261101"
    (leg,) = travel.of_case(handed_over(cast, text=text))
    assert leg.carried["quotes"] >= 1 and leg.carried["facts"] == 1 and leg.level >= 4
    assert leg.demanded == timedelta(minutes=20)


def test_a_case_that_stays_in_its_team_has_no_hop(cast):
    assert travel.of_case(stages.answered(cast)) == []


def test_pairs_of_teams_and_waiting_for_the_customer_are_counted(cast):
    case = handed_over(cast)
    reply(fresh(case), by=cast.by(cast.wei), seen=None, text="Which account?", next_word_at=stages.soon())
    wait(fresh(case), by=cast.by(cast.wei), seen=None, waiting_for="customer")
    now = clock.now()
    found = travel.between(now - timedelta(days=1), now + timedelta(days=1))
    (pair,) = found.pairs
    assert (pair.giver, pair.receiver, pair.hops, pair.without_card) == ("Front line", "Technology", 1, 0)
    assert found.waits_for_customer == [("Technology", 1, 1)] and found.bounced == 0
    assert travel.between(now - timedelta(days=1), now, shops=[cast.moon.pk]).cases == 0


def test_sujin_sees_the_picture_on_the_sheet_and_the_page(cast, client):
    case = handed_over(cast)
    client.force_login(cast.sujin)
    sheet = client.get(f"/cases/{case.number}/").content.decode()
    assert "legs plain" in sheet and "Technology" in sheet
    page = client.get("/travel/?days=7").content.decode()
    assert "Front line" in page and "Technology" in page
    assert client.get("/travel/?days=99999999999999999999").status_code == 200


def test_wei_accepts_on_the_sheet_and_minji_sees_the_offer(cast, client):
    case = offered(cast)
    client.force_login(cast.minji)
    seen = client.get(f"/cases/{case.number}/").content.decode()
    assert "handover-head" in seen and "form-accept_handover" not in seen and "form-withdraw_handover" in seen
    client.force_login(cast.wei)
    assert "form-accept_handover" in client.get(f"/cases/{case.number}/").content.decode()
    refused = client.post(f"/cases/{case.number}/accept_handover/", {"seen": case.version, "restated": "ok"})
    assert refused.status_code == 422 and fresh(case).owner == cast.minji
    due = case.due_at.astimezone(ZoneInfo(cast.wei.zone)).strftime("%Y-%m-%dT%H:%M")
    words = {"seen": case.version, "restated": "I find why it is refused.", "next_word_at": due}
    assert client.post(f"/cases/{case.number}/accept_handover/", words).status_code == 303
    assert fresh(case).owner == cast.wei
