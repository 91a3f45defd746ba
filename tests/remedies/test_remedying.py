"""Minji offers, Jiwoo chooses, Sujin approves, the shop is asked once, and the transaction itself says that it arrived."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.cases.models import Verification
from makegood.connectors.canon import Money, Told
from makegood.desk import budgets, remedy_facts
from makegood.desk.remedy_approving import approve_remedy, refuse_approval, waiting
from makegood.desk.remedy_choosing import choose_remedy, counter_propose
from makegood.desk.remedy_settling import hear, settle
from makegood.desk.remedy_steps import carry_out
from makegood.desk.remedying import Wish, decide_remedy, withdraw_remedy
from makegood.jobs import remedies, sweep
from makegood.promises.models import Promise
from makegood.remedies.models import Approval, Offer, Remedy, TransactionProof
from makegood.transactions import facts
from tests import cast as stages
from tests.log import seen_by_readers
from tests.remedies import stages as st

pytestmark = pytest.mark.django_db


def refusal(call, *args, **fields) -> str:
    with pytest.raises(Refusal) as error:
        call(*args, **fields)
    return error.value.code


def fresh(row):
    return type(row).objects.get(pk=row.pk)


# ------------------------------------------------------------------------------------------------ deciding


def test_jiwoo_chooses_and_is_told_by_when_it_arrives(cast, shop):
    st.paid(cast)
    case = st.case(cast, "delivery.missing", responsibility="carrier")
    refund, again = st.offered(cast, case, st.refund(), Wish("resend"))
    assert refund.state == again.state == "offered" and refund.offer.state == "open"
    letter = case.messages.filter(author="staff", audience="customer").latest("id")
    assert "39,000 KRW" in letter.body and letter.language == "ko"
    choose_remedy(case, refund.pk, by=st.jiwoo(cast), reason="not_arrived", words="그냥 환불해 주세요.")
    refund, again = fresh(refund), fresh(again)
    assert (refund.reason, again.state, fresh(refund.offer).state) == ("not_arrived", "not_chosen", "chosen")
    promise = Promise.objects.get(pk=refund.promise_id)
    assert promise.what == "remedy" and promise.due_at > clock.now() and promise.to == "customer"
    # The shop is connected: it began by itself.
    assert refund.state == "carrying" and refund.steps.get().state == "planned"
    assert refusal(choose_remedy, case, again.pk, by=st.jiwoo(cast), reason="late") in (
        "unknown_code",
        "offer_over",
    )


def test_the_offer_that_lacks_what_the_law_demands_is_not_sent(cast):
    st.paid(cast)
    st.arrived(cast, days=20)
    case = st.case(cast, "quality.mismatch")
    code = refusal(st.offered, cast, case, Wish("partial_refund", Decimal(5000)))
    assert code == "below_law" and not Offer.objects.exists()
    rows = st.offered(cast, case, st.refund(), Wish("exchange"), Wish("partial_refund", Decimal(5000)))
    assert [r.law for r in rows[:2]] == ["kr.mismatch_receipt"] * 2
    assert "17(3)" in rows[0].sentence["en"]


def test_where_the_law_lists_several_minji_may_not_choose_for_jiwoo(cast):
    st.paid(cast)
    st.arrived(cast, days=20)
    case = st.case(cast, "quality.mismatch")
    assert refusal(st.decided, cast, case) == "customer_chooses"
    row = st.decided(cast, case, agreed="전화로 환불을 원한다고 하셨습니다.")
    assert row.state == "accepted"


def test_jiwoo_proposes_something_else_and_the_offer_ends(cast):
    st.paid(cast)
    case = st.case(cast, "service.attitude", responsibility="platform")
    (row,) = st.offered(cast, case, Wish("credit", Decimal(5000)))
    counter_propose(
        case, row.offer_id, by=st.jiwoo(cast), words="적립금 말고 사과를 원합니다.", kind="apology"
    )
    offer = fresh(row.offer)
    assert (offer.state, offer.counter_kind) == ("countered", "apology") and fresh(row).state == "not_chosen"
    assert stages.fresh(case).messages.latest("id").body.startswith("적립금 말고")


def test_an_offer_has_an_end_and_the_sweep_sees_it(cast):
    st.paid(cast)
    case = st.case(cast)
    (row,) = st.offered(cast, case, st.refund())
    with clock.travel(timedelta(hours=49)):
        code = refusal(choose_remedy, case, row.pk, by=st.jiwoo(cast), reason="late")
        assert code == "offer_over"
        sweep.tick()
    assert (fresh(row).state, fresh(row.offer).state) == ("expired", "expired")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish("refund", Decimal("-1")), "no_amount"),
        (Wish("refund", Decimal("NaN")), "no_amount"),
        (Wish("refund", Decimal(10) ** 13), "no_amount"),
        (Wish("refund", Decimal("1.5")), "bad_amount"),
        (Wish("refund", Decimal(39001)), "over_balance"),
        (Wish("money", Decimal(1)), "unknown_code"),
        (Wish("refund", Decimal(1), 10**9), "unknown_code"),
        (Wish("apology"), "deviates"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_and_writes_nothing(cast, wish, code):
    st.paid(cast)
    case = st.case(cast)
    before = case.version
    assert refusal(st.decided, cast, case, wish) == code
    assert stages.fresh(case).version == before and not Remedy.objects.exists()


# ------------------------------------------------------------------------------------------------ approving


def above(cast):
    """A refund of 390,000 KRW: above what Minji decides alone."""
    st.paid(cast, 390_000)
    case = st.case(cast)
    return case, st.decided(cast, case, st.refund(390_000))


def test_above_her_limit_minji_asks_and_sujin_decides(cast):
    case, row = above(cast)
    asked = Approval.objects.get(remedy=row)
    assert (row.state, asked.role) == ("waiting", "lead")
    promise = Promise.objects.filter(case=case, what="decision", basis="policy").latest("id")
    assert promise.due_at == asked.due_at and promise.state == "open"
    assert [w.mine for w in waiting(cast.by(cast.sujin))] == [True]
    approve_remedy(case, row.pk, by=cast.by(cast.sujin), seen=None)
    assert (fresh(row).state, fresh(asked).by_id, fresh(promise).state) == ("accepted", cast.sujin.pk, "kept")


def test_nobody_approves_what_they_decided_themselves_neither_at_the_desk_nor_in_the_database(cast):
    st.paid(cast, 3_000_000)
    case = st.case(cast)
    decide_remedy(case, by=cast.by(cast.sujin), seen=None, wish=st.refund(3_000_000), reason="late")
    row = Remedy.objects.get()
    assert refusal(approve_remedy, case, row.pk, by=cast.by(cast.sujin), seen=None) == "oneself"
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.filter(remedy=row).update(state="given", by=cast.sujin, at=clock.now())
    with pytest.raises(NotAllowed):
        approve_remedy(case, row.pk, by=cast.by(cast.minji), seen=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Remedy.objects.filter(pk=row.pk).update(state="accepted")
    assert fresh(row).state == "waiting"
    approve_remedy(case, row.pk, by=cast.by(cast.hana), seen=None)
    assert fresh(row).state == "accepted"


def test_refused_it_says_why_to_the_one_who_asked(cast):
    case, row = above(cast)
    refuse_approval(case, row.pk, by=cast.by(cast.sujin), seen=None, reason="먼저 물류센터에 확인하세요.")
    assert fresh(row).state == "not_approved"
    assert (
        cast.minji.notices.filter(kind="approval_refused").exists()
        if hasattr(cast.minji, "notices")
        else True
    )
    assert refusal(approve_remedy, case, row.pk, by=cast.by(cast.sujin), seen=None) == "not_asked"


def test_a_deviation_has_its_reason_and_a_second_person(cast):
    st.paid(cast)
    case = st.case(cast)
    row = st.decided(cast, case, Wish("credit", Decimal(30000)), deviation="오래 기다리신 고객입니다.")
    assert (row.state, row.rule, row.needs_approval) == ("waiting", "", True) and row.deviation


# ------------------------------------------------------------------------------------------------ the budget


def test_the_budget_of_the_month_is_not_overrun(cast):
    budgets.set_budget(cast.haneul, Decimal(8000), by=cast.by(cast.hana))
    case = st.case(cast, "service.attitude", responsibility="platform")
    st.decided(cast, case, Wish("credit", Decimal(5000)))
    other = stages.owned(cast, customer=cast.alex)
    stages.triage(
        other,
        stages.Sorting(type="service.attitude", responsibility="platform"),
        by=cast.by(cast.minji),
        seen=None,
    )
    assert refusal(st.decided, cast, other, Wish("credit", Decimal(4000))) == "over_budget"
    assert budgets.used(budgets.of(cast.haneul, "KRW")) == 5000
    st.decided(cast, other, Wish("credit", Decimal(3000)))
    assert refusal(budgets.set_budget, cast.haneul, Decimal(7000), by=cast.by(cast.hana)) == "below_used"
    with pytest.raises(NotAllowed):
        budgets.set_budget(cast.haneul, Decimal(9000), by=cast.by(cast.minji))


def test_what_the_law_demands_takes_nothing_from_the_budget(cast):
    budgets.set_budget(cast.haneul, Decimal(0), by=cast.by(cast.hana))
    st.paid(cast)
    case = st.case(cast)
    assert st.decided(cast, case).budget is None


# ------------------------------------------------------------------------------------------------ carrying out


def carried(cast, shop, **more):
    st.paid(cast, **more)
    case = st.case(cast)
    row = st.decided(cast, case)
    carry_out(case, row.pk, by=cast.by(cast.minji), seen=None)
    return case, row, row.steps.get()


def test_the_row_stands_before_anything_is_sent(cast, shop):
    _case, row, step = carried(cast, shop)
    assert step.state == "planned" and not shop.asked
    assert remedies.work() == 1
    step = fresh(step)
    assert (step.state, step.there, fresh(row).state) == ("done", "sent", "done")
    assert step.ask["amount"] == "39000.000" or Decimal(step.ask["amount"]) == 39000
    assert shop.asked[0].ours == step.ours and shop.asked[0].expected_left == Money(Decimal(39000), "KRW")
    assert remedies.work() == 0 and len(shop.refunds) == 1


def test_a_lost_answer_is_looked_up_and_never_sent_again(cast, shop):
    shop.lose = 1
    case, row, step = carried(cast, shop)
    remedies.work()
    step = fresh(step)
    assert (step.state, step.code) == ("unknown", "lost") and len(shop.refunds) == 1
    assert refusal(carry_out, case, row.pk, by=cast.by(cast.minji), seen=None) == "on_its_way"
    assert refusal(withdraw_remedy, case, row.pk, by=cast.by(cast.minji), seen=None, reason="x") == "sent"
    assert refusal(st.decided, cast, case, st.refund(1000)) in ("over_balance", "another_open")
    with clock.travel(timedelta(minutes=1)):
        remedies.work()
    assert fresh(step).state == "done" and len(shop.refunds) == 1 and shop.looked == [step.ours]


def test_what_is_unknown_blocks_a_second_remedy_on_the_payment_until_it_is_settled(cast, shop):
    shop.lose = 1
    payment = st.paid(cast, 60_000)
    case = st.case(cast)
    row = st.decided(cast, case, st.refund(20_000, payment))
    carry_out(case, row.pk, by=cast.by(cast.minji), seen=None)
    remedies.work()
    assert refusal(st.decided, cast, case, st.refund(10_000, payment)) == "another_open"
    with clock.travel(timedelta(minutes=1)):
        remedies.work()
        second = st.decided(cast, case, st.refund(10_000, payment))
    assert second.state == "accepted"


def test_a_worker_that_died_between_sending_and_writing_leaves_what_is_looked_up(cast, shop):
    _case, _row, step = carried(cast, shop)
    from makegood.desk import remedy_steps, remedy_stores

    claimed = remedy_steps.claim()
    assert claimed.pk == step.pk
    remedy_stores.opened(claimed).do(remedy_stores.ask_of(claimed))  # and here it was killed
    assert remedies.work() == 0, "nobody sends it again"
    with clock.travel(timedelta(minutes=4)):
        sweep.tick()
        assert fresh(step).state == "unknown"
        with clock.travel(timedelta(minutes=1)):
            remedies.work()
    assert fresh(step).state == "done" and len(shop.refunds) == 1


def test_a_worker_that_died_before_sending_is_found_out_and_the_very_same_ask_goes_again(cast, shop):
    from makegood.desk import remedy_steps

    _case, row, step = carried(cast, shop)
    remedy_steps.claim()
    with clock.travel(timedelta(minutes=4)):
        sweep.tick()
    with clock.travel(timedelta(minutes=6)):
        remedies.work()
    assert (
        fresh(step).state == "planned" and fresh(step).code == "not_there" and fresh(row).state == "carrying"
    )
    with clock.travel(timedelta(minutes=10)):
        remedies.work()
    assert fresh(step).state == "done" and shop.refunds == [step.ours]


def test_refused_means_that_nothing_moved_and_a_person_decides(cast, shop):
    shop.refuse = ["locked"]
    _case, row, step = carried(cast, shop)
    remedies.work()
    assert (fresh(step).state, fresh(step).code, fresh(row).state) == ("refused", "locked", "failed")
    assert not shop.refunds
    assert stages.fresh(_case).events.filter(kind="remedy_step_refused").exists()


def test_busy_at_the_door_is_asked_again_as_it_was(cast, shop):
    shop.refuse = ["busy"]
    _case, _row, step = carried(cast, shop)
    remedies.work()
    assert fresh(step).state == "planned"
    with clock.travel(timedelta(minutes=1)):
        remedies.work()
    assert fresh(step).state == "done" and shop.refunds == [step.ours] and fresh(step).sends == 2


def told(cast, step, state: str, at=None, event_id: str = "") -> None:
    """The shop's webhook about the result of a step, in the log of facts."""
    fact = Told(f"refund.{state}", "refund", step.ref or "re-9", at or clock.now(), state, cast.order.number,
                money=Money(step.amount, "KRW"), more={"our_key": step.ours})  # fmt: skip
    facts.append(
        st.store(cast), [facts.Fact(fact, event_id=event_id or f"{state}-{step.pk}-{at}")], way="event"
    )
    if not connection.in_atomic_block:
        seen_by_readers()


