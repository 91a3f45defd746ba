"""bin/up as a person types it: in a terminal of its own, with a var/ of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil

from makegood.management.supervise.database import Embedded
from makegood.management.supervise.places import ROOT

PATIENCE = 120.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something to become true; fails with ``what`` after a long time, so it is no measure of speed."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def lives(process: psutil.Process) -> bool:
    """Does it run (a zombie does not)? It may end while we ask."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Up:
    """One bin/up. ``output()``: all that it printed so far. ``embedded``: its database."""

    def __init__(self, var: Path, port: int | None = None, settings: str = "tests.supervise.tiny") -> None:
        self.var = var
        self.port = port or free_port()
        self.embedded = Embedded(var / "pg")
        self._settings = settings
        self._log = var.with_name(f"{var.name}-{self.port}-{time.monotonic_ns()}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._family: list[psutil.Process] = []

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def type(self, *arguments: str, **environment: str) -> Up:
        """Start it; returns at once."""
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "MAKEGOOD", "DATABASE"))
        }
        settings = {"MAKEGOOD_VAR": str(self.var), "DJANGO_SETTINGS_MODULE": self._settings}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(ROOT / "bin" / "up"), "--port", str(self.port), *arguments],
                env={**inherited, **settings, **environment},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def output(self) -> str:
        return self._log.read_text()

    def ready(self) -> Up:
        """Wait for the address to be printed."""
        until(
            lambda: "Makegood is at http://" in self.output() or self.process.poll() is not None, "no address"
        )
        assert self.process.poll() is None, self.output()
        return self

    def ended(self) -> int:
        """Wait for its end; returns the exit code."""
        self.family()
        return self.process.wait(PATIENCE)

    def family(self) -> list[psutil.Process]:
        """The supervisor and all that it started, directly or not, that is alive now; remembers whom it has seen."""
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.process.pid)
            self._family += [p for p in [top, *top.children(recursive=True)] if p not in self._family]
        return [p for p in self._family if lives(p)]

    def healthy(self) -> bool:
        with (
            contextlib.suppress(OSError),
            urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=15) as answer,
        ):
            return bool(answer.status == 200)
        return False

    def web(self) -> list[psutil.Process]:
        """granian's processes, the main one first."""
        found = []
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "granian" in process.cmdline():
                    found.append((process.ppid() != self.process.pid, process.pid, process))
        return [process for _, _, process in sorted(found, key=lambda f: f[:2])]

    def interrupt(self) -> int:
        """Ctrl-C: the signal goes to the foreground process group, as a terminal sends it."""
        self.family()
        os.killpg(self.process.pid, signal.SIGINT)
        return self.ended()

    def kill_all(self) -> None:
        """kill -9 of every process at once."""
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(PATIENCE)

    def clean_up(self) -> None:
        if self._process is not None:
            self.kill_all()
            until(lambda: not self.family(), "processes left behind")


@contextlib.contextmanager
def a_row(up: Up) -> Iterator[Callable[[], list[tuple[int]]]]:
    """A row whose COMMIT was acknowledged; yields how to read the rows back."""
    import psycopg

    with psycopg.connect(up.embedded.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (number int)")
        connection.execute("INSERT INTO kept VALUES (42)")

    def read() -> list[tuple[int]]:
        with psycopg.connect(up.embedded.url()) as connection:
            return connection.execute("SELECT number FROM kept").fetchall()

    yield read
