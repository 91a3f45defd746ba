"""A case changes hands by a contract: a whole card, a receiver who restates it, and the giver owns it until then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal, Stale
from makegood.cases.models import Case, CaseEvent, Notice
from makegood.conversations.models import Delivery, Message
from makegood.desk.closing import withdraw
from makegood.desk.handing import (
    Card,
    accept_handover,
    expedite,
    hand_over,
    pass_on,
    refuse_handover,
    withdraw_handover,
)
from makegood.desk.handling import assign, take
from makegood.desk.triaging import note_fact
from makegood.escalation.models import Absence, Handover
from makegood.jobs.sweep import tick
from makegood.people import actors
from makegood.people.models import Customer, Shop, Team
from makegood.promises.models import Promise
from tests import cast as stages
from tests.cast import fresh

pytestmark = pytest.mark.django_db
OWN_WORDS = "Find out why the payment firm refuses, tell Minji before six."


def card(**other: object) -> Card:
    words = {
        "customer_asks": "Her refund, 39,000 won.",
        "tried": "Sent twice, refused twice.",
        "asked": "Find why the refund is refused.",
        "by_when": clock.now() + timedelta(hours=3),
    }
    return Card(**{**words, **other})  # type: ignore[arg-type]


def with_a_fact(cast, **more) -> Case:
    case = stages.answered(cast, **more)
    note_fact(
        case,
        by=cast.by(cast.minji),
        text="Refused by the bank.",
        source="payment_record",
        happened_at=clock.now(),
    )
    assign(fresh(case), by=cast.by(cast.sujin), seen=None, team=cast.front) if case.team_id is None else None
    return fresh(case)


def offered(cast, **more) -> Case:
    case = with_a_fact(cast, **more)
    hand_over(case, card(), by=cast.by(cast.minji), seen=case.version, team=cast.tech, to=cast.wei)
    return fresh(case)


def accept(case: Case, by, **other) -> CaseEvent:
    words = {"restated": OWN_WORDS, "next_word_at": case.due_at}
    return accept_handover(case, by=by, seen=None, **{**words, **other})


def test_minji_owns_the_case_until_wei_has_restated_it(cast):
    case = offered(cast)
    assert case.owner == cast.minji and case.team == cast.front
    accept(case, cast.by(cast.wei))
    case = fresh(case)
    assert case.owner == cast.wei and case.team == cast.tech and case.touched_at is None


@pytest.mark.parametrize("missing", ["customer_asks", "tried", "asked", "by_when"])
def test_a_card_with_a_gap_is_refused_beside_the_gap(cast, missing):
    case = with_a_fact(cast)
    gap = None if missing == "by_when" else "  "
    with pytest.raises(Refusal) as refused:
        hand_over(case, card(**{missing: gap}), by=cast.by(cast.minji), seen=None, team=cast.tech)
    assert refused.value.field == missing
    assert not Handover.objects.exists() and fresh(case).version == case.version


def test_without_a_fact_there_is_nothing_to_hand_over(cast):
    case = stages.answered(cast)
    with pytest.raises(Refusal) as refused:
        hand_over(case, card(), by=cast.by(cast.minji), seen=None, team=cast.tech)
    assert refused.value.code == "no_facts"


def test_to_copy_the_ask_is_not_to_restate_it(cast):
    case = offered(cast)
    for words in (card().asked, "ok", card().asked.upper()):
        with pytest.raises(Refusal) as refused:
            accept(case, cast.by(cast.wei), restated=words)
        assert refused.value.field == "restated"
    with pytest.raises(Refusal) as refused:
        accept(case, cast.by(cast.wei), next_word_at=case.due_at + timedelta(hours=1))
    assert refused.value.field == "next_word_at" and fresh(case).owner == cast.minji


def test_urgency_quotations_promises_and_clocks_arrive_whole(cast):
    text = "세 번째 문의입니다. 오늘 안에 환불해 주지 않으면 소비자원에 신고하겠습니다. 주문번호 HN-20261101"
    case = offered(cast, text=text)
    before = (case.urgency, case.urgency_floor, case.due_at, case.opened_at)
    promises = list(Promise.objects.filter(case=case, state="open").values_list("pk", "due_at"))
    sent = Handover.objects.get()
    assert sent.carried["level"] == case.urgency >= 4 and sent.carried["quotes"] >= 1
    accept(case, cast.by(cast.wei))
    case = fresh(case)
    assert (case.urgency, case.urgency_floor, case.due_at, case.opened_at) == before
    assert list(Promise.objects.filter(case=case, state="open").values_list("pk", "due_at")) == promises


def test_jiwoo_is_told_in_korean_who_has_it_and_no_promise_moves(cast):
    case = offered(cast)
    accept(case, cast.by(cast.wei))
    told = Message.objects.filter(case=case, author="system", audience="customer").get()
    assert "Wei" in told.body and told.language == "ko" and any("가" <= c <= "힣" for c in told.body)
    assert Delivery.objects.get(message=told).what == "moved"
    assert fresh(case).due_at == case.due_at


def test_refusing_needs_a_reason_and_leaves_the_case_with_the_giver(cast):
    case = offered(cast)
    with pytest.raises(Refusal):
        refuse_handover(case, by=cast.by(cast.wei), seen=None, reason=" ")
    refuse_handover(case, by=cast.by(cast.wei), seen=None, reason="This is the bank's, not ours.")
    assert fresh(case).owner == cast.minji and Handover.objects.get().state == "refused"
    hand_over(fresh(case), card(), by=cast.by(cast.minji), seen=None, team=cast.tech)


def test_only_the_receiving_team_answers_and_nobody_goes_round_the_card(cast):
    case = offered(cast)
    for stranger in (cast.jun, cast.sujin, cast.minji):
        with pytest.raises(NotAllowed):
            accept(case, cast.by(stranger))
    for user in (cast.wei, cast.jun):
        with pytest.raises(Refusal) as refused:
            take(case, by=cast.by(user), seen=None)
        assert refused.value.code == "offered"
    with pytest.raises(Refusal):
        assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.wei)
    with pytest.raises(Refusal) as refused:
        hand_over(case, card(), by=cast.by(cast.minji), seen=None, team=cast.tech)
    assert refused.value.code == "offered"


def test_an_owned_case_does_not_slip_to_another_team_without_a_card(cast):
    case = with_a_fact(cast)
    for receiver in ({"team": cast.tech}, {"owner": cast.wei}, {"owner": cast.wei, "team": cast.tech}):
        with pytest.raises(Refusal) as refused:
            assign(case, by=cast.by(cast.sujin), seen=None, **receiver)
        assert refused.value.code == "hand_over"
    assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.jun)
    assert fresh(case).owner == cast.jun


def test_minji_or_her_lead_takes_the_offer_back_and_jun_does_not(cast):
    case = offered(cast)
    with pytest.raises(NotAllowed):
        withdraw_handover(case, by=cast.by(cast.jun), seen=None)
    withdraw_handover(case, by=cast.by(cast.sujin), seen=None)
    with pytest.raises(Refusal) as refused:
        accept(case, cast.by(cast.wei))
    assert refused.value.code == "not_offered"


def test_two_specialists_who_accept_at_once_are_one_owner(cast):
    case = offered(cast)
    other = stages.user("Bo", "specialist")
    cast.tech.members.add(other)
    accept(case, cast.by(cast.wei))
    with pytest.raises(Refusal):
        accept(case, cast.by(other))
    with pytest.raises(Stale):
        accept_handover(
            case, by=cast.by(other), seen=case.version, restated=OWN_WORDS, next_word_at=case.due_at
        )
    assert fresh(case).owner == cast.wei


def test_what_nobody_accepts_goes_to_the_next_on_duty_then_to_whoever_answers_for_the_team(cast):
    case = offered(cast)
    bo = stages.user("Bo", "specialist")
    cast.tech.members.add(bo)
    with pytest.raises(Refusal, match="not time yet"):
        pass_on(case, by=actors.system())
    receivers = []
    for hours in (9, 18, 27):
        with clock.travel(timedelta(hours=hours)):
            pass_on(case, by=actors.system())
        receivers.append(Handover.objects.get().to)
    assert receivers[0] == bo  # the next on duty
    assert receivers[-1] == cast.hana  # Technology has no lead: its manager answers
    assert fresh(case).owner == cast.minji
    with clock.travel(timedelta(hours=27)):
        accept(fresh(case), cast.by(cast.hana))
    assert fresh(case).owner == cast.hana


def test_somebody_who_is_away_is_offered_nothing(cast):
    case = with_a_fact(cast)
    now = clock.now()
    Absence.objects.create(user=cast.wei, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=1))
    with pytest.raises(Refusal) as refused:
        hand_over(case, card(), by=cast.by(cast.minji), seen=None, team=cast.tech, to=cast.wei)
    assert refused.value.field == "to"


def test_a_receiver_who_leaves_in_the_middle_leaves_the_case_with_its_giver(cast):
    case = offered(cast)
    type(cast.wei).objects.filter(pk=cast.wei.pk).update(is_active=False)
    with clock.travel(timedelta(hours=9)):
        pass_on(case, by=actors.system())
    assert Handover.objects.get().to == cast.hana and fresh(case).owner == cast.minji


def test_a_team_of_other_shops_is_offered_nothing(cast):
    case = with_a_fact(cast)
    cast.tech.shops.add(cast.moon)
    with pytest.raises(Refusal) as refused:
        hand_over(case, card(), by=cast.by(cast.minji), seen=None, team=cast.tech)
    assert refused.value.code == "other_shops"


def test_an_offer_ends_with_its_case(cast):
    case = offered(cast)
    withdraw(case, by=cast.by(cast.minji), seen=None, words="It came after all.")
    assert Handover.objects.get().state == "withdrawn"


def test_the_database_keeps_one_open_offer_and_no_acceptance_without_words(cast):
    case = offered(cast)
    one = Handover.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Handover.objects.create(
            case=case, giver=cast.minji, to_team=cast.tech, customer_asks="a", tried="b", asked="c",
            by_when=clock.now(), look_at=clock.now(),
        )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE makegood_handover SET state='accepted', look_at=NULL, answered_at=now() WHERE id=%s",
            [one.pk],
        )


def test_a_stranger_to_the_desk_hands_nothing_over(cast):
    case = with_a_fact(cast)
    for by in (cast.by(cast.kang), actors.customer(case.customer_id)):
        with pytest.raises(NotAllowed):
            hand_over(case, card(), by=by, seen=None, team=cast.tech)
    assert Shop.objects.count() == 2 and Customer.objects.count() == 3 and Team.objects.count() == 2


def test_to_hurry_without_who_what_and_when_is_refused_and_with_them_is_a_promise(cast):
    case = stages.answered(cast)
    whole = {
        "who": cast.wei,
        "what": "Send the stuck refund again.",
        "due_at": clock.now() + timedelta(hours=1),
    }
    for gap in whole:
        with pytest.raises(Refusal) as refused:
            expedite(case, by=cast.by(cast.minji), seen=None, **{**whole, gap: "" if gap == "what" else None})
        assert refused.value.field == gap
    expedite(case, by=cast.by(cast.minji), seen=None, **whole)
    promise = Promise.objects.get(case=case, to="staff")
    assert promise.by == cast.wei and promise.words.startswith("Send the stuck") and promise.state == "open"
    assert Notice.objects.get(user=cast.wei).kind == "expedited"


def test_who_is_offered_a_case_hears_of_it_and_the_giver_hears_when_nobody_answers(cast):
    case = offered(cast)
    assert Notice.objects.get(user=cast.wei, kind="handover_offered").case == case
    with clock.travel(timedelta(hours=9)):
        assert tick() >= 1
    assert Notice.objects.filter(user=cast.minji, kind="handover_passed_on").exists()
    assert Handover.objects.get().to == cast.hana
