"""A team's week in the team's own zone, and how far one lead's arm reaches."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.desk import peopling, rostering, span
from makegood.desk.handling import assign
from makegood.escalation import duty
from makegood.escalation.models import Shift
from makegood.packs import escalation
from makegood.people.models import Team, User
from tests import cast as stages

pytestmark = pytest.mark.django_db
SUNDAY = datetime(2026, 11, 22, 1, tzinfo=UTC)
MONDAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def on_a_sunday():
    with clock.travel(SUNDAY):
        yield


def add(cast, user=None, day=MONDAY, start=time(9), end=time(18), by=None, team=None, **more):
    return rostering.add(
        team or cast.front, by=cast.by(by or cast.sujin), user=user or cast.minji, day=day, start=start, end=end, **more
    )  # fmt: skip


def test_sujin_plans_four_weeks_and_minji_is_on_duty_at_nine_in_seoul(cast):
    assert add(cast, weeks=3) == 4
    first = Shift.objects.order_by("starts_at").first()
    assert first.starts_at == datetime(2026, 11, 23, 0, tzinfo=UTC), "09:00 in Seoul"
    with clock.travel(datetime(2026, 12, 7, 3, tzinfo=UTC)):
        assert duty.on_duty(cast.front) == [cast.minji.pk]
    with clock.travel(datetime(2026, 12, 7, 10, tzinfo=UTC)):
        assert duty.on_duty(cast.front) == [] and duty.above(cast.front) == [cast.sujin.pk]


def test_a_night_shift_ends_the_next_morning_and_may_not_overlap_the_day(cast):
    add(cast, start=time(22), end=time(6))
    shift = Shift.objects.get()
    assert shift.ends_at - shift.starts_at == timedelta(hours=8)
    with pytest.raises(Refusal) as no:
        add(cast, day=MONDAY + timedelta(days=1), start=time(5), end=time(9))
    assert no.value.code == "overlap" and "Minji" in str(no.value) and "22:00" in str(no.value)
    add(cast, day=MONDAY + timedelta(days=1), start=time(6), end=time(9))
    with pytest.raises(IntegrityError), transaction.atomic():
        Shift.objects.create(
            user=cast.minji,
            team=cast.tech,
            starts_at=shift.starts_at + timedelta(hours=1),
            ends_at=shift.ends_at,
        )


def test_a_repeat_that_meets_one_overlap_enters_nothing(cast):
    add(cast, day=MONDAY + timedelta(days=7))
    with pytest.raises(Refusal):
        add(cast, weeks=3)
    assert Shift.objects.count() == 1


def test_the_hour_that_a_spring_night_skips_is_named_and_the_one_that_comes_twice_is_worked_whole(cast):
    User.objects.filter(pk=cast.sujin.pk).update(zone="America/New_York")
    team = Team.objects.select_related("lead").get(pk=cast.front.pk)
    with clock.travel(datetime(2027, 3, 1, tzinfo=UTC)), pytest.raises(Refusal) as no:
        add(cast, team=team, day=date(2027, 3, 14), start=time(2, 30), end=time(9))
    assert no.value.code == "no_such_time" and "2027-03-14" in str(no.value)
    with clock.travel(datetime(2027, 10, 30, tzinfo=UTC)):
        add(cast, team=team, day=date(2027, 11, 7), start=time(0), end=time(1, 30))
    shift = Shift.objects.get()
    assert shift.ends_at - shift.starts_at == timedelta(hours=2, minutes=30)


def test_last_week_is_copied_at_the_same_wall_times_and_once(cast):
    add(cast)
    add(cast, user=cast.jun, day=MONDAY + timedelta(days=4), start=time(22), end=time(6))
    week = MONDAY + timedelta(days=7)
    assert rostering.copy_week(cast.front, week, by=cast.by(cast.sujin)) == 2
    with pytest.raises(Refusal) as no:
        rostering.copy_week(cast.front, week, by=cast.by(cast.sujin))
    assert no.value.code == "nothing" and Shift.objects.count() == 4


def test_lines_of_a_spreadsheet_are_taken_in_or_none_of_them_is(cast):
    good = "Minji\t2026-11-23\t09:00-18:00\n\njun@makegood.example, 2026-11-23, 18:00 – 24:00\n"
    assert rostering.paste(cast.front, by=cast.by(cast.sujin), text=good) == 2
    for bad, word in (
        ("Minji 2026-11-24 09:00-18:00\nNobody 2026-11-24 09:00-18:00", "Line 2"),
        ("Minji 2026-11-24 25:00-26:00", "Line 1"),
        ("Minji 2026-13-24 09:00-18:00", "Line 1"),
        ("Minji tomorrow", "Line 1"),
        ("Minji 2026-11-24 09:00-18:00\nMinji 2026-11-24 17:00-20:00", "Line 2"),
        ("", "at least one"),
    ):
        with pytest.raises(Refusal) as no:
            rostering.paste(cast.front, by=cast.by(cast.sujin), text=bad)
        assert no.value.field == "text" and word in str(no.value), bad
    assert Shift.objects.count() == 2


def test_only_the_teams_own_lead_or_a_manager_plans_it(cast):
    for who, team in ((cast.minji, cast.front), (cast.sujin, cast.tech)):
        with pytest.raises(NotAllowed):
            add(cast, by=who, team=team)
    with pytest.raises(Refusal) as no:
        add(cast, user=cast.wei)
    assert no.value.field == "user"
    with pytest.raises(Refusal) as no:
        add(cast, day=MONDAY - timedelta(days=7))
    assert no.value.code == "past"
    add(cast, by=cast.hana, team=cast.tech, user=cast.wei)


# Span


def front(cast, members) -> Team:
    return peopling.save_team(
        cast.front, by=cast.by(cast.hana), name="Front line", tier=1, skill="", lead=cast.sujin, members=members,
        shops=[],
    )  # fmt: skip


def test_sujin_leads_twenty_and_the_twenty_first_is_refused_with_her_name(cast):
    most = escalation().span
    people = [stages.user(f"Agent{n}", "agent") for n in range(most + 1)]
    front(cast, [*people[:most], cast.sujin])
    [reach] = [r for r in span.reaches() if r.lead == cast.sujin]
    assert reach.agents == most and reach.full and reach.warns
    with pytest.raises(Refusal) as no:
        front(cast, people)
    assert (no.value.code, no.value.field) == ("span", "members") and "Sujin" in str(no.value)
    assert cast.front.members.count() == most + 1, "the team is as it was"
    with pytest.raises(Refusal):
        peopling.save_team(
            None, by=cast.by(cast.hana), name="Second", tier=1, skill="", lead=cast.sujin, members=people[-1:], shops=[]
        )  # fmt: skip
    assert not Team.objects.filter(name="Second").exists()


def test_somebody_who_comes_back_does_not_make_a_lead_of_twenty_one(cast):
    most = escalation().span
    people = [stages.user(f"Agent{n}", "agent") for n in range(most + 1)]
    User.objects.filter(pk=people[-1].pk).update(is_active=False)
    front(cast, people)
    gone = User.objects.get(pk=people[-1].pk)
    with pytest.raises(Refusal) as no:
        peopling.save_user(
            gone, by=cast.by(cast.root), name=gone.name, email=gone.email, role=gone.role, language="en",
            zone=gone.zone, active=True,
        )  # fmt: skip
    assert no.value.code == "span" and not User.objects.get(pk=gone.pk).is_active


def test_load_counts_cases_climbs_rooms_and_late_promises(cast):
    case = stages.answered(cast)
    assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.minji, team=cast.front)
    with clock.travel(timedelta(days=9)):
        load = span.loads([cast.minji.pk, cast.jun.pk])
        assert load[cast.minji.pk].cases == 1 and load[cast.minji.pk].overdue >= 1
        assert load[cast.jun.pk] == span.Load()