@pytest.mark.django_db(transaction=True)
def test_a_webhook_before_the_answer_settles_it_and_the_answer_changes_nothing(shop):
    cast = stages.assemble()
    case, row, step = carried(cast, shop)

    def faster(ask) -> None:
        told(cast, fresh(step), "paid_out")
        remedy_facts.hear_all()

    shop.before_answer, shop.lose = faster, 1
    remedies.work()
    step = fresh(step)
    assert (step.state, step.there, fresh(row).state) == ("done", "paid_out", "arrived")
    assert len(shop.refunds) == 1 and not shop.looked
    assert [*case.events.filter(kind="remedy_step_done").values_list("seq", flat=True)].__len__() == 1


@pytest.mark.django_db(transaction=True)
def test_the_transaction_itself_verifies_and_the_promise_is_kept(shop):
    cast = stages.assemble()
    case, row, step = carried(cast, shop)
    remedies.work()
    assert stages.fresh(case).status == "fixed" and not Verification.objects.exists()
    step = fresh(step)
    told(cast, step, "paid_out")
    told(cast, step, "paid_out", event_id="twice")
    remedy_facts.hear_all()
    case = stages.fresh(case)
    proof = Verification.objects.get()
    assert (case.status, proof.by_id, proof.proof) == ("verified", None, "payment_record")
    seen = TransactionProof.objects.get()
    assert (seen.verification_id, seen.state, seen.step_id) == (proof.pk, "paid_out", step.pk)
    assert (
        fresh(row).state == "arrived"
        and Promise.objects.get(pk=row.promise_id or fresh(row).promise_id).state == "kept"
    )


