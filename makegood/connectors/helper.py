"""The optional helper: any endpoint that speaks OpenAI's ``/chat/completions``.

On the standard library, for it is one POST: the vendors' own clients weigh 45 to 310 MB and bring retries, redirects
and telemetry of their own, none of which we want. ``http.client`` follows no redirect and reads no proxy setting:
what was sent to one host never reaches another.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.conf import settings

from makegood.connectors.errors import Later, Never, OutsideError

#: What one answer may take, in seconds, from the first byte sent to the last one read; and how long it may be.
SECONDS, BYTES = 30.0, 256 * 1024
_BUSY = frozenset({408, 409, 425, 429})


@dataclass(frozen=True)
class Answer:
    """The words that came back, and what they cost in tokens (0: the service did not say)."""

    content: str
    asked_tokens: int = 0
    answered_tokens: int = 0


class Helper(Protocol):
    """A model that is asked once and answers once: no streaming, no tools, no memory."""

    @property
    def model(self) -> str:
        """The name of the model, for the record."""

    def ask(self, messages: Sequence[dict[str, str]], *, seconds: float = SECONDS) -> Answer:
        """Ask; blocks for at most ``seconds``. Raises Later or Never. Never inside a transaction."""


def from_settings() -> Helper | None:
    """The helper that the site has chosen; None while there is none."""
    if not settings.HELPER_URL:
        return None
    return Endpoint(settings.HELPER_URL, settings.HELPER_MODEL, settings.HELPER_KEY)


@dataclass(frozen=True)
class Endpoint:
    """``url`` is the part before ``/chat/completions``; ``key`` may be empty (a model in the house asks for none)."""

    url: str
    model: str
    key: str = field(default="", repr=False)

    def ask(self, messages: Sequence[dict[str, str]], *, seconds: float = SECONDS) -> Answer:
        # Only what every server of this kind knows: some refuse temperature, response_format or max_tokens.
        body = json.dumps({"model": self.model, "messages": list(messages), "stream": False})
        try:
            status, answer = _post(f"{self.url}/chat/completions", body.encode(), self._headers(), seconds)
        except OutsideError:
            raise
        except TimeoutError:
            raise Later("slow") from None
        except (OSError, http.client.HTTPException):
            raise Later("unreachable") from None
        if status in _BUSY:
            raise Later("busy")
        if status >= 500:
            raise Later("broken")
        if status >= 400:
            raise Never("refused")
        if status != 200:
            raise Never("redirected" if status >= 300 else "garbage")
        return _read(answer)

    def _headers(self) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return {"Content-Type": "application/json", "Accept": "application/json", **key}


def _post(url: str, body: bytes, headers: dict[str, str], seconds: float) -> tuple[int, bytes]:
    """Status and body. Raises TimeoutError when it is not all there in time, Never when it is longer than BYTES."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    late = threading.Event()
    open_sockets: list[socket.socket] = []

    def hang_up() -> None:
        late.set()
        with suppress(OSError, IndexError):
            # The plain socket's own way, also under TLS: ours is another thread than the one that reads.
            socket.socket.shutdown(open_sockets[0], socket.SHUT_RDWR)

    # A socket's own time limit begins anew with every byte; a server that drips would hold a worker for hours.
    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        connection.connect()
        open_sockets.append(connection.sock)
        connection.request("POST", parts.path, body, headers)
        response = connection.getresponse()
        answer = response.read(BYTES + 1) if response.status == 200 else b""
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise TimeoutError
    if len(answer) > BYTES:
        raise Never("huge")
    return response.status, answer


def _read(answer: bytes) -> Answer:
    """The first choice of a completion. Raises Never('garbage') for anything else."""
    try:
        whole: Any = json.loads(answer)
        content = whole["choices"][0]["message"]["content"]
        usage = whole.get("usage") or {}
        counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Never("garbage") from None
    if not isinstance(content, str):
        raise Never("garbage")
    return Answer(content, *(n if isinstance(n, int) and 0 <= n < 2**31 else 0 for n in counts))
