"""``manage worker``: the process that sends and fetches letters, trains the triage model and cleans up. Run as many as you like."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app

from makegood.mail.watch import Watch

#: What runs may finish for so long after SIGTERM; then it is left. The supervisor kills after 4 s.
GRACE, LEAVE = 1.0, 3.0


class Command(BaseCommand):
    help = "Send and fetch letters, train the triage model, clean up. Ends within 3 seconds of SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        # In this process, for it is started, watched and killed with it; a thread of its own, for IMAP waits for hours.
        # A daemon thread: a kill at any moment loses nothing (mail/fetch.py), so nobody waits for it at the end.
        threading.Thread(target=Watch().run, args=(threading.Event(),), name="mailboxes", daemon=True).start()
        with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
            asyncio.run(_run(worker_app))


async def _run(worker_app: Any) -> None:
    """Work until a signal comes, then let what runs finish for a moment."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    work = asyncio.create_task(_work(worker_app))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        stopping.cancel()
        work.result()
        return
    work.cancel()
    done, _running = await asyncio.wait({work}, timeout=LEAVE)
    if not done:
        # A thread is still talking to a mail server. Its letter is claimed and goes out again later
        # (jobs/deliver.py); waiting for it would make the supervisor kill us.
        os._exit(0)


async def _work(worker_app: Any) -> None:
    async with worker_app.open_async():
        # Two at once, so that a training of some seconds keeps no letter waiting.
        await worker_app.run_worker_async(
            concurrency=2, install_signal_handlers=False, shutdown_graceful_timeout=GRACE
        )
