"""The thread of the worker that watches: it follows the log, and acts on what was found. Rows, no queue (law 5).

One worker at a time: whoever holds the lock of the database. When that one dies its connection ends, and the next goes on
from the state that was kept (watch/runner.py says why nothing is lost or doubled).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event

from django.db import Error, close_old_connections, connection

from makegood.desk import watching
from makegood.watch.runner import KEEP, TOGETHER, Runner

log = logging.getLogger("makegood.jobs")
#: Seconds between two looks when nothing is new, between two states kept, between two tries for the lock.
LOOK, KEPT, TRY = 0.1, 10.0, 5.0
#: Seconds between two times that something is done about what was found.
ACT = 3.0
#: The number of the lock, ours alone: 'watch' in ASCII.
LOCK = 0x7761746368


def start(stop: Event) -> threading.Thread:
    thread = threading.Thread(target=run, args=(stop,), name="watch", daemon=True)
    thread.start()
    return thread


def run(stop: Event) -> None:
    """Watch until ``stop``. Nothing else ends it: an error is logged, and the kept state is read anew."""
    failures, found = 0, Event()
    threading.Thread(target=act, args=(stop, found), name="watch-acts", daemon=True).start()
    while not stop.is_set():
        try:
            close_old_connections()
            if _alone():
                follow(stop, tell=found.set)
            failures = 0
        except Exception as error:  # a thread that died in silence would leave every queue unwatched
            failures += 1
            log.error("the watch goes on soon: %s", error, exc_info=not isinstance(error, Error))
        finally:
            _give_back()
        stop.wait(min(TRY * 2 ** min(failures, 4), 60.0))


def act(stop: Event, found: Event) -> None:
    """Do something about what was found, until ``stop``: beside the watch, which would find nothing while cases are opened.

    Rows are claimed one by one (desk/watching.py), so it does no harm when two workers do this for a moment.
    """
    while not stop.is_set():
        if found.wait(ACT):
            found.clear()
            try:
                close_old_connections()
                watching.act_on_waiting(stop.is_set)
            except Exception as error:
                log.error("what was found waits: %s", error, exc_info=not isinstance(error, Error))
            finally:
                connection.close()
            stop.wait(ACT)


def follow(
    stop: Event,
    *,
    together: int = TOGETHER,
    kept: float = KEPT,
    drained: bool = False,
    tell: Callable[[], object] | None = None,
) -> int:
    """Follow the logs until ``stop``; how many facts and events were read. ``drained``: only until nothing is left.

    ``tell`` is called when something was found, and whenever the state is kept; by itself it acts on it at once.
    """
    tell = tell or (lambda: watching.act_on_waiting(stop.is_set))
    runner = Runner.load()
    count, kept_at = 0, time.monotonic()
    while runner is not None and not stop.is_set():
        came = runner.step(together)
        count += came
        if runner.found:
            tell()
        # Idle, the state is kept seldom: it is the same but for its clock, and what it tells again is known.
        wait = kept if runner.waiting or runner.found else 6 * kept
        if runner.waiting >= KEEP or time.monotonic() - kept_at >= wait or (drained and not came):
            runner.keep()
            tell()
            kept_at = time.monotonic()
            if runner.changed():
                runner = Runner.load()
        if drained and not came:
            return count
        if runner is None or not runner.reader.more:
            stop.wait(LOOK)
    return count


def _give_back() -> None:
    """The lock, explicitly: the connection goes back to its pool and lives on."""
    with suppress(Exception), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
    connection.close()


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
