"""Waking the worker that carries remedies out; only a nudge, since it looks by itself every minute."""

from __future__ import annotations

from contextlib import suppress

from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

#: The job that sends what is due. It is named, not imported: jobs stand above.
JOB, LOCK = "makegood.jobs.tasks.carry_remedies", "carry_remedies"


def nudge() -> None:
    """After the commit, not in it: the queue's lock is a unique index, and two cases would wait for each other's commit on it."""
    if ProcrastinateJob.objects.filter(queueing_lock=LOCK, status="todo").exists():
        return
    with suppress(AlreadyEnqueued):
        app.configure_task(JOB, queueing_lock=LOCK).defer()
