"""Screens that change by themselves: who hears of what, and that nobody misses anything, on a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import transaction

from makegood.cases.models import Presence
from makegood.desk import notices, room_card, room_work, rooming, talking
from makegood.incidents.models import Room
from makegood.people.models import Team, User
from tests import cast as stages
from tests.supervise.up import until
from tests.web.live import Listener, Site, database, served, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def one_site(django_db_setup) -> Iterator[Site]:
    with served() as found:
        yield found


@pytest.fixture
def site(one_site) -> Iterator[Site]:
    yield one_site
    one_site.cut_all()


def note(cast, case, who=None) -> int:
    """Somebody keeps a note on the case; returns its version then."""
    talking.note(case, by=cast.by(who or cast.jun), text="I called the bank.")
    return stages.fresh(case).version


def test_minji_hears_what_jun_does_on_her_case_and_nobody_else_does(cast, site):
    case, other = stages.owned(cast), stages.owned(cast)
    minji = Listener(site, f"?case={case.number}", cast.minji).settled()
    elsewhere = Listener(site, f"?case={other.number}", cast.wei).settled()
    version = note(cast, case)
    assert minji.until("case", version=version)["number"] == case.number
    elsewhere.silent(1.5, "case")


def test_what_is_rolled_back_is_told_to_nobody(cast, site):
    case = stages.owned(cast)
    minji = Listener(site, f"?case={case.number}", cast.minji).settled()
    with pytest.raises(RuntimeError), transaction.atomic():
        note(cast, case)
        raise RuntimeError("the lights went out")
    minji.silent(1.5, "case")
    minji.until("case", version=note(cast, case))


def test_a_dropped_stream_comes_back_and_is_told_what_it_missed_and_nothing_else(cast, site):
    case = stages.owned(cast)
    session = signed_in(cast.minji)
    minji = Listener(site, f"?case={case.number}", session).settled()
    minji.cut()
    nothing = Listener(site, f"?case={case.number}", session, last=minji.last)
    nothing.silent(2, "case", "notices")  # nothing happened: it is asked to fetch nothing
    nothing.cut()
    version = note(cast, case)
    again = Listener(site, f"?case={case.number}", session, last=minji.last)
    again.until("case", version=version)


def test_a_long_transaction_that_commits_last_with_the_smaller_ids_is_not_missed(cast, site):
    """Jun's events have smaller ids than Wei's and are committed after them, while Sujin's stream is away."""
    slow, quick = stages.owned(cast), stages.owned(cast)
    path = f"?case={slow.number}&queue"
    sujin = Listener(site, path, cast.sujin).settled()
    written, go_on = threading.Event(), threading.Event()

    def jun() -> None:
        from django.db import connections

        with transaction.atomic():
            note(cast, slow)
            written.set()
            assert go_on.wait(30)
        connections.close_all()

    thread = threading.Thread(target=jun)
    thread.start()
    assert written.wait(30)
    note(cast, quick, cast.wei)
    sujin.until("queue", cases=[quick.number])
    sujin.cut()
    again = Listener(site, path, cast.sujin, last=sujin.last)
    again.until("queue")
    again.silent(1.5, "case")  # Jun's is not committed: there is nothing to see yet
    go_on.set()
    thread.join()
    again.until("case", version=stages.fresh(slow).version)


def test_committed_while_the_stream_is_away_with_smaller_ids_is_seen_when_it_comes_back(cast, site):
    slow = stages.owned(cast)
    sujin = Listener(site, f"?case={slow.number}", cast.sujin).settled()
    sujin.cut()
    version = note(cast, slow)
    Listener(site, f"?case={slow.number}", cast.sujin, last=sujin.last).until("case", version=version)


def test_the_database_cuts_the_line_and_everybody_compares_when_it_is_back(cast, site):
    case = stages.owned(cast)
    minji = Listener(site, f"?case={case.number}", cast.minji).settled()
    with psycopg.connect(database(), autocommit=True) as line:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'"
        line.execute(f"{cut} AND datname = current_database() AND pid <> pg_backend_pid()")
        version = note(cast, case)  # told while nobody listens, or just before
    minji.until("case", version=version)
    minji.until("case", version=note(cast, case))


def test_a_stream_through_a_restarted_server(cast):
    case = stages.owned(cast)
    session = signed_in(cast.minji)
    with served() as site:
        minji = Listener(site, f"?case={case.number}", session).settled()
        began = threading.Event()
        assert site.stop() < 3.0, "open streams keep no server from stopping"
        assert minji.until("end") == {"why": "over"}
        minji.until("closed")
        version = note(cast, case)
        site.start()
        assert not began.is_set()
        Listener(site, f"?case={case.number}", session, last=minji.last).until("case", version=version)


def test_who_may_not_see_a_case_does_not_hear_of_it(cast, site):
    case = stages.owned(cast)
    case_path, session = f"?case={case.number}", signed_in(cast.jun)
    stranger = stages.user("Nobody", "agent")
    team = Team.objects.create(name="Elsewhere")
    team.members.add(stranger)
    team.shops.add(cast.moon)
    assert Listener(site, case_path, stranger).status == 404
    assert Listener(site, "?case=12345", cast.minji).status == 404
    assert Listener(site, "?case=%27%20OR%201=1", cast.minji).status == 404
    assert Listener(site, "?room=999999999999999999", cast.minji).status == 404
    assert Listener(site, case_path, cast.kang).status == 401, "a merchant's pages ask; they have no stream"
    assert site.get(f"/live/{case_path}") == 401
    assert site.get(f"/live/{case_path}", Cookie="sessionid=" + "x" * 5000) == 401
    moon_queue = Listener(site, "?queue", stranger).settled()
    jun = Listener(site, case_path, session).settled()
    note(cast, case)
    moon_queue.silent(2, "queue")
    session.delete()  # Jun signs out in another window
    assert jun.until("end") == {"why": "access"}
    jun.until("closed")


