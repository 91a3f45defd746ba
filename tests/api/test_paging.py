"""Pages of the list: filters, and that nothing is skipped or doubled while cases are added."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from tests import cast as stages

pytestmark = pytest.mark.django_db


def numbers(page):
    return [case["number"] for case in page["cases"]]


def test_nothing_is_skipped_or_doubled_while_cases_are_added(cast, call):
    minji = call(cast.minji)
    before = [stages.reported(cast).number for _ in range(7)]
    seen, page = [], minji.get("/cases?limit=3").json()
    while True:
        seen += numbers(page)
        stages.reported(cast, cast.alex)
        if page["next"] is None:
            break
        page = minji.get(f"/cases?limit=3&cursor={page['next']}").json()
    assert seen == before[::-1]


def test_a_cursor_belongs_to_its_filters(cast, call, problem):
    minji = call(cast.minji)
    for _ in range(3):
        stages.reported(cast)
    cursor = minji.get("/cases?limit=1&status=open").json()["next"]
    assert numbers(minji.get(f"/cases?limit=2&status=open&cursor={cursor}").json())
    problem(minji.get(f"/cases?limit=1&cursor={cursor}"), 422, "bad_cursor")
    problem(minji.get(f"/cases?limit=1&status=open&cursor=9{cursor}"), 422, "bad_cursor")


def test_each_filter_finds_what_it_says(cast, call):
    minji = call(cast.minji)
    mine, ended = stages.owned(cast), stages.made_good(cast)
    tea = stages.reported(cast, cast.lina)

    def found(query):
        return set(numbers(minji.get(f"/cases?{query}").json()))

    assert found("") == {mine.number, ended.number, tea.number}
    assert found("status=open") == {mine.number, tea.number}
    assert found("status=ended") == {ended.number}
    assert found("shop=moon") == {tea.number}
    assert found("owner=me") == {mine.number, ended.number}
    assert found("owner=nobody") == {tea.number}
    assert found("type=refund.delay&status=open") == {mine.number}
    assert found("urgency_min=5") == set()
    after = (clock.now() + timedelta(hours=1)).isoformat().replace("+", "%2B")
    assert found(f"updated_since={after}") == set()
    with clock.travel(timedelta(hours=2)):
        minji.verb(tea.number, "note", {"text": "Looked."})
    assert found(f"updated_since={after}") == {tea.number}
