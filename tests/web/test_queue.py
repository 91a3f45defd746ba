"""The queue: what stands in which view, in which order, page after page, for whom.

Over 300 lines: one list, whose every view and turn of a page is tried.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from makegood.base import clock
from makegood.base.errors import NotAllowed
from makegood.desk import queue
from makegood.desk.handling import assign, raise_urgency
from makegood.desk.opening import Report, open_case
from makegood.desk.queue import Ask
from makegood.people import actors
from makegood.people.models import Customer, Shop, Team
from tests import cast as stages

pytestmark = pytest.mark.django_db


def many(cast, n, customer=None):
    return [stages.reported(cast, customer, text=f"문의 드립니다 {i}") for i in range(n)]


def numbers(page):
    return [row.number for row in page.rows]


def all_pages(actor, ask, limit, between=lambda: None):
    seen = []
    page = queue.read(actor, ask, limit=limit)
    while True:
        seen += numbers(page)
        if not page.next:
            return seen, page
        between()
        page = queue.read(actor, replace(ask, cursor=page.next), limit=limit)


def test_each_case_stands_in_the_views_that_it_belongs_to(cast):
    fresh_one = stages.reported(cast)
    own, told, good = stages.owned(cast), stages.told(cast), stages.made_good(cast)
    read = lambda view: set(numbers(queue.read(cast.by(cast.minji), Ask(view=view))))  # noqa: E731
    assert read("mine") == {own.number, told.number}
    assert read("team") == {own.number, told.number}
    assert read("waiting") == {told.number}
    assert read("open") == {fresh_one.number, own.number, told.number}
    assert read("due") == read("open")
    assert read("everything") == {fresh_one.number, own.number, told.number, good.number}
    assert read("unconfirmed") == set()


def test_an_urgent_case_is_untouched_until_somebody_does_something(cast):
    case = stages.reported(cast)
    raise_urgency(case, by=cast.by(cast.sujin), level=5, reason="The shop cannot sell.")
    view = Ask(view="untouched")
    before = numbers(queue.read(cast.by(cast.minji), view))
    fresh = stages.fresh(case)
    assert before == ([case.number] if fresh.touched_at is None else [])


def test_most_urgent_first_then_next_due(cast):
    a, b, c = many(cast, 3)
    raise_urgency(c, by=cast.by(cast.sujin), level=5, reason="Cannot sell.")
    page = queue.read(cast.by(cast.minji), Ask(view="open"))
    assert numbers(page)[0] == c.number
    rest = [row for row in page.rows if row.pk != c.pk]
    assert [r.pk for r in rest] == [r.pk for r in sorted(rest, key=lambda r: (r.calm, r.due_at, r.pk))]
    assert {a.number, b.number} == {r.number for r in rest}


@pytest.mark.parametrize("sort", ["urgent", "due", "newest"])
def test_paging_neither_skips_nor_doubles_while_cases_are_added(cast, sort):
    before = {case.number for case in many(cast, 7)}
    seen, _last = all_pages(
        cast.by(cast.minji), Ask(view="open", sort=sort), 2, between=lambda: stages.reported(cast)
    )
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


@pytest.mark.parametrize("sort", ["urgent", "due", "newest"])
def test_back_shows_the_page_from_before(cast, sort):
    many(cast, 7)
    actor, ask = cast.by(cast.minji), Ask(view="open", sort=sort)
    first = queue.read(actor, ask, limit=3)
    second = queue.read(actor, replace(ask, cursor=first.next), limit=3)
    third = queue.read(actor, replace(ask, cursor=second.next), limit=3)
    assert not first.back and not third.next and len(third.rows) == 1
    again = queue.read(actor, replace(ask, cursor=third.back), limit=3)
    assert numbers(again) == numbers(second) and again.next
    top = queue.read(actor, replace(ask, cursor=again.back), limit=3)
    assert numbers(top) == numbers(first) and not top.back


@pytest.mark.parametrize("cursor", ["x", "W10:1:2", "\x00", "ü" * 200])
def test_a_forged_cursor_begins_at_the_first_page(cast, cursor):
    case = stages.reported(cast)
    assert numbers(queue.read(cast.by(cast.minji), Ask(view="open", cursor=cursor))) == [case.number]


def test_a_cursor_of_another_view_begins_at_the_first_page(cast):
    many(cast, 3)
    actor = cast.by(cast.minji)
    page = queue.read(actor, Ask(view="open"), limit=1)
    assert len(queue.read(actor, Ask(view="due", cursor=page.next)).rows) == 3


def limited(cast):
    """Jun serves Moon Tea only; a third shop is nobody's."""
    other = Shop.objects.create(name="Far", code="far", language="en")
    cast.front.members.remove(cast.jun)
    team = Team.objects.create(name="Tea")
    team.members.add(cast.jun)
    team.shops.add(cast.moon)
    stranger = Customer.objects.create(shop=other, name="S", email="s@customer.example", language="en")
    return team, other, stranger


