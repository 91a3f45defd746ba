"""The one clock (law 9). Nothing else reads the time; tests move it with :func:`travel`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_shifted: ContextVar[datetime | None] = ContextVar("shifted", default=None)


def now() -> datetime:
    """The present moment, aware, in UTC, to the microsecond."""
    return _shifted.get() or datetime.now(UTC)


def today(zone: str = "UTC") -> date:
    """The calendar day that it is now in ``zone`` (an IANA name)."""
    return now().astimezone(ZoneInfo(zone)).date()


@contextmanager
def travel(to: datetime | timedelta) -> Iterator[datetime]:
    """Stand the clock at a moment, or move it by a span, while the block runs (tests and the demo's generator)."""
    moment = now() + to if isinstance(to, timedelta) else to
    if moment.tzinfo is None:
        raise ValueError("a moment needs its zone")
    token = _shifted.set(moment)
    try:
        yield moment
    finally:
        _shifted.reset(token)
