"""Two leads at one moment, and a worker that is killed in the middle: every customer of an incident is told exactly once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases.models import CaseEvent
from makegood.conversations.models import Delivery, Message
from makegood.desk import incident_acts, incident_again, incidents
from makegood.incidents.models import ActStep, Incident, IncidentAct, IncidentCase
from makegood.jobs.sweep import tick
from makegood.promises.models import Promise
from tests import cast as stages
from tests.desk.test_incidents import EN, KO, many, opened, tell
from tests.desk.test_races import together
from tests.jobs.test_worker import address

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

#: A sweeper in a process of its own that takes a few steps a transaction, so that a kill falls between and into them.
RUN = """
import dataclasses, threading
import django
django.setup()
from makegood.jobs import sweep
few = tuple(dataclasses.replace(s, size=6) for s in sweep.SOURCES if s.name == "incident steps")
print('up', flush=True)
sweep.run(threading.Event(), few)
"""


@pytest.fixture
def cast():
    return stages.assemble()


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


def waiting(act: IncidentAct) -> int:
    return act.steps.filter(state=ActStep.State.WAITING).count()


def assert_each_was_told_once(incident: Incident, act: IncidentAct) -> None:
    cases = list(incidents.members(incident).values_list("case", flat=True))
    assert act.steps.count() == len(cases) and not act.steps.exclude(state="done").exists()
    for case in cases:
        said = Message.objects.get(case=case, author="staff")
        assert Delivery.objects.filter(case=case, what="reply").count() == 1
        assert Promise.objects.filter(case=case, what="next_word", given_in=said).count() == 1
        assert CaseEvent.objects.filter(case=case, kind="replied").count() == 1
        versions = CaseEvent.objects.filter(case=case).order_by("seq").values_list("seq", flat=True)
        assert [*versions] == [*range(1, len(versions) + 1)]


def test_two_leads_who_tell_all_at_the_same_moment_tell_each_customer_once(cast):
    incident = opened(cast, *many(cast, 6))
    texts = ({"ko": KO, "en": EN}, {"ko": KO + " 2", "en": EN + " 2"})
    users = (cast.sujin, cast.hana)
    done = together(2, lambda i: tell(cast, incident, user=users[i], texts=texts[i]))
    [act] = [one for one in done if isinstance(one, IncidentAct)]
    [refused] = [one for one in done if not isinstance(one, IncidentAct)]
    assert isinstance(refused, Refusal) and refused.code == "still_running", done
    tick()
    assert_each_was_told_once(incident, act)


def test_the_same_button_pressed_eight_times_at_once_begins_one_act(cast):
    incident = opened(cast, *many(cast, 3))
    done = together(8, lambda _i: tell(cast, incident))
    assert len([one for one in done if isinstance(one, IncidentAct)]) == 1, done
    assert {one.code for one in done if isinstance(one, Refusal)} <= {"still_running", "told_already"}
    tick()
    assert_each_was_told_once(incident, IncidentAct.objects.get())


def test_two_leads_who_open_the_same_incident_at_the_same_moment_open_one(cast):
    anchor, *others = cases = [stages.owned(cast), *many(cast, 3)]
    done = together(
        2,
        lambda i: incidents.open_incident(
            cases[i], by=cast.by((cast.sujin, cast.hana)[i]), words="The bank is down.", cases=cases
        ),
    )
    [refused] = [one for one in done if isinstance(one, Exception)]
    assert isinstance(refused, Refusal) and refused.code == "in_another", done
    incident = Incident.objects.get()
    assert (
        IncidentCase.objects.filter(incident=incident, standing=True).count() == len(cases) == len(others) + 1
    )
    assert CaseEvent.objects.filter(kind="incident_opened").count() == 1
    assert CaseEvent.objects.filter(kind="incident_joined").values("case").distinct().count() == 3
    assert anchor.pk in incidents.members(incident).values_list("case", flat=True)


def test_two_leads_who_try_again_at_the_same_moment_try_once(cast):
    incident = opened(cast, *many(cast, 3))
    act = tell(cast, incident)
    failed = act.steps.filter(pk=act.steps.order_by("pk").last().pk)
    failed.update(state="failed", why="trouble", set_back=6, look_at=None, done_at=clock.now())
    tick()
    done = together(
        2, lambda i: incident_again.try_again(incident, act.pk, by=cast.by((cast.sujin, cast.hana)[i]))
    )
    [refused] = [d for d in done if isinstance(d, Exception)]
    assert isinstance(refused, Refusal) and refused.code in ("still_running", "nothing_failed"), done
    tick()
    assert_each_was_told_once(incident, act)
    assert CaseEvent.objects.filter(kind="incident_tried_again").count() == 1


def test_a_worker_killed_again_and_again_in_an_act_tells_every_customer_exactly_once(cast, sweeper):
    incident = opened(cast, *many(cast, 60))
    act = tell(cast, incident)
    dice, kills, between = random.Random(5), 0, 0
    while waiting(act) and kills < 12:
        process = sweeper()
        assert process.stdout.readline() == b"up\n"
        before, end = waiting(act), time.monotonic() + 30
        # Some kills fall before the first batch commits, some between two, some in the middle of one.
        pause = dice.choice([0.0, 0.01, 0.03, 0.08])
        while waiting(act) == before and pause and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        between += 0 < waiting(act) < 61
    assert kills >= 3 and between, "it was never killed in the middle: this proves nothing"
    sweeper()
    end = time.monotonic() + 60
    while waiting(act) and time.monotonic() < end:
        time.sleep(0.05)
    assert_each_was_told_once(incident, act)


def test_a_worker_killed_while_cases_are_brought_in_brings_each_in_once(cast, sweeper):
    incident = opened(cast, anchor=stages.owned(cast), common={"shop": cast.haneul.pk})
    many(cast, 40)
    event = incident_acts.bring_in(incident, by=cast.by(cast.sujin))
    act = IncidentAct.objects.get(pk=event.data["act"])
    process = sweeper()
    assert process.stdout.readline() == b"up\n"
    end = time.monotonic() + 30
    while waiting(act) == 40 and time.monotonic() < end:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < waiting(act) < 40, "it was killed in the middle"
    tick()
    assert not act.steps.exclude(state="done").exists()
    assert IncidentCase.objects.filter(incident=incident, standing=True).count() == 41
    joined = CaseEvent.objects.filter(kind="incident_joined")
    assert joined.count() == joined.values("case").distinct().count() == 40
