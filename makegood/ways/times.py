"""When a notice leaves: quiet hours, the daily collection, and how many messages a way takes. Pure; walls and zones as people live."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from makegood.packs.noticing import Noticing

NOW, DIGEST, NEVER = "now", "digest", "never"


def next_at(wall: time, after: datetime, zone: ZoneInfo) -> datetime:
    """The next moment after ``after`` at which the clock on the wall of ``zone`` shows ``wall``, in UTC.

    Where the clock jumps over it (summer time), the moment after the jump that Python's PEP 495 gives.
    """
    local = after.astimezone(zone)
    for days in range(3):
        at = datetime.combine(local.date() + timedelta(days=days), wall, zone).astimezone(UTC)
        if at > after:
            return at
    raise AssertionError("no zone skips two days")


def quiet(now: datetime, starts: time | None, ends: time | None, zone: ZoneInfo) -> bool:
    """Whether the wall's clock stands in the quiet hours; they may go over midnight. The end is no longer quiet."""
    if starts is None or ends is None or starts == ends:
        return False
    wall = now.astimezone(zone).time().replace(tzinfo=None)
    return starts <= wall < ends if starts < ends else wall >= starts or wall < ends


def leaves_at(
    when: str,
    *,
    urgent: bool,
    now: datetime,
    zone: ZoneInfo,
    digest_at: time,
    starts: time | None = None,
    ends: time | None = None,
) -> datetime | None:
    """When a notice of a group that is sent ``when`` leaves; None: never by this way. Urgent ones pass quiet hours."""
    if when == NEVER:
        return None
    if when == DIGEST:
        return next_at(digest_at, now, zone)
    if urgent or ends is None or not quiet(now, starts, ends, zone):
        return now
    return next_at(ends, now, zone)


def free_at(sent: Iterable[datetime], *, urgent: bool, now: datetime, rules: Noticing) -> datetime:
    """When the way takes the next message: ``now``, or when there is room again. ``sent``: when the last ones left."""
    recent = sorted(at for at in sent if at > now - rules.window)
    if urgent:
        if len(recent) < rules.urgent_messages:
            return now
        return max(now, recent[-1] + rules.urgent_wait)
    return now if len(recent) < rules.messages else recent[-rules.messages] + rules.window


def zone_of(name: str, default: str) -> ZoneInfo:
    """The zone by its name; the site's where it has gone out of the tables."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError):
        return ZoneInfo(default)
