"""What the watch found reaches the right people once, as cases and incidents; and people teach it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases import links
from makegood.cases.models import Case, CaseEvent
from makegood.conversations.models import Delivery, Message
from makegood.desk import finding as finding_cases
from makegood.desk import watch_cases, watch_dismissing, watch_finding, watch_page, watch_wishes, watching
from makegood.desk.watch_wishes import Wanted
from makegood.people.models import Customer, User
from makegood.transactions.models import Order
from makegood.watch import house
from makegood.watch.keys import name_key, pair_key
from makegood.watch.models import Finding, WatchModel, WatchMonth, WatchName, WatchSetting
from tests import cast as stages

pytestmark = pytest.mark.django_db
UID = iter(range(1000, 9000))


def finding(cast, order="HN-20261101", kind="stuck", **more):
    """A refund of Jiwoo's order that has waited five hours; 995 of 1,000 take less than two."""
    now = clock.now()
    step = more.pop("step", "refund.payout")
    data = {"step": step, "age": 18000.0, "limit": 7200.0, "of": "995", "since": (now - timedelta(hours=5)).isoformat(), "promise": "",
            "other": "", "expected": 61.0, "observed": 0, "count": 12, "overtakes": 0, **more.pop("data", {})}  # fmt: skip
    values = {"uid": next(UID), "process": "refund", "step": step, "shop": cast.haneul, "order_number": order, "since": now - timedelta(hours=5),
              "found_at": now - timedelta(minutes=10), "code": "stuck.hours", "data": data, "confidence": 0.99, "rank": 5.0, "amount": 39000, "currency": "KRW"}  # fmt: skip
    return Finding.objects.create(kind=kind, **(values | more))


def orders(cast, count):
    now = clock.now()
    return [
        Order.objects.create(
            shop=cast.haneul,
            customer=cast.alex,
            number=f"AX-{n}",
            placed_at=now,
            total=10,
            currency="KRW",
            told_at=now,
        )
        for n in range(count)
    ]


def act():
    watching.act_on_waiting()
    return Case.objects.order_by("-id").first()


def test_a_refund_that_stands_still_goes_to_technology_and_not_to_the_front_line(cast):
    found = finding(cast)
    case = act()
    assert (case.customer, case.order_number, case.team) == (cast.jiwoo, "HN-20261101", cast.tech)
    assert case.type == "refund.delay" and case.customer_wrote_at is None
    found.refresh_from_db()
    assert (found.case, found.acted) == (case, "opened")
    assert not Delivery.objects.filter(case=case).exists(), (
        "the customer hears by a person unless the shop wants it first"
    )
    assert [said for _one, said in watch_finding.of_case(case.pk)] == [watch_cases.said(found)]
    watching.act_on_waiting()
    assert Case.objects.count() == 1, "what was acted on is not acted on again"


def test_where_the_shop_wants_it_the_customer_hears_before_they_complain(cast):
    WatchSetting.objects.create(process="refund", shop=cast.haneul, tell_first=True)
    finding(cast)
    letter = Delivery.objects.get(case=act())
    assert (
        letter.to == cast.jiwoo.email
        and "HN-20261101" in letter.message.body
        and "995" not in letter.message.body
    )


def test_it_joins_the_case_that_the_customer_has_opened_and_says_so_there(cast):
    case = stages.reported(cast)
    found = finding(cast, promised_at=clock.now() - timedelta(hours=1))
    act()
    found.refresh_from_db()
    assert (found.case, found.acted, Case.objects.count()) == (case, "joined", 1)
    assert CaseEvent.objects.get(case=case, kind="watch_noticed").data == {
        "finding": found.pk,
        "watched": "refund.payout",
    }
    assert stages.fresh(case).urgency >= 3


