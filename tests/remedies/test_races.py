"""At once: two agents who press, two workers who send, two who spend the last of a budget. Real threads, real transactions."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.desk import budgets, remedy_facts, remedy_stores
from makegood.desk.remedy_approving import approve_remedy
from makegood.desk.remedy_choosing import choose_remedy
from makegood.desk.remedy_steps import carry_out
from makegood.desk.remedying import Wish, decide_remedy
from makegood.jobs import remedies
from makegood.remedies.models import Remedy, Step
from tests import cast as stages
from tests.desk.test_races import together
from tests.remedies import stages as st
from tests.remedies.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def codes(done: list[object]) -> list[str]:
    """The codes of those who were refused; anything else that went wrong is shown."""
    wrong = [d for d in done if isinstance(d, Exception) and not isinstance(d, Refusal)]
    assert not wrong, wrong
    return [d.code for d in done if isinstance(d, Refusal)]


def test_two_agents_who_decide_the_same_refund_on_two_cases_give_it_once():
    cast = stages.assemble()
    payment = st.paid(cast, 60_000)
    cases = [st.case(cast), st.case(cast)]
    people = [cast.minji, cast.jun] * 3
    done = together(
        6,
        lambda i: decide_remedy(
            cases[i % 2], by=cast.by(people[i]), seen=None, wish=st.refund(30_000, payment), reason="late"
        ),
    )
    assert len(codes(done)) == 5 and set(codes(done)) <= {"another_open", "over_balance"}
    assert Remedy.objects.filter(state="accepted").count() == 1


def test_eight_who_press_carry_out_and_four_workers_are_one_refund(monkeypatch):
    cast = stages.assemble()
    shop = Shop(lose=1)
    monkeypatch.setattr(remedy_stores, "opened", lambda step: shop)
    st.paid(cast)
    case = st.case(cast)
    row = st.decided(cast, case)

    def press(i: int) -> object:
        if i % 3:
            return carry_out(case, row.pk, by=cast.by(cast.minji if i % 2 else cast.jun), seen=None)
        return remedies.work()

    assert set(codes(together(8, press))) <= {"on_its_way", "not_decided", "settled"}
    together(4, lambda i: remedies.work())
    assert Step.objects.filter(remedy=row).count() == 1 and len(shop.refunds) == 1
    with clock.travel(timedelta(minutes=1)):
        remedies.work()
    assert Step.objects.get().state == "done" and len(shop.refunds) == 1


def test_jiwoo_who_presses_four_times_has_chosen_once():
    cast = stages.assemble()
    st.paid(cast, connected=False)
    case = st.case(cast, "delivery.missing", responsibility="carrier")
    rows = st.offered(cast, case, st.refund(), Wish("resend"))
    done = together(6, lambda i: choose_remedy(case, rows[i % 2].pk, by=st.jiwoo(cast), reason="not_arrived"))
    assert len(codes(done)) == 5
    assert sorted(Remedy.objects.values_list("state", flat=True)) == ["accepted", "not_chosen"]


def test_the_last_of_the_budget_is_spent_once():
    cast = stages.assemble()
    budgets.set_budget(cast.haneul, Decimal(5000), by=cast.by(cast.hana))
    cases = []
    for customer in (cast.alex, cast.alex, cast.alex, cast.alex):
        case = stages.owned(cast, customer=customer)
        sorting = stages.Sorting(type="service.attitude", responsibility="platform")
        stages.triage(case, sorting, by=cast.by(cast.minji), seen=None)
        cases.append(case)
    done = together(
        4,
        lambda i: decide_remedy(
            cases[i], by=cast.by(cast.minji), seen=None, wish=Wish("credit", Decimal(4000)), reason="service"
        ),
    )
    assert codes(done) == ["over_budget"] * 3
    assert budgets.used(budgets.of(cast.haneul, "KRW")) == 4000


def test_two_leads_who_approve_at_once_approve_once():
    cast = stages.assemble()
    st.paid(cast, 390_000)
    case = st.case(cast)
    row = st.decided(cast, case, st.refund(390_000))
    people = [cast.sujin, cast.hana, cast.root]
    done = together(3, lambda i: approve_remedy(case, row.pk, by=cast.by(people[i]), seen=None))
    assert codes(done) == ["not_asked"] * 2
    assert Remedy.objects.get(pk=row.pk).state == "accepted"


def test_two_who_hear_the_shop_hear_each_fact_once(monkeypatch):
    cast = stages.assemble()
    shop = Shop()
    monkeypatch.setattr(remedy_stores, "opened", lambda step: shop)
    st.paid(cast)
    case = st.case(cast)
    row = st.decided(cast, case)
    carry_out(case, row.pk, by=cast.by(cast.minji), seen=None)
    remedies.work()
    from tests.remedies.test_remedying import told

    for n in range(4):
        told(cast, Step.objects.get(), "paid_out", event_id=f"again-{n}")
    together(4, lambda i: remedy_facts.hear_all())
    remedy_facts.hear_all()
    assert case.events.filter(kind="remedy_arrived").count() == 1
    assert case.verifications.count() == 1
