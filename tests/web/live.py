"""A real web server of ours on the tests' database, and somebody who listens to its streams."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from tests.supervise.up import free_port

PATIENCE = 30.0


class Site:
    """granian with the arguments of bin/up (but one worker), started on the database that the test writes to."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.listeners: list[Listener] = []
        self._process: subprocess.Popen[bytes] | None = None

    def cut_all(self) -> None:
        """Nobody listens any more."""
        while self.listeners:
            self.listeners.pop().cut()

    def start(self) -> None:
        """Start it and wait for its first answer."""
        from makegood.management.supervise.supervisor import Wishes, _web_command

        os.environ["MAKEGOOD_WEB_WORKERS"] = "1"
        command = _web_command(Wishes(port=self.port))
        self._process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": database()})
        end = time.monotonic() + PATIENCE * 2
        while self.get("/healthz") != 200:
            assert time.monotonic() < end and self._process.poll() is None, "the server does not answer"
            time.sleep(0.05)

    def stop(self) -> float:
        """Stop it politely; returns the seconds that this took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        self._process.wait(PATIENCE)
        return time.monotonic() - began

    def get(self, path: str, user: Any = None, **headers: str) -> int:
        """The status of a GET; 0 when nobody answers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with suppress(OSError, HTTPException):
            connection.request("GET", path, headers={**headers, **(cookie(user) if user else {})})
            return connection.getresponse().status
        return 0


def database() -> str:
    """DATABASE_URL of the database that this test is connected to."""
    found = connection.settings_dict
    return f"postgresql://{quote(found['USER'])}@/{found['NAME']}?host={quote(found['HOST'], safe='/')}&port={found['PORT']}"


def signed_in(user: Any) -> SessionStore:
    """A session as signing in makes it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session


def cookie(user: Any) -> dict[str, str]:
    key = user.session_key if isinstance(user, SessionStore) else signed_in(user).session_key
    return {"Cookie": f"sessionid={key}"}


class Listener:
    """One open stream. ``status``: of the answer; ``last``: the id of the last event, as a browser keeps it."""

    def __init__(self, site: Site, path: str, user: Any, last: str = "") -> None:
        site.listeners.append(self)
        self.last = last
        self.heard: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.connection = HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)
        headers = {**cookie(user), **({"Last-Event-ID": last} if last else {})}
        self.connection.request("GET", f"/live/{path}", headers=headers)
        self.socket = self.connection.sock  # the connection lets go of it once the answer has begun
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        if self.status == 200:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        name = ""
        with suppress(OSError, HTTPException, ValueError, AttributeError):
            for raw in self.answer:
                key, _, value = raw.decode().rstrip("\n").partition(": ")
                if key == "event":
                    name = value
                elif key == "id":
                    self.last = value
                elif key == "data":
                    self.heard.put((name, json.loads(value)))
        self.heard.put(("closed", {}))

    def until(self, name: str, **data: Any) -> dict[str, Any]:
        """Wait for an event with these values; what comes before it is passed over. Fails after a long time."""
        end = time.monotonic() + PATIENCE
        passed = []
        while True:
            with suppress(queue.Empty):
                event, said = self.heard.get(timeout=max(0.01, end - time.monotonic()))
                if event == name and all(said.get(key) == value for key, value in data.items()):
                    return said
                passed.append((event, said))
            assert time.monotonic() < end, f"no {name} {data}; heard {passed}"

    def silent(self, seconds: float, *names: str) -> None:
        """Nothing of these is heard for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            with suppress(queue.Empty):
                event, said = self.heard.get(timeout=left)
                assert event not in names, (event, said)

    def settled(self) -> Listener:
        """Past what every stream is told when it opens."""
        self.until("notices")
        self.silent(1.5, "closed")
        return self

    def cut(self) -> None:
        """The cable is pulled."""
        with suppress(OSError, AttributeError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.connection.close()


@contextmanager
def served() -> Iterator[Site]:
    site = Site()
    site.start()
    try:
        yield site
    finally:
        site.cut_all()
        site.stop()