def test_what_ends_by_itself_closes_nothing_but_is_said(cast):
    finding(cast)
    case = act()
    Finding.objects.update(state="recovered", ended_at=clock.now())
    watching.act_on_waiting()
    watching.act_on_waiting()
    assert stages.fresh(case).is_open
    assert CaseEvent.objects.filter(case=case, kind="watch_over").count() == 1


def test_a_fault_is_one_incident_with_everybody_whom_it_struck(cast):
    names = [
        WatchName.objects.create(key=n, shop=cast.haneul, order_number=o.number, ref=o.number)
        for n, o in enumerate(orders(cast, 3), 1)
    ]
    fault = finding(
        cast,
        order="",
        kind="systemic",
        code="systemic",
        step="payment.capture",
        process="payment",
        data={"affected": [str(n.key) for n in names]},
    )
    for name in names:
        finding(cast, order=name.order_number, step="payment.capture", process="payment", fault=fault.uid)
    act()
    fault.refresh_from_db()
    incident = fault.incident
    assert incident is not None and incident.case.team == cast.tech and incident.case.urgency >= 4
    inside = set(incident.members.filter(standing=True).values_list("case__order_number", flat=True))
    assert inside == {"AX-0", "AX-1", "AX-2"} and Case.objects.count() == 3


def test_of_too_many_the_gravest_reach_people_first(cast, monkeypatch):
    monkeypatch.setattr(watching, "A_DAY", 1)
    people = User.objects.filter(role__in=["agent", "lead", "specialist"]).count()
    for n, order in enumerate(orders(cast, people + 2)):
        finding(cast, order=order.number, rank=float(n))
    act()
    waiting = Finding.objects.filter(acted="too_many").values_list("rank", flat=True)
    assert sorted(waiting) == [0.0, 1.0] and Case.objects.count() == people


def test_a_guess_and_a_switched_off_process_open_nothing(cast):
    guess, off = finding(cast, confidence=0.3), finding(cast, process="invoice", step="invoice.issue")
    WatchSetting.objects.create(process="invoice", shop=cast.haneul, on=False)
    watching.act_on_waiting()
    guess.refresh_from_db(), off.refresh_from_db()
    assert (guess.acted, off.acted, Case.objects.count()) == ("guess", "off", 0)


def test_three_times_usual_here_halves_what_the_step_may_tell(cast):
    before = house.alphas(house.processes_on())
    for _ in range(3):
        watch_dismissing.dismiss(
            finding(cast, order=""), by=cast.by(cast.minji), reason="usual", words="월말마다 이렇습니다."
        )
    after = house.alphas(house.processes_on())
    assert after["refund.payout"] == pytest.approx(before["refund.payout"] / 2)
    assert after["refund.whole"] == before["refund.whole"]
    with pytest.raises(Refusal):
        watch_dismissing.dismiss(Finding.objects.first(), by=cast.by(cast.minji), reason="usual")
    with pytest.raises(Refusal):
        watch_dismissing.dismiss(finding(cast), by=cast.by(cast.minji), reason="because")


def test_a_lead_says_how_many_false_alarms_are_accepted_and_nonsense_is_refused(cast):
    sujin = cast.by(cast.sujin)
    wanted = Wanted(True, True, "1")
    watch_wishes.keep("refund", by=sujin, on=True, alpha="2,5", shops={cast.haneul.pk: wanted})
    assert watch_page.process_page(sujin, "refund").per_thousand == "2.5"
    for bad in ("-1", "501", "many", "nan"):
        with pytest.raises(Refusal) as refused:
            watch_wishes.keep("refund", by=sujin, on=False, alpha=bad, shops={})
        assert refused.value.field == "alpha"
        with pytest.raises(Refusal) as refused:
            watch_wishes.keep(
                "refund", by=sujin, on=False, alpha="", shops={cast.haneul.pk: Wanted(True, True, bad)}
            )
        assert refused.value.field == f"alpha-{cast.haneul.pk}"
    assert WatchSetting.objects.get(process="refund", shop=None).on


