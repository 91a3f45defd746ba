"""Nothing is left with somebody who is not there: absence hands back, and so does leaving for good."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.cases.models import Case, CaseEvent, Notice
from makegood.desk import absence, peopling, room_passing, rooming
from makegood.desk.closing import reopen
from makegood.desk.handing import accept_handover
from makegood.desk.handling import assign, raise_urgency, take
from makegood.escalation.models import Absence, Handover, Shift
from makegood.incidents.models import Room
from makegood.jobs.sweep import tick
from makegood.people import actors
from tests import cast as stages
from tests.cast import fresh
from tests.desk.test_handing import OWN_WORDS, offered
from tests.desk.test_races import together

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def mine(cast, customer=None, urgent: bool = False) -> Case:
    case = stages.owned(cast, customer=customer)
    assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.minji, team=cast.front)
    if urgent:
        raise_urgency(case, by=cast.by(cast.jun), level=4, reason="Their shop stands still.")
    return fresh(case)


def away(cast, who, days: float = 1, by=None, begins=None) -> Absence:
    now = clock.now()
    return absence.go_away(who, by=cast.by(by or who), starts_at=begins, ends_at=now + DAY * days)


def leave(cast, who, active: bool = False) -> None:
    peopling.save_user(
        who, by=cast.by(cast.root), name=who.name, email=who.email, role=who.role, language=who.language,
        zone=who.zone, active=active,
    )  # fmt: skip


def test_when_minji_goes_her_urgent_case_goes_to_jun_and_the_other_waits_in_the_team(cast):
    calm, urgent = mine(cast), mine(cast, customer=cast.alex, urgent=True)
    before = [(c.urgency, c.due_at) for c in (calm, urgent)]
    now = clock.now()
    Shift.objects.create(
        user=cast.jun, team=cast.front, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=8)
    )
    away(cast, cast.minji)
    tick()
    calm, urgent = fresh(calm), fresh(urgent)
    assert (calm.owner, calm.team) == (None, cast.front) and (urgent.owner, urgent.team) == (
        cast.jun,
        cast.front,
    )
    assert [(c.urgency, c.due_at) for c in (calm, urgent)] == before and urgent.touched_at is None
    back = CaseEvent.objects.filter(kind="handed_back").order_by("id")
    assert [e.case_id for e in back] == [urgent.pk, calm.pk], "the urgent one first"
    told = {(n.user.name, n.kind) for n in Notice.objects.filter(kind__startswith="handed_back")}
    assert told == {("Jun", "handed_back_to_you"), ("Sujin", "handed_back")}


def test_an_absence_ahead_begins_at_its_moment_and_not_before(cast):
    case = mine(cast)
    away(cast, cast.minji, days=3, begins=clock.now() + DAY)
    tick()
    assert fresh(case).owner == cast.minji
    with clock.travel(DAY + timedelta(minutes=1)):
        tick()
    assert fresh(case).owner != cast.minji


def test_a_case_that_comes_back_to_her_while_she_is_away_is_handed_on_too(cast):
    case = stages.made_good(cast)
    away(cast, cast.minji, days=5)
    tick()
    with clock.travel(timedelta(hours=1)):
        reopen(case, by=cast.by(cast.sujin), why="It came back.")
        assert fresh(case).owner == cast.minji
    with clock.travel(timedelta(hours=2)):
        tick()
        assert fresh(case).owner != cast.minji


def test_twelve_cases_of_one_person_all_go_back_in_small_steps(cast):
    cases = [mine(cast, customer=c) for c in (cast.jiwoo, cast.alex, cast.lina) * 4]
    away(cast, cast.minji)
    tick()
    assert not Case.objects.filter(owner=cast.minji).exists() and len(cases) == 12
    assert CaseEvent.objects.filter(kind="handed_back").count() == 12


def test_what_wei_was_offered_goes_to_the_next_when_he_goes_and_the_giver_owns_it(cast):
    case = offered(cast)
    bo = stages.user("Bo", "specialist")
    cast.tech.members.add(bo)
    away(cast, cast.wei)
    tick()
    assert Handover.objects.get().to == bo and fresh(case).owner == cast.minji


def test_a_giver_who_leaves_in_the_middle_leaves_an_owner_and_the_offer_stands(cast):
    case = offered(cast)
    away(cast, cast.minji)
    tick()
    now = fresh(case)
    assert now.owner in (cast.jun, cast.sujin) and Handover.objects.get().state == "offered"
    accept_handover(case, by=cast.by(cast.wei), seen=None, restated=OWN_WORDS, next_word_at=case.due_at)
    assert fresh(case).owner == cast.wei


def test_a_receiver_who_leaves_for_good_in_the_middle(cast):
    """Wei accepted, and is gone for good an hour later: the case is with his team or who answers for it, never with him."""
    case = offered(cast)
    raise_urgency(case, by=cast.by(cast.jun), level=4, reason="Their shop stands still.")
    accept_handover(case, by=cast.by(cast.wei), seen=None, restated=OWN_WORDS, next_word_at=case.due_at)
    leave(cast, cast.wei)
    tick()
    now = fresh(case)
    assert now.owner == cast.hana and now.team == cast.tech, "nobody is left in Technology: a manager answers"
    assert Absence.objects.get(user=cast.wei).ends_at is None
    leave(cast, cast.wei, active=True)
    assert Absence.objects.get(user=cast.wei).ends_at is not None


def test_nobody_gives_a_case_to_who_is_away_and_who_is_away_takes_none(cast):
    case = stages.reported(cast)
    away(cast, cast.jun)
    for refused in (
        lambda: assign(case, by=cast.by(cast.sujin), seen=None, owner=cast.jun),
        lambda: take(case, by=cast.by(cast.jun), seen=None),
    ):
        with pytest.raises(Refusal) as no:
            refused()
        assert no.value.code == "away"
    assert fresh(case).owner is None


def test_one_enters_ones_own_a_lead_for_her_people_and_nobody_for_others(cast):
    away(cast, cast.jun, by=cast.sujin)
    for who, by in ((cast.minji, cast.jun), (cast.wei, cast.sujin)):
        with pytest.raises(NotAllowed):
            away(cast, who, by=by)
    with pytest.raises(Refusal) as no:
        away(cast, cast.jun)
    assert no.value.code == "away_already"
    for days in (0, -1, 400):
        with pytest.raises(Refusal) as no:
            away(cast, cast.minji, days=days)
        assert no.value.field == "ends_at"
    row = absence.come_back(Absence.objects.get().pk, by=cast.by(cast.jun))
    assert row.ends_at <= clock.now() and row.look_at is None


@pytest.mark.django_db(transaction=True)
def test_two_who_accept_at_the_same_moment_are_one_owner(db):
    cast = stages.assemble()
    people = [
        cast.wei,
        stages.user("Bo", "specialist"),
        stages.user("Yan", "lead"),
        stages.user("Mina", "lead"),
    ]
    cast.tech.members.add(*people)
    case = offered(cast)
    done = together(
        4,
        lambda i: accept_handover(
            case, by=cast.by(people[i]), seen=None, restated=OWN_WORDS, next_word_at=case.due_at
        ),
    )
    refused = [d for d in done if isinstance(d, Refusal)]
    assert [r.code for r in refused] == ["not_offered"] * 3, done
    [event] = CaseEvent.objects.filter(case=case, kind="handover_accepted")
    assert (
        fresh(case).owner_id == event.data["user"]
        and Handover.objects.get().answered_by_id == event.data["user"]
    )


# The rooms of a lead who is not there


def led(cast, n: int, who=None) -> list[Room]:
    cases = [mine(cast, urgent=True) for _n in range(n)]
    opened = [rooming.open_room(case, by=cast.by(who or cast.sujin), ask="Today.") for case in cases]
    return list(Room.objects.filter(pk__in=[event.data["room"] for event in opened]).order_by("pk"))


def leader(room: Room):
    return room.members.get(role="lead").user


def test_the_rooms_of_a_lead_who_goes_are_led_by_the_next_with_a_hand_free(cast):
    rooms = led(cast, 3)
    bora = stages.user("Bora", "lead")
    led(cast, 1, bora)
    away(cast, cast.sujin)
    tick()
    assert [leader(room) for room in rooms] == [bora, bora, cast.sujin], "three are the most that Bora leads"
    assert all(room.members.filter(user=cast.sujin, left_at=None).exists() for room in rooms)
    passed = CaseEvent.objects.filter(kind="room_passed_on")
    assert [(e.data["was_user"], e.data["user"]) for e in passed] == [(cast.sujin.pk, bora.pk)] * 2
    assert Notice.objects.filter(user=bora, kind="room_passed_to_you").count() == 2
    told = Notice.objects.filter(kind="room_lead_away", user=cast.hana)
    assert told.count() == 1 and told.get().data["room"] == rooms[2].pk
    for hours in (1, 5, 20):
        with clock.travel(timedelta(hours=hours)):
            tick()
    assert told.count() == 1, "the manager hears once for an absence, and the sweep goes on looking"
    with clock.travel(timedelta(hours=21)):
        rooming.give_role(rooms[0], by=cast.by(cast.hana), user=cast.hana, role="lead")
        tick()
    assert leader(rooms[2]) == bora, "as soon as she has a hand free"


def test_the_room_of_a_lead_who_left_for_good_does_not_stay_with_them(cast):
    [room] = led(cast, 1)
    bora = stages.user("Bora", "lead")
    leave(cast, cast.sujin)
    tick()
    assert leader(room) == bora and not Absence.objects.get(user=cast.sujin).trouble


def test_with_no_other_lead_the_room_stands_and_the_managers_hear(cast):
    [room] = led(cast, 1)
    away(cast, cast.sujin, days=3)
    tick()
    assert leader(room) == cast.sujin
    assert set(Notice.objects.filter(kind="room_lead_away").values_list("user__name", flat=True)) == {
        "Hana",
        "Root",
    }
    assert room.case.events.filter(kind="room_lead_away").count() == 1
    with clock.travel(DAY):  # Sujin comes back and goes again: that is another absence
        absence.come_back(Absence.objects.get().pk, by=cast.by(cast.sujin))
    with clock.travel(DAY * 2):
        away(cast, cast.sujin, days=5)
        tick()
    assert Notice.objects.filter(kind="room_lead_away", user=cast.hana).count() == 2


def test_a_room_that_was_given_away_meanwhile_is_left_alone(cast):
    [room] = led(cast, 1)
    stages.user("Bora", "lead")
    rooming.give_role(room, by=cast.by(cast.hana), user=cast.hana, role="lead")
    with pytest.raises(Refusal) as refused:
        room_passing.pass_room(room, cast.sujin.pk, by=actors.system(), since=clock.now())
    assert refused.value.code == "not_theirs" and leader(room) == cast.hana
