"""Notices outside the page: who hears of what, by which way and when; quiet hours, storms, services that are down.

Over 300 lines: one story of one mechanism, each line of it tried against real servers.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection, transaction

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.cases.models import Notice
from makegood.connectors import chat
from makegood.connectors.errors import Never
from makegood.connectors.models import Circuit
from makegood.desk import breaking, handling, notices, noticing, packets, rooming, ways
from makegood.escalation.models import Absence
from makegood.jobs import packets as worker
from makegood.jobs.packets import send_due
from makegood.packs import notices as rules
from makegood.people.models import User
from makegood.promises.models import Promise
from makegood.ways import times
from makegood.ways.models import NoticeOut, Way
from tests import cast as stages
from tests.receiver import receiver

pytestmark = pytest.mark.django_db
SEOUL = ZoneInfo("Asia/Seoul")
NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=SEOUL)
DAY = datetime(2026, 11, 24, 14, 0, tzinfo=SEOUL)


@pytest.fixture
def there(settings):
    with receiver() as told:
        settings.OUTSIDE_HOSTS = frozenset({f"127.0.0.1:{told.port}"})
        yield told


@pytest.fixture
def letters(settings):
    settings.EMAIL_HOST = "mail.example"  # the site sends letters; they are kept in memory
    return mail.outbox


def chat_of(cast, there, user=None, **more) -> Way:
    user = user or cast.minji
    way = ways.add_chat(by=cast.by(user), url=f"json://127.0.0.1:{there.port}/t0ken-secret", **more)
    ways.save_ways({way.pk: {"urgent": "now", "mine": "now", "others": "now"}}, by=cast.by(user))
    return way


def said(there) -> list[str]:
    return [f"{m['title']}\n{m['message']}" for m in (json.loads(body) for _h, body in there.got)]


def calm(cast):
    """A case of Minji's that is not urgent."""
    return stages.owned(cast, customer=cast.alex, text="Where is order AX-20261103? No hurry at all.")


def hot(cast):
    case = calm(cast)
    handling.raise_urgency(case, by=cast.by(cast.minji), level=5, reason="A wedding.")
    return stages.fresh(case)


def tell(case, kind="woken", to=None, **data):
    return notices.notify(case, kind, to=to or [case.owner_id], data=data)


def test_minji_reads_in_korean_with_number_and_link_and_without_a_word_of_the_customer(cast, there):
    chat_of(cast, there)
    case = stages.owned(cast)
    tell(case)
    assert send_due() == 1
    (words,) = said(there)
    assert f"[{case.number}]" in words and f"/cases/{case.number}/" in words
    for theirs in (case.subject, "지우", "jiwoo", "HN-20261101"):
        assert theirs not in words
    assert NoticeOut.objects.get().state == "sent" and send_due() == 0


def test_a_notice_about_a_room_links_to_the_room(cast, there):
    chat_of(cast, there, cast.sujin)
    room = rooming.open_room(stages.owned(cast), by=cast.by(cast.hana), lead=cast.sujin).data["room"]
    send_due()
    assert any(f"/rooms/{room}/" in words for words in said(there))


def test_whoever_chose_nothing_gets_urgent_notices_by_letter_and_nothing_else(cast, letters):
    tell(calm(cast))
    assert send_due() == 0
    case = hot(cast)
    User.objects.filter(pk=cast.minji.pk).update(language="en")
    tell(case, "promise_broken", what="next_word", until=clock.now().isoformat())
    assert send_due() == 1
    (letter,) = letters
    assert letter.to == ["minji@makegood.example"] and letter.subject.startswith("Urgent: ")
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"


def test_without_a_mail_server_no_letter_waits_to_be_poured_out_later(cast):
    tell(hot(cast), "promise_broken")
    assert not NoticeOut.objects.exists() and Notice.objects.filter(user=cast.minji).exists()