def test_the_pages_say_what_is_there_in_the_readers_language(cast, client):
    one = finding(cast, data={"like": {"done": [[0.5, 600.0], [0.99, 7000.0]], "count": 400}})
    client.force_login(cast.minji)
    page = client.get("/watch/refund/").content.decode()
    assert watch_cases.said(one)[:12] in page or "HN-20261101" in page
    drawn = client.get(f"/watch/findings/{one.pk}/").content.decode()
    assert "HN-20261101" in drawn and 'class="here"' in drawn
    tried = client.post(f"/watch/findings/{one.pk}/dismiss/", {"reason": "", "words": "월말"})
    assert tried.status_code == 422 and "월말" in tried.content.decode()
    client.post(f"/watch/findings/{one.pk}/dismiss/", {"reason": "usual"})
    one.refresh_from_db()
    assert (one.state, one.dismissed_by) == ("dismissed", cast.minji)
    client.force_login(cast.luo)
    assert client.get(f"/watch/findings/{one.pk}/").status_code in (302, 403, 404)


def test_a_finding_whose_customer_nobody_told_still_reaches_who_can_mend_it(cast):
    found = finding(cast, order="HN-NOBODY")
    Finding.objects.update(found_at=clock.now())
    act()
    assert Case.objects.count() == 0, "the order may still be made of the log, with its customer"
    Finding.objects.update(found_at=clock.now() - timedelta(minutes=10))
    case = act()
    found.refresh_from_db()
    assert (found.acted, found.case, case.team, case.order_number) == ("opened", case, cast.tech, "HN-NOBODY")
    assert (case.customer.email, str(case.customer)) == ("", "—")
    note = Message.objects.get(case=case, audience="staff")
    assert (note.author, bool(note.body)) == ("system", True), "the team reads that the shop is to be asked"
    assert not Delivery.objects.filter(case=case).exists()
    again = finding(cast, order="HN-NOBODY", step="refund.whole")
    act()
    again.refresh_from_db()
    assert (again.case, Case.objects.count()) == (case, 1)


def nobodys(cast):
    """A case of the watch for order AX-0 of Haneul, of which the shop has named no customer yet."""
    order = orders(cast, 1)[0]
    Order.objects.update(customer=None)
    finding(cast, order=order.number)
    case = act()
    assert str(case.customer) == "—" and case.language == "ko"
    return case


def named(customer):
    Order.objects.update(customer=customer)
    watching.act_on_waiting()


def test_once_the_shop_names_whose_order_it_is_the_case_is_theirs_and_nobodys_row_goes(cast):
    case = nobodys(cast)
    before = case.customer_id
    watching.act_on_waiting()
    assert stages.fresh(case).customer_id == before, "nobody was named yet"
    named(cast.alex)
    case = stages.fresh(case)
    assert (case.customer, case.language) == (cast.alex, "en")
    assert not Customer.objects.filter(pk=before).exists()
    assert not Delivery.objects.filter(case=case).exists(), "a letter goes only where the shop wants it"
    watching.act_on_waiting()
    assert CaseEvent.objects.filter(case=case, kind="customer_named").count() == 1
    assert [hit.case for hit in finding_cases.find(cast.by(cast.minji), cast.alex.email).hits] == [case]


def test_where_the_shop_wants_it_they_then_hear_of_it_in_their_language(cast):
    WatchSetting.objects.create(process="refund", shop=cast.haneul, tell_first=True)
    case = nobodys(cast)
    assert not Delivery.objects.filter(case=case).exists()
    named(cast.alex)
    letter = Delivery.objects.get(case=case)
    assert (letter.to, letter.language) == (cast.alex.email, "en")
    assert letter.message.body.startswith("We noticed that something takes longer"), (
        "not the Korean words written for nobody"
    )


