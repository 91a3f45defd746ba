"""Rungs that open a room, dates of the law, promises and the watch: what else makes a case climb, and what each leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.languages import speaking
from makegood.cases.models import CaseEvent, Notice
from makegood.desk import climbing, incidents, room_leads, rooming, timeline
from makegood.desk.above import Above
from makegood.desk.fixing import record_fix
from makegood.desk.handling import assign, raise_urgency
from makegood.desk.joining import merge
from makegood.desk.room_work import give_task
from makegood.desk.triaging import Sorting, triage
from makegood.escalation import ladder
from makegood.escalation.models import Absence, Climb
from makegood.incidents.models import Room
from makegood.jobs.sweep import tick
from makegood.packs import escalation
from makegood.packs.working_days import calendars
from makegood.people import actors
from makegood.people.models import Role, User
from makegood.promises import clocks as legal
from makegood.promises.models import Promise
from tests import cast as stages
from tests.cast import fresh

pytestmark = pytest.mark.django_db


LOSS = "스토어가 정지돼서 판매를 못 하고 있습니다. 언제 처리되나요?"


def burning(cast, customer=None, text=LOSS):
    case = stages.owned(cast, customer=customer, text=text)
    assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.minji, team=cast.front)
    raise_urgency(case, by=cast.by(cast.jun), level=5, reason="Their shop stands still.")
    return fresh(case)


def climbs(case) -> list[str]:
    rows = CaseEvent.objects.filter(case=case, kind="climbed").order_by("seq")
    return [e.data["why"] for e in rows]


def test_a_burning_case_that_nobody_touches_gets_its_room_by_itself_led_by_who_is_there(cast):
    case = burning(cast)
    for minutes in (16, 31, 46, 62, 80):
        with clock.travel(timedelta(minutes=minutes)):
            tick()
    room = Room.objects.get(case=case)
    assert room.opened_by is None and room.members.get().user == cast.sujin
    assert Notice.objects.filter(user=cast.sujin, kind="room_opened", case=case).count() == 1
    assert CaseEvent.objects.filter(case=case, kind="room_opened").count() == 1


def reach_room(case) -> None:
    """The third rung of level 5: the one that opens a room."""
    climbing.reach(Climb.objects.get(case=case), [2], 3, "untouched", by=actors.system())


def withheld(case) -> list[str]:
    return [
        e.data["withheld"] for e in CaseEvent.objects.filter(case=case, kind="room_withheld").order_by("seq")
    ]


def test_what_is_only_late_gets_no_room_however_urgent_and_a_threat_or_the_law_gets_one(cast):
    late = burning(cast, text="주문한 상품이 아직 안 왔습니다. 확인 부탁드립니다.")
    reach_room(late)
    assert not Room.objects.exists() and not withheld(late)
    assert (
        climbs(late)[-1] == "untouched"
        and CaseEvent.objects.filter(case=late, kind="climbed").last().data["told"]
    )
    threat = burning(cast, text="오늘까지 처리 안 되면 소비자원에 신고하겠습니다.")
    reach_room(threat)
    assert Room.objects.get().case == threat
    climbing.by_clock(late)
    reach_room(late)
    assert Room.objects.filter(case=late).exists(), "a date that the law sets is near"


def test_what_is_mended_and_what_weighs_little_gets_no_room(cast):
    weak = burning(cast, text="주문이 늦어져 금전적으로 손해를 보고 있습니다.")
    assert weak.evidence.filter(source="signal:loss.money", level=3).exists()
    reach_room(weak)
    mended = burning(cast)
    record_fix(mended, by=cast.by(cast.minji), seen=None, done="Sent again.", cause="Bank.", remedy="refund")
    reach_room(mended)
    assert not Room.objects.exists()


def test_when_every_lead_is_full_no_fourth_room_opens_and_those_who_can_change_it_hear_why_once(cast):
    rooms = [burning(cast) for _n in range(3)]
    for case in rooms:
        reach_room(case)
    fourth = burning(cast)
    for _again in range(3):
        reach_room(fourth)
    assert room_leads.led_by(cast.sujin.pk) == 3 == Room.objects.count(), (
        "a manager is no reserve for leads who are full"
    )
    assert withheld(fourth) == ["leads_full"]
    for who in (cast.sujin, cast.hana):
        assert Notice.objects.filter(user=who, kind="rooms_full", case=fourth).count() == 1
    with clock.travel(timedelta(days=1, minutes=1)):
        reach_room(fourth)
    assert withheld(fourth) == ["leads_full"] * 2, "a day later it is said again"


def test_a_case_of_an_incident_goes_to_its_one_room_with_its_owner(cast):
    anchor, other = burning(cast), burning(cast, customer=cast.alex)
    incident = incidents.open_incident(
        anchor, by=cast.by(cast.sujin), words="The bank is down.", cases=[other]
    )
    third = burning(cast)
    incidents.join_incident(
        third, incidents.Incident.objects.get(pk=incident.data["incident"]), by=cast.by(cast.minji)
    )
    for case in (other, third):
        reach_room(case)
    assert not Room.objects.exists() and withheld(other) == withheld(third) == ["incident"]
    asked = Notice.objects.filter(kind="incident_room_wanted", user=cast.sujin)
    assert asked.count() == 1, "once for the incident, not for each of its cases"
    reach_room(anchor)
    room = Room.objects.get()
    assert room.case == anchor
    with clock.travel(timedelta(days=2)):
        reach_room(other)
    assert Room.objects.count() == 1 and withheld(other) == ["incident", "incident_room"]
    assert room.members.filter(user=cast.minji, left_at=None).exists(), "who owns the case is in the room now"
    with speaking("en"):
        said = [row.sentence for row in timeline.of_case(fresh(other))]
    assert "No war room of its own: the one of its incident is open." in said


def test_the_room_of_the_ladder_is_led_by_the_manager_when_the_lead_is_away(cast):
    case = burning(cast)
    now = clock.now()
    Absence.objects.create(
        user=cast.sujin, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=1)
    )
    reach_room(case)
    assert Room.objects.get(case=case).members.get().user == cast.hana


def test_nobody_is_free_to_lead_a_room_and_the_managers_hear_that_one_is_wanted(cast):
    case = burning(cast)
    now = clock.now()
    for who in (cast.sujin, cast.hana, cast.root):
        Absence.objects.create(user=who, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=1))
    reach_room(case)
    assert not Room.objects.exists()
    assert Notice.objects.filter(user=cast.hana, kind="room_wanted").exists()


def test_a_rung_whose_people_are_away_tells_those_above_and_no_rung_is_silent(cast):
    case = burning(cast)
    now = clock.now()
    Absence.objects.create(
        user=cast.sujin, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=1)
    )
    assert Above().standing_on(case, "lead") == [cast.hana.pk]
    User.objects.filter(role__in=[Role.LEAD, Role.MANAGER]).update(is_active=False)
    assert Above().standing_on(case, "lead") == [cast.root.pk]


def test_a_type_with_rungs_of_its_own_puts_the_case_on_them_when_it_is_sorted(cast):
    case = stages.reported(cast)
    raise_urgency(case, by=cast.by(cast.jun), level=5, reason="Orders that nobody made.")
    triage(case, Sorting(type="account.security"), by=cast.by(cast.jun), seen=None)
    kept = ladder.read(Climb.objects.get(case=case).rungs)
    assert kept == escalation().ladder(5, "account.security") != escalation().ladder(5, "")
    assert [rung.what for rung in kept] == ["tell", "room", "tell"]


def test_a_ladder_that_was_kept_before_rungs_could_open_rooms_is_still_read():
    assert [r.what for r in ladder.read([[900, "owner"], [1800.0, "lead"]])] == ["tell", "tell"]
    assert ladder.read([[900, "lead", "room"]])[0].when == (), (
        "kept before a room had to be deserved: it opens as it said"
    )


@pytest.mark.parametrize(
    ("due", "begins"),
    [
        # Wednesday's end: Tuesday and Wednesday are left from Tuesday's first minute on (Seoul is UTC+9).
        (datetime(2026, 11, 25, 14, 59, tzinfo=UTC), datetime(2026, 11, 23, 15, tzinfo=UTC)),
        # Monday's end: Friday and Monday; the weekend counts for nothing.
        (datetime(2026, 11, 30, 14, 59, tzinfo=UTC), datetime(2026, 11, 26, 15, tzinfo=UTC)),
        # Sunday's end: Thursday and Friday are the last two.
        (datetime(2026, 11, 29, 14, 59, tzinfo=UTC), datetime(2026, 11, 25, 15, tzinfo=UTC)),
    ],
)
def test_two_working_days_before_a_date_of_the_law(due, begins):
    assert legal.near(due, calendars()["kr"].calendar, 2) == begins


def test_a_date_of_the_law_that_comes_near_climbs_once_however_busy_everybody_is(cast):
    case = burning(cast)
    now = clock.now()
    promise = Promise.objects.create(
        case=case, what="legal", basis="statutory", to="staff", rule="kr.refund", trigger_at=now, made_at=now,
        due_at=now + timedelta(days=9), climb_at=now + timedelta(days=5), look_at=now + timedelta(days=5),
    )  # fmt: skip
    with clock.travel(timedelta(days=5, minutes=1)):
        tick()
        tick()
    promise.refresh_from_db()
    assert climbs(case).count("statutory") == 1 and promise.climb_at is None and promise.state == "open"
    assert promise.look_at > now + timedelta(days=5)


def test_a_broken_promise_climbs_and_tells_nobody_twice(cast):
    case = stages.answered(cast)
    with clock.travel(fresh(case).due_at + timedelta(minutes=1)):
        tick()
    assert "promise_broken" in climbs(case)
    for who in (cast.sujin, cast.minji):
        kinds = list(Notice.objects.filter(case=case, user=who).values_list("kind", flat=True))
        assert kinds.count("promise_broken") <= 1
    broken = CaseEvent.objects.filter(case=case, kind="climbed", data__why="promise_broken").get()
    assert cast.sujin.pk in broken.data["told"]


def test_the_watch_makes_a_case_climb(cast):
    case = stages.owned(cast)
    event = climbing.by_watch(case)
    assert event.data["why"] == "watch" and event.data["told"] == [cast.sujin.pk]
    assert climbing.by_watch(stages.made_good(cast)) is None


def test_two_rooms_after_a_merge_both_go_on_on_the_one_that_is_left(cast):
    """Both keep their people, cards and tasks; what happens in either is written on the survivor; a third is refused."""
    one, two = burning(cast), burning(cast)
    rooms = [
        Room.objects.get(pk=rooming.open_room(c, by=cast.by(cast.sujin), ask="Ask.").data["room"])
        for c in (one, two)
    ]
    merge(one, two, by=cast.by(cast.sujin), seen=None)
    survivor = fresh(two)
    for room in rooms:
        assert rooming.standing_case(room).pk == survivor.pk and rooming.lead_of(room) == cast.sujin.pk
        event = give_task(room, by=cast.by(cast.sujin), owner=cast.wei, what="Look.", due_at=stages.soon())
        assert event.case_id == survivor.pk
    assert room_leads.led_by(cast.sujin.pk) == 2, "both count against the three that a lead may keep"
    with pytest.raises(Refusal) as no:
        rooming.open_room(survivor, by=cast.by(cast.hana))
    assert no.value.code == "has_room"
    for room in rooms:
        with pytest.raises(Refusal) as no:
            rooming.close_room(room, by=cast.by(cast.sujin), review_at=stages.soon(48))
        assert no.value.code == "not_verified", "each ends only when the one case is made good"
