"""One fault over many cases: an incident is opened, grows, speaks to every customer once, and ends by their own words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.cases.models import Case, Notice
from makegood.conversations.models import Delivery, Message
from makegood.desk import closing, handling, incident_acts, incident_steps, incidents, joining, talking
from makegood.desk.telling import confirm
from makegood.incidents.models import ActStep, Incident, IncidentAct, IncidentCase
from makegood.incidents.progress import counted, stages
from makegood.jobs.sweep import tick
from makegood.people import actors
from makegood.people.models import Customer, Team
from makegood.promises.models import Promise
from tests import cast as stages_of
from tests.cast import fresh, soon

pytestmark = pytest.mark.django_db

KO = "결제 시스템 장애로 입금이 늦어지고 있습니다. 불편을 드려 죄송합니다. 은행과 함께 원인을 확인하고 있으며, 진행 상황을 다시 알려 드리겠습니다."
EN = (
    "Thank you for your patience, and we are sorry for the trouble. A fault in the payment system holds back your refund. "
    "We are working on it with the bank, and will tell you here how it goes."
)
ZH = "您好，很抱歉给您带来不便。由于支付系统故障，您的退款有所延迟。我们正在与银行一起核实原因，会在这里继续告知您进展。"
WORDS = {"ko": KO, "en": EN, "zh-hans": ZH}


def opened(cast, *cases: Case, anchor: Case | None = None, **more) -> Incident:
    anchor = anchor or stages_of.owned(cast)
    more.setdefault("common", {"shop": anchor.shop_id, "type": "refund.delay"})
    event = incidents.open_incident(
        anchor, by=cast.by(cast.sujin), words="The bank is down.", cases=cases, **more
    )
    return Incident.objects.get(pk=event.data["incident"])


def many(cast, n: int, stage=stages_of.reported) -> list[Case]:
    """Cases of customers of their own: Korean, English and Korean again."""
    made = []
    first = Customer.objects.count() * 2
    for i in range(first, first + n):
        customer = Customer.objects.create(
            shop=cast.haneul, name=f"C{i}", email=f"c{i}@customer.example", language=("ko", "en")[i % 2]
        )
        made.append(stage(cast, customer=customer))
    return made


def tell(cast, incident: Incident, user=None, **more) -> IncidentAct:
    more.setdefault("texts", WORDS)
    more.setdefault("reason", "One word to all.")
    event = incident_acts.tell_incident(incident, by=cast.by(user or cast.sujin), **more)
    return IncidentAct.objects.get(pk=event.data["act"])


def states(act: IncidentAct) -> list[str]:
    return sorted(act.steps.values_list("state", flat=True))


def test_one_act_tells_every_customer_in_their_own_language(cast):
    anchor, *others = cases = [stages_of.owned(cast), *many(cast, 3)]
    incident = opened(cast, *others, anchor=anchor)
    act = tell(cast, incident)
    assert states(act) == ["waiting"] * 4 and not Message.objects.filter(author="staff").exists()
    tick()
    assert states(act) == ["done"] * 4
    for case in cases:
        said = Message.objects.get(case=case, author="staff")
        assert said.body == (EN if case.language == "en" else KO) and said.language == case.language
        letter = Delivery.objects.get(message=said)
        assert letter.to == case.customer.email and letter.language == case.language
        event = case.events.get(kind="replied")
        assert event.actor_id == cast.sujin.pk and event.data["act"] == act.pk
        promise = Promise.objects.get(pk=event.data["promise"])
        assert promise.case_id == case.pk and promise.given_in_id == said.pk and promise.state == "open"
        first = Promise.objects.get(case=case, what="first_word")
        assert first.state == "kept" and first.proof_id == said.pk
        assert fresh(case).due_at == min(
            Promise.objects.filter(case=case, state="open").values_list("due_at", flat=True)
        )
        assert fresh(case).status == "working"


def test_without_a_given_time_each_next_word_is_by_the_rule_of_its_own_level(cast):
    anchor, other = stages_of.owned(cast), stages_of.reported(cast, customer=cast.alex)
    incident = opened(cast, other, anchor=anchor)
    handling.raise_urgency(other, by=cast.by(cast.minji), level=5, reason="A wedding.")
    tell(cast, incident)
    tick()
    due = {
        case.pk: Promise.objects.get(case=case, what="next_word", state="open").due_at - clock.now()
        for case in (anchor, other)
    }
    assert due[other.pk] < timedelta(hours=24) and due[anchor.pk] <= timedelta(hours=24)
    assert due[other.pk] < due[anchor.pk] or fresh(anchor).urgency == 5


def test_nobody_is_given_an_earlier_time_than_they_were_promised_nor_keeps_one_that_passed(cast):
    case = stages_of.owned(cast)
    talking.reply(
        case,
        by=cast.by(cast.minji),
        seen=None,
        text="확인 후 곧 다시 안내드리겠습니다.",
        next_word_at=soon(30),
    )
    late = stages_of.reported(cast, customer=cast.alex)
    incident = opened(cast, late, anchor=case)
    with clock.travel(timedelta(hours=26)):
        tell(cast, incident, next_word_at=clock.now() + timedelta(hours=1))
        tick()
        given = Promise.objects.get(case=case, what="next_word", state="open")
        assert given.due_at - clock.now() > timedelta(hours=3)
        assert Promise.objects.get(case=late, what="first_word").state == "broken"
        assert (
            late.events.filter(kind="promise_broken").exists() and late.events.filter(kind="replied").exists()
        )


def test_a_missing_language_is_refused_with_the_count_and_nobody_is_told(cast):
    incident = opened(cast, *many(cast, 4))
    with pytest.raises(Refusal) as refused:
        tell(cast, incident, texts={"ko": KO})
    assert refused.value.code == "missing_language" and refused.value.field == "text_en"
    assert (
        "2" in str(refused.value.reason) and not IncidentAct.objects.exists() and not ActStep.objects.exists()
    )


def test_words_that_a_check_stops_need_a_reason_and_it_is_kept_with_each_message(cast):
    incident = opened(cast)
    with pytest.raises(Refusal) as refused:
        tell(cast, incident, texts={"ko": "010-1234-5678로 연락하세요."}, reason="")
    assert refused.value.field == "text_ko" and not IncidentAct.objects.exists()
    tell(cast, incident, texts={"ko": "010-1234-5678로 연락하세요."}, reason="The bank's own number.")
    tick()
    said = Message.objects.get(author="staff")
    assert {row.reason for row in said.overrides.all()} == {"The bank's own number."}
    assert said.case.events.get(kind="replied").data["justified"]


def test_a_customer_without_an_address_is_told_on_their_page(cast):
    nobody = Customer.objects.create(shop=cast.haneul, name="No letters", phone="010", language="ko")
    case = stages_of.reported(cast, customer=nobody)
    act = tell(cast, opened(cast, case))
    tick()
    assert states(act) == ["done", "done"]
    assert (
        Message.objects.filter(case=case, author="staff").exists()
        and not Delivery.objects.filter(case=case).exists()
    )


def test_who_cannot_be_told_is_counted_with_the_reason_and_stops_nobody(cast):
    """One row that the database refuses: its case stays untold and says so; the ninety-nine others hear."""
    from django.db import connection

    cases = many(cast, 5)
    act = tell(cast, opened(cast, *cases))
    connection.check_constraints()  # what is deferred comes first: PostgreSQL alters no table with triggers pending
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE makegood_message ADD CONSTRAINT poison CHECK (case_id <> {cases[2].pk} OR author <> 'staff')"
        )
    tick()
    assert states(act) == ["done"] * 5 + ["waiting"]
    poisoned = act.steps.get(case=cases[2])
    assert poisoned.set_back == 1 and "poison" in poisoned.trouble and poisoned.look_at > clock.now()
    assert Notice.objects.filter(kind="poisoned").exists()
    for hours in (1, 2, 3, 12, 48, 100):
        with clock.travel(timedelta(hours=hours)):
            ActStep.objects.filter(pk=poisoned.pk, state="waiting").update(look_at=clock.now())
            tick()
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.why) == ("failed", "trouble") and counted([act])[act.pk].failed == 1


def test_a_word_that_was_begun_goes_on_after_a_kill_and_nobody_hears_it_twice(cast, monkeypatch):
    """The process dies in the middle: what was committed stays, the rest is done later, each exactly once."""
    from makegood.jobs import sweep

    act = tell(cast, opened(cast, *many(cast, 5)))
    small = tuple(
        sweep.Source(**{**vars(s), "size": 2}) if s.name == "incident steps" else s for s in sweep.SOURCES
    )
    steps = next(s for s in small if s.name == "incident steps")
    assert sweep.batch(steps) == 2 and states(act) == ["done"] * 2 + ["waiting"] * 4

    class Killed(BaseException):
        pass

    def dies(*args, **more):
        raise Killed

    monkeypatch.setattr(incident_steps, "_settle", dies)  # all was written, the step not yet settled
    with pytest.raises(Killed):
        sweep.batch(steps)
    monkeypatch.undo()
    assert (
        states(act) == ["done"] * 2 + ["waiting"] * 4 and Message.objects.filter(author="staff").count() == 2
    )
    tick()
    assert states(act) == ["done"] * 6
    assert (
        Message.objects.filter(author="staff").count() == Delivery.objects.filter(what="reply").count() == 6
    )
    tick()
    assert Message.objects.filter(author="staff").count() == 6


def test_a_second_word_waits_until_the_first_is_through_and_the_same_words_are_not_told_twice(cast):
    incident = opened(cast, *many(cast, 2))
    tell(cast, incident)
    with pytest.raises(Refusal) as refused:
        tell(cast, incident, user=cast.hana, texts={"ko": KO + " 두 번째.", "en": EN + " Again."})
    assert refused.value.code == "still_running"
    tick()
    with pytest.raises(Refusal) as refused:
        tell(cast, incident, user=cast.hana)
    assert refused.value.code == "told_already"
    assert IncidentAct.objects.count() == 1


def test_cases_that_ended_left_or_were_told_in_the_middle_are_passed_over(cast):
    ended, left, mended, stays = cases = [
        *many(cast, 2),
        stages_of.verified(cast, customer=cast.alex),
        *many(cast, 1),
    ]
    incident = opened(cast, *cases)
    act = tell(cast, incident)
    closing.withdraw(ended, by=actors.customer(ended.customer_id), seen=None, words="괜찮아요")
    incidents.leave_incident(left, by=cast.by(cast.sujin), reason="Another cause.")
    from makegood.desk.telling import tell as tell_one

    tell_one(fresh(mended), by=cast.by(cast.minji), seen=None, text=EN, next_word_at=soon(48))
    tick()
    why = dict(act.steps.values_list("case", "why"))
    assert why[ended.pk] == "ended" and why[left.pk] == "left" and why[mended.pk] == "moved_on"
    assert act.steps.get(case=stays).state == "done"
    assert not Message.objects.filter(case__in=[ended, left], author="staff").exists()


def test_a_case_that_is_merged_in_the_middle_hears_the_word_as_the_one_that_it_went_into(cast):
    one, two = stages_of.reported(cast), stages_of.reported(cast)
    incident = opened(cast, one, anchor=stages_of.owned(cast, customer=cast.alex))
    act = tell(cast, incident)
    joining.merge(fresh(one), fresh(two), by=cast.by(cast.minji), seen=None)
    tick()
    assert states(act) == ["done", "done"]
    assert Message.objects.filter(case=two, author="staff").count() == 1
    assert incidents.standing_of(two).incident_id == incident.pk and incidents.standing_of(one) is None


def test_the_anchor_may_be_merged_and_the_incident_goes_on(cast):
    anchor, into = stages_of.owned(cast), stages_of.reported(cast)
    incident = opened(cast, *many(cast, 1), anchor=anchor)
    joining.merge(fresh(anchor), fresh(into), by=cast.by(cast.minji), seen=None)
    act = tell(cast, incident)
    tick()
    assert states(act) == ["done", "done"] and into.events.filter(kind="incident_acted").exists()


# Who is in it, and how urgent that is


def test_a_case_that_joins_rises_to_the_level_of_the_incident_with_evidence_and_none_falls(cast):
    anchor = stages_of.owned(cast)
    handling.raise_urgency(anchor, by=cast.by(cast.minji), level=4, reason="A wedding.")
    incident = opened(cast, anchor=fresh(anchor))
    calm, hot = many(cast, 2)
    handling.raise_urgency(hot, by=cast.by(cast.minji), level=5, reason="Harm.")
    for case in (calm, hot):
        incidents.join_incident(case, incident, by=cast.by(cast.minji))
    assert (fresh(calm).urgency, fresh(hot).urgency) == (4, 5)
    assert calm.evidence.filter(source=f"incident:{anchor.number}", level=4).exists()
    late = stages_of.reported(cast, customer=cast.alex)
    incidents.join_incident(late, incident, by=cast.by(cast.minji))
    assert fresh(late).urgency == 5 == incidents.level_of(incident) and fresh(anchor).urgency == 4
    incidents.leave_incident(late, by=cast.by(cast.sujin), reason="Another cause.")
    assert fresh(late).urgency == 5, "what was believed urgent is not lowered by leaving"


def test_a_case_is_in_one_open_incident_at_most(cast):
    first, second = opened(cast), opened(cast, anchor=stages_of.owned(cast, customer=cast.alex))
    case = many(cast, 1)[0]
    incidents.join_incident(case, first, by=cast.by(cast.minji))
    with pytest.raises(Refusal) as refused:
        incidents.join_incident(case, second, by=cast.by(cast.minji))
    assert refused.value.code == "in_another" and str(first.pk) in str(refused.value.reason)
    with pytest.raises(Refusal):
        incidents.open_incident(case, by=cast.by(cast.sujin), words="Again.")
    third = opened(cast, case, anchor=stages_of.owned(cast, customer=cast.alex))
    assert incidents.members(third).count() == 1, "it stays where it is"


def test_who_left_may_come_back_and_the_anchor_stays(cast):
    incident = opened(cast)
    case = many(cast, 1)[0]
    for _again in range(2):
        incidents.join_incident(case, incident, by=cast.by(cast.minji))
        incidents.leave_incident(case, by=cast.by(cast.sujin), reason="Another cause.")
    incidents.join_incident(case, incident, by=cast.by(cast.minji))
    assert incidents.members(incident).count() == 2
    with pytest.raises(Refusal):
        incidents.leave_incident(incident.case, by=cast.by(cast.sujin), reason="x")
    with pytest.raises(Refusal) as refused:
        incidents.leave_incident(case, by=cast.by(cast.sujin), reason=" ")
    assert refused.value.field == "reason" and incidents.standing_of(case)


def test_agents_count_cases_in_and_only_leads_open_speak_and_close(cast):
    case, minji = stages_of.owned(cast), cast.by(cast.minji)
    with pytest.raises(NotAllowed):
        incidents.open_incident(case, by=minji, words="x")
    incident = opened(cast, anchor=case)
    for call in (
        lambda: tell(cast, incident, user=cast.minji),
        lambda: incidents.close_incident(incident, by=minji),
        lambda: incident_acts.fix_incident(incident, by=minji, done="x", cause="y"),
        lambda: incidents.leave_incident(case, by=minji, reason="x"),
    ):
        with pytest.raises(NotAllowed):
            call()
    assert not IncidentAct.objects.exists()


def test_a_lead_who_does_not_serve_a_shop_neither_sees_nor_tells_its_customers(cast):
    away = stages_of.user("Mira", "lead")
    team = Team.objects.create(name="Moon line", lead=away)
    team.shops.add(cast.moon)
    incident = opened(cast, common={"type": "refund.delay"})
    with pytest.raises(NotThere):
        incidents.incident_for(cast.by(away), incident.pk)
    lina = stages_of.reported(cast, customer=cast.lina)
    incidents.join_incident(lina, incident, by=cast.by(cast.minji))
    assert incidents.incident_for(cast.by(away), incident.pk) == incident
    with pytest.raises(NotAllowed) as refused:
        tell(cast, incident, user=away)
    assert "Haneul" in str(refused.value.reason) and not IncidentAct.objects.exists()


# Mended: each case keeps its own proof, telling and confirmation


def mended(cast, incident: Incident) -> None:
    incident_acts.fix_incident(
        incident, by=cast.by(cast.sujin), done="Bank link restored.", cause="Expired key.", remedy="refund"
    )
    tick()
    incident_acts.verify_incident(
        incident, by=cast.by(cast.wei), proof="payment_record", what_was_seen="All refunds left."
    )
    tick()
    incident_acts.tell_mended(incident, by=cast.by(cast.sujin), texts=WORDS, reason="One word to all.")
    tick()


def test_one_fix_one_look_one_telling_and_everybody_answers_for_themselves(cast):
    cases = many(cast, 3)
    incident = opened(cast, *cases)
    mended(cast, incident)
    every = [incident.case, *cases]
    for case in every:
        now = fresh(case)
        assert now.status == "told" and now.type == "refund.delay" and now.owner is not None
        assert case.fixes.get().by == cast.sujin and case.verifications.get().by == cast.wei
        assert case.tellings.get().message.body == WORDS[case.language]
    good, bad, silent, _anchor = *cases, incident.case
    confirm(good, by=actors.customer(good.customer_id), telling_id=good.tellings.get().pk, answer="all_good")
    confirm(bad, by=actors.customer(bad.customer_id), telling_id=bad.tellings.get().pk, answer="not_good")
    counts = {stage.code: stage.n for stage in stages(incidents.members(incident)) if stage.n}
    assert counts == {"confirmed": 1, "not_good": 1, "silent": 2}
    assert (
        fresh(good).ended_as == "made_good"
        and fresh(bad).status == "working"
        and fresh(silent).status == "told"
    )
    with pytest.raises(Refusal) as refused:
        incidents.close_incident(incident, by=cast.by(cast.sujin))
    assert refused.value.code == "open_cases" and "3" in str(refused.value.reason)


def test_who_fixed_it_does_not_verify_it_for_all_without_a_record(cast):
    incident = opened(cast, *many(cast, 2))
    incident_acts.fix_incident(incident, by=cast.by(cast.sujin), done="Restored.", cause="Key.")
    tick()
    with pytest.raises(Refusal) as refused:
        incident_acts.verify_incident(
            incident, by=cast.by(cast.sujin), proof="payment_record", what_was_seen="Seen."
        )
    assert refused.value.code == "fixer_alone" and not IncidentAct.objects.filter(kind="verify").exists()
    incident_acts.verify_incident(
        incident, by=cast.by(cast.sujin), proof="payment_record", what_was_seen="Seen.", reference="R-77"
    )
    tick()
    assert {case.status for case in Case.objects.filter(incidents__incident=incident)} == {"verified"}


def test_an_incident_closes_when_every_case_has_its_own_word_or_was_taken_out(cast):
    case, other = many(cast, 2)
    incident = opened(cast, case, other)
    mended(cast, incident)
    for one in (case, incident.case):
        confirm(one, by=actors.customer(one.customer_id), telling_id=one.tellings.get().pk, answer="all_good")
    with pytest.raises(Refusal):
        incidents.close_incident(incident, by=cast.by(cast.sujin))
    incidents.leave_incident(other, by=cast.by(cast.sujin), reason="Another cause.")
    incidents.close_incident(incident, by=cast.by(cast.sujin))
    incident.refresh_from_db()
    assert not incident.is_open and fresh(other).is_open
    with pytest.raises(Refusal) as refused:
        tell(cast, incident)
    assert refused.value.code == "incident_closed"
    again = opened(cast, anchor=fresh(other))
    assert again.pk != incident.pk


def test_two_hundred_at_once_and_not_one_more(cast):
    with pytest.raises(Refusal) as refused:
        opened(cast, *(Case(pk=10**6 + n) for n in range(201)))
    assert (
        refused.value.code == "too_many"
        and not Incident.objects.exists()
        and not IncidentCase.objects.exists()
    )
