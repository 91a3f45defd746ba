"""Where our own requests may go: addresses that people typed in must not lead into the house (server-side request forgery).

A name is looked up once, every address that it has must be public, and the connection is made to exactly the address that
was judged: a name that answers 'public' to the judge and '127.0.0.1' to the caller (DNS rebinding) finds nobody to ask.
A site that wants its own chat server in its own network names it: ``MAKEGOOD_OUTSIDE_HOSTS=chat.corp.example,10.0.0.8:8065``.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

from django.conf import settings

from makegood.connectors.errors import Later, Never

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def allowed(host: str, port: int) -> bool:
    """Whether the site named this host (or host and port) as one that may be private."""
    host = host.lower().strip("[]")
    return bool({host, f"{host}:{port}"} & settings.OUTSIDE_HOSTS)


def public(address: str) -> bool:
    """Whether an address is one of the open net; what carries another one inside is judged by that one too."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return all(one.is_global and not one.is_multicast for one in _inside(found))


def _inside(found: Address) -> Iterator[Address]:
    """The address that a packet ends at. Of those that wrap an IPv4 address (mapped, 6to4, Teredo, NAT64) the inner one."""
    if not isinstance(found, ipaddress.IPv6Address):
        yield found
    elif found.ipv4_mapped:
        yield found.ipv4_mapped
    elif found.sixtofour:
        yield found.sixtofour
    elif found.teredo:
        yield from found.teredo
    elif found in _NAT64:
        yield ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    else:
        yield found


def addresses(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
    """(family, address) of a host, judged. Raises Never('private') when one of them is ours, Later('unknown_host') for none."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Later("unknown_host") from None
    # One private address among public ones is as good as a door: which one is asked would be the resolver's choice.
    if not allowed(host, port) and not all(public(str(sockaddr[0])) for *_, sockaddr in found):
        raise Never("private")
    return [(family, (str(sockaddr[0]), port)) for family, *_, sockaddr in found]


def connect(host: str, port: int, timeout: float | None) -> socket.socket:
    """A connection to one of the judged addresses. Raises Never, Later, or OSError of the last that did not answer."""
    last: OSError = OSError("no address")
    for family, address in addresses(host, port):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.connect(address)
            # Head and body leave in two writes; without this the second waits 40 ms for the other side's ACK (Nagle).
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            last = error
    raise last
