"""Legal clocks on a case: what starts them, who may, how one is corrected and met, and that nothing stops one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from makegood.base import clock
from makegood.base.calendar import Calendar
from makegood.base.errors import NotAllowed, NotThere, Refusal, Stale
from makegood.desk import law, timeline
from makegood.desk.clocks import correct_clock, meet_clock, start_clock, switch
from makegood.desk.closing import reopen
from makegood.desk.handling import take, wait
from makegood.desk.joining import merge
from makegood.desk.talking import reply
from makegood.desk.telling import confirm
from makegood.desk.triaging import Sorting, triage
from makegood.people import actors, calendars
from makegood.promises.models import Promise
from makegood.promises.switches import ClockSwitch
from makegood.transactions.models import Payment, Shipment
from tests import cast as stages

pytestmark = pytest.mark.django_db
#: A Friday, 15:00 in Seoul, before a week in which Korea works four days (Hangeul Day is the Friday).
FRIDAY = datetime(2026, 10, 2, 6, tzinfo=UTC)
NOW = datetime(2026, 10, 5, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def monday():
    """It is noon in Seoul on Monday, 5 October 2026 (the substitute of National Foundation Day)."""
    with clock.travel(NOW):
        yield


def shipped(cast, state: str, at: datetime) -> Shipment:
    return Shipment.objects.create(
        order=cast.order, state=state, carrier="Hanjin", tracking="1", last_scan_at=at, told_at=clock.now()
    )


def paid(cast, at: datetime, method: str = "card") -> Payment:
    return Payment.objects.create(
        order=cast.order, state="taken", amount=39000, currency="KRW", method=method, told_at=at
    )


def sorted_as(cast, type_: str, **more):
    case = stages.reported(cast, **more)
    triage(case, Sorting(type=type_, order_number="HN-20261101"), by=cast.by(cast.minji), seen=None)
    return stages.fresh(case)


def running(case) -> Promise:
    return Promise.objects.get(case=case, what="legal", state="open")


def started(cast, at: datetime = FRIDAY, rule: str = "kr.refund"):
    case = stages.owned(cast)
    start_clock(case, rule, at, "Return scan of Hanjin.", by=cast.by(cast.minji), seen=case.version)
    return stages.fresh(case)


# ------------------------------------------------------------------ starting


def test_the_parcel_came_back_so_the_refund_clock_starts_by_itself_when_minji_sorts_the_case(cast):
    shipped(cast, "came_back", FRIDAY)
    case = sorted_as(cast, "refund.delay")
    promise = running(case)
    # The event on Friday, Monday is off: Tuesday, Wednesday, Thursday. The day ends at 24:00 in Seoul.
    assert promise.due_at == datetime(2026, 10, 8, 15, tzinfo=UTC) - timedelta(microseconds=1)
    assert (promise.basis, promise.rule, promise.trigger_at, promise.by_id) == (
        "statutory",
        "kr.refund",
        FRIDAY,
        None,
    )
    assert promise.policy["length"] == 3 and promise.policy["authority"].endswith("18(2)")
    assert promise.calendar.calendar.code == "kr"
    event = case.events.get(kind="clock_started")
    assert event.actor_role == "system" and event.cause.kind == "triaged"
    assert case.due_at <= promise.due_at


def test_without_a_known_event_nothing_starts_and_the_sheet_says_what_it_waits_for(cast):
    case = sorted_as(cast, "refund.delay")
    assert not Promise.objects.filter(case=case, what="legal").exists()
    seen = law.of_case(case, [], law.Around.of(case))
    refund = next(p for p in seen.ours if p.rule.code == "kr.refund")
    assert refund.at is None and refund.trigger.name.en == "The goods came back"


def test_a_rule_that_nobody_read_starts_only_where_the_shop_switched_it_on(cast):
    case = sorted_as(cast, "refund.delay")
    assert not Promise.objects.filter(case=case, what="legal").exists()
    hana = cast.by(cast.hana)
    switch(
        cast.haneul, "kr.complaint_progress", True, by=hana, why="We run a marketplace; our lawyer read it."
    )
    switch(cast.haneul, "kr.complaint_outcome", True, by=hana, why="As above.")
    other = sorted_as(cast, "refund.delay", customer=cast.alex)
    rules = set(Promise.objects.filter(case=other, what="legal").values_list("rule", flat=True))
    assert rules == {"kr.complaint_progress", "kr.complaint_outcome"}, "two clocks, never merged"
    row = Promise.objects.filter(case=other, rule="kr.complaint_progress").get().policy
    assert row["verified"] is False and row["certainty"] == "M"


def test_a_rule_that_was_read_stays_silent_where_the_shop_switched_it_off(cast):
    shipped(cast, "came_back", FRIDAY)
    switch(
        cast.haneul, "kr.refund", False, by=cast.by(cast.hana), why="We refund before the goods come back."
    )
    case = sorted_as(cast, "refund.delay")
    assert not Promise.objects.filter(case=case, what="legal").exists()
    with pytest.raises(Refusal) as refused:
        start_clock(case, "kr.refund", FRIDAY, "scan", by=cast.by(cast.minji), seen=None)
    assert (refused.value.code, refused.value.field) == ("switched_off", "rule")
    switch(cast.haneul, "kr.refund", True, by=cast.by(cast.hana), why="We no longer do.")
    triage(case, Sorting(type="refund.delay"), by=cast.by(cast.minji), seen=None)
    assert running(case).rule == "kr.refund"
    assert ClockSwitch.objects.filter(shop=cast.haneul).count() == 2, "what was decided before stays readable"


def test_a_prepaid_order_has_three_working_days_until_it_is_sent_and_none_after(cast):
    paid(cast, FRIDAY)
    assert running(sorted_as(cast, "delivery.late")).rule == "kr.dispatch_paid"
    shipped(cast, "moving", FRIDAY)
    other = sorted_as(cast, "delivery.late", customer=cast.jiwoo)
    assert not Promise.objects.filter(case=other, what="legal").exists()


def test_sorting_twice_starts_a_clock_once(cast):
    shipped(cast, "came_back", FRIDAY)
    case = sorted_as(cast, "refund.delay")
    triage(case, Sorting(type="refund.amount"), by=cast.by(cast.minji), seen=None)
    assert Promise.objects.filter(case=case, what="legal").count() == 1


def test_an_event_of_long_ago_does_not_stop_minji_from_sorting(cast):
    shipped(cast, "came_back", FRIDAY - timedelta(days=366 * 6))
    case = sorted_as(cast, "refund.delay")
    assert case.type == "refund.delay" and not Promise.objects.filter(case=case, what="legal").exists()


def test_a_clock_that_ran_out_before_anybody_told_us_is_overdue_from_the_start(cast):
    shipped(cast, "came_back", FRIDAY - timedelta(days=30))
    promise = running(sorted_as(cast, "refund.delay"))
    assert promise.look_at <= promise.due_at < clock.now()
    assert promise.made_at == promise.trigger_at


def test_china_counts_from_the_day_after_and_to_the_end_of_the_seventh(cast):
    case = stages.reported(cast, customer=cast.lina)
    triage(case, Sorting(type="refund.delay"), by=cast.by(cast.minji), seen=None)
    start_clock(case, "cn.refund", FRIDAY, "签收记录", by=cast.by(cast.wei), seen=None)
    promise = running(case)
    assert promise.due_at == datetime(2026, 10, 9, 16, tzinfo=UTC) - timedelta(microseconds=1)
    assert promise.calendar.calendar.code == "cn" and promise.words == "签收记录"


@pytest.mark.parametrize(
    ("rule", "at", "evidence", "field"),
    [
        ("kr.moon", FRIDAY, "x", "rule"),
        ("cn.refund", FRIDAY, "x", "rule"),
        ("kr.withdrawal", FRIDAY, "x", "rule"),
        ("kr.notice_sent", FRIDAY, "x", "rule"),
        ("kr.refund", NOW + timedelta(minutes=1), "x", "trigger_at"),
        ("kr.refund", NOW - timedelta(days=366 * 6), "x", "trigger_at"),
        ("jd.answer", datetime(2025, 7, 3, tzinfo=UTC), "x", "trigger_at"),
        ("kr.refund", FRIDAY, "   ", "evidence"),
        ("kr.refund", FRIDAY, "x" * 1001, "evidence"),
    ],
)
def test_what_cannot_be_started_is_refused_beside_the_field_and_writes_nothing(
    cast, rule, at, evidence, field
):
    case = stages.owned(cast)
    with pytest.raises(Refusal) as refused:
        start_clock(case, rule, at, evidence, by=cast.by(cast.minji), seen=case.version)
    assert refused.value.field == field
    assert stages.fresh(case).version == case.version
    assert not Promise.objects.filter(case=case, what="legal").exists()


def test_the_same_clock_does_not_run_twice_and_a_stale_form_is_thrown_back(cast):
    case = started(cast)
    with pytest.raises(Refusal, match="runs already"):
        start_clock(case, "kr.refund", FRIDAY, "again", by=cast.by(cast.jun), seen=None)
    with pytest.raises(Stale):
        start_clock(case, "kr.cannot_supply", FRIDAY, "x", by=cast.by(cast.jun), seen=case.version - 1)


def test_neither_merchant_nor_customer_starts_one_and_only_managers_switch(cast):
    case = stages.owned(cast)
    for who in (cast.by(cast.kang), actors.customer(cast.jiwoo.pk)):
        with pytest.raises(NotAllowed):
            start_clock(case, "kr.refund", FRIDAY, "x", by=who, seen=None)
    with pytest.raises(NotAllowed):
        switch(cast.haneul, "kr.refund", False, by=cast.by(cast.sujin), why="x")
    for rule, why, field in (("cn.refund", "x", "rule"), ("kr.moon", "x", "rule"), ("kr.refund", " ", "why")):
        with pytest.raises(Refusal) as refused:
            switch(cast.haneul, rule, True, by=cast.by(cast.hana), why=why)
        assert refused.value.field == field
    assert not ClockSwitch.objects.exists()


# ------------------------------------------------------------------ nothing stops one


def test_waiting_for_the_customer_and_answering_stop_no_clock(cast):
    case = started(cast)
    before = running(case)
    reply(
        case,
        by=cast.by(cast.minji),
        seen=None,
        text="확인하겠습니다.",
        next_word_at=clock.now() + timedelta(hours=4),
    )
    wait(case, by=cast.by(cast.minji), seen=None, waiting_for="customer")
    after = running(case)
    assert (after.pk, after.due_at, after.look_at) == (before.pk, before.due_at, before.look_at)


def test_a_changed_calendar_moves_no_clock_that_runs(cast):
    case = started(cast)
    promise = running(case)
    closed = Calendar(
        "Asia/Seoul", promise_calendar(promise).week, dict.fromkeys(days("2026-10-06", 60), "off")
    )
    calendars.add(promise.calendar.calendar, closed, by=cast.hana, source="by hand")
    same = running(case)
    assert (same.due_at, same.calendar_id) == (promise.due_at, promise.calendar_id)
    with pytest.raises(IntegrityError, match="never moves"), transaction.atomic():
        Promise.objects.filter(pk=promise.pk).update(due_at=promise.due_at + timedelta(days=1))
    other = stages.owned(cast, customer=cast.alex)
    start_clock(other, "kr.refund", FRIDAY, "scan", by=cast.by(cast.minji), seen=None)
    assert running(other).due_at > promise.due_at + timedelta(days=50), (
        "what starts now goes by the new version"
    )


def promise_calendar(promise: Promise) -> Calendar:
    return calendars.read(promise.calendar)


def days(first: str, count: int):
    return [datetime.fromisoformat(first).date() + timedelta(days=n) for n in range(count)]


def test_a_merged_case_leaves_its_clock_to_the_survivor(cast):
    case, into = started(cast), stages.owned(cast)
    before = running(case)
    merge(case, into, by=cast.by(cast.minji), seen=None)
    after = running(into)
    assert (after.rule, after.due_at, after.trigger_at, after.words) == (
        before.rule, before.due_at, before.trigger_at, before.words,
    )  # fmt: skip
    assert not Promise.objects.filter(case=case, state="open").exists()


def test_a_clock_that_an_ending_withdrew_runs_on_when_the_case_is_opened_again(cast):
    case = stages.told(cast)
    start_clock(case, "kr.refund", FRIDAY, "scan", by=cast.by(cast.minji), seen=None)
    confirm(case, by=actors.customer(case.customer_id), telling_id=case.tellings.get().pk, answer="all_good")
    assert Promise.objects.get(case=case, what="legal").state == "withdrawn"
    reopen(case, by=cast.by(cast.minji), why="The money came back to us.")
    again = running(case)
    assert again.trigger_at == FRIDAY and again.words == "scan"
    assert stages.fresh(case).events.filter(kind="clock_started").last().cause.kind == "reopened"


# ------------------------------------------------------------------ correcting and meeting


def test_the_goods_came_a_day_later_so_a_new_promise_replaces_the_old_and_both_are_kept(cast):
    case = started(cast, FRIDAY - timedelta(days=2))
    old = running(case)
    correct_clock(
        case, old.pk, FRIDAY, "The scan was of another parcel.", by=cast.by(cast.jun), seen=case.version
    )
    new = running(case)
    old.refresh_from_db()
    assert old.state == "superseded" and old.settled_at == clock.now()
    assert (new.trigger_at, new.words) == (FRIDAY, "The scan was of another parcel.")
    data = stages.fresh(case).events.get(kind="clock_corrected").data
    assert (data["was_promise"], data["promise"]) == (old.pk, new.pk)
    assert datetime.fromisoformat(data["was_until"]) == old.due_at < new.due_at
    said = timeline.of_case(stages.fresh(case))[-1].sentence
    assert "Refund after the goods came back" in said and "%(" not in said


def test_a_clock_that_broke_stays_broken_when_its_start_is_corrected(cast):
    case = started(cast)
    old = running(case)
    Promise.objects.filter(pk=old.pk).update(state="broken", settled_at=old.due_at, look_at=None)
    with clock.travel(old.due_at + timedelta(hours=1)):
        later = FRIDAY + timedelta(days=2)
        correct_clock(case, old.pk, later, "Signed on Sunday.", by=cast.by(cast.minji), seen=None)
        assert running(case).trigger_at == later
        with pytest.raises(Refusal):
            correct_clock(case, old.pk, FRIDAY, "Or not.", by=cast.by(cast.minji), seen=None)
    old.refresh_from_db()
    assert old.state == "broken"


def test_paying_in_time_keeps_it_with_the_event_as_proof(cast):
    case = started(cast)
    promise = running(case)
    meet_clock(
        case, promise.pk, by=cast.by(cast.minji), seen=case.version, what_was_done="Refund R-1 was sent."
    )
    promise.refresh_from_db()
    event = stages.fresh(case).events.last()
    assert (promise.state, promise.settled_at, promise.proof_event) == ("kept", clock.now(), event)
    assert event.kind == "clock_met" and event.data["in_time"] is True
    note = case.messages.get(pk=event.data["message"])
    assert (note.body, note.audience) == ("Refund R-1 was sent.", "staff"), "the customer reads nothing of it"
    with pytest.raises(Refusal):
        meet_clock(case, promise.pk, by=cast.by(cast.minji), seen=None, what_was_done="again")


def test_what_was_done_in_time_and_written_down_late_is_kept_and_what_was_late_is_broken(cast):
    case = started(cast)
    promise = running(case)
    with clock.travel(promise.due_at + timedelta(days=3)):
        in_time = promise.due_at - timedelta(hours=1)
        meet_clock(case, promise.pk, by=cast.by(cast.minji), seen=None, what_was_done="R-1", done_at=in_time)
        promise.refresh_from_db()
        assert (promise.state, promise.settled_at) == ("kept", in_time)
    other = stages.owned(cast, customer=cast.alex)
    start_clock(other, "kr.refund", FRIDAY, "scan", by=cast.by(cast.minji), seen=None)
    late = running(other)
    with clock.travel(late.due_at + timedelta(days=3)):
        meet_clock(other, late.pk, by=cast.by(cast.minji), seen=None, what_was_done="R-2")
    late.refresh_from_db()
    assert (late.state, late.settled_at) == ("broken", late.due_at) and late.proof_event is not None


def test_what_the_sweep_found_broken_stays_broken_when_it_was_done_after_all(cast):
    case = started(cast)
    promise = running(case)
    Promise.objects.filter(pk=promise.pk).update(state="broken", settled_at=promise.due_at, look_at=None)
    with clock.travel(promise.due_at + timedelta(days=1)):
        meet_clock(case, promise.pk, by=cast.by(cast.minji), seen=None, what_was_done="Sent at last.")
    promise.refresh_from_db()
    assert promise.state == "broken" and promise.proof_event.kind == "clock_met"


@pytest.mark.parametrize(
    ("done_at", "words", "field"),
    [
        (FRIDAY - timedelta(seconds=1), "x", "done_at"),
        (NOW + timedelta(seconds=1), "x", "done_at"),
        (None, "  ", "what_was_done"),
        (None, "x" * 5001, "what_was_done"),
    ],
)
def test_it_is_not_met_before_it_started_nor_tomorrow_nor_without_words(cast, done_at, words, field):
    case = started(cast)
    with pytest.raises(Refusal) as refused:
        meet_clock(
            case, running(case).pk, by=cast.by(cast.minji), seen=None, what_was_done=words, done_at=done_at
        )
    assert refused.value.field == field and running(case).state == "open"
    assert not stages.fresh(case).messages.filter(audience="staff").exists()


def test_a_promise_of_another_case_and_a_word_are_no_clocks_of_this_one(cast):
    case, other = started(cast), stages.answered(cast, customer=cast.alex)
    word = Promise.objects.get(case=other, state="open", what="next_word")
    for promise_id in (word.pk, 2**40):
        for act in (
            lambda pk: meet_clock(other, pk, by=cast.by(cast.minji), seen=None, what_was_done="x"),
            lambda pk: correct_clock(other, pk, FRIDAY, "x", by=cast.by(cast.minji), seen=None),
        ):
            with pytest.raises(NotThere):
                act(promise_id)
    with pytest.raises(NotThere):
        meet_clock(other, running(case).pk, by=cast.by(cast.minji), seen=None, what_was_done="x")


# ------------------------------------------------------------------ what is shown


def test_the_time_of_the_customer_is_shown_and_is_no_promise_of_ours(cast):
    shipped(cast, "delivered", FRIDAY)
    case = sorted_as(cast, "quality.return")
    assert not Promise.objects.filter(case=case, what="legal").exists()
    seen = law.of_case(case, [], law.Around.of(case))
    right = next(p for p in seen.theirs if p.rule.code == "kr.withdrawal")
    assert right.ends == datetime(2026, 10, 9, 15, tzinfo=UTC) - timedelta(microseconds=1)
    assert right.who and "no answer is not consent" in right.silence


def test_of_two_clocks_the_earlier_stands_first_and_both_stand(cast):
    case = started(cast)
    start_clock(case, "kr.complaint_outcome", FRIDAY, "letter", by=cast.by(cast.minji), seen=None)
    start_clock(case, "kr.complaint_progress", FRIDAY, "letter", by=cast.by(cast.minji), seen=None)
    promises = list(Promise.objects.filter(case=case).select_related("calendar", "case__shop"))
    seen = law.of_case(case, promises, law.Around.of(case))
    rules = [r.promise.rule for r in seen.running]
    assert rules[-1] == "kr.complaint_outcome" and set(rules[:2]) == {"kr.refund", "kr.complaint_progress"}
    # To Thursday the 8th; and, without Hangeul Day and two weekends, to Tuesday the 20th.
    assert [r.days_left for r in seen.running] == [3, 3, 15]


def test_an_instalment_rule_is_left_out_when_the_payment_was_none(cast):
    paid(cast, FRIDAY, "card")
    case = sorted_as(cast, "refund.delay")
    codes = {p.rule.code for p in law.possible(case, law.Around.of(case), {})}
    assert "kr.instalment_refund" not in codes and "visa.respond" in codes
    assert "cn.refund" not in codes, "another country's law is not this shop's"


def test_what_takes_a_case_is_no_trigger(cast):
    case = stages.reported(cast)
    take(case, by=cast.by(cast.minji), seen=None)
    assert not Promise.objects.filter(case=case, what="legal").exists()
