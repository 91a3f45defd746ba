"""A war room is opened over the API too, by whom the page lets."""

from __future__ import annotations

import pytest

from makegood.incidents.models import Room
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_hana_opens_a_room_for_sujin_over_the_api(cast, call):
    case = stages.answered(cast)
    body = {"lead": "sujin@makegood.example", "background": "Refused twice.", "ask": "39,000 won."}
    answer = call(cast.hana).verb(case.number, "open_room", body)
    assert answer.status_code == 200, answer.content
    assert answer.json()["event"]["data"]["user"] == cast.sujin.pk
    assert Room.objects.get().card.count() == 2


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("minji", {}, 403),
        ("luo", {}, 403),
        ("hana", {"lead": "nobody@makegood.example"}, 422),
        ("hana", {"lead": "minji@makegood.example"}, 422),
        ("hana", {"ask": "x" * 6000}, 422),
        ("hana", {"asks": "x"}, 422),
    ],
)
def test_who_may_not_or_says_it_wrong_opens_none(cast, call, who, body, status):
    case = stages.answered(cast)
    assert call(getattr(cast, who)).verb(case.number, "open_room", body).status_code == status
    assert not Room.objects.exists()
