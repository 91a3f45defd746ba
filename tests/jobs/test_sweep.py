"""The sweep with real processes: killed between any two steps, several at once; each promise is fired exactly once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, connections, transaction

from makegood.base import clock
from makegood.cases.models import Case, CaseEvent, Notice
from makegood.jobs import sweep
from makegood.promises.models import Appointment, Promise
from tests import cast as stages
from tests.jobs.test_worker import address, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RUN = """
import django; django.setup()
import threading
from makegood.jobs import sweep
sweep.LONGEST_SLEEP = 0.2
print('up', flush=True)
sweep.run(threading.Event())
"""


@pytest.fixture
def sweeper():
    running = []

    def start() -> subprocess.Popen[bytes]:
        more = {"DATABASE_URL": address(), "DJANGO_SETTINGS_MODULE": "makegood.settings"}
        process = subprocess.Popen([sys.executable, "-c", RUN], env=os.environ | more, stdout=subprocess.PIPE)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def fall_due(cast, cases: int, each: int) -> list[int]:
    """So many cases with so many promises of a decision each, made long ago and due just now; their ids."""
    now, ids = clock.now(), []
    for _ in range(cases):
        case = stages.reported(cast)
        Promise.objects.filter(case=case).update(look_at=now + timedelta(days=9))
        Promise.objects.bulk_create(
            Promise(
                case=case,
                what="call_back",
                basis="promised",
                made_at=now - timedelta(hours=2),
                due_at=now - timedelta(minutes=n + 1),
                look_at=now - timedelta(minutes=n + 1),
            )
            for n in range(each)
        )
        ids.append(case.pk)
    return ids


def left() -> int:
    return Promise.objects.filter(what="call_back", state="open").count()


def assert_each_fired_exactly_once(cast, cases: list[int], each: int) -> None:
    broken = Promise.objects.filter(case__in=cases, what="call_back")
    assert broken.filter(state="broken", settled_at__isnull=False).count() == len(cases) * each
    fired = CaseEvent.objects.filter(case__in=cases, kind="promise_broken")
    told = [e.data["promise"] for e in fired]
    assert sorted(told) == sorted(broken.values_list("pk", flat=True)), "an event for each, and one only"
    dues = dict(broken.values_list("pk", "due_at"))
    assert all(e.true_at == dues[e.data["promise"]] for e in fired)
    to_sujin = Notice.objects.filter(user=cast.sujin, kind="promise_broken", case__in=cases)
    assert to_sujin.count() == len(cases) * each
    for case in Case.objects.filter(pk__in=cases):
        assert case.evidence.filter(source="promise:broken").count() == each
        assert [*case.events.values_list("seq", flat=True)] == [*range(1, case.version + 1)]


def test_two_sweepers_on_500_promises_fire_each_exactly_once(cast, sweeper):
    cases = fall_due(cast, cases=100, each=5)
    sweeper(), sweeper()
    until(lambda: left() == 0)
    assert_each_fired_exactly_once(cast, cases, 5)


def test_killed_again_and_again_at_any_moment_it_neither_misses_nor_doubles(cast, sweeper):
    cases = fall_due(cast, cases=60, each=5)
    dice, kills = random.Random(3), 0
    while left() and kills < 12:
        process = sweeper()
        assert process.stdout.readline() == b"up\n"
        before = left()
        end = time.monotonic() + 20
        # Some kills before the first batch commits, some between two, some in the middle of one.
        pause = dice.choice([0.0, 0.02, 0.05, 0.1, 0.2])
        while left() == before and pause and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(pause / 4)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    assert kills >= 3, "it was never killed: this proves nothing"
    sweeper()
    until(lambda: left() == 0)
    assert_each_fired_exactly_once(cast, cases, 5)


@pytest.mark.parametrize("step", ["after_row", "before_commit"])
def test_a_connection_cut_between_two_steps_leaves_the_batch_whole_or_undone(cast, monkeypatch, step):
    cases = fall_due(cast, cases=2, each=3)
    source = sweep.SOURCES[0]
    fired = 0

    def fire(row):
        nonlocal fired
        source.fire(row)
        fired += 1
        if fired == (2 if step == "after_row" else 6):
            with connection.cursor() as cursor:  # the server ends us, as a crash would
                cursor.execute("SELECT pg_backend_pid()")
                pid = cursor.fetchone()[0]
            kill(pid)

    cut = sweep.Source("promises", source.rows, fire)
    with pytest.raises(Exception, match=r"(?i)terminat|closed|connection"):
        sweep.batch(cut)
    connection.close()
    assert left() == 6 and not CaseEvent.objects.filter(kind="promise_broken").exists()
    sweep.tick()
    assert_each_fired_exactly_once(cast, cases, 3)


def test_a_sweeper_that_froze_in_the_middle_of_a_batch_lets_go_of_its_cases(cast, monkeypatch):
    """A stopped process keeps its connection open: without a limit Minji would wait for her case until it goes on."""
    monkeypatch.setattr(sweep, "FROZEN", "300ms")
    cases = fall_due(cast, cases=1, each=2)
    source = sweep.SOURCES[0]

    def fire(row):
        source.fire(row)
        time.sleep(1.5)

    with pytest.raises(Exception, match=r"(?i)idle-in-transaction|closed|connection"):
        sweep.batch(sweep.Source("promises", source.rows, fire))
    connection.close()
    monkeypatch.undo()
    assert left() == 2
    sweep.tick()
    assert_each_fired_exactly_once(cast, cases, 2)


def kill(pid: int) -> None:
    def run() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        connections["default"].close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    time.sleep(0.1)


def test_a_case_that_minji_works_on_is_skipped_and_comes_next(cast):
    held, free = fall_due(cast, cases=1, each=1)[0], fall_due(cast, cases=1, each=1)[0]
    ready, go = threading.Event(), threading.Event()

    def minji() -> None:
        with transaction.atomic():
            Case.objects.select_for_update().get(pk=held)
            ready.set()
            go.wait(20)
        connections["default"].close()

    thread = threading.Thread(target=minji)
    thread.start()
    ready.wait(20)
    began = time.monotonic()
    assert sweep.tick() == 1 and time.monotonic() - began < 10, "it waits for nobody"
    assert not Promise.objects.filter(case=held, state="broken").exists()
    assert Promise.objects.filter(case=free, state="broken").exists()
    go.set()
    thread.join()
    assert sweep.tick() == 1
    assert Promise.objects.filter(case=held, state="broken").exists()


def test_the_worker_sweeps_by_itself_within_seconds_and_ends_at_sigterm(cast):
    case = stages.reported(cast)
    Promise.objects.filter(case=case).update(look_at=clock.now() + timedelta(days=9))
    more = {"DATABASE_URL": address(), "EMAIL_HOST": "", "DJANGO_SETTINGS_MODULE": "makegood.settings"}
    process = subprocess.Popen([sys.executable, "-m", "django", "worker"], env=os.environ | more)
    try:
        due_at = clock.now() + timedelta(seconds=8)
        row = Promise.objects.create(
            case=case, what="call_back", basis="promised", due_at=due_at, look_at=due_at, warned=2
        )
        until(lambda: Promise.objects.filter(pk=row.pk, state="broken").exists(), 60)
        event = CaseEvent.objects.get(case=case, kind="promise_broken")
        assert event.true_at == due_at and event.written_at - due_at < timedelta(
            seconds=sweep.LONGEST_SLEEP + 5
        )
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0 and time.monotonic() - began < 4
    finally:
        process.kill()
        process.wait()


def test_a_lost_database_ends_no_sweeper(cast, monkeypatch):
    """The loop goes on after an error of the database and of our own; a thread that died would break every promise unseen."""
    stop, seen = threading.Event(), []

    def tick(*_more):
        seen.append(1)
        if len(seen) == 1:
            from django.db import OperationalError

            raise OperationalError("gone")
        if len(seen) == 2:
            raise RuntimeError("our own mistake")
        stop.set()
        return 0

    monkeypatch.setattr(sweep, "tick", tick)
    thread = threading.Thread(target=sweep.run, args=(stop,))
    thread.start()
    thread.join(30)
    assert not thread.is_alive() and len(seen) == 3
    close_old_connections()


#: The partial indexes of sources that are not named as their rows. Held replies live ten seconds: either holds nothing else.
LOOKS = {
    "held replies": ("held_due", "one_held_reply_each"),
    "outside parties": ("party_ask_look",),
    "incident steps": ("act_step_look",),
    "steps left behind": ("step_due", "step_look"),
    "freezes left behind": ("freeze_ask_look",),
}


def test_a_tick_reads_by_index_what_is_due_only(cast):
    now = clock.now()
    fall_due(cast, cases=2, each=2)
    case = stages.reported(cast)
    Promise.objects.bulk_create(
        Promise(
            case=case,
            what="call_back",
            basis="promised",
            due_at=now + timedelta(days=9),
            look_at=now + timedelta(days=n / 1000 + 1),
        )
        for n in range(20_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE makegood_promise")
    for source in sweep.SOURCES:
        with transaction.atomic(), connection.cursor() as cursor:
            if (
                source.name != "promises"
            ):  # of a table of two rows, reading it whole and sorting is the cheapest
                cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            due = source.rows().filter(look_at__lte=now).order_by("look_at", "id")
            plan = due[: sweep.BATCH].explain()
        wanted = LOOKS.get(source.name, (f"{source.name[:-1]}_look",))
        assert any(index in plan for index in wanted), plan
    assert Appointment.objects.count() == 0