def test_groups_mine_and_others_leave_as_the_person_chose(cast, there):
    way = chat_of(cast, there)
    ways.save_ways({way.pk: {"mine": "never", "others": "now"}}, by=cast.by(cast.minji))
    tell(calm(cast))
    theirs = stages.owned(cast, by=cast.jun, customer=cast.alex, text="Another question, no hurry.")
    tell(theirs, to=[cast.minji.pk])
    send_due()
    assert len(there.got) == 1 and str(theirs.number) in said(there)[0]


def test_at_night_only_what_is_urgent_leaves_and_the_rest_comes_in_one_message_in_the_morning(cast, there):
    chat_of(cast, there)
    ways.save_quiet(by=cast.by(cast.minji), starts=time(22), ends=time(7))
    with clock.travel(NIGHT):
        case, urgent = calm(cast), hot(cast)
        there.got.clear()
        NoticeOut.objects.all().delete()
        tell(case), tell(case, "asked_in_vain")
        assert send_due() == 0
        tell(urgent, "promise_broken")
        assert send_due() == 1 and str(urgent.number) in said(there)[0]
    with clock.travel(datetime(2026, 11, 24, 6, 59, tzinfo=SEOUL)):
        assert send_due() == 0
    with clock.travel(datetime(2026, 11, 24, 7, 0, 1, tzinfo=SEOUL)):
        assert send_due() == 1
    assert len(there.got) == 2 and said(there)[1].count(f"/cases/{case.number}/") == 2


def test_quiet_hours_are_those_of_the_persons_own_zone(cast, there):
    User.objects.filter(pk=cast.minji.pk).update(zone="America/New_York")
    chat_of(cast, there)
    ways.save_quiet(by=cast.by(cast.minji), starts=time(22), ends=time(7))
    with clock.travel(DAY):  # 14:00 in Seoul is 00:00 in New York
        tell(calm(cast))
        assert send_due() == 0
    with clock.travel(NIGHT):
        tell(calm(cast))  # 12:00 in New York
        assert send_due() == 1


@pytest.mark.parametrize(
    "now, starts, ends, is_quiet",
    [
        ("23:00", "22:00", "07:00", True),
        ("06:59", "22:00", "07:00", True),
        ("07:00", "22:00", "07:00", False),
        ("21:59", "22:00", "07:00", False),
        ("12:30", "12:00", "13:00", True),
        ("13:00", "12:00", "13:00", False),
        ("03:00", "05:00", "05:00", False),
    ],
)
def test_quiet_hours_go_over_midnight(now, starts, ends, is_quiet):
    at = datetime.combine(DAY.date(), time.fromisoformat(now), SEOUL)
    assert times.quiet(at, time.fromisoformat(starts), time.fromisoformat(ends), SEOUL) is is_quiet


@pytest.mark.parametrize("wall", [time(2, 30), time(3), time(1, 59)])
@pytest.mark.parametrize("day", [datetime(2026, 3, 8, 6, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)])
def test_summer_time_neither_loses_nor_repeats_a_morning(wall, day):
    zone = ZoneInfo("America/New_York")
    first = times.next_at(wall, day, zone)
    second = times.next_at(wall, first, zone)
    assert day < first and timedelta(hours=22) < second - first < timedelta(hours=26)


def test_a_daily_collection_comes_at_its_time_as_one_message(cast, there):
    way = chat_of(cast, there)
    ways.save_ways({way.pk: {"mine": "digest"}}, by=cast.by(cast.minji))
    ways.save_quiet(by=cast.by(cast.minji), starts=None, ends=None, digest_at=time(18))
    with clock.travel(DAY):
        for _ in range(3):
            tell(calm(cast))
        assert send_due() == 0
    with clock.travel(datetime(2026, 11, 24, 18, 0, 1, tzinfo=SEOUL)):
        assert send_due() == 1
    assert len(there.got) == 1 and said(there)[0].count("/cases/") == 3


def test_what_was_seen_in_the_page_is_not_sent_as_well(cast, there):
    chat_of(cast, there)
    tell(calm(cast))
    notices.mark_seen(cast.minji.pk)
    assert send_due() == 0 and NoticeOut.objects.get().state == "seen"


