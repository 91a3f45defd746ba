"""One POST to an address that somebody typed in: judged, pinned, bounded in time and size, no redirect, no proxy."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from makegood.base.errors import Refusal
from makegood.connectors import guard
from makegood.connectors.errors import Later, OutsideError

#: What an answer may take in seconds (Standard Webhooks recommends 15 to 30), and how much of it is kept.
SECONDS, KEPT = 15.0, 1000
LONGEST_URL = 2000
#: Longest Retry-After in seconds that is believed.
DAY = 86_400


@dataclass(frozen=True)
class Answer:
    """``body``: its first bytes. ``retry_after``: seconds that the server asks us to wait; 0: it did not say."""

    status: int
    body: bytes
    ms: int
    retry_after: int = 0


def checked_url(raw: str, *, field: str, reason: object) -> str:
    """A web address that may be asked: https (http only for hosts that the site names), no name, no fragment. Raises Refusal."""
    url = raw.strip()
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Refusal("bad_url", reason, field=field) from None
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}#')
    known = parts.scheme == "https" or (parts.scheme == "http" and guard.allowed(parts.hostname or "", port))
    if not (plain and known and parts.hostname and "@" not in parts.netloc and len(url) <= LONGEST_URL):
        raise Refusal("bad_url", reason, field=field)
    return url


def post(url: str, body: bytes, headers: dict[str, str], *, seconds: float = SECONDS) -> Answer:
    """Send it and read the beginning of the answer. Raises Later or Never, whose code says how it went. Never inside a transaction."""
    began = time.monotonic()
    call = _Call(url, seconds)
    try:
        return call.ask(body, headers, began)
    except OutsideError:
        raise
    except TimeoutError:
        raise Later("slow") from None
    except ssl.SSLError:
        raise Later("slow" if call.late.is_set() else "certificate") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise Later("slow" if call.late.is_set() else "unreachable") from None
    finally:
        call.close()


class _Call:
    """One connection with one deadline for all of it: a socket's own limit begins anew with every byte that drips in."""

    def __init__(self, url: str, seconds: float) -> None:
        self.parts, self.seconds = urlsplit(url), seconds
        self.late = threading.Event()
        self.sock: socket.socket | None = None
        self.timer = threading.Timer(seconds, self._hang_up)
        self.timer.daemon = True
        self.connection: http.client.HTTPConnection | None = None

    def ask(self, body: bytes, headers: dict[str, str], began: float) -> Answer:
        self.timer.start()
        secure = self.parts.scheme == "https"
        host, port = self.parts.hostname or "", self.parts.port or (443 if secure else 80)
        self.sock = guard.connect(host, port, self.seconds)
        if secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=host, do_handshake_on_connect=False)
            self.sock.do_handshake()
        self.connection = http.client.HTTPConnection(host, port, timeout=self.seconds)
        if secure:
            self.connection.default_port = 443  # the Host header then names no port
        self.connection.sock = self.sock
        target = (self.parts.path or "/") + (f"?{self.parts.query}" if self.parts.query else "")
        self.connection.request("POST", target, body, headers)
        response = self.connection.getresponse()
        kept = response.read(KEPT)
        if self.late.is_set():
            raise TimeoutError
        ms = int((time.monotonic() - began) * 1000)
        return Answer(response.status, kept, ms, _wait(response.getheader("Retry-After")))

    def close(self) -> None:
        self.timer.cancel()
        if self.connection is not None:
            self.connection.close()
        if self.sock is not None:
            self.sock.close()

    def _hang_up(self) -> None:
        self.late.set()
        if self.sock is not None:
            with suppress(OSError):
                # The plain socket's own way, also under TLS: ours is another thread than the one that reads.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def _wait(header: str | None) -> int:
    """Retry-After in seconds; its other form, a date, is so rare in practice that our own schedule serves."""
    if header and header.isascii() and header.isdigit() and len(header) < 10:
        return min(int(header), DAY)
    return 0