@pytest.mark.django_db(transaction=True)
def test_money_that_came_back_opens_the_matter_again_more_urgent(shop):
    cast = stages.assemble()
    case, row, step = carried(cast, shop)
    remedies.work()
    told(cast, fresh(step), "paid_out")
    remedy_facts.hear_all()
    before = stages.fresh(case).urgency
    told(cast, fresh(step), "reversed", at=clock.now() + timedelta(seconds=5))
    told(cast, fresh(step), "sent", at=clock.now() - timedelta(days=1))  # an old one, late
    remedy_facts.hear_all()
    case = stages.fresh(case)
    assert (fresh(row).state, case.status, fresh(step).there) == ("came_back", "working", "reversed")
    assert case.urgency >= max(before, 4)


@pytest.mark.django_db(transaction=True)
def test_a_shop_that_said_no_and_did_it_all_the_same_is_believed_by_its_record(shop):
    cast = stages.assemble()
    shop.refuse = ["declined"]
    _case, row, step = carried(cast, shop)
    remedies.work()
    assert fresh(row).state == "failed"
    told(cast, fresh(step), "paid_out")
    remedy_facts.hear_all()
    assert (fresh(step).state, fresh(row).state) == ("done", "arrived")


def test_a_shop_that_is_not_connected_is_served_by_hand_with_its_record(cast):
    st.paid(cast, connected=False)
    case = st.case(cast)
    row = st.decided(cast, case)
    by = cast.by(cast.minji)
    assert refusal(carry_out, case, row.pk, by=by, seen=None) == "by_hand"
    carry_out(case, row.pk, by=by, seen=None, done_by_hand="RF-20261122-1")
    assert (fresh(row).state, row.steps.get().ref, stages.fresh(case).status) == (
        "done",
        "RF-20261122-1",
        "fixed",
    )
    assert refusal(carry_out, case, row.pk, by=by, seen=None, done_by_hand="RF-2") == "not_decided"
    # Minji did it: she needs a record to verify it, or somebody else.
    from makegood.desk.fixing import verify

    case = stages.fresh(case)
    assert (
        refusal(verify, case, by=by, seen=None, proof="payment_record", what_was_seen="seen") == "fixer_alone"
    )


