"""An account in somebody else's hands: few see the case, its use is stopped within minutes, and it is looked at again later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.cases.access import case_for, cases_for
from makegood.cases.models import Case, Freeze, Notice
from makegood.desk import (
    clocks,
    closing,
    finding,
    freezing,
    handing,
    handling,
    joining,
    live,
    queue,
    securing,
    talking,
)
from makegood.desk.rooming import give_role, open_room, room_for
from makegood.desk.triaging import Sorting, triage
from makegood.incidents.models import Room
from makegood.jobs.sweep import tick
from makegood.packs import outside
from makegood.people import actors
from makegood.people.models import Role, Team
from makegood.promises.models import Appointment, Promise
from tests import cast as stages
from tests.mail import post

pytestmark = pytest.mark.django_db
WORDS = "제가 하지 않은 주문이 있어요. 계정이 도용된 것 같습니다."


def guards(cast: stages.Cast):
    """The team for security, with one specialist."""
    yuna = stages.user("Yuna", Role.SPECIALIST)
    team = Team.objects.create(name="Security", tier=3, skill="security")
    team.members.add(yuna)
    return yuna


def secret(cast: stages.Cast) -> Case:
    case = stages.reported(cast, text=WORDS)
    triage(case, Sorting(type="account.security"), by=cast.by(cast.sujin), seen=None)
    return stages.fresh(case)


def stopping(cast: stages.Cast) -> Case:
    case = secret(cast)
    freezing.freeze(case, by=cast.by(cast.sujin), what="account", why="It is not her.")
    return stages.fresh(case)


def stopped(cast: stages.Cast) -> Case:
    case = stopping(cast)
    freezing.frozen(case, case.freezes.get().pk, by=cast.by(cast.wei), proof="Admin, 10:31")
    return stages.fresh(case)


def looked_at_later(cast: stages.Cast) -> Case:
    case = secret(cast)
    closing.withdraw(case, by=actors.customer(case.customer_id), seen=None, words="제 아이가 했어요")
    return stages.fresh(case)


def sees(user: object, case: Case) -> bool:
    return cases_for(actors.user(user)).filter(pk=case.pk).exists()  # type: ignore[arg-type]


def test_only_the_few_see_it(cast):
    yuna, case = guards(cast), secret(cast)
    for user, may in (
        (cast.minji, 0),
        (cast.jun, 0),
        (cast.wei, 0),
        (cast.kang, 0),
        (cast.sujin, 1),
        (cast.hana, 1),
        (yuna, 1),
    ):
        assert sees(user, case) == bool(may), user
    assert case_for(actors.customer(cast.jiwoo.pk), case.number) == case, "the customer still reads their own"


def test_who_owns_it_or_is_of_its_team_sees_it(cast):
    case = secret(cast)
    handling.assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.minji)
    assert sees(cast.minji, case) and not sees(cast.jun, case)
    handling.assign(stages.fresh(case), by=cast.by(cast.sujin), seen=None, team=cast.tech)
    assert sees(cast.wei, case) and not sees(cast.minji, case)


def test_what_is_reported_as_security_is_restricted_before_anybody_sorted_it(cast):
    case = stages.reported(cast, text=WORDS, type="account.security")
    assert not sees(cast.minji, case) and sees(cast.sujin, case)
    assert Notice.objects.filter(user=cast.sujin, case=case, kind="restricted").count() == 1
    assert not Notice.objects.filter(user=cast.minji, case=case).exists()


def test_no_list_search_stream_or_room_tells_of_it(cast):
    case = secret(cast)
    open_room(case, by=cast.by(cast.sujin), ask="계정")
    room = Room.objects.get()
    minji = cast.by(cast.minji)
    assert finding.find(minji, "도용된").cases == 0 and finding.find(minji, str(case.number)).hits == []
    assert finding.find(cast.by(cast.sujin), "도용된").cases == 1
    page = queue.read(minji, queue.Ask())
    assert case.pk not in [row.pk for row in page.rows] and page.counts["open"] == 0
    assert live.look([(minji, live.Wish(case=case.number))]) == [None]
    assert live.look([(minji, live.Wish(room=room.pk))]) == [None]
    with pytest.raises(NotThere):
        room_for(minji, room.pk)
    with pytest.raises(NotThere):
        case_for(minji, case.number)


def test_whom_the_lead_calls_in_sees_it_as_long_as_they_are_in(cast):
    case = secret(cast)
    open_room(case, by=cast.by(cast.sujin), ask="계정")
    give_role(Room.objects.get(), by=cast.by(cast.sujin), user=cast.jun, role="member")
    assert sees(cast.jun, case)
    Room.objects.get().members.filter(user=cast.jun).update(left_at=clock.now())
    assert not sees(cast.jun, case)
    handing.expedite(
        case, by=cast.by(cast.sujin), seen=None, who=cast.jun, what="Ask the bank", due_at=stages.soon()
    )
    assert sees(cast.jun, case), "who has a task of it sees it while it is open"


def test_pages_files_and_letters_of_it_are_shut_too(cast, client):
    box = post.box(cast.haneul)
    row = post.sent(box, post.letter(text=WORDS))
    triage(row.case, Sorting(type="account.security"), by=cast.by(cast.sujin), seen=None)
    client.force_login(cast.minji)
    for address in (f"/cases/{row.case.number}/", f"/letters/{row.pk}/", f"/letters/{row.pk}/source/"):
        assert client.get(address).status_code == 404, address
    assert f"/letters/{row.pk}/" not in client.get("/letters/all/").content.decode()
    client.force_login(cast.sujin)
    cast.sujin.__class__.objects.update(language="en")
    assert "Restricted" in client.get(f"/cases/{row.case.number}/").content.decode()


def test_an_agent_who_sorts_it_as_security_is_led_back_to_the_queue(cast, client):
    case = stages.reported(cast, text=WORDS)
    client.force_login(cast.minji)
    sent = {"seen": case.version, "type": "account.security"}
    answer = client.post(f"/cases/{case.number}/triage/", sent)
    assert answer.status_code == 302 and answer.url == "/"
    assert stages.fresh(case).kind == "security"


def test_an_agent_does_not_open_it_to_everybody_again(cast):
    case = secret(cast)
    handling.assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.minji)
    with pytest.raises(Refusal) as refused:
        triage(case, Sorting(type="refund.delay"), by=cast.by(cast.minji), seen=None)
    assert refused.value.field == "kind" and stages.fresh(case).kind == "security"
    triage(case, Sorting(type="refund.delay"), by=cast.by(cast.sujin), seen=None)
    assert sees(cast.jun, case)


def test_it_is_not_merged_into_a_case_that_everybody_reads(cast):
    case, other = secret(cast), stages.reported(cast, text="배송 문의")
    with pytest.raises(Refusal):
        joining.merge(case, other, by=cast.by(cast.sujin), seen=None)
    joining.merge(other, case, by=cast.by(cast.sujin), seen=None)
    assert not sees(cast.minji, case)


def test_what_is_split_off_stays_restricted(cast):
    case = secret(cast)
    talking.customer_writes(case, by=actors.customer(case.customer_id), text="쿠폰도 없어졌어요")
    last = case.messages.filter(author="customer").last()
    event = joining.split(case, [last.pk], by=cast.by(cast.sujin), seen=None, subject="쿠폰")
    assert not sees(cast.minji, Case.objects.get(number=event.data["case"]))


def test_use_is_stopped_by_the_team_on_duty_within_minutes(cast):
    yuna, case = guards(cast), secret(cast)
    event = freezing.freeze(case, by=cast.by(cast.sujin), what="account", why="It is not her.")
    row = Freeze.objects.get()
    assert row.promise.by == yuna and row.promise.due_at - row.asked_at <= outside().freeze
    assert event.data["frozen"] == "account" and stages.fresh(case).urgency == 5
    assert Notice.objects.filter(user=yuna, kind="freeze").count() == 1
    with pytest.raises(Refusal):
        freezing.freeze(case, by=cast.by(cast.sujin), what="account")
    freezing.freeze(case, by=cast.by(cast.sujin), what="payment", which="PAY-1")
    freezing.frozen(case, row.pk, by=actors.user(yuna), proof="Admin, 10:31")
    row.refresh_from_db()
    assert row.state == "frozen" and row.promise.state == "kept" and row.proof.body == "Admin, 10:31"


def test_without_a_team_for_security_it_goes_to_technology(cast):
    case = stopping(cast)
    assert case.freezes.get().promise.by == cast.wei
    assert sees(cast.wei, case), "who is to stop it sees it"


def test_fifteen_minutes_later_it_is_a_broken_promise(cast):
    case = stopping(cast)
    with clock.travel(timedelta(minutes=16)):
        tick()
        assert case.freezes.get().promise.state == "broken"
        assert case.events.filter(kind="promise_broken", data__promise=case.freezes.get().promise_id).exists()
        freezing.frozen(case, case.freezes.get().pk, by=cast.by(cast.wei), proof="Late")
        assert case.freezes.get().state == "frozen" and case.freezes.get().promise.state == "broken"


def test_only_a_case_of_security_is_frozen_and_not_by_anybody_released(cast):
    plain = stages.owned(cast)
    with pytest.raises(Refusal):
        freezing.freeze(plain, by=cast.by(cast.minji), what="account")
    case = stopped(cast)
    with pytest.raises(NotAllowed):
        freezing.release(case, case.freezes.get().pk, by=cast.by(cast.minji), reason="She asked.")
    freezing.release(case, case.freezes.get().pk, by=cast.by(cast.sujin), reason="New password.")
    assert case.freezes.get().state == "released"
    freezing.freeze(case, by=cast.by(cast.sujin), what="account")


def test_a_leak_that_is_confirmed_starts_the_clocks_of_its_law(cast):
    case = secret(cast)
    known = clock.now() - timedelta(hours=5)
    securing.confirm_leak(
        case, by=cast.by(cast.sujin), seen=None, known_at=known, evidence="A list on a forum"
    )
    promise = Promise.objects.get(case=case, rule="kr.data_breach")
    assert promise.due_at == known + timedelta(hours=72) and promise.basis == "statutory"
    assert not Promise.objects.filter(case=case, rule="eu.data_breach").exists(), "a Korean shop"
    with pytest.raises(Refusal):
        securing.confirm_leak(case, by=cast.by(cast.sujin), seen=None, known_at=known, evidence="Again")


def test_a_rule_that_the_shop_switched_off_does_not_start(cast):
    case = secret(cast)
    clocks.switch(cast.haneul, "kr.data_breach", False, by=cast.by(cast.hana), why="Our lawyer does it.")
    securing.confirm_leak(case, by=cast.by(cast.sujin), seen=None, known_at=clock.now(), evidence="A list")
    assert not Promise.objects.filter(case=case, rule="kr.data_breach").exists()
    assert case.events.filter(kind="leak_confirmed").exists()


def test_a_leak_lies_behind_us(cast):
    with pytest.raises(Refusal) as refused:
        securing.confirm_leak(
            secret(cast), by=cast.by(cast.sujin), seen=None, known_at=stages.soon(), evidence="x"
        )
    assert refused.value.field == "known_at"


def test_after_the_end_it_is_looked_at_three_times_and_asked_until_somebody_says(cast):
    case = looked_at_later(cast)
    row = Appointment.objects.get(case=case, what="secure", state="open")
    assert timedelta(days=7) <= row.look_at - clock.now() < timedelta(days=12)
    with clock.travel(row.look_at - clock.now() + timedelta(minutes=1)):
        tick()
        assert Notice.objects.filter(kind="security_check", case=case).exists()
        again = Appointment.objects.get(case=case, what="secure", state="open")
        assert again.nth == 1, "nobody has looked yet"
        securing.check_security(case, by=cast.by(cast.sujin), secure=True, words="No strange sign-in")
        assert Appointment.objects.get(case=case, what="secure", state="open").nth == 2
        securing.check_security(case, by=cast.by(cast.sujin), secure=True, words="Still none")
        securing.check_security(case, by=cast.by(cast.sujin), secure=True, words="Still none")
        assert not Appointment.objects.filter(case=case, what="secure", state="open").exists()
        with pytest.raises(Refusal):
            securing.check_security(case, by=cast.by(cast.sujin), secure=True, words="Again")


def test_not_secure_opens_it_again_at_the_highest_level(cast):
    case = looked_at_later(cast)
    securing.check_security(case, by=cast.by(cast.sujin), secure=False, words="A sign-in from elsewhere")
    case = stages.fresh(case)
    assert case.is_open and case.urgency == 5 and not sees(cast.minji, case)


def test_other_cases_are_not_looked_at(cast):
    case = stages.owned(cast)
    closing.withdraw(case, by=actors.customer(case.customer_id), seen=None, words="괜찮아요")
    assert not Appointment.objects.filter(case=case, what="secure").exists()


def test_a_merchant_who_reports_it_is_told_that_the_few_have_it(cast, client):
    client.force_login(cast.kang)
    sent = {"shop": "haneul", "text": WORDS, "type": "account.security", "email": "x@customer.example"}
    answer = client.post("/merchant/new/", sent, follow=True)
    assert answer.status_code == 200 and answer.redirect_chain[-1][0] == "/merchant/"
    assert Case.objects.get().kind == "security" and WORDS[:8] not in answer.content.decode()
