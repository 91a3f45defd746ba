"""All mailboxes that are fetched by IMAP, each in a thread of its own; started, stopped and started again as their rows say.

Several processes may watch at once (a worker on each machine): an advisory lock a mailbox lets one of them fetch it, and
PostgreSQL gives the lock back when that process dies, however it dies.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from django.db import DatabaseError, connection

from makegood.conversations.models import Mailbox
from makegood.mail.fetch import Fetcher

log = logging.getLogger("makegood.mail")

#: Seconds between two looks at the table of mailboxes.
LOOK = 10.0
_LOCKS = 7_226_635  # the first half of our advisory locks' keys; the second is the mailbox


class Guard:
    """A connection of its own that holds the locks: they live and die with it."""

    def __init__(self) -> None:
        self._connection = connection.copy()

    def take(self, mailbox_id: int) -> bool:
        """Whether this process may fetch the mailbox now."""
        return self._ask("SELECT pg_try_advisory_lock(%s, %s)", mailbox_id)

    def stands(self) -> None:
        """Raises DatabaseError when the connection, and with it every lock, is gone."""
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    def give_back(self, mailbox_id: int) -> None:
        self._ask("SELECT pg_advisory_unlock(%s, %s)", mailbox_id)

    def close(self) -> None:
        """Give all locks back, also when the database is gone (then they are given back already)."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_all()")
        except DatabaseError:
            pass
        self._connection.close()

    def _ask(self, statement: str, mailbox_id: int) -> bool:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, [_LOCKS, mailbox_id % 2**31])
            row = cursor.fetchone()
        return bool(row and row[0])


@dataclass
class _Running:
    thread: threading.Thread
    stop: threading.Event
    as_it_was: tuple[object, ...]


class Watch:
    """Keeps a fetcher running for every mailbox that is in use."""

    def __init__(self) -> None:
        self._running: dict[int, _Running] = {}
        self._guard: Guard | None = None

    def run(self, stop: threading.Event) -> None:
        """Until ``stop`` is set. A database that is away for a while ends nothing: all begins again when it is back."""
        while True:
            try:
                self.look()
            except Exception as error:
                log.warning("the mailboxes could not be looked at: %s", error)
                self._end_all()
            finally:
                connection.close()
            if stop.wait(LOOK):
                self._end_all()
                return

    def look(self) -> None:
        """Start what should run and does not, end what should not or has changed."""
        wanted = {m.pk: _state(m) for m in Mailbox.objects.filter(way=Mailbox.Way.IMAP, active=True)}
        if self._guard is None:
            if not wanted:
                return  # no connection is held where nothing is fetched
            self._guard = Guard()
        self._guard.stands()
        for pk, running in list(self._running.items()):
            if wanted.get(pk) != running.as_it_was:
                running.stop.set()
            if not running.thread.is_alive():
                del self._running[pk]
                self._guard.give_back(pk)
        for pk, state in wanted.items():
            if pk not in self._running and self._guard.take(pk):
                self._start(pk, state)

    def _start(self, pk: int, state: tuple[object, ...]) -> None:
        stop = threading.Event()
        thread = threading.Thread(target=Fetcher(pk, stop).run, name=f"mailbox {pk}", daemon=True)
        self._running[pk] = _Running(thread, stop, state)
        thread.start()

    def _end_all(self) -> None:
        for running in self._running.values():
            running.stop.set()
        for running in self._running.values():
            running.thread.join(3)
        self._running.clear()
        if self._guard is not None:
            self._guard.close()
            self._guard = None


def _state(mailbox: Mailbox) -> tuple[object, ...]:
    """What a fetcher began with; when it changes, the fetcher begins anew. A refresh token that was replaced is no change of ours."""
    secret = None if mailbox.auth == "oauth2" else bytes(mailbox.secret)
    return (
        mailbox.host,
        mailbox.port,
        mailbox.security,
        mailbox.user,
        mailbox.auth,
        secret,
        mailbox.folder,
    )