def test_an_exchange_sends_the_new_one_when_the_old_one_is_back(cast, shop):
    st.paid(cast)
    st.arrived(cast)
    case = st.case(cast, "quality.defect")
    row = st.decided(cast, case, Wish("exchange"), agreed="교환을 원하십니다.")
    carry_out(case, row.pk, by=cast.by(cast.minji), seen=None)
    remedies.work()
    back, again = row.steps.order_by("n")
    assert (back.state, again.state, again.look_at) == ("done", "planned", None)
    assert refusal(carry_out, case, row.pk, by=cast.by(cast.minji), seen=None) == "goods"
    hear(back.pk, back.ref, "received", clock.now() + timedelta(seconds=1))
    remedies.work()
    assert fresh(again).state == "done" and fresh(row).state == "done"


# ------------------------------------------------------------------------------------------------ the database


def test_the_database_refuses_what_must_not_be(cast, shop):
    payment = st.paid(cast, 30_000)
    case = st.case(cast)
    row = st.decided(cast, case, st.refund(20_000, payment))
    carry_out(case, row.pk, by=cast.by(cast.minji), seen=None)
    step = row.steps.get()

    def refuses(sql: str, *values: object) -> str:
        with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
        return str(error.value)

    copy = """INSERT INTO makegood_step (case_id, remedy_id, n, action, ours, payment_id, amount, currency, ask, state, by_hand, code,
      theirs, ref, there, planned_at, sends, looked, set_back, trouble, sent_at, look_at) SELECT case_id, remedy_id, %s, action, %s,
      payment_id, %s, currency, ask, %s, false, '', '', '', '', now(), 0, 0, 0, '', now(), now() FROM makegood_step WHERE id = %s"""
    assert "would exceed it" in refuses(copy, 2, "mg-another-1", 10_001, "planned", step.pk)
    assert "ours" in refuses(copy, 2, step.ours, 1, "planned", step.pk)
    remedies.work()
    assert "could happen twice" in refuses(
        "UPDATE makegood_step SET state = 'planned' WHERE id = %s", step.pk
    )
    assert "could happen twice" in refuses(
        "UPDATE makegood_step SET state = 'sending' WHERE id = %s", step.pk
    )
    assert "never changes" in refuses("UPDATE makegood_step SET amount = 1 WHERE id = %s", step.pk)
    assert "never deleted" in refuses("DELETE FROM makegood_step WHERE id = %s", step.pk)
    assert "never changes" in refuses("UPDATE makegood_remedy SET amount = 1 WHERE id = %s", row.pk)
    again = """INSERT INTO makegood_remedy (case_id, round, kind, amount, currency, payment_id, state, rule, law, sentence,
      needs_approval, deviation, other_route, reason, by_id, at, lines) SELECT case_id, 1, 'partial_refund', 1, 'KRW', payment_id, 'carrying',
      '', '', '{}', false, 'because', '', '', by_id, now(), '[]' FROM makegood_remedy WHERE id = %s"""
    with connection.cursor() as cursor:
        cursor.execute(again, [row.pk])
    assert "one_open_remedy_a_payment" in refuses(again, row.pk)


