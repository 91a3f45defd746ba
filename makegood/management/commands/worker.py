"""``manage worker``: the process that keeps promises in sight, sends and fetches letters, trains the triage model and cleans up.

Run as many as you like. The sweep of promises (``jobs/sweep.py``) runs all the time in a thread of its own: it needs no
queue, so it goes on when the queue is full, stuck or empty.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app

from makegood.jobs import outgoing, sweep, watching
from makegood.mail.watch import Watch

#: What runs may finish for so long after SIGTERM; then it is left. The supervisor kills after 4 s.
GRACE, LEAVE = 1.0, 3.0


class Command(BaseCommand):
    help = (
        "Watch over promises, send and fetch letters, train the triage model, clean up. "
        "Ends within 3 seconds of SIGTERM or Ctrl-C."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        # In this process, for it is started, watched and killed with it; a thread of its own, for IMAP waits for hours.
        # A daemon thread: a kill at any moment loses nothing (mail/fetch.py), so nobody waits for it at the end.
        threading.Thread(target=Watch().run, args=(threading.Event(),), name="mailboxes", daemon=True).start()
        with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
            asyncio.run(_run(worker_app))


async def _run(worker_app: Any) -> None:
    """Work until a signal comes, then let what runs finish for a moment."""
    stop, enough = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    sweeper = threading.Thread(target=sweep.run, args=(enough,), name="sweep", daemon=True)
    sweeper.start()
    outgoing.start(enough)
    watching.start(enough)
    work = asyncio.create_task(_work(worker_app))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    enough.set()
    if work.done():
        stopping.cancel()
        work.result()
        return
    work.cancel()
    done, _running = await asyncio.wait({work}, timeout=LEAVE)
    sweeper.join(0.3)  # it was told at once, and its batches are short
    if not done or sweeper.is_alive():
        # A thread is still talking to a mail server. Its letter is claimed and goes out again later
        # (jobs/deliver.py), and a batch of the sweep that did not commit is due again; waiting for it would make the supervisor kill us.
        os._exit(0)


async def _work(worker_app: Any) -> None:
    async with worker_app.open_async():
        # Two at once, so that a training of some seconds keeps no letter waiting.
        await worker_app.run_worker_async(
            concurrency=2, install_signal_handlers=False, shutdown_graceful_timeout=GRACE
        )
