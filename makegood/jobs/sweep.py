"""The sweep (law 5): one loop over all rows with a ``look_at``. A deadline is a row; a queue is only ever a nudge.

A tick takes what is due by index, in small batches, skipping what another sweeper or a verb holds (SKIP LOCKED). What it
locks is the case of each row: that lock is the mutex of everything on the case, so no verb acts while a promise of
its case is being broken, and nobody waits for anybody. Each row is looked at anew and done in its own savepoint; one that
fails is set back and reported, and stops nobody. A batch commits as one: a kill at any moment leaves all of it done
or none, and what was not done is still due. Several sweepers may run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Event
from typing import Any

from django.db import Error, close_old_connections, connection, transaction
from django.db.models import QuerySet

from makegood.base import clock
from makegood.base.swept import Swept
from makegood.conversations.models import HeldReply
from makegood.desk import (
    absence,
    asking,
    climbing,
    freeze_asks,
    holding,
    incident_steps,
    remedy_settling,
    rooming,
    sweeping,
)
from makegood.escalation.models import Absence, Climb, Handover
from makegood.incidents.models import ActStep, Room
from makegood.parties.models import PartyAsk
from makegood.promises.models import Appointment, Promise
from makegood.remedies.freezes import FreezeAsk
from makegood.remedies.models import Offer, Step

log = logging.getLogger("makegood.sweep")
#: Rows a transaction. Their cases are locked until it commits, so that an agent waits for some 0.1 s at most.
BATCH = 25
#: A sweeper that is frozen in the middle of a batch (a stopped process, a paused machine) loses it after so long: its
#: cases would stay locked, and every agent on them would wait for it.
FROZEN = "20s"
#: Longest sleep in seconds: a promise that was given meanwhile may fall due sooner than any that we knew of.
LONGEST_SLEEP, SHORTEST_SLEEP = 5.0, 0.05


@dataclass(frozen=True)
class Source:
    """Rows that the sweep looks at. ``rows``: those that may ever fall due; ``fire`` does what is due for one.

    ``lock``: the relations whose rows are locked; ``set_back`` puts a row aside whose ``fire`` failed. ``many`` does a
    whole batch of ``size`` at once; where it fails, each is fired alone. ``slow``: one batch, then the others have their
    turn again, for 20,000 rows that fall due together must not keep a promise waiting.
    """

    name: str
    rows: Callable[[], QuerySet[Any]]
    fire: Callable[[Any], object]
    lock: tuple[str, ...] = ("case",)
    set_back: Callable[[Any, Exception], None] = sweeping.set_back
    many: Callable[[list[Any]], object] | None = None
    size: int = BATCH
    slow: bool = False


SOURCES: tuple[Source, ...] = (
    Source(
        "promises",
        lambda: Promise.objects.filter(state=Promise.State.OPEN).select_related("case"),
        sweeping.promise,
        many=sweeping.promises,
    ),
    Source(
        "appointments",
        lambda: Appointment.objects.filter(state=Appointment.State.OPEN).select_related("case"),
        sweeping.appointment,
    ),
    Source(
        "handovers",
        lambda: Handover.objects.filter(state=Handover.State.OFFERED).select_related("case"),
        sweeping.handover,
    ),
    Source(
        "climbs", lambda: Climb.objects.filter(look_at__isnull=False).select_related("case"), climbing.look
    ),
    Source(
        "held replies",
        lambda: HeldReply.objects.filter(state=HeldReply.State.HELD).select_related("case"),
        holding.fire,
    ),
    Source(
        "absences",
        lambda: Absence.objects.filter(look_at__isnull=False),
        absence.look,
        lock=("self",),
    ),
    Source(
        "offers",
        lambda: Offer.objects.filter(state__in=(Offer.State.WAITING, Offer.State.OPEN)).select_related(
            "case"
        ),
        sweeping.offer,
    ),
    Source(
        "steps left behind",
        lambda: Step.objects.filter(state=Step.State.SENDING).select_related("case"),
        remedy_settling.left_behind,
    ),
    Source(
        "freezes left behind",
        lambda: FreezeAsk.objects.filter(state=FreezeAsk.State.SENDING).select_related("case"),
        freeze_asks.left_behind,
    ),
    Source(
        "outside parties",
        lambda: PartyAsk.objects.filter(state=PartyAsk.State.OPEN).select_related("case", "party"),
        asking.look,
    ),
    Source(
        "rooms",
        lambda: Room.objects.filter(look_at__isnull=False).select_related("case"),
        rooming.review,
    ),
    Source(
        "incident steps",
        lambda: ActStep.objects.filter(state=ActStep.State.WAITING).select_related(
            "act__by", "act__incident__case"
        ),
        incident_steps.one,
        lock=("self",),
        set_back=incident_steps.set_back,
        many=incident_steps.many,
        size=100,
        slow=True,
    ),
)


def tick(stop: Callable[[], bool] = lambda: False, sources: tuple[Source, ...] = SOURCES) -> int:
    """Do all that is due now, until nothing is or ``stop()`` says so; returns how many rows were looked at."""
    looked, before = 0, -1
    while looked > before and not stop():  # what was done may have made something due in another source
        before, now = looked, clock.now()
        due = [
            s
            for s, first in zip(sources, _firsts(sources), strict=True)
            if first is not None and first <= now
        ]
        for source in due:
            while not stop() and (done := batch(source)):
                looked += done
                if source.slow:
                    break
    return looked


def batch(source: Source) -> int:
    """Look at the rows that are due longest, at most ``size``; all that they cause is committed together."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [FROZEN])
        # no_key: whoever only points at the case (a draft, a letter) need not wait for us.
        due = (
            source.rows()
            .filter(look_at__lte=clock.now())
            .order_by("look_at", "id")
            .select_for_update(skip_locked=True, of=source.lock, no_key=True)
        )
        rows = list(due[: source.size])
        if rows and not _all(source, rows):
            for row in rows:
                _one(source, row)
    return len(rows)


