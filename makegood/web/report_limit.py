"""So many reports an hour from one address: light, against a program that runs wild, not against people."""

from __future__ import annotations

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

HOUR = 3600


def address_of(request: HttpRequest) -> str:
    """The sender's address: the peer's, or what the outermost of our own proxies (settings.PROXIES) saw."""
    if settings.PROXIES:
        hops = [h.strip() for h in request.headers.get("X-Forwarded-For", "").split(",") if h.strip()]
        if len(hops) >= settings.PROXIES:
            return hops[-settings.PROXIES]
    return str(request.META.get("REMOTE_ADDR", ""))


def _key(request: HttpRequest) -> str:
    # Only what may stand in a key of any cache, whatever a header says.
    return "reports:" + "".join(c for c in address_of(request) if c.isalnum() or c in ".:")[:60]


def exceeded(request: HttpRequest) -> bool:
    """Whether this address has sent its share of this hour. Counted in the cache: per process unless it is shared."""
    return int(cache.get(_key(request), 0)) >= settings.REPORTS_PER_HOUR


def count(request: HttpRequest) -> None:
    """One more report from this address; only those that became a case count, so nobody is punished for a typing error."""
    cache.add(_key(request), 0, HOUR)
    try:
        cache.incr(_key(request))
    except ValueError:  # it ran out between the two lines
        cache.set(_key(request), 1, HOUR)
