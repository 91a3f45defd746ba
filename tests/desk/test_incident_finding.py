"""Similar cases in a short time look like one fault; and those whom it struck without a word are found and told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.base.languages import speaking
from makegood.cases.models import Case, Notice
from makegood.conversations.models import Delivery, Message
from makegood.desk import incident_acts, incident_affected, incident_finding, incident_page, incidents
from makegood.desk.incident_finding import accept_suggestion, dismiss_suggestion, look, sentence
from makegood.incidents.models import Incident, IncidentCase, Suggestion
from makegood.jobs.sweep import tick
from makegood.people.models import Customer
from makegood.transactions.models import Order, Payment, Shipment
from tests import cast as stages
from tests.desk.test_incidents import EN, KO, tell

pytestmark = pytest.mark.django_db

LAMP = "Lamp No. 4"


def bought(
    cast, n: int, product: str = LAMP, shop=None, placed=timedelta(hours=3), carrier: str = "CJ"
) -> list[Order]:
    """Orders of customers of their own, with a payment and a parcel."""
    shop, made = shop or cast.haneul, []
    first = Order.objects.count()
    for i in range(first, first + n):
        customer = Customer.objects.create(
            shop=shop, name=f"B{i}", email=f"b{i}@customer.example", language=("ko", "en")[i % 2]
        )
        order = Order.objects.create(
            shop=shop,
            customer=customer,
            number=f"LM-2026{i:04}",
            placed_at=clock.now() - placed,
            total="39000",
            currency="KRW",
            lines=[{"name": product, "quantity": 1, "price": "39000"}],
            told_at=clock.now(),
        )
        Shipment.objects.create(
            order=order, state="moving", carrier=carrier, tracking=f"T{i}", told_at=clock.now()
        )
        Payment.objects.create(
            order=order, state="taken", method="card", amount="39000", currency="KRW", told_at=clock.now()
        )
        made.append(order)
    return made


def counts(cast, incident: Incident, since) -> tuple[int, dict[str, int]]:
    found = incident_affected.read(incident, by=cast.by(cast.sujin), since=since, until=None)
    return found.n, found.languages


def reports(cast, n: int, text: str = "The lamp stays dark.", product: str = LAMP, **more) -> list[Case]:
    return [
        stages.reported(cast, customer=order.customer, text=text, order_number=order.number)
        for order in bought(cast, n, product, **more)
    ]


def test_five_cases_about_one_product_in_two_hours_are_suggested_in_one_sentence_of_three_languages(cast):
    reports(cast, 4)
    assert look() == []
    reports(cast, 1)
    [found] = look()
    assert found.rule == "product_at_shop" and found.n == 5 and found.usual == 0
    said = {}
    for language in ("en", "ko", "zh-hans"):
        with speaking(language):
            said[language] = sentence(found)
    assert said["en"] == "5 cases in 2 hours about the same product (Lamp No. 4) at Haneul; usually 0.0."
    assert "5건" in said["ko"] and LAMP in said["zh-hans"] and "5个" in said["zh-hans"]
    assert Notice.objects.filter(user=cast.sujin, kind="incident_suggested").count() == 1
    assert look() == [] and Notice.objects.filter(kind="incident_suggested").count() == 1, "told once"


def test_what_is_usual_is_no_fault(cast):
    """Fourteen quiet days with many such cases each two hours: five more are nothing new."""
    for hours in range(6, 246, 2):
        with clock.travel(-timedelta(hours=hours)):
            reports(cast, 2)
    reports(cast, 5)
    found = look()
    assert [one.rule for one in found] == [], [sentence(one) for one in found]


def test_the_same_code_on_the_screen_is_found_and_order_numbers_are_not(cast):
    for n in range(5):
        customer = Customer.objects.create(
            shop=cast.haneul, name="X", email=f"x{n}@customer.example", language="en"
        )
        stages.reported(
            cast, customer=customer, text=f"I get ERR-5031 at the checkout for order AX-2026110{n}."
        )
    [found] = look()
    assert found.rule == "words_at_shop" and found.common["words"] == "ERR-5031"


def test_one_customer_who_writes_five_times_is_no_fault_of_many(cast):
    [order] = bought(cast, 1)
    for _again in range(7):
        stages.reported(
            cast, customer=order.customer, text="ERR-5031, still dark.", order_number=order.number
        )
    assert look() == []


def test_a_lead_accepts_and_the_cases_stand_in_one_incident(cast):
    cases = reports(cast, 6)
    [found] = look()
    with pytest.raises(NotAllowed):
        accept_suggestion(found.pk, by=cast.by(cast.minji))
    event = accept_suggestion(found.pk, by=cast.by(cast.sujin))
    incident = Incident.objects.get(pk=event.data["incident"])
    assert set(incident.members.values_list("case", flat=True)) == {case.pk for case in cases}
    assert incident.common == {"shop": cast.haneul.pk, "product": LAMP}
    with pytest.raises(Refusal):
        accept_suggestion(found.pk, by=cast.by(cast.hana))
    reports(cast, 6)
    assert look() == [], "more of the same is brought in there, not suggested anew"
    assert incident_acts.alike(incident).count() == 6
    incident_acts.bring_in(incident, by=cast.by(cast.sujin))
    tick()
    assert IncidentCase.objects.filter(incident=incident, standing=True).count() == 12
    assert incident_acts.alike(incident).count() == 0


def test_a_dismissed_suggestion_needs_a_reason_and_does_not_come_back_for_a_while(cast):
    case = reports(cast, 5)[0]
    [found] = look()
    with pytest.raises(Refusal) as refused:
        dismiss_suggestion(found.pk, by=cast.by(cast.sujin), reason=" ")
    assert refused.value.field == "reason"
    dismiss_suggestion(found.pk, by=cast.by(cast.sujin), reason="A sale began today.")
    assert case.events.filter(kind="incident_dismissed").exists()
    reports(cast, 4)
    assert look() == []
    with clock.travel(timedelta(hours=25)):
        reports(cast, 5)
        assert len(look()) == 1


def test_a_suggestion_whose_time_has_passed_is_shown_no_more(cast):
    reports(cast, 5)
    look()
    assert incident_page.suggested(cast.by(cast.sujin))
    with clock.travel(timedelta(hours=9)):
        look()
        assert not incident_page.suggested(cast.by(cast.sujin))
        assert Suggestion.objects.get().state == "past"
    with clock.travel(timedelta(days=120)):
        assert incident_finding.forget() == 1


def test_who_sees_none_of_the_cases_decides_nothing(cast):
    reports(cast, 5)
    [found] = look()
    away = stages.user("Mira", "lead")
    from makegood.people.models import Team

    Team.objects.create(name="Moon line", lead=away).shops.add(cast.moon)
    assert incident_page.suggested(cast.by(away)) == []
    for call in (
        lambda: accept_suggestion(found.pk, by=cast.by(away)),
        lambda: dismiss_suggestion(found.pk, by=cast.by(away), reason="x"),
        lambda: accept_suggestion(2**70, by=cast.by(cast.sujin)),
    ):
        with pytest.raises(NotThere):
            call()


# Those who did not complain


def struck(cast) -> Incident:
    anchor = reports(cast, 1)[0]
    event = incidents.open_incident(
        anchor,
        by=cast.by(cast.sujin),
        words="The lamps of one batch stay dark.",
        common={"shop": cast.haneul.pk, "product": LAMP},
    )
    return Incident.objects.get(pk=event.data["incident"])


def test_cases_are_opened_for_who_did_not_complain_and_then_they_are_told(cast):
    incident = struck(cast)
    orders = bought(cast, 4)
    bought(cast, 2, product="Chair")
    bought(cast, 1, placed=timedelta(days=9))
    since = clock.now() - timedelta(hours=6)
    assert counts(cast, incident, since) == (4, {"ko": 2, "en": 2})
    with pytest.raises(Refusal) as refused:
        incident_acts.open_for_affected(
            incident, by=cast.by(cast.sujin), texts={"ko": KO}, since=since, until=None
        )
    assert refused.value.field == "text_en" and Case.objects.count() == 1
    incident_acts.open_for_affected(
        incident, by=cast.by(cast.sujin), texts={"ko": KO, "en": EN}, since=since, until=None
    )
    tick()
    opened = Case.objects.filter(order__in=orders)
    assert opened.count() == 4
    for case in opened:
        first = case.messages.get()
        assert first.author == "system" and first.body == (EN if case.language == "en" else KO)
        assert (
            case.events.get(seq=1).data["noticed"] is True
            and case.events.get(seq=1).actor_id == cast.sujin.pk
        )
        assert case.customer_wrote_at is None and not Delivery.objects.filter(case=case).exists()
        assert incidents.standing_of(case).incident_id == incident.pk
    assert counts(cast, incident, since) == (0, {})
    tell(cast, incident)
    tick()
    assert Message.objects.filter(case__in=opened, author="staff").count() == 4
    assert Delivery.objects.filter(case__in=opened, what="reply").count() == 4


def test_who_complained_meanwhile_gets_no_second_case(cast):
    incident = struck(cast)
    first, second = bought(cast, 2)
    incident_acts.open_for_affected(
        incident,
        by=cast.by(cast.sujin),
        texts={"ko": KO, "en": EN},
        since=clock.now() - timedelta(hours=6),
        until=None,
    )
    stages.reported(cast, customer=first.customer, text="My lamp stays dark.", order_number=first.number)
    tick()
    assert Case.objects.filter(order=first).count() == 1 and Case.objects.filter(order=second).count() == 1
    [act] = incident_page.acts(incident)
    assert (act.counted.done, act.counted.passed) == (1, 1) and [n for _why, n in act.reasons] == [1]


@pytest.mark.parametrize(
    ("hours", "until", "field"), [(None, None, "since"), (-2, None, "until"), (2, 5, "until")]
)
def test_an_odd_time_is_refused_beside_its_control(cast, hours, until, field):
    incident = struck(cast)
    since = clock.now() - timedelta(hours=hours) if hours is not None else None
    end = clock.now() - timedelta(hours=until) if until else None
    with pytest.raises(Refusal) as refused:
        incident_acts.open_for_affected(
            incident, by=cast.by(cast.sujin), texts={"ko": KO}, since=since, until=end
        )
    assert refused.value.field == field


@pytest.mark.parametrize(
    "common", [{"shop": 10**9}, {"shoe": "x"}, {"type": "no.type"}, {"product": "x" * 200}, {"words": "!!!"}]
)
def test_what_is_common_is_checked(cast, common):
    case = stages.owned(cast)
    with pytest.raises(Refusal) as refused:
        incidents.open_incident(case, by=cast.by(cast.sujin), words="x", common=common)
    assert refused.value.field == "common" and not Incident.objects.exists()


def test_an_incident_without_anything_common_finds_nobody_else(cast):
    reports(cast, 3)
    event = incidents.open_incident(stages.owned(cast), by=cast.by(cast.sujin), words="x")
    incident = Incident.objects.get(pk=event.data["incident"])
    assert incident_acts.alike(incident).count() == 0
    assert counts(cast, incident, clock.now() - timedelta(days=30)) == (0, {})
