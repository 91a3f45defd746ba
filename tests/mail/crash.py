"""A process of ours that dies at a chosen step: really killed, in the middle of what it was doing."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings

from tests.jobs.test_worker import address

_DIES = 9
_PROGRAM = """
import os, sys, threading
import django
django.setup()
from importlib import import_module
where, act = sys.argv[1], sys.argv[2]
if where:
    place, _, name = where.rpartition(":")
    when = "after" if name.endswith("!") else "before"
    owner = import_module(place.partition("/")[0])
    for step in filter(None, place.partition("/")[2].split(".")):
        owner = getattr(owner, step)
    name = name.rstrip("!")
    real = getattr(owner, name)
    def dies(*args, **fields):
        if when == "after":
            real(*args, **fields)
        os._exit(9)
    setattr(owner, name, dies)
exec(act)
"""


def killed(at: str, act: str) -> None:
    """Run ``act`` in a process of its own that is gone at ``at``: 'module/object:name', before the call, or after it with '!'."""
    assert _run(at, act) == _DIES, f"it did not come to {at}"


def lives(act: str) -> None:
    """Run ``act`` in a process of its own to its end."""
    assert _run("", act) == 0


def _run(at: str, act: str) -> int:
    more = {
        "DATABASE_URL": address(),
        "DJANGO_SETTINGS_MODULE": "makegood.settings",
        "PYTHONPATH": str(settings.ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM, at, act],
        env=os.environ | more,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, _DIES), done.stderr
    return done.returncode