@pytest.mark.parametrize("spoke", ["page", "words"])
def test_a_case_for_which_somebody_has_spoken_is_given_to_nobody_else(cast, spoke):
    case = nobodys(cast)
    if spoke == "page":
        links.make(case, shown=True)
    else:
        Message.objects.create(
            case=case, author="customer", audience="customer", body="제 주문입니다", language="ko"
        )
    named(cast.alex)
    assert str(stages.fresh(case).customer) == "—"
    assert not CaseEvent.objects.filter(kind="customer_named").exists()


def test_a_fault_that_struck_only_orders_without_a_customer_is_an_incident_all_the_same(cast):
    name = WatchName.objects.create(key=1, shop=cast.haneul, order_number="", ref="payout:P-7")
    fault = finding(cast, order="", kind="systemic", code="systemic", step="payment.capture", process="payment", data={"affected": [str(name.key)]})  # fmt: skip
    act()
    fault.refresh_from_db()
    assert fault.acted == "incident" and fault.incident.case.urgency >= 4


def test_what_is_usual_in_one_lane_is_told_less_there_and_nowhere_else(cast):
    chosen = house.processes_on()
    lane = 77
    before = house.alphas(chosen)
    for _ in range(3):
        watch_dismissing.dismiss(finding(cast, order="", lane=lane), by=cast.by(cast.minji), reason="usual")
    assert house.alphas(chosen) == before
    assert house.factors(chosen) == {lane: 0.5}
    plan = house.watched().plan
    assert plan.tiers[plan.tier(np.array([lane, 78], np.uint64))].tolist() == [0.5, 1.0]


def test_a_shop_has_its_own_limit_and_another_keeps_that_of_the_house(cast):
    watch_wishes.keep(
        "refund", by=cast.by(cast.sujin), on=True, alpha="4", shops={cast.haneul.pk: Wanted(True, False, "1")}
    )
    plan = house.watched().plan
    for shop, factor in ((cast.haneul.pk, 0.25), (999, 1.0)):
        key = pair_key(name_key("refund.payout"), name_key(str(shop)))
        assert plan.tiers[plan.tier(np.array([key], np.uint64))[0]] == pytest.approx(factor)
    wish = next(
        w for w in watch_page.process_page(cast.by(cast.sujin), "refund").shops if w.shop == cast.haneul
    )
    assert (wish.alpha, wish.tell_first) == ("1", False)


def test_a_month_that_told_more_in_vain_than_was_promised_lowers_the_limit_by_as_much(cast):
    chosen = house.processes_on()
    promised = house.alphas(chosen)
    last = (clock.now().replace(day=1) - timedelta(days=3)).date().replace(day=1)
    kept = int(100 / promised["refund.payout"])
    WatchMonth.objects.create(step="refund.payout", month=last, kept=kept, told=200)
    WatchMonth.objects.create(
        step="refund.whole", month=last, kept=int(100 / promised["refund.whole"]), told=105
    )
    now = house.alphas(chosen)
    assert now["refund.payout"] == pytest.approx(promised["refund.payout"] / 2, rel=0.01)
    assert now["refund.whole"] == promised["refund.whole"], "five more than a hundred are chance"
    page = watch_page.process_page(cast.by(cast.sujin), "refund")
    assert page.told == 305 and page.realised == f"{1000 * 305 / page.kept:.1f}"


def test_the_curve_of_a_fault_is_drawn_with_its_numbers_beside_it(cast, client):
    now = clock.now()
    rows = [
        [(now - timedelta(minutes=m)).isoformat(), expected, came]
        for m, expected, came in ((60, 0, 0), (30, 61.2, 4), (5, 120.4, 9))
    ]
    one = finding(
        cast,
        order="",
        kind="systemic",
        code="systemic",
        step="payment.capture",
        process="payment",
        data={"curve": rows},
    )
    client.force_login(cast.minji)
    page = client.get(f"/watch/findings/{one.pk}/").content.decode()
    assert 'class="observed" points="0.0,100.00 54.55,' in page
    assert '<td class="num">120</td><td class="num">9</td>' in page
    Finding.objects.update(data={**one.data, "curve": rows[:1]})
    assert 'class="observed"' not in client.get(f"/watch/findings/{one.pk}/").content.decode()