def test_a_storm_of_ten_thousand_is_a_handful_of_messages_and_one_line(cast, there):
    chat_of(cast, there)
    case = calm(cast)
    start = clock.now()
    with clock.travel(start):
        for _n in range(20):
            tell(case)
            send_due()
        burst = len(there.got)
        told = Notice.objects.bulk_create(
            [Notice(user=cast.minji, case=case, kind="woken", at=start) for _ in range(10_000)]
        )
        noticing.send_out([(told[:1], case, "woken")])
        way = Way.objects.get()
        done = set(NoticeOut.objects.values_list("notice_id", flat=True))
        NoticeOut.objects.bulk_create(
            [NoticeOut(way=way, notice=n, look_at=start) for n in told if n.pk not in done]
        )
        send_due()
    assert burst == rules().messages and len(there.got) == burst, "five at once, then they are collected"
    with clock.travel(start + rules().window + timedelta(seconds=1)):
        assert send_due() == 1
    assert len(there.got) == burst + 1
    last = said(there)[-1]
    assert last.count("/cases/") == rules().lines and len(last) < 4000
    assert f"{10_015 - rules().lines}" in last or f"{10_015 - rules().lines:,}" in last
    assert not NoticeOut.objects.filter(state="waiting").exists()


def test_an_urgent_one_is_not_kept_back_by_a_storm_of_others(cast, there):
    chat_of(cast, there)
    case, urgent = calm(cast), hot(cast)
    for _ in range(12):
        tell(case)
        send_due()
    there.got.clear()
    tell(urgent, "promise_broken")
    assert send_due() == 1 and str(urgent.number) in said(there)[0]


def test_a_service_that_is_down_for_an_hour_loses_nothing_and_is_not_hammered(cast, there):
    """The trouble list of the issue: what holds when a notice service is down for an hour."""
    people = [cast.minji, cast.jun, cast.sujin, cast.hana, cast.root]
    for who in people:
        chat_of(cast, there, who)
    case, start = calm(cast), clock.now()
    NoticeOut.objects.all().delete()
    there.got.clear()
    there.always = 503
    told = 0
    for minute in range(60):
        with clock.travel(start + timedelta(minutes=minute)):
            told += len(tell(case, to=[p.pk for p in people]))
            send_due()
    tries = len(there.got)
    assert NoticeOut.objects.filter(state="waiting").count() == told == 300, "nothing is lost"
    assert tries <= 40, f"{told} notices in an hour cost the service that is down {tries} requests"
    assert Circuit.objects.filter(failures__gte=3).exists()
    assert {s.trouble for s in ways.in_trouble(cast.by(cast.hana))} != {""}, "and it is visible"
    there.always, there.got[:] = 200, []
    for minute in range(60, 100):
        with clock.travel(start + timedelta(minutes=minute)):
            send_due()
    assert not NoticeOut.objects.exclude(state="sent").exists()
    assert len(there.got) == len(people), "all that waited comes as one message each"
    assert not ways.in_trouble(cast.by(cast.hana))


def test_a_service_that_stays_down_gives_up_after_a_day_and_people_hear_of_it_in_the_page(cast, there):
    chat_of(cast, there)
    case, start = hot(cast), clock.now()
    there.always = 503
    tell(case, "promise_broken")
    for half in range(60):
        with clock.travel(start + timedelta(minutes=30 * half)):
            send_due()
    assert NoticeOut.objects.filter(state="dead").count() >= 1 and not NoticeOut.objects.filter(
        state="waiting"
    )
    assert Notice.objects.filter(kind="notice_lost", user=cast.minji).exists()
    assert Notice.objects.filter(kind="notice_lost", user=cast.root).exists(), (
        "an urgent one: the keepers hear too"
    )
    assert not NoticeOut.objects.filter(notice__kind="notice_lost").exists(), (
        "no loss is told by the way that is lost"
    )