def _all(source: Source, rows: list[Any]) -> bool:
    """Fire all, in one savepoint; False, and nothing was done, when one of them cannot be worked through.

    A savepoint a row is a third of what a row costs, and nearly no row is poisoned.
    """
    try:
        with transaction.atomic():
            # Read again: the locks were taken after the rows were, and somebody may have changed them in between.
            fresh = _still_due(source, rows)
            if source.many is not None:
                source.many([fresh[row.pk] for row in rows if row.pk in fresh])
            else:
                _each(source, rows, fresh)
            connection.check_constraints()
    except Exception:  # which one it was, and why, is found by firing them one by one
        if not connection.is_usable():
            raise
        log.info("a batch of %s cannot be done together; each alone", source.name, exc_info=True)
        return False
    return True


def _each(source: Source, rows: list[Any], fresh: dict[int, Any]) -> None:
    cases: set[int | None] = set()
    for row in rows:
        # One of the same case may have changed this one, or its case.
        case = getattr(row, "case_id", None)
        found = _still_due(source, [row]) if case in cases else fresh
        cases.add(case)
        if row.pk in found:
            source.fire(found[row.pk])


def _one(source: Source, row: Swept) -> None:
    """Fire one in its own savepoint; a poisoned one is set back and reported."""
    try:
        with transaction.atomic():
            for fresh in _still_due(source, [row]).values():
                source.fire(fresh)
                connection.check_constraints()  # what the commit would refuse for the whole batch, it refuses here
    except Exception as error:
        if not connection.is_usable():
            raise  # the database is gone, not this row poisoned
        log.exception("%s %s cannot be worked through; set back", source.name, row.pk)
        with transaction.atomic():
            source.set_back(row, error)


def _still_due(source: Source, rows: list[Any]) -> dict[int, Any]:
    found = source.rows().filter(pk__in=[row.pk for row in rows], look_at__lte=clock.now())
    return {row.pk: row for row in found}


def next_look(sources: tuple[Source, ...] = SOURCES) -> datetime | None:
    """When the next row falls due; None when none ever does."""
    return min((at for at in _firsts(sources) if at is not None), default=None)


def _firsts(sources: tuple[Source, ...]) -> list[datetime | None]:
    """When the first row of each source falls due, in one statement: most ticks find nothing, and there is one a moment."""
    with connection.cursor() as cursor:
        cursor.execute(*_firsts_of(sources))
        row = cursor.fetchone()
    return list(row or ())


@cache
def _firsts_of(sources: tuple[Source, ...]) -> tuple[str, tuple[Any, ...]]:
    parts = []
    for source in sources:
        query = source.rows().select_related(None).order_by("look_at", "id").values("look_at")[:1].query
        parts.append(query.sql_with_params())
    return (
        f"SELECT {', '.join(f'({sql})' for sql, _values in parts)}",
        tuple(value for _sql, values in parts for value in values),
    )


def run(stop: Event, sources: tuple[Source, ...] = SOURCES) -> None:
    """Sweep until ``stop``: sleep until the next row falls due, some seconds at most. A lost database is waited for."""
    failures = 0
    while not stop.is_set():
        try:
            close_old_connections()
            tick(stop.is_set, sources)
            wait, failures = _pause(next_look(sources)), 0
        except Exception as error:  # a thread that died in silence would let every promise break unseen
            failures += 1
            wait = min(0.2 * 2 ** min(failures, 8), 30.0)
            log.error("the sweep goes on in %.1f s: %s", wait, error, exc_info=not isinstance(error, Error))
            connection.close()
        stop.wait(wait)
    connection.close()


def _pause(at: datetime | None) -> float:
    if at is None:
        return LONGEST_SLEEP
    return min(max((at - clock.now()).total_seconds(), SHORTEST_SLEEP), LONGEST_SLEEP)
