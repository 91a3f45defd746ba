"""A case that nobody touches climbs by itself; acknowledging stops nothing but the page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.cases.models import CaseEvent, Notice
from makegood.desk.climbing import acknowledge
from makegood.desk.closing import withdraw
from makegood.desk.talking import customer_writes, note, reply
from makegood.escalation.models import Climb
from makegood.jobs.sweep import tick
from makegood.people import actors
from makegood.people.models import Role, User
from tests import cast as stages
from tests.cast import fresh

pytestmark = pytest.mark.django_db


def climbs(case) -> list[tuple[int, str]]:
    rows = CaseEvent.objects.filter(case=case, kind="climbed").order_by("seq")
    return [(e.data["rung"], e.data["why"]) for e in rows]


def later(**span: float) -> None:
    with clock.travel(timedelta(**span)):
        tick()


def test_a_case_that_nobody_touches_reaches_its_owner_then_the_lead_then_the_manager(cast):
    case = stages.owned(cast, text="당장 환불해 주세요. 소비자원에 신고하겠습니다. 주문번호 HN-20261101")
    Climb.objects.filter(case=case).update(fired=0)  # what the threat itself caused is another test
    before = len(climbs(case))
    for hours in (1.1, 2.1, 6.1):
        later(hours=hours)
    rungs = [rung for rung, why in climbs(case)[before:] if why == "untouched"]
    assert rungs == sorted(rungs) and len(rungs) >= 2, climbs(case)
    told = {
        u for u, k in Notice.objects.filter(case=case).values_list("user__name", "kind") if k == "climbed"
    }
    assert {"Minji", "Sujin", "Hana"} <= told


def test_to_work_on_it_starts_the_ladder_anew(cast):
    case = stages.owned(cast)
    first = Climb.objects.get(case=case).look_at
    with clock.travel(first - clock.now() - timedelta(minutes=1)):
        note(case, by=cast.by(cast.minji), text="Called the bank.")
    with clock.travel(first - clock.now() + timedelta(minutes=1)):
        tick()
    assert not [c for c in climbs(case) if c[1] == "untouched"]
    assert Climb.objects.get(case=case).look_at > first


def test_an_acknowledged_case_that_is_then_untouched_climbs_on(cast):
    case = stages.owned(cast)
    touched, due = fresh(case).touched_at, Climb.objects.get(case=case).look_at
    acknowledge(case, by=cast.by(cast.minji))
    assert fresh(case).touched_at == touched and Climb.objects.get(case=case).look_at == due
    with clock.travel(due - clock.now() + timedelta(minutes=1)):
        tick()
        tick()
    # Taking it was a touch a moment after it began, so the sweep counts from there: one more look, and it climbs.
    with clock.travel(due - clock.now() + timedelta(minutes=10)):
        tick()
    assert "untouched" in [why for _rung, why in climbs(case)]


def test_a_second_word_without_an_answer_moves_the_case_up_and_a_reply_ends_the_count(cast):
    case = stages.owned(cast)
    lina = actors.customer(case.customer_id)
    customer_writes(case, by=lina, text="아직인가요?")
    customer_writes(case, by=lina, text="답을 주세요.")
    assert [why for _, why in climbs(case)] == ["contact", "contact"]
    assert Notice.objects.filter(case=case, user=cast.sujin, kind="climbed").exists()
    reply(
        fresh(case), by=cast.by(cast.minji), seen=None, text="확인하고 있습니다.", next_word_at=stages.soon()
    )
    customer_writes(case, by=lina, text="감사합니다.")
    assert len(climbs(case)) == 2


def test_a_threat_goes_to_the_lead_at_once_with_the_words(cast):
    case = stages.owned(cast)
    customer_writes(
        case, by=actors.customer(case.customer_id), text="한국소비자원에 신고하고 언론에 제보하겠습니다."
    )
    assert any(why == "signal" and rung >= 2 for rung, why in climbs(case))
    assert Notice.objects.filter(case=case, user=cast.sujin, kind="climbed").exists()


def test_a_ladder_that_points_at_nobody_tells_who_keeps_the_house(cast):
    case = stages.reported(cast)
    User.objects.filter(role__in=[Role.LEAD, Role.MANAGER]).update(is_active=False)
    later(days=9)
    assert Notice.objects.filter(case=case, user=cast.root, kind="climbed").exists()


def test_a_case_keeps_the_ladder_on_which_it_started(cast, tmp_path, monkeypatch):
    case = stages.owned(cast)
    kept = Climb.objects.get(case=case).rungs
    monkeypatch.setattr("makegood.packs.escalations.Escalation.ladder", lambda *a: ())
    later(days=3)
    assert Climb.objects.get(case=case).rungs == kept and climbs(case)


def test_an_ended_case_climbs_no_more(cast):
    case = stages.owned(cast)
    withdraw(case, by=cast.by(cast.minji), seen=None, words="It came after all.")
    later(days=30)
    assert Climb.objects.get(case=case).look_at is None and not climbs(case)


def test_two_sweeps_of_the_same_moment_climb_once(cast):
    case = stages.reported(cast)
    with clock.travel(timedelta(days=1, hours=1)):
        tick()
        once = climbs(case)
        tick()
    assert once and climbs(case) == once
