"""The pages of the war rooms: who sees them, what a late joiner reads, and that nobody's words are lost on them.

Over 300 lines: two pages and a poll, all of whose parts are tried.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from makegood.base import clock
from makegood.desk import handling, joining, room_card, room_work, rooming, talking
from makegood.desk.room_card import card
from makegood.incidents.models import Room, RoomMember
from makegood.people import actors
from makegood.people.models import Team, User
from tests import cast as stages
from tests.cast import fresh

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SCRIPT = "<script>alert(1)</script>"


def opened(cast, case=None, **more) -> Room:
    event = rooming.open_room(case or stages.answered(cast), by=cast.by(cast.sujin), **more)
    return Room.objects.get(pk=event.data["room"])


def read(client: Client, user: User, room: Room, query: str = "") -> str:
    client.force_login(user)
    answer = client.get(f"/rooms/{room.pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, room: Room, verb: str, data: dict[str, Any], **more: Any) -> Any:
    return client.post(f"/rooms/{room.pk}/{verb}/", data, **more)


def write(cast, room, user, field, text, n=0):
    return room_card.edit_card(room, by=cast.by(user), field=field, n=n, text=text)


# Who sees it, and how they get there


def test_sujin_opens_a_room_on_the_sheet_and_the_sheet_leads_there(cast, client):
    case = stages.answered(cast)
    client.force_login(cast.sujin)
    answer = client.post(
        f"/cases/{case.number}/open_room/",
        {"seen": case.version, "ask": "환불해 달라고 하십니다"},
        follow=True,
    )
    room = Room.objects.get()
    assert f'href="/rooms/{room.pk}/"' in answer.content.decode()
    assert "환불해 달라고 하십니다" in read(client, cast.jun, room)
    client.force_login(cast.minji)
    sheet = client.get(f"/cases/{case.number}/").content.decode()
    assert f'href="/rooms/{room.pk}/"' in sheet and f"/cases/{case.number}/open_room/" not in sheet


def test_the_name_of_a_room_is_read_in_the_readers_language(cast, client):
    case = stages.owned(cast)
    room = opened(cast, case)
    korean, chinese, english = (read(client, user, room) for user in (cast.minji, cast.wei, cast.jun))
    names = [re.search(r"<h1>(.*?)</h1>", page)[1] for page in (korean, chinese, english)]
    assert len(set(names)) == 3 and all(str(case.number) in name for name in names), names
    assert re.fullmatch(r"\[[A-Z][\w ,-]+\] \[[A-Z]\w+\] Haneul \d+", names[2])


@pytest.mark.parametrize("who", ["kang", "luo", "bora"])
@pytest.mark.parametrize("address", ["", "now/", "card/ask/"])
def test_who_may_not_see_the_case_finds_no_room(cast, client, who, address):
    room = opened(cast, ask="비밀")
    if who == "bora":
        bora = stages.user("Bora", "agent")
        team = Team.objects.create(name="Moon line")
        team.members.add(bora)
        team.shops.add(cast.moon)
    client.force_login(User.objects.get(name=who.capitalize()))
    answer = client.get(f"/rooms/{room.pk}/{address}")
    assert answer.status_code == 404 and "비밀" not in answer.content.decode()
    assert send(client, room, "say", {"text": "hello"}).status_code == 404 and not room.messages.exists()
    assert f"/rooms/{room.pk}/" not in client.get("/rooms/").content.decode()


@pytest.mark.parametrize(
    "address", ["/rooms/0/", "/rooms/99999999999999999999/", "/rooms/1/card/shoe/", "/rooms/1/dance/"]
)
def test_addresses_that_lead_nowhere(cast, client, address):
    client.force_login(cast.hana)
    assert client.get(address).status_code == 404


def test_the_list_is_most_urgent_first_and_says_which_are_mine(cast, client):
    calm = opened(cast, stages.answered(cast, customer=cast.alex, text="Where is order AX-20261103?"))
    hot = opened(cast, stages.answered(cast, customer=cast.alex, text="My coupon does not work."))
    handling.raise_urgency(fresh(hot.case), by=cast.by(cast.minji), level=5, reason="A wedding.")
    rooming.join_room(calm, by=cast.by(cast.jun))
    client.force_login(cast.jun)
    page = client.get("/rooms/").content.decode()
    assert page.index(f"/rooms/{hot.pk}/") < page.index(f"/rooms/{calm.pk}/")
    mine = client.get("/rooms/?view=mine").content.decode()
    assert f"/rooms/{calm.pk}/" in mine and f"/rooms/{hot.pk}/" not in mine


# The card


def test_the_card_names_shop_code_id_and_merchant_above_the_chat(cast, client):
    room = opened(cast, background="두 번 거절됨")
    room_work.say(room, by=cast.by(cast.jun), text="I am on it.")
    page = read(client, cast.jun, room)
    for words in (f"haneul · {cast.haneul.pk}", "Kang", "두 번 거절됨", "Help needed", "I am on it."):
        assert words in page, words
    assert page.index('id="card"') < page.index('id="room-chat"')


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_who_was_slower_sees_both_texts_and_keeps_their_own(cast, client, headers):
    room = opened(cast)
    write(cast, room, cast.wei, "progress", "Wei was here.")
    client.force_login(cast.minji)
    answer = send(
        client, room, "card", {"field": "progress", "n": 0, "text": f"민지 {SCRIPT}"}, headers=headers
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Wei was here." in page and "민지 &lt;script&gt;alert(1)&lt;/script&gt;</textarea>" in page
    assert SCRIPT not in page and 'name="n" value="1"' in page
    assert card(room)["progress"].text == "Wei was here."
    again = send(client, room, "card", {"field": "progress", "n": 1, "text": "둘 다"}, headers=headers)
    assert again.status_code == (200 if headers else 303) and card(room)["progress"].text == "둘 다"
    versions = client.get(f"/rooms/{room.pk}/card/progress/").content.decode()
    assert "Wei was here." in versions and "둘 다" in versions


def test_a_refused_text_keeps_the_version_that_it_was_drawn_from(cast, client):
    """Else the next press would go over what somebody wrote meanwhile without showing it."""
    room = opened(cast)
    write(cast, room, cast.wei, "progress", "Wei was here.")
    client.force_login(cast.minji)
    answer = send(client, room, "card", {"field": "progress", "n": 0, "text": "x" * 5001})
    assert answer.status_code == 422 and 'name="n" value="0"' in answer.content.decode()
    assert "x" * 5001 in answer.content.decode()


@pytest.mark.parametrize(
    "sent",
    [
        {"field": "progress", "n": "-1", "text": "x"},
        {"field": "progress", "n": "one", "text": "x"},
        {"field": "progress", "text": "x"},
        {"field": "progress", "n": "99999999999999999999", "text": "x"},
    ],
)
def test_an_odd_version_is_refused_and_the_words_stay(cast, client, sent):
    room = opened(cast)
    client.force_login(cast.minji)
    answer = send(client, room, "card", sent)
    assert answer.status_code == 422 and ">\nx</textarea>" in answer.content.decode()
    assert card(room)["progress"] is None


def test_the_words_of_a_stranger_field_go_nowhere(cast, client):
    room = opened(cast)
    client.force_login(cast.minji)
    assert send(client, room, "card", {"field": "shoe", "n": 0, "text": "x"}).status_code == 404


# What a late joiner reads


def test_a_late_joiner_reads_the_card_and_all_that_changed(cast, client):
    room = opened(cast)
    write(cast, room, cast.wei, "progress", "Found it.")
    room_work.give_task(
        room, by=cast.by(cast.sujin), owner=cast.wei, what="Ask the bank.", due_at=stages.soon()
    )
    talking.customer_writes(fresh(room.case), by=actors.customer(room.case.customer_id), text="언제 되나요?")
    page = read(client, cast.jun, room)
    for kind in ("room_opened", "room_card_changed", "room_task_given", "customer_wrote"):
        assert f'data-kind="{kind}"' in page, kind
    assert "Changed the card of the war room: Progress." in page


def test_who_comes_back_reads_what_changed_since_their_last_visit_and_any_other_moment(cast, client):
    room = opened(cast)
    rooming.join_room(room, by=cast.by(cast.jun))
    write(cast, room, cast.wei, "progress", "Morning.")
    read(client, cast.jun, room)
    with clock.travel(timedelta(hours=3)):
        write(cast, room, cast.wei, "blocker", "Afternoon.")
        for _again in range(2):  # loaded again within one visit it is the same news
            news = section(read(client, cast.jun, room))
            assert "Blocker" in news and "Progress" not in news
        assert "Progress" in section(read(client, cast.jun, room, "?since=all"))
        assert "Blocker" in section(read(client, cast.jun, room, "?since=1h"))
        past = (clock.now() - timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert "Progress" in section(read(client, cast.jun, room, f"?since={past}"))
        for odd in ("yesterday", "0001-01-01", "9999-99-99T99:99", "\x00"):
            assert "Blocker" in section(read(client, cast.jun, room, f"?since={odd}"))


def section(page: str) -> str:
    return page[page.index('id="room-news"') : page.index('id="room-chat"')]


def test_the_sheet_of_the_case_that_took_another_in_leads_to_its_room(cast, client):
    one, two = stages.answered(cast), stages.answered(cast)
    room = opened(cast, one, ask="Her money.")
    joining.merge(fresh(one), fresh(two), by=cast.by(cast.minji), seen=None)
    client.force_login(cast.jun)
    assert f'href="/rooms/{room.pk}/"' in client.get(f"/cases/{two.number}/").content.decode()
    page = read(client, cast.jun, room)
    assert f'href="/cases/{two.number}/"' in page and "Her money." in page
    assert send(client, room, "say", {"text": "Still here."}).status_code == 303


# The poll


def test_a_poll_of_an_unchanged_room_is_204_and_each_change_is_brought_once(cast, client):
    room = opened(cast)
    client.force_login(cast.jun)
    version = client.get(f"/rooms/{room.pk}/").context["page"].version
    poll = f"/rooms/{room.pk}/now/?version="
    assert client.get(poll + version, headers=HTMX).status_code == 204
    room_work.say(room, by=cast.by(cast.wei), text="The bank answers.")
    answer = client.get(poll + version, headers=HTMX)
    assert answer.status_code == 200 and "The bank answers." in answer.content.decode()
    assert 'id="text-progress" hx-swap-oob="true"' in answer.content.decode(), (
        "the line brought Wei in: the whole room is read"
    )
    now = answer.context["page"].version
    assert client.get(poll + now, headers=HTMX).status_code == 204
    talking.customer_writes(fresh(room.case), by=actors.customer(room.case.customer_id), text="아직인가요?")
    assert client.get(poll + now, headers=HTMX).status_code == 200


def test_where_only_lines_were_said_only_these_are_brought_and_anything_else_brings_the_room(cast, client):
    room = opened(cast)
    for text in ("First.", "Second."):
        room_work.say(room, by=cast.by(cast.wei), text=text)
    client.force_login(cast.jun)
    version = client.get(f"/rooms/{room.pk}/").context["page"].version
    poll = f"/rooms/{room.pk}/now/?version="
    for text in ("Third.", "Fourth. <b>"):
        room_work.say(room, by=cast.by(cast.wei), text=text)
    brought = client.get(poll + version, headers=HTMX)
    words, now = brought.content.decode(), brought.context["version"]
    assert (
        'hx-swap-oob="beforeend:#room-chat"' in words and "Third." in words and "Fourth. &lt;b&gt;" in words
    )
    assert "Second." not in words and "room-news" not in words and f'data-version="{now}"' in words
    assert client.get(poll + now, headers=HTMX).status_code == 204
    room_work.say(room, by=cast.by(cast.wei), text="Fifth.")
    room_work.say(room, by=cast.by(cast.sujin), text="Sixth.")
    room_card.edit_card(room, by=cast.by(cast.wei), field="progress", n=0, text="Found it.")
    both = client.get(poll + now, headers=HTMX).content.decode()
    assert "Found it." in both and "Fifth." in both and 'id="room-news"' in both
    for odd in ("", "x", "1.2", "..", "9999999999999999999.1.1", version.replace(".", "-"), "-1.0.5"):
        assert "Found it." in client.get(poll + odd, headers=HTMX).content.decode(), (
            "a nonsense version reads the whole room"
        )


def test_sixty_readers_of_a_line_write_nothing_down_within_a_minute(
    cast, client, django_assert_max_num_queries
):
    room = opened(cast)
    room_work.say(room, by=cast.by(cast.wei), text="First.")
    client.force_login(cast.wei)
    version = client.get(f"/rooms/{room.pk}/").context["page"].version
    seen = room.members.get(user=cast.wei).seen_at
    room_work.say(room, by=cast.by(cast.wei), text="Second.")
    with django_assert_max_num_queries(7):
        assert client.get(f"/rooms/{room.pk}/now/?version={version}", headers=HTMX).status_code == 200
    client.get(f"/rooms/{room.pk}/")
    assert room.members.get(user=cast.wei).seen_at == seen


def test_an_unchanged_poll_is_cheap(cast, client, django_assert_max_num_queries):
    room = opened(cast)
    client.force_login(cast.jun)
    version = client.get(f"/rooms/{room.pk}/").context["page"].version
    with django_assert_max_num_queries(6):
        client.get(f"/rooms/{room.pk}/now/?version={version}", headers=HTMX)


# Sixty people


def crowd(room: Room, first: int, last: int) -> None:
    people = [stages.user(f"Crowd{i}", "agent") for i in range(first, last)]
    RoomMember.objects.bulk_create(RoomMember(room=room, user=user) for user in people)


def test_seven_in_a_room_are_warned_of_and_six_are_not(cast, client):
    room = opened(cast)
    crowd(room, 0, 5)
    assert "hard to steer" not in read(client, cast.hana, room)
    crowd(room, 5, 6)
    assert "7 people are in this room" in read(client, cast.hana, room)


def test_a_room_with_sixty_people_takes_no_more_queries_than_one_with_two(cast, client):
    from django.db import connection

    room = opened(cast)
    client.force_login(cast.hana)
    counts = []
    for first, last in ((0, 1), (1, 60)):
        crowd(room, first, last)
        for member in RoomMember.objects.filter(room=room).select_related("user")[:last]:
            room_work.say(room, by=cast.by(member.user), text="Here.")
        with CaptureQueriesContext(
            connection,
        ) as counted:
            answer = client.get(f"/rooms/{room.pk}/")
        counts.append(len(counted))
        assert answer.status_code == 200
    assert counts[0] == counts[1], counts
    with CaptureQueriesContext(connection) as counted:
        client.get("/rooms/")
    assert len(counted) <= 8, [q["sql"] for q in counted]


# Verbs by the page

VERBS = {
    "card": {"field": "help", "n": 0, "text": "A bank key."},
    "say": {"text": "Hello."},
    "task": {"owner": "{wei}", "what": "Ask the bank.", "due_at": "{soon}"},
    "decide": {"who": "{sujin}", "what": "Pay.", "why": "Fast."},
    "role": {"user": "{wei}", "role": "scribe"},
    "thank": {"to": "{wei}", "words": "You stayed."},
    "leave": {},
    "join": {},
}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_done_by_its_page(cast, client, verb, headers):
    room = opened(cast)
    user = cast.hana
    if verb == "leave":
        rooming.join_room(room, by=cast.by(user))
    if verb == "thank":
        write(cast, room, cast.wei, "progress", "Done.")
    said = {"{wei}": cast.wei.pk, "{sujin}": cast.sujin.pk, "{soon}": local(stages.soon())}
    data = {key: said.get(value, value) for key, value in VERBS[verb].items()}
    before = Room.objects.get(pk=room.pk).version
    assert f"/rooms/{room.pk}/{verb}/" in read(client, user, room)
    answer = send(client, room, verb, data, headers=headers)
    assert answer.status_code == (200 if headers else 303), answer.content.decode()[:3000]
    assert Room.objects.get(pk=room.pk).version > before
    shown = read(client, cast.jun, room)
    for words in (data.get("text"), data.get("what"), data.get("words")):
        assert words is None or words in shown


def local(moment) -> str:
    """As a browser in Seoul sends it."""
    return moment.astimezone(ZoneInfo("Asia/Seoul")).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("verb", "data", "field"),
    [
        ("task", {"what": "Hurry."}, "owner"),
        ("decide", {"who": "{sujin}", "what": "Pay."}, "why"),
        ("say", {"text": " "}, "text"),
        ("thank", {"words": "x"}, "to"),
        ("role", {"role": "scribe"}, "user"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_refusal_stands_beside_its_control(cast, client, verb, data, field, headers):
    room = opened(cast)
    client.force_login(cast.hana)
    data = {key: cast.sujin.pk if value == "{sujin}" else value for key, value in data.items()}
    answer = send(client, room, verb, data, headers=headers)
    assert answer.status_code == 422
    form = answer.context["form"] if headers else answer.context["tried"]
    assert form.errors[field]
    page = answer.content.decode()
    assert all(str(value) in page for value in data.values())
    if "who" in data:
        assert f'<option value="{cast.sujin.pk}" selected>Sujin</option>' in page, "the choice stays"


def test_the_page_says_what_is_missing_and_closes_when_nothing_is(cast, client):
    room = opened(cast, stages.told(cast))
    write(cast, room, cast.wei, "progress", "Paid.")
    page = read(client, cast.sujin, room)
    assert "Wei" in page[page.index('id="end"') :]
    from makegood.desk.telling import confirm

    case = fresh(room.case)
    confirm(case, by=actors.customer(case.customer_id), telling_id=case.tellings.get().pk, answer="all_good")
    answer = send(client, room, "close", {"review_at": local(stages.soon(72))})
    assert answer.status_code == 422 and Room.objects.get().is_open
    assert send(client, room, "thank", {"to": [cast.wei.pk], "words": "고맙습니다."}).status_code == 303
    assert send(client, room, "close", {"review_at": local(stages.soon(72))}).status_code == 303
    assert not Room.objects.get().is_open
    closed = read(client, cast.jun, room)
    assert "Paid." in closed and f"/rooms/{room.pk}/say/" not in closed and "hx-get" not in closed


def test_an_agent_is_offered_no_roles_and_no_end(cast, client):
    room = opened(cast)
    page = read(client, cast.minji, room)
    assert f"/rooms/{room.pk}/role/" not in page and f"/rooms/{room.pk}/close/" not in page
    assert send(client, room, "role", {"user": cast.jun.pk, "role": "scribe"}).status_code == 403
    assert room.members.count() == 1