def test_jun_sees_only_the_shops_that_he_serves_and_what_he_owns(cast):
    _team, _other, stranger = limited(cast)
    tea = stages.reported(cast, cast.lina)
    stages.reported(cast, cast.jiwoo)
    own = stages.reported(cast, stranger, text="It never came.")
    assign(own, by=cast.by(cast.hana), seen=None, owner=cast.jun)
    for view in ("open", "due", "everything"):
        page = queue.read(cast.by(cast.jun), Ask(view=view))
        assert set(numbers(page)) == {tea.number, own.number}
        assert page.counts[view] == 2
    assert len(queue.read(cast.by(cast.hana), Ask(view="open")).rows) == 3


def test_paging_over_several_shops_is_one_order(cast):
    team, _other, stranger = limited(cast)
    team.shops.add(cast.haneul)
    expected = set()
    for _ in range(3):
        expected |= {stages.reported(cast, c, text="Where is it?").number for c in (cast.lina, cast.alex)}
    stages.reported(cast, stranger, text="Where is it?")
    actor, ask = cast.by(cast.jun), Ask(view="open")
    seen, _last = all_pages(actor, ask, 2)
    assert set(seen) == expected and len(seen) == 6
    whole = queue.read(actor, ask)
    assert numbers(whole) == seen
    assert [(r.calm, r.due_at, r.pk) for r in whole.rows] == sorted(
        (r.calm, r.due_at, r.pk) for r in whole.rows
    )


def test_filters_narrow(cast):
    korean, chinese = stages.owned(cast), stages.reported(cast, cast.lina)
    raise_urgency(chinese, by=cast.by(cast.sujin), level=5, reason="Cannot sell.")
    read = lambda **more: set(numbers(queue.read(cast.by(cast.minji), Ask(view="open", **more))))  # noqa: E731
    assert (
        read(shop=cast.moon.pk)
        == read(language="zh-hans")
        == read(owner=0)
        == read(urgency=5)
        == {chinese.number}
    )
    assert read(owner=cast.minji.pk) == read(type="refund.delay") == read(status="working") == {korean.number}
    assert read(team=cast.front.pk) == {korean.number}
    assert read(shop=10**9) == read(type="'; --") == set()


def test_the_row_knows_whether_the_customer_wrote_last(cast):
    waiting, done = stages.reported(cast), stages.answered(cast)
    rows = {row.number: row.wrote_last for row in queue.read(cast.by(cast.minji), Ask(view="open")).rows}
    assert rows == {waiting.number: "customer", done.number: "staff"}


def test_a_counter_stops_at_a_thousand_and_is_no_more_than_its_view(cast, monkeypatch):
    monkeypatch.setattr(queue, "MOST_COUNTED", 2)
    many(cast, 3)
    limited(cast)
    cast.front.shops.add(cast.haneul, cast.moon)
    for who in (cast.hana, cast.minji):
        assert queue.read(cast.by(who), Ask(view="open")).counts["open"] == 2


def test_the_number_of_queries_does_not_grow_with_the_rows(cast, client):
    client.force_login(cast.minji)

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get("/?view=open").status_code == 200
        return len(seen)

    stages.reported(cast)
    queries()
    one = queries()
    many(cast, 4)
    stages.owned(cast, customer=cast.lina)
    assert queries() == one <= 14


@pytest.mark.parametrize("who", ["minji", "sujin", "wei", "hana", "root"])
@pytest.mark.parametrize("view", [*queue.VIEWS, "nonsense"])
def test_everybody_at_the_desk_sees_every_view(cast, client, who, view):
    stages.owned(cast)
    client.force_login(getattr(cast, who))
    answer = client.get("/", {"view": view, "shop": "x", "urgency": "99", "page": "forged"})
    assert answer.status_code == 200


