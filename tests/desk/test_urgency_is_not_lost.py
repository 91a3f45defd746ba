"""Each way in which urgency was seen to get lost elsewhere (law-and-practice A2), and what holds here."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.cases.models import Case, Notice, UrgencyEvidence
from makegood.cases.urgency import Impact, known
from makegood.desk import demands
from makegood.desk.fixing import record_fix
from makegood.desk.handling import lower_urgency, raise_urgency, wait
from makegood.desk.joining import link, split, unlink
from makegood.desk.opening import Report, open_case
from makegood.desk.talking import customer_writes, reply
from makegood.desk.triaging import Sorting, note_fact, strike_fact, triage
from makegood.insight.audit import silent_drops
from makegood.jobs.upkeep import audit_urgency
from makegood.packs import taxonomy
from makegood.people import actors
from makegood.promises.models import Promise
from tests import cast as stages
from tests.cast import fresh
from tests.desk.test_handing import accept, offered

pytestmark = pytest.mark.django_db
GRAVE = "세 번째 문의입니다. 소비자원에 신고하겠습니다. 주문번호 HN-20261101"


def grave(cast) -> Case:
    return fresh(stages.owned(cast, text=GRAVE))


def test_1_a_hand_over_makes_no_new_object_and_forgets_no_field(cast):
    case = offered(cast, text=GRAVE)
    accept(case, cast.by(cast.wei))
    after = fresh(case)
    assert Case.objects.count() == 1 and after.urgency == case.urgency == after.urgency_floor >= 4


def test_2_the_impact_that_the_form_named_is_the_one_that_counts(cast):
    impact = Impact(campaign_at_risk=True)
    case = open_case(
        cast.haneul, Report(text="hello", impact=impact), by=actors.customer(cast.alex.pk), customer=cast.alex
    ).case
    assert case.urgency == 5
    assert UrgencyEvidence.objects.filter(case=case, source="impact:campaign_at_risk", level=5).exists()


def test_3_no_change_of_status_changes_the_urgency(cast):
    case = grave(cast)
    reply(case, by=cast.by(cast.minji), seen=None, text="Which account?", next_word_at=stages.soon())
    wait(case, by=cast.by(cast.minji), seen=None, waiting_for="carrier")
    assert fresh(case).urgency == case.urgency
    record_fix(case, by=cast.by(cast.minji), seen=None, done="Sent again.", cause="Bank.", remedy="refund")
    assert fresh(case).urgency == case.urgency


def test_4_taking_evidence_away_computes_nothing_downward(cast):
    case, urgent = stages.owned(cast), fresh(stages.owned(cast, customer=cast.alex))
    raise_urgency(urgent, by=cast.by(cast.jun), level=5, reason="Their shop stands still.")
    link(case, urgent, by=cast.by(cast.minji), seen=None, relation="parent")
    risen = fresh(case).urgency
    unlink(case, urgent, by=cast.by(cast.minji), seen=None)
    assert fresh(case).urgency == risen and fresh(urgent).urgency == 5
    fact = note_fact(
        urgent, by=cast.by(cast.jun), text="Stands still.", source="system_log", happened_at=clock.now()
    )
    strike_fact(urgent, fact.data["fact"], by=cast.by(cast.jun), because="Other shop.")
    assert fresh(urgent).urgency == 5


def test_5_by_hand_it_goes_up_for_anybody_and_down_only_for_a_lead_in_writing(cast):
    case = grave(cast)
    raise_urgency(case, by=cast.by(cast.jun), level=5, reason="Press called.")
    for who in (cast.jun, cast.minji, cast.wei):
        with pytest.raises(NotAllowed):
            lower_urgency(case, by=cast.by(who), seen=None, level=2, reason="r", evidence="e")
    for words in ({"reason": "", "evidence": "e"}, {"reason": "r", "evidence": " "}):
        with pytest.raises(Refusal):
            lower_urgency(case, by=cast.by(cast.sujin), seen=None, level=2, **words)
    assert fresh(case).urgency == 5


def test_6_work_that_is_split_off_keeps_the_urgency(cast):
    case = grave(cast)
    customer_writes(case, by=actors.customer(case.customer_id), text="그리고 쿠폰도 사라졌어요.")
    last = case.messages.filter(author="customer").order_by("-id").first()
    split(fresh(case), [last.pk], by=cast.by(cast.minji), seen=None, subject="쿠폰")
    new = Case.objects.exclude(pk=case.pk).get()
    assert new.urgency >= case.urgency


def test_7_an_input_that_nobody_knows_takes_the_highest_or_fails_aloud(cast):
    rows = demands.at_opening("hello", "en", Impact(money_lost=Decimal(10), currency="XXX"), "")
    assert max(e.level for e in rows) == 5
    assert [known(level) for level in (9, 0, None, "low", True, 2)] == [5, 5, 5, 5, 5, 2]


def test_8_sorting_it_as_something_small_lowers_nothing(cast):
    case = grave(cast)
    low = min(taxonomy().types.values(), key=lambda t: t.urgency)
    triage(case, Sorting(type=low.code), by=cast.by(cast.minji), seen=None)
    assert fresh(case).urgency == case.urgency


def legal(case: Case) -> Promise:
    now = clock.now()
    return Promise.objects.create(
        case=case, what="legal", basis="statutory", due_at=now + timedelta(days=3), look_at=now + timedelta(days=2),
        rule="kr.ecommerce.refund", trigger_at=now,
    )  # fmt: skip


def test_nobody_lowers_it_while_a_legal_clock_runs(cast):
    case = grave(cast)
    legal(case)
    with pytest.raises(Refusal) as refused:
        lower_urgency(case, by=cast.by(cast.hana), seen=None, level=2, reason="r", evidence="e")
    assert refused.value.code == "legal_clock"
    with (
        pytest.raises(IntegrityError, match="legal clock"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO makegood_urgencylowering (case_id, seq, from_level, to_level, reason, evidence, by_id, at)"
            " VALUES (%s, %s, 4, 1, 'r', 'e', %s, now())",
            [case.pk, case.version + 1, cast.sujin.pk],
        )


def test_the_audit_finds_a_drop_that_was_planted_by_hand(cast):
    case, lowered = grave(cast), grave(cast)
    lower_urgency(
        lowered, by=cast.by(cast.hana), seen=None, level=2, reason="Read wrongly.", evidence="Letter 3."
    )
    assert list(silent_drops()) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE makegood_case DISABLE TRIGGER USER")
        cursor.execute("UPDATE makegood_case SET urgency = 1, urgency_floor = 1 WHERE id = %s", [case.pk])
        cursor.execute("ALTER TABLE makegood_case ENABLE TRIGGER USER")
    (drop,) = silent_drops()
    assert (drop.number, drop.found, drop.told) == (case.number, 1, case.urgency)
    assert audit_urgency() == 1
    assert Notice.objects.get(kind="urgency_dropped").user == cast.hana


def test_the_audit_finds_a_lowering_whose_words_were_taken_away(cast):
    case = grave(cast)
    lower_urgency(
        case, by=cast.by(cast.hana), seen=None, level=2, reason="Read wrongly.", evidence="Letter 3."
    )
    case.lowerings.all().delete()
    (drop,) = silent_drops()
    assert drop.lowerings_without_words == 1 and drop.number == case.number


def test_evidence_that_comes_after_a_lowering_counts_again(cast):
    case = grave(cast)
    lower_urgency(
        case, by=cast.by(cast.hana), seen=None, level=2, reason="Read wrongly.", evidence="Letter 3."
    )
    raise_urgency(case, by=cast.by(cast.jun), level=3, reason="They wrote again.")
    assert fresh(case).urgency == 3 and list(silent_drops()) == []


def test_what_jiwoo_says_of_a_case_that_is_as_urgent_as_can_be_still_travels_with_it(cast):
    case = stages.owned(cast)
    raise_urgency(case, by=cast.by(cast.sujin), level=5, reason="A campaign stands still.")
    customer_writes(fresh(case), by=actors.customer(cast.jiwoo.pk), text="소비자원에 신고하겠습니다.")
    heard = UrgencyEvidence.objects.filter(case=case, source__startswith="signal:threat")
    before = set(heard.values_list("source", "quote"))
    assert before and all(e.quote in "소비자원에 신고하겠습니다." and e.message_id for e in heard)
    assert fresh(case).urgency == 5
    assert case.events.filter(kind="climbed", data__why="signal").exists(), (
        "a threat reaches the lead all the same"
    )
    customer_writes(fresh(case), by=actors.customer(cast.jiwoo.pk), text="소비자원에 꼭 신고하겠습니다!")
    assert set(heard.values_list("source", "quote")) == before, "once a kind is enough"
    assert case.events.filter(kind="voice_heard").count() == 1
