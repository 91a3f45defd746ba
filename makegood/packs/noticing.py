"""Building the rules of notices from their file: what is urgent, whose matter it is, how many messages leave, when again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType

from makegood.packs.reading import Entry, refuse_twice

MINE, OWNER = "mine", "owner"


@dataclass(frozen=True)
class NoticeRule:
    """``urgent_from``: the level of a case from which it is urgent; None: never."""

    urgent_from: int | None = None
    group: str = OWNER
    page_only: bool = False

    def urgent(self, level: int) -> bool:
        return self.urgent_from is not None and level >= self.urgent_from


@dataclass(frozen=True)
class Noticing:
    """``messages`` of one way in ``window``; ``waits`` after each failure in a row, the last one again and again."""

    window: timedelta
    messages: int
    urgent_messages: int
    urgent_wait: timedelta
    lines: int
    waits: tuple[timedelta, ...]
    tries: int
    give_up: timedelta
    kinds: Mapping[str, NoticeRule]

    def rule(self, kind: str) -> NoticeRule:
        return self.kinds.get(kind, _ANY)

    def rest(self, failures: int) -> timedelta:
        """How long a way rests after so many failures in a row (1 or more)."""
        return self.waits[min(failures, len(self.waits)) - 1]


_ANY = NoticeRule()


def build_notices(root: Entry) -> Noticing:
    """The rules that stand in the file ``root``; raises PackError."""
    root.only("limits", "retry", "kind")
    limits, retry = root.table("limits"), root.table("retry")
    limits.only("window_minutes", "messages", "urgent_messages", "urgent_wait_minutes", "lines")
    retry.only("minutes", "tries", "hours")
    kinds = root.entries("kind")
    refuse_twice(kinds)
    return Noticing(
        window=timedelta(minutes=limits.above_zero("window_minutes")),
        messages=int(limits.above_zero("messages", whole=True)),
        urgent_messages=int(limits.above_zero("urgent_messages", whole=True)),
        urgent_wait=timedelta(minutes=limits.above_zero("urgent_wait_minutes")),
        lines=int(limits.above_zero("lines", whole=True)),
        waits=_waits(retry),
        tries=int(retry.above_zero("tries", whole=True)),
        give_up=timedelta(hours=retry.above_zero("hours")),
        kinds=MappingProxyType({entry.code(): _rule(entry) for entry in kinds}),
    )


def _rule(entry: Entry) -> NoticeRule:
    entry.only("code", "urgent_from", "group", "page_only")
    return NoticeRule(
        urgent_from=entry.level("urgent_from") if "urgent_from" in entry.raw else None,
        group=entry.one_of("group", (MINE, OWNER), "group") if "group" in entry.raw else OWNER,
        page_only=entry.flag("page_only"),
    )


def _waits(retry: Entry) -> tuple[timedelta, ...]:
    raw = retry.get("minutes", list, "a list of minutes")
    if not raw or not all(type(n) in (int, float) and 0 < n <= 1440 for n in raw):
        raise retry.wrong("'minutes' must be a list of minutes above 0, at most a day each")
    if any(later < sooner for sooner, later in pairwise(raw)):
        raise retry.wrong(
            "'minutes' must not become shorter: a service that is down would be asked more and more often"
        )
    return tuple(timedelta(minutes=n) for n in raw)
