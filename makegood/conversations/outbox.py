"""Letters leave through rows written with the event (law 6): an undelivered reply is seen, never lost."""

from __future__ import annotations

from contextlib import suppress

from django.conf import settings
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from makegood.base import clock, rows
from makegood.cases.models import Case, CaseLink
from makegood.conversations.models import Delivery, Message

#: The job that sends what is due. It is named, not imported: jobs stand above.
JOB, LOCK = "makegood.jobs.tasks.deliver", "deliver"


def letter(case: Case, what: str, *, link: CaseLink, message: Message | None = None) -> Delivery | None:
    """Put a letter to the customer into the outbox, in their language; None when no address is known."""
    if not case.customer.email:
        return None
    delivery = Delivery(
        case=case,
        message=message,
        link=link,
        what=what,
        to=case.customer.email,
        language=case.language,
        look_at=clock.now(),
    )
    rows.add(delivery)
    transaction.on_commit(nudge, robust=True)
    return delivery


def nudge() -> None:
    """Wake the worker; only a nudge, since it looks by itself every minute.

    After the commit, not in it: the queue's lock is a unique index, and two cases opened at once would wait for
    each other's commit on it. A job that is still queued will see our row, so one is enough.
    """
    if not settings.EMAIL_HOST or ProcrastinateJob.objects.filter(queueing_lock=LOCK, status="todo").exists():
        return
    with suppress(AlreadyEnqueued):
        app.configure_task(JOB, queueing_lock=LOCK).defer()
