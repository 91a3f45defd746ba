"""A room of its own right: when it may end, and what it is called, in three languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from makegood.base.languages import EN, KO, ZH, speaking
from makegood.cases.models import Case
from makegood.cases.models.case import number_of
from makegood.incidents.models import CardField
from makegood.incidents.rooms import RoomFacts, room_blockers, room_name
from makegood.people.models import Shop

READY = RoomFacts(
    closed=False,
    verified=True,
    told=True,
    confirmed=True,
    over=False,
    open_tasks=0,
    unthanked=[],
    review_ahead=True,
)


def codes(**other: object) -> list[str]:
    return [b.code for b in room_blockers(replace(READY, **other))]  # type: ignore[arg-type]


def test_a_room_that_is_verified_told_confirmed_thanked_and_on_the_calendar_may_end():
    assert codes() == []


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ({"verified": False}, "not_verified"),
        ({"told": False}, "not_told"),
        ({"confirmed": False}, "not_confirmed"),
        ({"open_tasks": 2}, "open_tasks"),
        ({"unthanked": ["Wei"]}, "not_thanked"),
        ({"review_ahead": False}, "no_review"),
        ({"closed": True}, "room_closed"),
    ],
)
def test_each_thing_that_is_missing_is_named(missing, code):
    assert codes(**missing) == [code]


def test_all_that_is_missing_is_listed_in_the_order_in_which_one_would_do_it():
    nothing = RoomFacts(False, False, False, False, False, 1, ["Wei"], False)
    assert [b.code for b in room_blockers(nothing)] == [
        "not_verified",
        "not_told",
        "not_confirmed",
        "open_tasks",
        "not_thanked",
        "no_review",
    ]


def test_who_was_not_thanked_is_named():
    [blocker] = room_blockers(replace(READY, unthanked=["Wei", "Minji"]))
    assert "Wei, Minji" in str(blocker.reason)


def test_the_room_of_a_case_that_the_customer_took_back_may_end_but_not_without_thanks():
    assert codes(over=True, verified=False, told=False, confirmed=False) == []
    assert codes(over=True, confirmed=False, unthanked=["Wei"]) == ["not_thanked"]


@pytest.mark.parametrize(
    ("language", "name"),
    [
        (EN, "[Technical fault] [Critical] Haneul 7"),
        (KO, "[기술 장애] ["),
        (ZH, "[技术故障] ["),
    ],
)
def test_the_name_carries_kind_and_urgency_in_the_readers_language(language, name):
    case = Case(id=7, shop=Shop(name="Haneul"), kind="technical")
    case.__dict__["number"] = number_of(7)  # the database's to make
    with speaking(language):
        assert room_name(case, 5).startswith(name)


def test_the_card_has_what_a_war_room_needs():
    assert CardField.Field.values == [
        "background",
        "ask",
        "progress",
        "blocker",
        "help",
        "handlers",
        "next_word",
    ]
