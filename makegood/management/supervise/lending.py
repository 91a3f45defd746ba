"""Several processes share one embedded server: bin/up, bin/manage beside it, tests. Who starts it, who stops it.

Each user of the server holds a shared lock on a file beside the data folder. The kernel lets go of it when the process
ends, however it ends, so the count can not go wrong by a kill -9 as a list of process ids does.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from makegood.management.supervise.database import Embedded


def ensure(embedded: Embedded | None = None) -> str:
    """Start the embedded server unless it runs; returns its URL. It is left running: see :func:`using` for a loan."""
    embedded = embedded or Embedded()
    with _locked(embedded, "start"):
        embedded.start()
    return embedded.url()


@contextmanager
def using(embedded: Embedded) -> Iterator[str]:
    """The server for as long as the block lasts; the last process to leave stops it, whoever started it.

    Yields the URL. Several processes may be inside at once, and one may start it while another is leaving.
    """
    with held(embedded) as users:
        try:
            yield embedded.url()
        finally:
            with _locked(embedded, "start"):
                if _is_last(users):
                    embedded.stop()


@contextmanager
def held(embedded: Embedded, with_parent: bool = False) -> Iterator[IO[bytes]]:
    """Start the server if need be and be counted among its users while the block lasts; does not stop it."""
    with _file(embedded, "users") as users:
        with _locked(embedded, "start"):
            fcntl.flock(users, fcntl.LOCK_SH)
            embedded.start(with_parent)
        yield users


def _is_last(users: IO[bytes]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


@contextmanager
def _locked(embedded: Embedded, name: str) -> Iterator[None]:
    with _file(embedded, name) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _file(embedded: Embedded, name: str) -> IO[bytes]:
    embedded.data.parent.mkdir(parents=True, exist_ok=True)
    return embedded.data.with_name(f"{embedded.data.name}.{name}.lock").open("ab")
