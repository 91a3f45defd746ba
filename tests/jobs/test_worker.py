"""The worker as a process: woken by a case, ended by SIGTERM, and nothing is lost when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.db import connection

from makegood.conversations.models import Delivery
from makegood.jobs import upkeep
from tests import cast as stages
from tests.jobs.test_letters import postbox  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def address() -> str:
    """DATABASE_URL of the database that this test runs in."""
    s = connection.settings_dict
    login = quote(s["USER"] or "") + (":" + quote(s["PASSWORD"]) if s["PASSWORD"] else "")
    port = f"&port={s['PORT']}" if s["PORT"] else ""
    return f"postgresql://{login}@/{s['NAME']}?host={s['HOST'] or 'localhost'}{port}"


@pytest.fixture
def worker(settings, postbox):  # noqa: F811
    running = []

    def start() -> subprocess.Popen[bytes]:
        more = {
            "DATABASE_URL": address(),
            "EMAIL_HOST": settings.EMAIL_HOST,
            "EMAIL_PORT": str(settings.EMAIL_PORT),
            "DJANGO_SETTINGS_MODULE": "makegood.settings",
            "PYTHONPATH": str(settings.ROOT),
        }
        running.append(subprocess.Popen([sys.executable, "-m", "django", "worker"], env=os.environ | more))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def until(so: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def sent() -> int:
    return Delivery.objects.filter(state="sent").count()


def test_a_worker_sends_ends_at_sigterm_and_another_goes_on_after_a_kill(cast, worker, postbox):  # noqa: F811
    first = worker()
    stages.reported(cast)
    until(lambda: sent() == 1)
    first.send_signal(signal.SIGTERM)
    assert first.wait(10) == 0
    second = worker()
    stages.reported(cast)
    until(lambda: sent() == 2)
    second.kill()
    second.wait()
    stages.reported(cast)
    worker()
    until(lambda: sent() == 3)
    assert len(postbox.letters) == 3
    assert upkeep.last_run("makegood.jobs.tasks.deliver") is not None