def test_who_may_no_longer_sign_in_or_loses_the_shop_stops_hearing(cast, site):
    case = stages.reported(cast)
    jun = Listener(site, f"?case={case.number}", cast.jun).settled()
    User.objects.filter(pk=cast.jun.pk).update(is_active=False)
    assert jun.until("end") == {"why": "access"}
    wei = Listener(site, f"?case={case.number}", cast.wei).settled()
    away = Team.objects.create(name="Elsewhere")
    away.shops.add(cast.moon)
    Team.objects.exclude(pk=away.pk).delete() if not cast.wei.teams.exists() else cast.wei.teams.set([away])
    away.members.add(cast.wei)
    with psycopg.connect(database(), autocommit=True) as line:
        line.execute("SELECT pg_notify('makegood', '*')")  # not to wait for the minute
    assert wei.until("end") == {"why": "access"}


def test_the_twenty_first_stream_of_one_person_is_refused_and_the_others_live(cast, site):
    session = signed_in(cast.minji)
    twenty = [Listener(site, "?queue", session) for _n in range(20)]
    refused = Listener(site, "?queue", session)
    assert refused.status == 429 and refused.answer.headers["Retry-After"] == "60"
    assert {one.status for one in twenty} == {200}
    twenty[0].cut()
    until(lambda: Listener(site, "?queue", session).status == 200, "a place became free")


def test_a_burst_is_told_once_and_its_last_word_is_not_lost(cast, site):
    case = stages.owned(cast)
    hana = Listener(site, f"?case={case.number}", cast.hana).settled()
    for _n in range(30):
        version = note(cast, case)
    told = [hana.until("case")["version"]]
    while told[-1] != version:
        told.append(hana.until("case")["version"])
    assert len(told) < 15 and told == sorted(told), told


def test_a_line_in_a_room_reaches_sixty_screens(cast, site):
    event = rooming.open_room(stages.answered(cast), by=cast.by(cast.sujin))
    room = Room.objects.get(pk=event.data["room"])
    people = [stages.user(f"Person{n}", "agent") for n in range(60)]
    screens = [Listener(site, f"?room={room.pk}", one) for one in people]
    assert {screen.status for screen in screens} == {200}
    for screen in screens:
        screen.until("room")
    room_work.say(room, by=cast.by(cast.wei), text="I found the payment.")
    said = Room.objects.get(pk=room.pk)
    for screen in screens:
        while not screen.until("room")["version"].startswith(f"{said.version}."):
            pass
    room_card.edit_card(room, by=cast.by(cast.jun), field="blocker", n=0, text="The bank is shut.")
    room.refresh_from_db()
    wanted = f"{room.version}.{stages.fresh(room.case).version}"
    screens[0].until("room", version=wanted)
    screens[-1].until("room", version=wanted)


def test_a_notice_changes_the_number_in_the_navigation_and_reading_it_does_too(cast, site):
    minji = Listener(site, "", cast.minji)
    minji.until("notices", unseen=0)
    notices.notify(stages.owned(cast), "woken", to=[cast.minji.pk])
    minji.until("notices", unseen=1)
    notices.mark_seen(cast.minji.pk)
    minji.until("notices", unseen=0)


def test_who_looks_is_here_and_who_closes_the_page_is_gone(cast, site):
    case = stages.owned(cast)
    hana = Listener(site, f"?case={case.number}", cast.hana).settled()
    sujin = Listener(site, f"?case={case.number}", cast.sujin)
    hana.until("presence")
    until(lambda: Presence.objects.filter(case=case, user=cast.sujin).exists(), "Sujin is here")
    sujin.cut()
    until(lambda: not Presence.objects.filter(case=case, user=cast.sujin).exists(), "Sujin has gone")
    hana.until("presence")
    assert Presence.objects.get(case=case).user == cast.hana


def test_a_thousand_cases_loaded_at_once_are_one_word(cast):
    case = stages.reported(cast)
    with psycopg.connect(database(), autocommit=True) as line:
        line.execute("LISTEN makegood")
        line.execute(
            """WITH loaded AS (
              INSERT INTO makegood_case (shop_id, customer_id, subject, language, status, version, due_at, opened_at,
                order_number, round, ended_as, kind, type, second_type, responsibility, asked_remedy, currency, orders_blocked,
                campaign_at_risk, urgency, urgency_floor, waiting_for)
              SELECT shop_id, customer_id, subject, language, 'reported', 1, now(), now(), '', 1, '', '', '', '', 'unknown', '',
                '', 0, false, 1, 1, '' FROM makegood_case, generate_series(1, 1000) WHERE id = %s RETURNING id)
            INSERT INTO makegood_caseevent (case_id, seq, kind, actor_role, door, true_at, written_at, data)
              SELECT id, 1, 'opened', 'system', 'command', now(), now(), '{}' FROM loaded""",
            [case.pk],
        )
        assert [n.payload for n in line.notifies(timeout=2)] == ["*"]