def test_mr_kang_is_led_to_his_own_pages_and_a_stranger_to_sign_in(cast, client):
    assert client.get("/").headers["Location"].startswith("/sign-in/login/")
    client.force_login(cast.kang)
    assert client.get("/").status_code == 302
    with pytest.raises(NotAllowed):
        queue.read(cast.by(cast.kang), Ask())
    with pytest.raises(NotAllowed):
        queue.read(actors.customer(cast.jiwoo.pk), Ask())
    assert client.post("/queue/many/", {"case": "1-1", "do": "take"}).status_code == 403


def test_the_page_shows_what_an_agent_needs(cast, client):
    with clock.travel(timedelta(days=-3)):
        case = stages.reported(cast)
    client.force_login(cast.jun)
    body = client.get("/?view=open").content.decode()
    for word in (
        str(case.number),
        case.subject,
        "지우",
        "Haneul",
        "Overdue",
        "Customer wrote last",
        "Nobody yet",
    ):
        assert word in body
    assert "<html" in body


def test_htmx_gets_the_list_alone(cast, client):
    stages.reported(cast)
    client.force_login(cast.jun)
    answer = client.get("/?view=open", headers={"HX-Request": "true"})
    assert b"<html" not in answer.content and b'id="queue"' in answer.content
    assert "HX-Request" in answer.headers["Vary"]
    back = client.get("/?view=open", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert b"<html" in back.content


def post(client, do, cases, **more):
    pairs = [f"{c.number}-{c.version}" for c in cases]
    return client.post("/queue/many/", {"do": do, "case": pairs, "next": "/?view=open", **more}, follow=True)


def test_minji_takes_three_at_once_and_hears_which_one_was_refused(cast, client):
    a, b, mine = stages.reported(cast), stages.reported(cast), stages.owned(cast)
    client.force_login(cast.minji)
    body = post(client, "take", [a, b, mine]).content.decode()
    assert stages.fresh(a).owner == stages.fresh(b).owner == cast.minji
    assert str(mine.number) in body and stages.fresh(mine).version == mine.version
    assert "2" in body


def test_a_case_that_moved_on_is_refused_and_nothing_happens(cast, client):
    case = stages.reported(cast)
    raise_urgency(case, by=cast.by(cast.sujin), level=5, reason="Cannot sell.")
    client.force_login(cast.jun)
    post(client, "take", [case])
    assert stages.fresh(case).owner is None


def test_assign_and_raise_many(cast, client):
    a, b = many(cast, 2)
    client.force_login(cast.minji)
    post(client, "assign", [a, b], to_owner=cast.wei.pk, to_team=cast.tech.pk)
    assert {stages.fresh(c).owner for c in (a, b)} == {cast.wei}
    post(client, "raise", [a], level=5, reason="방송이 내일이에요")
    assert stages.fresh(a).urgency == 5
    version = stages.fresh(b).version
    post(client, "raise", [b], level=5, reason="")
    post(client, "raise", [b], level="x", reason="so")
    post(client, "fly", [b])
    post(client, "assign", [b])
    assert stages.fresh(b).version == version


def test_a_strangers_case_cannot_be_taken_in_bulk(cast, client):
    _team, _other, stranger = limited(cast)
    case = open_case(
        stranger.shop, Report(text="Where is it?"), by=actors.customer(stranger.pk), customer=stranger
    ).case
    client.force_login(cast.jun)
    post(client, "take", [case])
    assert stages.fresh(case).owner is None


@pytest.mark.parametrize("raw", ["", "x", "-", "9" * 40 + "-1", "100198-" + "9" * 30, "\u0661-1"])
def test_hostile_ticks_are_harmless(cast, client, raw):
    client.force_login(cast.minji)
    answer = client.post("/queue/many/", {"do": "take", "case": raw, "next": "https://evil.example/"})
    assert answer.status_code == 302 and answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    "query",
    ["view=%00", "type=%00", "status='", "shop=99999999999999999999", "urgency=-1", "owner=٣", "page=%00%ff"],
)
def test_hostile_addresses_are_harmless(cast, client, query):
    client.force_login(cast.minji)
    assert client.get("/?" + query).status_code == 200
