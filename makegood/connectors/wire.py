"""The one way out to shops and providers: httpx with a guard.

It follows no redirect, reads no proxy setting, never sends twice by itself, takes at most BYTES in at most ``seconds`` altogether,
and connects to no address inside the house unless the site has named that host (``MAKEGOOD_SHOPS_INSIDE``): a merchant writes
these addresses. The name is resolved once and the checked address is the one connected to, so a name cannot change in between.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings

from makegood.connectors.errors import Later, Never

#: PortOne asks its callers to wait a minute for an answer.
SECONDS, CONNECT, BYTES = 60.0, 5.0, 1024 * 1024


class NotSent(Later):
    """Nothing of ours reached the other side: certain."""


class Lost(Later):
    """It may have reached the other side; no answer came."""


@dataclass(frozen=True)
class Reply:
    """Status (which decides nothing), body as JSON (None where it is none) and as it came."""

    status: int
    json: Any
    raw: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, *path: str | int) -> Any:
        """What stands at a path of the body; None where the path ends early."""
        here = self.json
        for step in path:
            if isinstance(here, Mapping) and isinstance(step, str):
                here = here.get(step)
            elif isinstance(here, list) and isinstance(step, int) and -len(here) <= step < len(here):
                here = here[step]
            else:
                return None
        return here


class _Guard(httpcore.SyncBackend):
    """Connects only to an address that was checked, and only to the world outside unless the host is named."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as trouble:
            raise httpcore.ConnectError(str(trouble)) from None
        addresses = [str(one[4][0]) for one in found]
        if host not in settings.SHOPS_INSIDE and not all(map(outside, addresses)):
            raise _Inside
        return super().connect_tcp(addresses[0], port, timeout, local_address, socket_options)


class _Inside(Exception):
    """The address lies inside the house."""


def outside(address: str) -> bool:
    """Whether an IP address belongs to the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _client(seconds: float) -> httpx.Client:
    # The pool is set by hand for httpx has no public way to give it a network of one's own; tests/connectors/test_wire.py fails
    # when a new version of httpx no longer uses it.
    transport = httpx.HTTPTransport(verify=_tls(), trust_env=False, retries=0)
    transport._pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=_Guard(), retries=0)
    limits = httpx.Timeout(seconds, connect=min(CONNECT, seconds))
    return httpx.Client(transport=transport, timeout=limits, follow_redirects=False, trust_env=False)


@dataclass(frozen=True)
class Wire:
    """One address with the headers that every call bears. ``base`` is all before the path; ``headers`` may hold a key."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        local = (parts.hostname or "") in settings.SHOPS_INSIDE
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise Never("address")  # a key would travel in the open
        if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
            raise Never("address")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        params: Mapping[str, str] | None = None,
    ) -> Reply:
        """One call. ``body``: bytes as they are, anything else as JSON. Raises NotSent, Lost, Never('inside') or Never('huge')."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        end = time.monotonic() + self.seconds
        try:
            with (
                _client(self.seconds) as client,
                client.stream(
                    method,
                    self.base.rstrip("/") + path,
                    content=content,
                    params=params,
                    headers={"Accept": "application/json", **kind, **self.headers, **(headers or {})},
                ) as response,
            ):
                raw = _whole(response, end)
        except _Inside:
            raise Never("inside") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise NotSent("unreachable") from None
        except httpx.InvalidURL:
            raise Never("address") from None
        except (httpx.HTTPError, OSError):
            raise Lost("lost") from None
        return Reply(response.status_code, _parsed(raw), raw, dict(response.headers))


def _whole(response: httpx.Response, end: float) -> bytes:
    """The body, within the size and the time of the whole call: a server that drips would hold a worker for hours."""
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > BYTES:
            raise Lost("huge")
        if time.monotonic() > end:
            raise Lost("slow")
        parts.append(part)
    return b"".join(parts)


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
