"""bin/up: checks, database, set-up steps, then web and worker kept running until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import FrameType
from typing import NoReturn

from makegood.management.supervise import kin
from makegood.management.supervise.child import Child, Patience
from makegood.management.supervise.database import Embedded
from makegood.management.supervise.lending import held
from makegood.management.supervise.outside import check_database
from makegood.management.supervise.places import ROOT, check_room, make_secret, var
from makegood.management.supervise.running import check_port, only_one
from makegood.management.supervise.trouble import Trouble

STOP_SECONDS = 4.0  # for web and worker together; the database has 4 more, so all is over within 10
ANSWER_SECONDS = 60.0
WORKER_COMMAND = ROOT / "makegood" / "management" / "commands" / "worker.py"


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line."""

    port: int = 8000
    host: str = "127.0.0.1"
    demo: bool = False

    @property
    def address(self) -> str:
        """What to open in a browser on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        return (
            f"http://[{host}]:{self.port}"
            if ":" in host.strip("[]") and host[0] != "["
            else f"http://{host}:{self.port}"
        )


class Interrupted(Exception):
    """Ctrl-C, a closed terminal, or a polite kill."""


def run(wishes: Wishes) -> None:
    """Run until interrupted (then return); raises Trouble for all that a person can put right."""
    with contextlib.suppress(Interrupted), _interruptible():
        folder = var()
        with only_one(folder, wishes.address, os.getpid()):
            check_room(folder)
            check_port(wishes.host, wishes.port)
            make_secret(folder)
            given = os.environ.get("DATABASE_URL")
            if given:
                check_database(given)
                _serve(wishes, _environment(wishes, given), None)
            else:
                _with_own_database(wishes)


def _with_own_database(wishes: Wishes) -> None:
    embedded = Embedded()
    try:
        with held(embedded, with_parent=True):
            check_database(embedded.url())
            _serve(wishes, _environment(wishes, embedded.url()), embedded)
    finally:
        embedded.stop()


def _serve(wishes: Wishes, environment: dict[str, str], embedded: Embedded | None) -> None:
    print("Preparing the database …", flush=True)
    to_say = _prepare(wishes, environment)
    children = [Child("web", _web_command(wishes), environment)]
    if WORKER_COMMAND.exists():
        children.append(Child("worker", [sys.executable, "-m", "django", "worker"], environment))
    patience = Patience("database")
    try:
        deadline: float | None = time.monotonic() + ANSWER_SECONDS
        while True:
            if embedded is not None:
                _look_after(embedded, patience)
            for child in children:
                child.look()
            if deadline is not None:
                deadline = _announce(wishes, environment, deadline, to_say)
            time.sleep(0.1 if deadline is not None else 0.25)
    finally:
        _stop(children)


def _look_after(embedded: Embedded, patience: Patience) -> None:
    """Start the database again when it was killed; it recovers all that was acknowledged from its log."""
    if embedded.pid() is None:
        time.sleep(patience.note(f"see {embedded.log}"))
        print("The database ended; starting it again.", flush=True)
        embedded.start(with_parent=True)


def _announce(wishes: Wishes, environment: dict[str, str], deadline: float, to_say: str) -> float | None:
    """Say the address as soon as the web server answers; returns the deadline still to be met, else None."""
    if answers(wishes, environment):
        print(f"\nMakegood is at {wishes.address} (Ctrl-C stops it).", flush=True)
        if to_say:
            print(to_say, flush=True)
        return None
    if time.monotonic() > deadline:
        raise Trouble(
            f"The web server did not answer within {ANSWER_SECONDS:.0f} s; the lines above say why."
        )
    return deadline


def answers(wishes: Wishes, environment: dict[str, str]) -> bool:
    """Does GET /healthz give 200?"""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(wishes.host, wishes.host.strip("[]"))
    name = (
        environment.get("ALLOWED_HOSTS", "localhost")
        .split(",")[0]
        .strip()
        .lstrip(".")
        .replace("*", "localhost")
    )
    connection = HTTPConnection(host, wishes.port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": name or "localhost"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _prepare(wishes: Wishes, environment: dict[str, str]) -> str:
    """Run the set-up steps in a process of their own; returns what they have to tell the person at the terminal."""
    command = [
        sys.executable,
        "-m",
        "makegood.management.supervise.prepare",
        *(["--demo"] if wishes.demo else []),
    ]
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=kin.bound_to_parent(signal.SIGKILL),
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise Trouble("Makegood could not be prepared; the lines above say why.", max(process.returncode, 1))
    return output.strip()


def _web_command(wishes: Wishes) -> list[str]:
    workers = os.environ.get("MAKEGOOD_WEB_WORKERS") or "2"
    threads = os.environ.get("MAKEGOOD_WEB_THREADS") or "8"
    for name, value in (("MAKEGOOD_WEB_WORKERS", workers), ("MAKEGOOD_WEB_THREADS", threads)):
        if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 512:
            raise Trouble(f"{name} must be a whole number from 1 to 512, not '{value}'.")
    # The threads are read by makegood/asgi.py: streams need none, pages run in so many.
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", wishes.host.strip("[]")]
    command += ["--port", str(wishes.port), "--workers", workers, "--no-ws"]
    # A stream is a request that lasts: the limit is on open screens; pages wait in line for their threads.
    command += ["--backlog", "1024", "--backpressure", "4096", "--log-level", "error"]
    command += ["--respawn-failed-workers", "--respawn-interval", "0.2", "--workers-kill-timeout", "3"]
    return [*command, "makegood.management.supervise.web:application"]


def _environment(wishes: Wishes, url: str) -> dict[str, str]:
    """What the children see. Hosts: those of this machine that are listened on, unless the site names its own."""
    environment = {"DJANGO_SETTINGS_MODULE": "makegood.settings", "BASE_URL": wishes.address, **os.environ}
    environment["DATABASE_URL"] = url
    environment["PYTHONPATH"] = os.pathsep.join(p for p in [str(ROOT), os.environ.get("PYTHONPATH", "")] if p)
    if not environment.get("ALLOWED_HOSTS"):
        names = ["localhost", "127.0.0.1", "[::1]"]
        if wishes.host in {"0.0.0.0", "::"}:
            names += [socket.gethostname(), *_own_addresses()]
            print(
                "Listening on all addresses; set ALLOWED_HOSTS and BASE_URL to the name that people use.",
                flush=True,
            )
        elif wishes.host not in names:
            names.append(f"[{wishes.host}]" if ":" in wishes.host else wishes.host)
        environment["ALLOWED_HOSTS"] = ",".join(dict.fromkeys(names))
    return environment


def _own_addresses() -> list[str]:
    try:
        return socket.gethostbyname_ex(socket.gethostname())[2]
    except OSError:
        return []


def _stop(children: list[Child]) -> None:
    for child in children:
        child.ask_to_stop()
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end and not all(child.stopped() for child in children):
        time.sleep(0.05)
    for child in children:
        child.kill()


@contextmanager
def _interruptible() -> Iterator[None]:
    """The first signal leaves the block by :class:`Interrupted`; later ones are ignored, for stopping is under way."""
    caught = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks to outlive the terminal
        caught.append(signal.SIGHUP)

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        for other in caught:
            signal.signal(other, signal.SIG_IGN)
        print("\nStopping …", flush=True)
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