def test_a_token_that_was_withdrawn_does_not_close_the_service_for_others(cast, there):
    chat_of(cast, there)
    there.always = 404
    tell(calm(cast))
    start = clock.now()
    for minute in (0, 2, 5, 12, 30):
        with clock.travel(start + timedelta(minutes=minute)):
            send_due()
    assert not Circuit.objects.filter(failures__gt=0).exists()
    assert NoticeOut.objects.get().state == "dead", "refused three times: nobody tries for a day"


def test_a_worker_that_dies_in_the_middle_loses_nothing(cast, there):
    chat_of(cast, there)
    tell(calm(cast))
    taken = packets.claim()
    assert taken is not None and packets.claim() is None
    with clock.travel(packets.CLAIM + timedelta(seconds=1)):
        assert send_due() == 1
    assert NoticeOut.objects.get().state == "sent"
    worker.send(taken)  # the first one was only slow: what it writes now changes nothing
    assert NoticeOut.objects.get().tries == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_message_once(cast, there):
    for who in (cast.minji, cast.jun, cast.sujin, cast.hana):
        chat_of(cast, there, who)
    case = calm(cast)
    there.got.clear()
    NoticeOut.objects.all().delete()
    tell(case, to=[cast.minji.pk, cast.jun.pk, cast.sujin.pk, cast.hana.pk])

    def work() -> None:
        send_due()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads]
    [t.join(60) for t in threads]
    assert len(there.got) == 4 and not NoticeOut.objects.exclude(state="sent").exists()


def test_a_notice_goes_with_its_transaction(cast, there):
    chat_of(cast, there)
    case = calm(cast)
    with pytest.raises(RuntimeError), transaction.atomic():
        tell(case)
        raise RuntimeError
    assert not NoticeOut.objects.exists()


def test_a_teams_chat_hears_each_thing_once_in_the_teams_language(cast, there):
    ways.add_chat(
        by=cast.by(cast.sujin), url=f"json://127.0.0.1:{there.port}/x", team=cast.front.pk, language="zh-hans"
    )
    case = hot(cast)
    handling.assign(case, by=cast.by(cast.sujin), owner=cast.minji, team=cast.front, seen=None)
    case = stages.fresh(case)
    NoticeOut.objects.all().delete()
    tell(case, "promise_broken", to=[cast.minji.pk, cast.sujin.pk])
    send_due()
    assert len(there.got) == 1 and str(case.number) in said(there)[0]


def test_urgent_notices_of_somebody_who_is_away_reach_who_stands_in(cast):
    case = hot(cast)
    now = clock.now()
    Absence.objects.create(
        user=cast.minji, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=1)
    )
    told = tell(case, "promise_broken")
    assert cast.minji.pk in told and len(told) > 1
    assert tell(case, "woken") == [cast.minji.pk], "what is not urgent waits for her"


def test_a_promise_that_breaks_on_an_urgent_case_leaves_at_night_in_one_transaction(cast, there):
    chat_of(cast, there)
    ways.save_quiet(by=cast.by(cast.minji), starts=time(0), ends=time(23, 59))
    case = hot(cast)
    there.got.clear()
    promise = Promise.objects.filter(case=case, state="open").first()
    with clock.travel(promise.due_at + timedelta(seconds=1)):
        breaking.overdue(case)
        send_due()
    assert any(f"[{case.number}]" in words for words in said(there))


# The addresses


def test_the_address_of_a_chat_is_sealed_and_never_shown_whole(cast, there, client):
    way = chat_of(cast, there)
    way.refresh_from_db()
    assert b"t0ken-secret" not in bytes(way.sealed) and "t0ken-secret" not in str(Way.objects.values().get())
    client.force_login(cast.minji)
    page = client.get("/me/notices/").content.decode()
    assert "t0ken-secret" not in page and "JSON" in page