def test_the_page_of_an_incident_shows_the_curve_of_the_fault_that_it_is_about(cast, client):
    now = clock.now()
    rows = [
        [(now - timedelta(minutes=m)).isoformat(), expected, came]
        for m, expected, came in ((60, 0, 0), (30, 61.2, 4), (5, 120.4, 9))
    ]
    order = orders(cast, 1)[0]
    name = WatchName.objects.create(key=7, shop=cast.haneul, order_number=order.number, ref=order.number)
    fault = finding(
        cast, order="", kind="systemic", code="systemic", step="payment.capture", process="payment",
        data={"affected": [str(name.key)], "curve": rows},
    )  # fmt: skip
    act()
    fault.refresh_from_db()
    client.force_login(cast.sujin)
    page = client.get(f"/incidents/{fault.incident_id}/").content.decode()
    assert 'class="observed" points="0.0,100.00 54.55,' in page and "watch.css" in page
    assert f'href="/watch/findings/{fault.pk}/"' in page
    assert '<td class="num">120</td><td class="num">9</td>' in page
    Finding.objects.update(kind="stuck")
    assert 'class="observed"' not in client.get(f"/incidents/{fault.incident_id}/").content.decode()


def test_the_page_of_a_process_says_within_which_time_two_alike_are_one_done_twice(cast, client):
    User.objects.update(language="en")
    client.force_login(cast.minji)
    assert "within 15 minutes of one another." in client.get("/watch/payment/").content.decode()
    WatchModel.objects.create(
        plan="", codes=[], data=b"", facts=0,
        what_if={"payment": {"windows": {"payment.alike": {"window": 2 * 3_600_000_000, "pairs": 312, "meant": 0.0312}}}},
    )  # fmt: skip
    page = client.get("/watch/payment/").content.decode()
    assert "within 2 hours of one another." in page and "of 100 within it about 3.1 are meant so" in page
    assert "One order paid twice: however long after." in page
    rule = next(d for d in house.watched().plan.duplicates if d.code == "payment.alike")
    assert rule.window == 2 * 3_600_000_000, "and the watch goes by it"


def test_the_night_shares_out_what_a_lead_accepts_and_another_limit_counts_at_once(cast, client):
    steps = {
        "order.delivery": 0.002,
        "order.dispatch": 0.008,
        "order.packing": 0.0001,
        "order.transport": 0.001,
    }
    WatchModel.objects.create(
        plan="", codes=[], data=b"", facts=0,
        what_if={"order": {"shared": {"for": 0.01, "working": 0.01, "steps": steps, "from": 0, "at": 0}}},
    )  # fmt: skip
    chosen = house.processes_on()
    assert {s: house.alphas(chosen)[s] for s in steps} == pytest.approx(steps)
    WatchSetting.objects.create(process="order", alpha=0.02)
    assert house.alphas(chosen)["order.dispatch"] == pytest.approx(0.016)
    User.objects.update(language="en")
    client.force_login(cast.minji)
    page = client.get("/watch/order/").content.decode()
    assert "Each night they are shared out" in page and "Lately more came in vain" not in page
    WatchModel.objects.update(what_if={"order": {"shared": {"for": 0.01, "working": 0.006, "steps": steps}}})
    assert "so 12.0 are shared out for now" in client.get("/watch/order/").content.decode()
    assert "Each night" not in client.get("/watch/refund/").content.decode()
    assert house.alphas(chosen)["refund.payout"] == pytest.approx(
        chosen["refund"].alpha * chosen["refund"].steps["refund.payout"].budget
    ), "what was not shared out stays as written"
