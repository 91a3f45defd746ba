"""One bin/up per folder: a lock that the kernel releases with the process, and what the second one says."""

from __future__ import annotations

import errno
import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from makegood.management.supervise.trouble import Trouble


@contextmanager
def only_one(folder: Path, address: str, pid: int) -> Iterator[None]:
    """Hold ``folder``/up.lock while the block runs. Raises Trouble when another bin/up holds it."""
    with (folder / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Trouble(
                f"Makegood is already running at {file.read().strip() or 'an address still to be set'}."
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"{address} (pid {pid})")
        file.flush()
        yield


def check_port(host: str, port: int) -> None:
    """Raises Trouble when ``host``:``port`` cannot be listened on."""
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise Trouble(
            f"'{host}' is no address of this machine; use --host 127.0.0.1 or --host 0.0.0.0."
        ) from None
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
            probe.listen(1)
        except OSError as error:
            raise Trouble(_why(error, host, port)) from None


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: stop it, or choose another with bin/up --port N."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}: choose one above 1023 with bin/up --port N."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"'{host}' is no address of this machine; use --host 127.0.0.1 or --host 0.0.0.0."
    return f"Makegood cannot listen on {host}:{port} ({error.strerror})."
