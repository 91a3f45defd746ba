"""Handling: who owns it and how urgent it is. Urgency goes down only in writing, by a lead who does not own it."""

from __future__ import annotations

import pytest

from makegood.base.errors import NotAllowed, Refusal, Stale
from makegood.cases.urgency import Evidence, demanded, known, raised
from makegood.desk.handling import assign, lower_urgency, raise_urgency, take
from makegood.desk.talking import note
from makegood.desk.triaging import Sorting, note_fact, strike_fact, tick, triage
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_anybody_at_the_desk_may_raise_with_a_reason(cast):
    case = stages.owned(cast)
    raise_urgency(case, by=cast.by(cast.jun), level=5, reason="Campaign starts at noon.")
    case = stages.fresh(case)
    assert (case.urgency, case.urgency_floor) == (5, 5)
    assert case.evidence.get(source="hand").words == "Campaign starts at noon."


@pytest.mark.parametrize(("level", "reason"), [(3, "x"), (0, "x"), (6, "x"), (5, "  ")])
def test_a_rise_that_is_none_is_refused(cast, level, reason):
    case = stages.owned(cast)
    raise_urgency(case, by=cast.by(cast.jun), level=4, reason="real")
    with pytest.raises(Refusal):
        raise_urgency(case, by=cast.by(cast.jun), level=level, reason=reason)
    assert stages.fresh(case).urgency == 4


def test_only_a_lead_who_does_not_own_it_lowers_it_and_it_stays_on_record(cast):
    case = stages.owned(cast)
    raise_urgency(case, by=cast.by(cast.jun), level=5, reason="looked bad")
    case = stages.fresh(case)
    words = {"level": 2, "reason": "Test order.", "evidence": "Order note of the 3rd."}
    for who in (cast.minji, cast.wei):
        with pytest.raises(NotAllowed):
            lower_urgency(case, by=cast.by(who), seen=None, **words)
    with pytest.raises(Refusal):
        lower_urgency(case, by=cast.by(cast.sujin), seen=None, level=2, reason="", evidence="e")
    lower_urgency(case, by=cast.by(cast.sujin), seen=case.version, **words)
    lowered = stages.fresh(case)
    assert (lowered.urgency, lowered.urgency_floor) == (2, 2)
    assert lowered.lowerings.get().reason == "Test order."
    assert lowered.events.last().kind == "urgency_lowered"


def test_the_lead_who_owns_it_does_not_lower_it(cast):
    case = stages.owned(cast, by=cast.sujin)
    raise_urgency(case, by=cast.by(cast.jun), level=5, reason="bad")
    with pytest.raises(NotAllowed):
        lower_urgency(case, by=cast.by(cast.sujin), seen=None, level=2, reason="r", evidence="e")


def test_a_colleague_who_gets_the_case_gets_its_urgency_and_promise_and_has_not_touched_it(cast):
    case = stages.answered(cast)
    assign(case, by=cast.by(cast.minji), seen=case.version, owner=cast.jun)
    given = stages.fresh(case)
    assert (given.urgency, given.due_at) == (case.urgency, case.due_at)
    assert given.owner == cast.jun and given.touched_at is None


def test_merchants_and_people_who_left_own_nothing(cast):
    case = stages.owned(cast)
    cast.jun.is_active = False
    for nobody in (cast.kang, cast.jun):
        with pytest.raises(Refusal):
            assign(case, by=cast.by(cast.minji), seen=None, owner=nobody)


def test_who_comes_second_is_told_that_it_is_taken(cast):
    case = stages.reported(cast)
    take(case, by=cast.by(cast.minji), seen=case.version)
    with pytest.raises(Stale):
        take(case, by=cast.by(cast.jun), seen=case.version)
    assert stages.fresh(case).owner == cast.minji


def test_sorting_raises_by_the_type_and_never_lowers(cast):
    case = stages.reported(cast, text="누군가 제 카드로 결제했어요")
    before = case.urgency
    triage(case, Sorting(type="account.fraud"), by=cast.by(cast.minji), seen=None)
    high = stages.fresh(case).urgency
    assert high >= max(before, 4)
    # A case of fraud is restricted: only a lead or somebody for security opens it to everybody.
    triage(stages.fresh(case), Sorting(type="product.info"), by=cast.by(cast.sujin), seen=None)
    again = stages.fresh(case)
    assert again.urgency == high and again.type == "product.info"


def test_an_unknown_type_is_refused_beside_its_field(cast):
    case = stages.reported(cast)
    with pytest.raises(Refusal) as refused:
        triage(case, Sorting(type="no.such"), by=cast.by(cast.minji), seen=None)
    assert refused.value.field == "type" and stages.fresh(case).version == 1


def test_what_a_person_decides_is_kept_for_the_model(cast):
    case = stages.reported(cast)
    triage(case, Sorting(type="refund.delay", suggested="refund.amount"), by=cast.by(cast.minji), seen=None)
    assert (case.correction.type, case.correction.suggested) == ("refund.delay", "refund.amount")


def test_facts_are_noted_and_struck_but_never_lost(cast):
    case = stages.owned(cast)
    note_fact(
        case,
        by=cast.by(cast.wei),
        text="Refund file was rejected.",
        source="payment_record",
        detail="batch 7",
    )
    fact = case.facts.get()
    strike_fact(case, fact.pk, by=cast.by(cast.minji), because="other order")
    fact.refresh_from_db()
    assert fact.struck_because == "other order" and fact.text == "Refund file was rejected."
    with pytest.raises(Refusal):
        strike_fact(case, fact.pk, by=cast.by(cast.minji), because="again")


def test_the_playbook_is_ticked_by_its_own_items(cast):
    from makegood.packs import playbook

    case = stages.owned(cast)
    item = next(iter(playbook("refund.delay").questions)).code
    tick(case, item, by=cast.by(cast.minji), answer="yesterday")
    assert case.ticks.get(item=item).answer == "yesterday"
    tick(case, item, by=cast.by(cast.minji), done=False)
    assert not case.ticks.filter(item=item).exists()
    with pytest.raises(Refusal):
        tick(case, "no such item", by=cast.by(cast.minji))


def test_a_note_does_not_collide(cast):
    case = stages.owned(cast)
    note(case, by=cast.by(cast.minji), text="one")
    note(case, by=cast.by(cast.wei), text="two")
    assert stages.fresh(case).version == case.version + 2


def test_the_ratchet_is_pure_and_fails_upwards():
    assert known("banana") == known(None) == known(True) == known(9) == 5
    assert demanded([]) == 1
    assert raised(4, 3, [Evidence(2, "x")]) == (4, 3)
    assert raised(2, 1, [Evidence(5, "x")]) == (5, 5)
