"""What is done with events after their senders were answered: applied, then read at the source; and the log's upkeep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from makegood.base import clock
from makegood.desk import events_in
from makegood.transactions import applying, facts, reading, toread
from makegood.transactions.models import EventAside, ToRead

#: Things that one job reads before it makes room for others.
BATCH = 200
#: How long the log, what was set aside and done with, and old readings are kept. The states in the tables stay.
LOG, DONE = timedelta(days=400), timedelta(days=90)


def apply_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Apply what is in the log until nothing is left or ``stop()`` says so; how many facts."""
    count = 0
    while not stop():
        applied = applying.apply_next()
        if not applied:
            break
        count += applied
    if count and ToRead.objects.filter(look_at__lte=clock.now()).exists():
        events_in.nudge(events_in.READ)
    return count


def read_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Read what is due, each claimed and committed first; how many were read. What they told is applied."""
    count = 0
    while count < BATCH and not stop():
        row = toread.claim()
        if row is None:
            break
        reading.read_one(row)
        count += 1
    if count:
        apply_due(stop)
    return count


def upkeep() -> dict[str, int]:
    """Make the parts of the days to come and forget what has had its day; how many of each."""
    now = clock.now()
    made = facts.days_ahead(now.date())
    gone = facts.forget((now - LOG).date())
    old = EventAside.objects.exclude(state=EventAside.State.ASIDE).filter(done_at__lt=now - DONE)
    read = ToRead.objects.filter(look_at=None, asked_at__lt=now - DONE)
    return {"fact_days": made, "fact_days_gone": gone, "asides": old.delete()[0], "readings": read.delete()[0]}
