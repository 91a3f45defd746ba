"""Upkeep: what has had its day is taken away, and the triage model learns from people's corrections."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.apps import apps
from django.contrib.sessions.models import Session
from procrastinate.contrib.django.models import ProcrastinateEvent

from makegood.base import clock
from makegood.cases.models import Case, Correction, Presence
from makegood.conversations.models import HelperTask
from makegood.desk import notices
from makegood.insight import audit
from makegood.jobs import events

log = logging.getLogger("makegood.jobs")

PRESENCE, KEYS, JOBS = timedelta(days=1), timedelta(days=30), timedelta(days=7)
HELPED = timedelta(days=7)
#: So many new corrections by people are worth a training before the night comes.
ENOUGH = 25


def clean_up() -> dict[str, int]:
    """Remove presences older than a day, idempotency keys older than 30 days, expired sessions and, after a week, the
    words that a machine wrote (they may repeat personal data); how many of each.
    """
    now = clock.now()
    old = HelperTask.objects.filter(asked_at__lt=now - HELPED).exclude(text="")
    forgotten = old.update(text="")
    gone = {
        "presences": Presence.objects.filter(seen_at__lt=now - PRESENCE),
        # By name: the API is a door beside this one, and doors never import each other.
        "idempotency_keys": apps.get_model("makegood", "IdempotencyKey").objects.filter(
            made_at__lt=now - KEYS
        ),
        "sessions": Session.objects.filter(expire_date__lt=now),
    }
    counts = {name: rows.delete()[0] for name, rows in gone.items()} | {"machine_texts": forgotten}
    return counts | events.upkeep()


def enough_to_learn(task: str) -> bool:
    """Whether so many corrections came since the job ``task`` last began that training again is worth it."""
    since = last_run(task)
    new = Correction.objects.filter(at__gt=since) if since else Correction.objects.all()
    return new.count() >= ENOUGH


def last_run(task: str) -> datetime | None:
    """When the job ``task`` last began and succeeded; None when the queue remembers none."""
    began = ProcrastinateEvent.objects.filter(
        job__task_name=task, job__status="succeeded", type="started"
    ).order_by("-at")
    return began.values_list("at", flat=True).first()


def audit_urgency() -> int:
    """Tell the managers and the log of every silent drop of urgency (law 3), each case again until somebody mended it."""
    found = 0
    for drop in audit.silent_drops():
        found += 1
        log.error("urgency of case %s is %s; its history says %s", drop.number, drop.found, drop.told)
        notices.notify(
            Case.objects.get(pk=drop.case_id), "urgency_dropped", to=notices.managers() or notices.keepers()
        )
    return found