def test_what_went_wrong_names_no_secret(cast, there, caplog):
    way = chat_of(cast, there)
    there.always = 500
    assert ways.try_way(way.pk, by=cast.by(cast.minji)) == "status 500"
    way.refresh_from_db()
    assert "t0ken-secret" not in way.trouble + caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://example.com/",
        "mailto://user:pass@example.com",
        "mqtt://localhost",
        "syslog://",
        "file:///etc/passwd",
        "slack://",
        "dbus://",
        "windows://",
        "json://" + "x" * 2000,
        "<script>",
        "https://[",
        "json://[::1",
    ],
)
def test_an_address_of_no_chat_tool_is_refused_beside_its_field(cast, url):
    with pytest.raises(Refusal) as caught:
        ways.add_chat(by=cast.by(cast.minji), url=url)
    assert caught.value.field == "url" and not Way.objects.exists()


@pytest.mark.parametrize(
    "url, tool",
    [
        ("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "Slack"),
        ("dingtalk://0a1b2c3d4e5f", "DingTalk"),
        ("feishu://abcdefghij", "Feishu"),
        ("wecombot://0a1b2c3d-4e5f-6789-abcd-ef0123456789", "WeCom"),
        ("tgram://123456789:AABBCCDDEEFFaabbccddeeff0123456789a/12315544/", "Telegram"),
        ("mmosts://chat.corp.example/3ccdd113474722377935511fc85d3dd4", "Mattermost"),
    ],
)
def test_the_tools_that_desks_use_are_known_and_their_tokens_hidden(url, tool):
    found = chat.place(url)
    assert found.tool == tool
    token = max(url.rstrip("/").split("/"), key=len)
    assert token not in found.shown


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.7", "[::1]"])
def test_no_chat_leads_into_the_house(cast, there, settings, host):
    settings.OUTSIDE_HOSTS = frozenset()
    with pytest.raises(Never, match="private"):
        chat.send(f"json://{host}:{there.port}/x", "t", "b")
    assert not there.got


def test_a_redirect_of_a_chat_tool_leads_nowhere(cast, there):
    there.answers = [(302, {"Location": f"http://localhost:{there.port}/inside"})]
    way = chat_of(cast, there)
    assert ways.try_way(way.pk, by=cast.by(cast.minji)) != ""
    assert len(there.got) == 1


def test_nobody_touches_anothers_way(cast, there):
    way = chat_of(cast, there)
    jun = cast.by(cast.jun)
    for act in (
        lambda: ways.try_way(way.pk, by=jun),
        lambda: ways.remove(way.pk, by=jun),
        lambda: ways.save_ways({way.pk: {"urgent": "never"}}, by=jun),
        lambda: ways.add_chat(
            by=jun, url=f"json://127.0.0.1:{there.port}/x", team=cast.front.pk, language="ko"
        ),
        lambda: ways.try_way(2**70, by=jun),
    ):
        with pytest.raises(NotThere):
            act()
    assert len(Way.objects.all()) == 1


def test_ten_ways_are_enough(cast, there):
    for n in range(ways.MOST):
        ways.add_chat(by=cast.by(cast.minji), url=f"json://127.0.0.1:{there.port}/{n}")
    with pytest.raises(Refusal):
        ways.add_chat(by=cast.by(cast.minji), url=f"json://127.0.0.1:{there.port}/z")


@pytest.mark.parametrize(
    "starts, ends, field", [(time(22), None, "ends"), (None, time(7), "starts"), (time(7), time(7), "ends")]
)
def test_quiet_hours_that_are_none_are_refused(cast, starts, ends, field):
    with pytest.raises(Refusal) as caught:
        ways.save_quiet(by=cast.by(cast.minji), starts=starts, ends=ends)
    assert caught.value.field == field


def test_every_kind_of_the_table_is_a_kind_of_notice():
    assert set(rules().kinds) <= set(notices.KINDS)


def test_somebody_who_left_is_told_nothing_more(cast, there):
    chat_of(cast, there)
    tell(calm(cast))
    User.objects.filter(pk=cast.minji.pk).update(is_active=False)
    assert send_due() == 0 and not NoticeOut.objects.exists()
