"""The threads of the worker that send notices and webhooks as soon as they are due, without a queue (law 5: rows, not jobs).

The first retry of a webhook comes after five seconds and an urgent notice should leave at once, so a look each minute is too
seldom; and a receiver that hangs must hold up neither letters to customers nor the sweep, so these are threads of their own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from threading import Event

from django.db import Error, close_old_connections, connection

from makegood.jobs import hook_calls, packets, party_sendings

log = logging.getLogger("makegood.jobs")
#: Seconds between two looks when nothing is due.
IDLE = 1.0
#: Each is one thread: so many endpoints may hang at once before others wait for them.
LANES: tuple[Callable[[Callable[[], bool]], int], ...] = (
    packets.send_due,
    hook_calls.send_due,
    hook_calls.send_due,
    hook_calls.send_due,
    party_sendings.send_due,
)


def start(stop: Event) -> list[threading.Thread]:
    """One daemon thread a lane. A kill at any moment loses nothing: what was claimed is due again when its claim runs out."""
    threads = [
        threading.Thread(target=run, args=(lane, stop), name=f"outgoing-{n}", daemon=True)
        for n, lane in enumerate(LANES)
    ]
    for thread in threads:
        thread.start()
    return threads


def run(lane: Callable[[Callable[[], bool]], int], stop: Event) -> None:
    """Send until ``stop``. A lost database is waited for; nothing ends this thread."""
    failures = 0
    while not stop.is_set():
        try:
            close_old_connections()
            lane(stop.is_set)
            wait, failures = IDLE, 0
        except Exception as error:  # a thread that died in silence would keep every notice back unseen
            failures += 1
            wait = min(0.5 * 2 ** min(failures, 8), 30.0)
            log.error("sending goes on in %.1f s: %s", wait, error, exc_info=not isinstance(error, Error))
            connection.close()
        stop.wait(wait)
    connection.close()
