"""A reply is looked at again when it is sent: by every door alike, and refused only for what is grave."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.conversations.models import Draft, Message, ReplyOverride, RuleLevel
from makegood.desk import checking, incident_acts, incidents, talking, telling
from makegood.desk.checking import Unfit
from makegood.desk.saying import GivenTime
from makegood.incidents.models import Incident, IncidentAct
from makegood.people import actors
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def reply(cast, case, text, **more):
    more.setdefault("next_word_at", stages.soon())
    return talking.reply(case, by=cast.by(cast.minji), seen=case.version, text=text, **more)


def rules(look):
    return {told.finding.rule for told in look.findings}


def look(cast, case, text, verb="reply"):
    return checking.look(case, text, by=cast.by(cast.minji), verb=verb)


def test_done_before_it_was_verified_needs_a_reason_which_stands_with_the_message(cast):
    case = stages.owned(cast)
    with pytest.raises(Unfit) as refused:
        reply(cast, case, "환불이 완료되었습니다.")
    assert refused.value.code == "done.claimed" and refused.value.field == "text"
    assert not Message.objects.filter(case=case, author="staff").exists(), "nothing was written"
    event = reply(
        cast,
        case,
        "환불이 완료되었습니다.",
        justified={"done.claimed": "카드사 화면에서 보았음", "canned": "x"},
    )
    assert event.data["justified"] == ["done.claimed"], "codes only, and only what was needed"
    kept = ReplyOverride.objects.get()
    assert (kept.message_id, kept.rule, kept.reason) == (
        event.data["message"],
        "done.claimed",
        "카드사 화면에서 보았음",
    )


def test_a_blank_reason_is_none(cast):
    with pytest.raises(Unfit):
        reply(cast, stages.owned(cast), "환불이 완료되었습니다.", justified={"done.claimed": "  "})


def test_after_the_verification_the_outcome_may_be_told(cast):
    case = stages.verified(cast)
    event = telling.tell(
        case,
        by=cast.by(cast.minji),
        seen=case.version,
        text="전액 환불해 드렸습니다. 환불이 완료되었으니 확인 부탁드립니다.",
        next_word_at=stages.soon(),
    )
    assert "justified" not in event.data


def test_the_customers_own_number_may_be_written_and_nobody_elses(cast):
    case = stages.owned(cast)
    cast.jiwoo.phone = "+82 10-2222-3333"
    cast.jiwoo.save(update_fields=["phone"])
    case = stages.fresh(case)
    assert "pii" not in rules(look(cast, case, "010-2222-3333으로 전화드리겠습니다"))
    assert "pii" in rules(look(cast, case, "010-9999-8888으로 전화드리겠습니다"))
    assert "order.other" in rules(look(cast, case, "주문번호 HN-20269999 건입니다"))
    assert "order.other" not in rules(look(cast, case, "주문번호 HN-20261101 건입니다"))


def test_a_second_apology_in_one_round_is_counted(cast):
    case = stages.owned(cast)
    assert "apology.again" not in rules(look(cast, case, "늦어져 죄송합니다"))
    reply(cast, case, "늦어져 죄송합니다")
    again = look(cast, stages.fresh(case), "거듭 죄송합니다")
    (found,) = [t.finding for t in again.findings if t.finding.rule == "apology.again"]
    assert found.params["n"] == 1 and found.quote == "죄송"


def test_what_an_answer_must_hold_depends_on_where_the_case_stands(cast):
    case = stages.owned(cast)
    assert "missing.understood" in rules(look(cast, case, "네"))
    assert "missing.confirm" in rules(look(cast, case, "네", verb="tell"))
    reply(cast, case, "확인하고 있습니다.", next_word_at=stages.soon(1))
    with clock.travel(timedelta(hours=2)):
        assert "missing.apology" in rules(look(cast, stages.fresh(case), "확인해 보니 창고에 있습니다")), (
            "we are late"
        )


def test_the_lead_of_a_team_switches_a_check(cast):
    case = stages.owned(cast)
    team = checking.team_of(case, cast.by(cast.minji))
    assert team == cast.front.pk
    RuleLevel.objects.create(team=cast.front, rule="done.claimed", level="off", by=cast.sujin)
    RuleLevel.objects.create(team=cast.front, rule="canned", level="justify", by=cast.sujin)
    assert "done.claimed" not in rules(look(cast, case, "환불이 완료되었습니다."))
    with pytest.raises(Unfit, match="It could be sent to anyone"):
        reply(cast, case, "소중한 고객님, 확인 중입니다.")
    reply(cast, case, "환불이 완료되었습니다.")


# ---------------------------------------------------------------- promised times


FIRM = "확인해서 내일 오전까지 전화드리겠습니다."


def test_a_time_in_the_words_that_nobody_answered_for_is_refused(cast):
    case = stages.owned(cast)
    with pytest.raises(Unfit) as refused:
        reply(cast, case, FIRM)
    assert refused.value.code == "unheard_promise" and "내일 오전까지" in str(refused.value)
    (offer,) = refused.value.look.offers
    assert (offer.what, offer.possible) == ("call_back", True)


def test_confirmed_it_is_a_promise_in_the_words_in_which_it_was_given(cast):
    case = stages.owned(cast)
    (offer,) = look(cast, case, FIRM).offers
    given = GivenTime(offer.what, offer.at, offer.given.quote)
    event = reply(cast, case, FIRM, promises=[given])
    promise = Promise.objects.get(pk__in=event.data["times"])
    assert (promise.what, promise.due_at, promise.words) == ("call_back", offer.at, offer.given.quote)


def test_declined_it_needs_no_reason_and_leaves_no_promise(cast):
    case = stages.owned(cast)
    event = reply(cast, case, FIRM, declined=["내일 오전까지"])
    assert "times" not in event.data and "justified" not in event.data
    assert not ReplyOverride.objects.exists()


def test_the_time_of_the_next_word_itself_needs_no_second_answer(cast):
    case = stages.owned(cast)
    (offer,) = look(cast, case, FIRM).offers
    event = reply(cast, case, FIRM, next_word_at=offer.at + timedelta(seconds=20))
    assert "times" not in event.data


def test_a_time_behind_us_and_one_too_far_ahead_cannot_be_kept(cast):
    case = stages.owned(cast)
    (past,) = look(cast, case, "어제 말씀드린 대로 오늘 0시까지 연락드리겠습니다.").offers
    (far,) = look(cast, case, "90일 이내에 환불해 드리겠습니다.").offers
    assert past.past and not past.possible and far.far and not far.possible


def test_the_day_is_that_of_the_writers_zone(cast):
    case = stages.owned(cast)
    moment = clock.now().replace(hour=15, minute=30)  # past midnight in Seoul, not yet in London
    with clock.travel(moment):
        (seoul,) = look(cast, case, FIRM).offers
        cast.minji.zone = "Europe/London"
        cast.minji.save(update_fields=["zone"])
        (london,) = look(cast, case, FIRM).offers
    assert timedelta(hours=-16) < london.at - seoul.at < timedelta(hours=-14)


def test_vague_is_advised_against_and_never_refused(cast):
    case = stages.owned(cast)
    seen = look(cast, case, "최대한 빨리 연락드리겠습니다.")
    assert "vague.soon" in rules(seen) and not seen.offers
    reply(cast, case, "최대한 빨리 연락드리겠습니다.")


def test_a_refusal_keeps_what_was_being_written(cast):
    case = stages.owned(cast)
    Draft.objects.create(case=case, user=cast.minji, body="환불이 완료되었습니다.")
    with pytest.raises(Unfit):
        reply(cast, case, "환불이 완료되었습니다.")
    assert Draft.objects.get().body == "환불이 완료되었습니다."


def test_the_look_costs_a_bounded_number_of_queries(cast, django_assert_max_num_queries):
    case = stages.owned(cast)
    look(cast, case, FIRM)  # the calendar of the country is made at its first use
    for n in range(3):
        talking.customer_writes(case, by=actors.customer(cast.jiwoo.pk), text=f"{n}번 더")
    with django_assert_max_num_queries(11):
        look(cast, stages.fresh(case), FIRM)


EXPEDITED = [
    (
        "jiwoo",
        "서둘러 처리하겠습니다.",
        "재무팀이 오늘 오후 4시까지 서둘러 처리하고, 제가 바로 알려 드리겠습니다.",
    ),
    ("lina", "我们会加急处理。", "我已请财务加急处理，今天下午4点前我给您结果。"),
    (
        "alex",
        "We will expedite this.",
        "I will expedite it with our finance team and write to you by 4 pm today.",
    ),
]


@pytest.mark.parametrize(("who", "empty", "whole"), EXPEDITED)
def test_we_will_expedite_is_sent_only_with_who_and_by_when_or_with_a_reason(cast, who, empty, whole):
    case = stages.owned(cast, customer=getattr(cast, who))
    with pytest.raises(Unfit) as refused:
        reply(cast, case, empty)
    assert refused.value.code == "vague.expedite" and not Message.objects.filter(author="staff").exists()
    assert "vague.expedite" in rules(look(cast, case, empty + " " + empty))
    assert "vague.expedite" not in rules(look(cast, case, whole))
    event = reply(cast, case, empty, justified={"vague.expedite": "They asked for the one word by phone."})
    assert "vague.expedite" in event.data["justified"]


def test_a_word_to_all_of_an_incident_that_only_expedites_is_refused_too(cast):
    incident = Incident.objects.get(
        pk=incidents.open_incident(
            stages.owned(cast), by=cast.by(cast.sujin), words="The bank is down."
        ).data["incident"]
    )
    with pytest.raises(Refusal) as refused:
        incident_acts.tell_incident(
            incident, by=cast.by(cast.sujin), texts={"ko": "최우선으로 처리하겠습니다."}
        )
    assert refused.value.field == "text_ko" and not IncidentAct.objects.exists()
