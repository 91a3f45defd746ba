"""What the house does by itself when a moment comes, in a day of Minji, Sujin and Jiwoo; time travels, nothing waits.

Over 300 lines: each kind of moment, and what each must survive, in one place.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from makegood.base import clock
from makegood.base.errors import Refusal, Stale
from makegood.cases import pen
from makegood.cases.models import CaseEvent, Notice
from makegood.conversations.models import Delivery, Message
from makegood.desk import breaking, notices
from makegood.desk.closing import end_disagreed, reopen, withdraw
from makegood.desk.fixing import record_fix
from makegood.desk.following_up import answer_follow_up, asks_whether_it_held
from makegood.desk.handling import assign, wait
from makegood.desk.joining import merge, split
from makegood.desk.snoozing import snooze, wake
from makegood.desk.talking import customer_writes, note, reply
from makegood.desk.telling import ask_again, confirm
from makegood.jobs import sweep
from makegood.people import actors
from makegood.promises import appointments
from makegood.promises.models import Appointment, Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db
What = Appointment.What
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def told_of(kind: str) -> list[str]:
    return list(Notice.objects.filter(kind=kind).order_by("id").values_list("user__name", flat=True))


def kinds(case) -> list[str]:
    return list(CaseEvent.objects.filter(case=case).order_by("seq").values_list("kind", flat=True))


def word(case) -> Promise:
    return Promise.objects.get(case=case, what="next_word", state="open")


def at(moment):
    return clock.travel(moment + timedelta(seconds=1))


def sweep_through(days: float, *, hours: float = 2) -> None:
    """Let so many days pass, sweeping every few hours."""
    now = clock.now()
    for n in range(1, int(days * 24 / hours) + 1):
        with clock.travel(now + timedelta(hours=n * hours)):
            sweep.tick()


def appointment(case, what: str) -> Appointment | None:
    return appointments.standing(case, what)


# ---------------------------------------------------------------------------------------------- promises


def test_minji_is_warned_first_then_sujin_then_it_breaks_and_each_is_once(cast):
    case = stages.answered(cast)
    given = word(case)
    assert sweep.tick() == 0
    span = given.due_at - given.made_at
    with at(given.made_at + span * 0.75):
        assert sweep.tick() == 1 and sweep.tick() == 0
    assert told_of("promise_near") == ["Minji"]
    with at(given.made_at + span * 0.9):
        assert sweep.tick() == 1 and sweep.tick() == 0
    assert told_of("promise_near") == ["Minji", "Sujin"]
    assert kinds(case)[case.version :] == ["climbed"], "the lead's warning is a step up the ladder"
    with transaction.atomic():
        pen.hold(case.pk, seen=case.version)  # and it makes nobody's form stale: Stale would be raised
    with at(given.due_at):
        sweep.tick()
        assert sweep.tick() == 0
    given.refresh_from_db()
    assert (given.state, given.settled_at, given.look_at) == ("broken", given.due_at, None)
    assert told_of("promise_broken") == ["Minji", "Sujin"]
    event = CaseEvent.objects.get(case=case, kind="promise_broken")
    assert event.true_at == given.due_at and event.actor_role == "system"
    assert sorted(event.data["told"]) == sorted([cast.minji.pk, cast.sujin.pk])
    after = stages.fresh(case)
    assert after.urgency == after.urgency_floor == max(case.urgency + 1, 3)
    assert after.evidence.filter(source="promise:broken").count() == 1
    assert after.due_at == given.due_at, "it stays overdue until somebody speaks"
    following = word(case)
    assert following.pk == event.data["renewed"] and following.basis == "policy"


def test_the_second_broken_promise_reaches_hana(cast):
    case = stages.answered(cast)
    sweep_through(2)
    events = list(CaseEvent.objects.filter(case=case, kind="promise_broken").order_by("seq"))
    assert [e.data["rung"] for e in events[:2]] == ["lead", "managers"]
    assert "Hana" in told_of("promise_broken")
    spans = [
        p.due_at - p.made_at
        for p in Promise.objects.filter(case=case, what="next_word", basis="policy").order_by("id")
    ]
    # The first two at levels 4 and 5; from then on each time farther, never beyond a day.
    assert spans[1:] == sorted(spans[1:]) and spans[1] < spans[-1] <= DAY


def test_a_case_without_an_owner_is_every_leads_who_serves_the_shop(cast):
    far = stages.user("Farlead", "lead")
    away = cast.tech
    away.shops.add(cast.moon)
    away.members.add(far)
    case = stages.reported(cast)
    with at(case.due_at):
        sweep.tick()
    assert told_of("promise_broken") == ["Sujin"] and far.pk not in notices.leads_of(case)


def test_a_late_restart_fires_all_that_was_missed_once_dated_by_when_it_was_true(cast):
    cases = [stages.answered(cast) for _ in range(3)]
    dues = {c.pk: word(c).due_at for c in cases}
    with clock.travel(timedelta(days=4)):
        sweep.tick()
        assert sweep.tick() == 0
    for case in cases:
        first = CaseEvent.objects.filter(case=case, kind="promise_broken", data__what="next_word").first()
        assert first.true_at == dues[case.pk]
        assert CaseEvent.objects.filter(case=case, data__promise=first.data["promise"]).count() == 2, (
            "given once, broken once"
        )
    assert not Notice.objects.filter(kind="promise_near", data__what="first_word").exists()


def test_a_late_answer_does_not_hide_that_it_is_late(cast):
    case = stages.answered(cast)
    late = word(case)
    with at(late.due_at + HOUR):
        event = reply(
            case,
            by=cast.by(cast.minji),
            seen=case.version,
            text="늦어 죄송합니다.",
            next_word_at=stages.soon(),
        )
        late.refresh_from_db()
        assert late.state == "broken" and late.proof_id == event.data["message"]
        assert kinds(case)[-3:] == ["promise_broken", "climbed", "replied"]
        assert stages.fresh(case).due_at > clock.now(), "answered: nothing is owed any more"
        assert Promise.objects.filter(case=case, what="next_word").count() == 2
        sweep.tick()  # the faster ladder of the level that the break demanded is looked at once
        assert sweep.tick() == 0


def test_a_promise_that_breaks_while_minji_writes_does_not_throw_her_answer_back(cast):
    case = stages.answered(cast)
    with at(word(case).due_at):
        sweep.tick()
        assert stages.fresh(case).version > case.version
        by = cast.by(cast.minji)
        reply(case, by=by, seen=case.version, text="늦었습니다.", next_word_at=stages.soon())
    seen = stages.fresh(case).version
    customer_writes(case, by=actors.customer(case.customer_id), text="???")
    with pytest.raises(Stale):
        reply(case, by=cast.by(cast.minji), seen=seen, text="x", next_word_at=stages.soon())


def test_what_is_kept_or_over_meanwhile_is_not_fired(cast):
    case = stages.answered(cast)
    row = word(case)
    end_disagreed(case, by=cast.by(cast.sujin), seen=None, text="x", outside_route="1372")
    with clock.travel(timedelta(days=9)):
        assert sweep.tick() == 0
    row.refresh_from_db()
    assert row.state == "kept" and "promise_broken" not in kinds(case)


def test_a_poisoned_row_is_set_back_and_reported_and_stops_nobody(cast, monkeypatch, caplog):
    bad, good = stages.answered(cast), stages.answered(cast)
    poison, fine = word(bad), word(good)
    real = breaking.broken

    def broken(late, **more):
        events = real(late, **more)
        if any(row.pk == poison.pk for _case, row in late):
            raise ValueError("poison")
        return events

    monkeypatch.setattr(breaking, "broken", broken)
    with at(max(poison.due_at, fine.due_at)):
        now = clock.now()
        sweep.tick()
        poison.refresh_from_db()
        fine.refresh_from_db()
        assert fine.state == "broken" and poison.state == "open", "what the failed one wrote is gone"
        assert poison.set_back == 1 and "poison" in poison.trouble and poison.look_at > now
        assert "cannot be worked through" in caplog.text and told_of("poisoned") == ["Root"]
        assert "promise_broken" not in kinds(bad)
    with at(poison.look_at):
        sweep.tick()
    poison.refresh_from_db()
    assert poison.set_back == 2 and told_of("poisoned") == ["Root"]
    monkeypatch.setattr(breaking, "broken", real)
    with at(poison.look_at):
        sweep.tick()
    event = CaseEvent.objects.get(case=bad, kind="promise_broken", data__promise=poison.pk)
    assert event.true_at == poison.due_at, "late as it is, it is dated by when it became true"


# ---------------------------------------------------------------------------------------------- waiting for the customer


def question(cast):
    case = stages.answered(cast)
    wait(case, by=cast.by(cast.minji), seen=None, waiting_for="customer")
    return stages.fresh(case)


def test_the_open_question_is_asked_again_on_schedule_and_then_minji_has_it_back(cast):
    case = question(cast)
    asked = appointment(case, What.ASK_AGAIN)
    assert asked.message.body == "확인하고 있습니다. 곧 알려 드리겠습니다."
    with at(asked.look_at):
        sweep.tick()
        seoul = clock.now().astimezone(ZoneInfo("Asia/Seoul"))
        assert 9 <= seoul.hour < 18
    again = Message.objects.filter(case=case, author="staff").last()
    assert asked.message.body in again.body
    assert Delivery.objects.get(message=again).what == "question"
    for _ in range(2):
        with at(appointment(case, What.ASK_AGAIN).look_at):
            sweep.tick()
    after = stages.fresh(case)
    assert (after.status, after.waiting_for) == ("working", "")
    assert kinds(case).count("question_repeated") == 2 and "waited_in_vain" in kinds(case)
    assert told_of("asked_in_vain") == ["Minji"] and after.is_open
    assert Promise.objects.filter(case=case, what="next_word", state="kept").count() == 0, (
        "no word is kept by it"
    )


def test_an_answer_ends_the_asking_and_so_does_work_that_goes_on(cast):
    one, two, three = question(cast), question(cast), question(cast)
    customer_writes(one, by=actors.customer(one.customer_id), text="국민은행입니다")
    wait(two, by=cast.by(cast.minji), seen=None, waiting_for="")
    record_fix(three, by=cast.by(cast.minji), seen=None, done="x", cause="y")
    assert all(appointment(c, What.ASK_AGAIN) is None for c in (one, two, three))


def test_waiting_for_the_customer_stops_no_clock(cast):
    case = stages.answered(cast)
    before = list(Promise.objects.filter(case=case, state="open").values_list("pk", "due_at", "look_at"))
    wait(case, by=cast.by(cast.minji), seen=None, waiting_for="customer")
    assert (
        list(Promise.objects.filter(case=case, state="open").values_list("pk", "due_at", "look_at")) == before
    )


# ---------------------------------------------------------------------------------------------- snooze


def test_a_snoozed_case_keeps_its_word_and_wakes_by_itself(cast):
    case = stages.answered(cast)
    until = word(case).due_at - HOUR
    snooze(case, by=cast.by(cast.minji), seen=None, until=until, reason="The bank opens at ten.")
    assert stages.fresh(case).snoozed_until == until and word(case).due_at > until
    with at(until):
        sweep.tick()
    assert stages.fresh(case).snoozed_until is None and told_of("woken") == ["Minji"]
    assert kinds(case)[-1] == "woken"


def test_nobody_sleeps_through_the_next_word(cast):
    case = stages.answered(cast)
    by, until = cast.by(cast.minji), word(case).due_at + DAY
    with pytest.raises(Refusal) as refused:
        snooze(case, by=by, seen=None, until=until, reason="later")
    assert refused.value.field == "next_word_at"
    with pytest.raises(Refusal) as refused:
        snooze(case, by=by, seen=None, until=until, reason="later", next_word_at=until - HOUR)
    assert refused.value.code == "word_asleep"
    snooze(case, by=by, seen=None, until=until, reason="later", next_word_at=until + HOUR)
    assert word(case).due_at == until + HOUR
    assert Promise.objects.filter(case=case, what="next_word", state="superseded").count() == 1


@pytest.mark.parametrize(
    ("hours", "reason", "field"), [(-1, "x", "until"), (24 * 90, "x", "until"), (1, " ", "reason")]
)
def test_a_snooze_needs_a_time_ahead_and_a_reason(cast, hours, reason, field):
    case = stages.answered(cast)
    with pytest.raises(Refusal) as refused:
        snooze(case, by=cast.by(cast.minji), seen=None, until=stages.soon(hours), reason=reason)
    assert refused.value.field == field and stages.fresh(case).snoozed_until is None


def test_jiwoos_word_or_a_broken_promise_wakes_it_and_so_does_minji(cast):
    by = cast.by(cast.minji)
    cases = [stages.answered(cast) for _ in range(3)]
    for case in cases:
        snooze(case, by=by, seen=None, until=stages.soon(2), reason="x", next_word_at=None)
    customer_writes(cases[0], by=actors.customer(cases[0].customer_id), text="언제요?")
    wake(cases[1], by=by)
    Promise.objects.filter(case=cases[2], what="next_word", state="open").update(look_at=clock.now())
    late = Promise.objects.filter(case=cases[2], what="next_word", state="open")
    with clock.travel(late.get().due_at + HOUR):
        Appointment.objects.filter(case=cases[2]).update(look_at=clock.now() + DAY)
        sweep.tick()
    for case in cases:
        assert stages.fresh(case).snoozed_until is None
        assert appointment(case, What.WAKE) is None
    with pytest.raises(Refusal, match="awake"):
        wake(cases[0], by=by)


# ---------------------------------------------------------------------------------------------- confirmation


def arrive() -> None:
    Delivery.objects.filter(state="waiting").update(state="sent", sent_at=clock.now())


def chase_once(case) -> None:
    arrive()
    with at(appointment(case, What.CHASE).look_at):
        sweep.tick()
        arrive()


def test_jiwoo_is_asked_three_times_over_a_week_in_working_hours_then_it_ends_unconfirmed(cast):
    case = stages.told(cast)
    asks = []
    for _ in range(2):
        chase_once(case)
        asks = list(case.asks.order_by("at"))
    assert [a.channel for a in asks] == ["letter"] * 3, "nobody can call: jiwoo left no number"
    assert all(9 <= a.at.astimezone(ZoneInfo("Asia/Seoul")).hour < 18 for a in asks[1:])
    assert asks[-1].at - asks[0].at >= timedelta(days=7)
    assert stages.fresh(case).is_open
    chase_once(case)
    ended = stages.fresh(case)
    assert ended.ended_as == "unconfirmed" and kinds(case)[-1] == "ended"
    assert Delivery.objects.filter(case=case, what="ended").count() == 1
    assert appointment(case, What.CHASE) is None and "open" not in set(
        Promise.objects.filter(case=case).values_list("state", flat=True)
    )


def test_the_promised_word_is_kept_by_the_next_ask(cast):
    case = stages.told(cast)
    chase_once(case)
    given = word(case)
    with at(appointment(case, What.CHASE).look_at):
        assert clock.now() < given.due_at
        sweep.tick()
    given.refresh_from_db()
    assert given.state == "kept"


def test_letters_that_did_not_arrive_are_no_asks_and_silence_alone_ends_nothing(cast):
    case = stages.told(cast)
    for _ in range(4):
        with at(appointment(case, What.CHASE).look_at):
            sweep.tick()
    assert stages.fresh(case).is_open and "Minji" in told_of("asked_in_vain")
    assert appointment(case, What.CHASE).look_at > clock.now()


def test_the_third_ask_is_minjis_call_where_there_is_a_number_and_a_letter_when_nobody_called(cast):
    cast.jiwoo.phone = "010-1234-5678"
    cast.jiwoo.save(update_fields=["phone"])
    case = stages.told(cast)
    chase_once(case)
    chase_once(case)
    assert told_of("call_now") == ["Minji"] and case.asks.count() == 2
    chase_once(case)
    assert case.asks.count() == 3 and case.asks.last().channel == "letter"


def test_a_call_that_minji_made_counts_as_the_ask(cast):
    cast.jiwoo.phone = "010-1234-5678"
    cast.jiwoo.save(update_fields=["phone"])
    case = stages.told(cast)
    chase_once(case)
    chase_once(case)
    with at(appointment(case, What.CHASE).look_at - 2 * HOUR):
        ask_again(
            case,
            by=cast.by(cast.minji),
            seen=None,
            next_word_at=stages.soon(90),
            channel="phone",
            note="She will look tonight.",
        )
    chase_once(case)
    assert [a.channel for a in case.asks.order_by("at")] == ["letter", "letter", "phone"]
    assert stages.fresh(case).ended_as == "unconfirmed"


def test_an_address_that_failed_is_not_written_to(cast):
    case = stages.told(cast)
    cast.jiwoo.email_failed_at = clock.now()
    cast.jiwoo.save(update_fields=["email_failed_at"])
    chase_once(case)
    assert case.asks.count() == 1 and told_of("asked_in_vain") == ["Minji", "Sujin"]


@pytest.mark.parametrize("answer", ["all_good", "partly"])
def test_who_has_answered_is_not_asked_again(cast, answer):
    case = stages.told(cast)
    by = actors.customer(case.customer_id)
    confirm(case, by=by, telling_id=case.tellings.get().pk, answer=answer, words="아직 안 왔어요")
    assert appointment(case, What.CHASE) is None


# ---------------------------------------------------------------------------------------------- whether it held


def followed_up(cast):
    case = stages.made_good(cast)
    row = appointment(case, What.FOLLOW_UP)
    assert timedelta(days=6.9) < row.look_at - clock.now() < timedelta(days=8)
    with at(row.look_at):
        sweep.tick()
        assert sweep.tick() == 0
    return stages.fresh(case)


def test_a_week_later_jiwoo_is_asked_once_whether_it_held_and_yes_changes_nothing(cast):
    case = followed_up(cast)
    assert Delivery.objects.filter(case=case, what="follow_up").count() == 1
    assert case.ended_as == "made_good" and asks_whether_it_held(case)
    by = actors.customer(case.customer_id)
    with pytest.raises(Refusal):
        answer_follow_up(case, by=by, answer="perhaps")
    answer_follow_up(case, by=by, answer="yes")
    after = stages.fresh(case)
    assert (after.ended_as, after.urgency, after.round) == ("made_good", case.urgency, 1)
    assert not asks_whether_it_held(after)
    with pytest.raises(Refusal, match="nothing to answer"):
        answer_follow_up(case, by=by, answer="no")


def test_no_opens_it_again_more_urgent_with_her_words(cast):
    case = followed_up(cast)
    words = "또 입금이 안 됐어요. 소비자원에 신고하겠습니다"
    answer_follow_up(case, by=actors.customer(case.customer_id), answer="no", words=words)
    after = stages.fresh(case)
    assert after.is_open and after.round == 2 and after.urgency > case.urgency
    sources = set(after.evidence.values_list("source", flat=True))
    assert {"answer:not_held", "signal:threat.regulator"} <= sources
    assert word(after).due_at == after.due_at


def test_it_is_not_asked_of_a_case_that_was_opened_again(cast):
    case = stages.made_good(cast)
    row = appointment(case, What.FOLLOW_UP)
    reopen(case, by=cast.by(cast.minji), why="came back")
    assert appointment(case, What.FOLLOW_UP) is None
    with at(row.look_at):
        sweep.tick()
    assert "followed_up" not in kinds(case)


# ---------------------------------------------------------------------------------------------- merge, split, end


def test_appointments_survive_no_ending_and_no_merge(cast):
    into, one, two, three = (stages.answered(cast) for _ in range(4))
    by = cast.by(cast.minji)
    for case in (one, two, three):
        wait(case, by=by, seen=None, waiting_for="customer")
        snooze(case, by=by, seen=None, until=stages.soon(1), reason="x")
    merge(one, into, by=by, seen=None)
    withdraw(two, by=by, seen=None, words="됐어요")
    end_disagreed(three, by=cast.by(cast.sujin), seen=None, text="x", outside_route="1372")
    assert not Appointment.objects.filter(case__in=[one, two, three], state="open").exists()
    assert all(stages.fresh(c).snoozed_until is None for c in (one, two, three))
    before = {c.pk: stages.fresh(c).version for c in (one, two, three)}
    sweep_through(9, hours=12)
    assert before == {c.pk: stages.fresh(c).version for c in (one, two, three)}


def test_a_split_leaves_the_asking_where_it_was_and_the_new_case_has_its_own_word(cast):
    case = stages.told(cast)
    customer_writes(case, by=actors.customer(case.customer_id), text="그리고 다른 주문도 이상해요")
    other = Message.objects.filter(case=case, author="customer").last()
    split(case, [other.pk], by=cast.by(cast.minji), seen=None, subject="다른 주문")
    new = Message.objects.get(pk=other.pk).case
    assert appointment(case, What.CHASE) is not None and appointment(new, What.CHASE) is None
    assert Promise.objects.get(case=new).what == "first_word"


def test_a_handed_over_case_warns_its_new_owner(cast):
    case = stages.answered(cast)
    assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.jun)
    given = word(case)
    with at(given.made_at + (given.due_at - given.made_at) * 0.75):
        sweep.tick()
    assert told_of("promise_near") == ["Jun"]
    note(case, by=cast.by(cast.jun), text="I see it.")
    assert word(case).warned == 1