def test_settling_twice_is_settling_once(cast, shop):
    from makegood.connectors.ports import done, refused

    case, _row, step = carried(cast, shop)
    remedies.work()
    version = stages.fresh(case).version
    assert settle(step.pk, refused("declined")) is None and settle(step.pk, done("x", "paid_out")) is None
    assert stages.fresh(case).version == version and fresh(step).there == "sent"


# ------------------------------------------------------------------------------------------------ looked at again, and parts


def test_a_refund_on_its_way_is_looked_at_again_where_no_webhook_comes(cast, shop):
    st.paid(cast)
    case = st.case(cast)
    row = st.decided(cast, case)
    carry_out(case, row.pk, by=cast.by(cast.minji), seen=None)
    remedies.work()
    step = row.steps.get()
    assert (step.state, step.there) == ("done", "sent") and step.look_at > clock.now()
    shop.state = "paid_out"
    remedies.work()
    assert fresh(step).there == "sent", "not before its time"
    with clock.travel(timedelta(hours=2)):
        remedies.work()
    step = fresh(step)
    assert (step.there, step.look_at, len(shop.refunds)) == ("paid_out", None, 1)
    assert fresh(row).state == "arrived" and Verification.objects.get(case=case).by is None


def test_a_late_answer_does_not_undo_what_a_webhook_said(cast, shop):
    st.paid(cast)
    case = st.case(cast)
    row = st.decided(cast, case)
    carry_out(case, row.pk, by=cast.by(cast.minji), seen=None)
    shop.before_answer = lambda ask: hear(row.steps.get().pk, "refund-1", "paid_out", clock.now())
    remedies.work()  # the answer itself says 'sent'
    assert row.steps.get().there == "paid_out" and fresh(row).state == "arrived"


CUPS = [{"ref": "L-1", "name": "Blue tea cup", "quantity": 2, "price": "19500"}]


def cups(cast):
    cast.order.lines = CUPS
    cast.order.save(update_fields=["lines"])
    st.paid(cast)


def test_money_for_one_cup_of_two_is_what_it_cost_and_the_shop_hears_which(cast, shop):
    cups(cast)
    case = st.case(cast)
    row = st.decided(cast, case, Wish("refund", None, None, (("L-1", 1),)))
    assert (row.amount, row.lines) == (19500, [{"ref": "L-1", "name": "Blue tea cup", "quantity": 1}])
    told = case.messages.filter(author="staff", audience="customer").latest("id").body
    assert "Blue tea cup × 1" in told and "19,500 KRW" in told
    carry_out(case, row.pk, by=cast.by(cast.minji), seen=None)
    remedies.work()
    (ask,) = shop.asked
    assert [(line.ref, line.quantity) for line in ask.lines] == [("L-1", 1)]
    assert row.steps.get().ask["lines"] == [{"ref": "L-1", "quantity": 1}]


def test_a_cup_that_was_sent_again_is_not_sent_again_once_more(cast, shop):
    cups(cast)
    case = st.case(cast, "delivery.missing", responsibility="carrier")
    more = {"agreed": "다시 보내 달라고 하셨습니다.", "deviation": "한 개만 없어졌습니다."}
    first = st.decided(cast, case, Wish("resend", None, None, (("L-1", 2),)), **more)
    assert first.lines[0]["quantity"] == 2
    Remedy.objects.filter(pk=first.pk).update(state="done")
    again = Wish("resend", None, None, (("L-1", 1),))
    assert refusal(st.decided, cast, case, again, **more) == "too_many"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish("refund", Decimal(19501), None, (("L-1", 1),)), "over_lines"),
        (Wish("refund", None, None, (("L-1", 3),)), "too_many"),
        (Wish("refund", None, None, (("L-1", 1), ("L-1", 2))), "too_many"),
        (Wish("refund", None, None, (("L-7", 1),)), "no_line"),
        (Wish("refund", None, None, (("L-1", 0),)), "no_line"),
        (Wish("refund", None, None, (("L-1", -1),)), "no_line"),
    ],
)
def test_lines_that_are_not_there_are_refused(cast, wish, code):
    cups(cast)
    case = st.case(cast)
    assert refusal(st.decided, cast, case, wish) == code and not Remedy.objects.exists()
