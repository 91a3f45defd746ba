"""The ratchet (law 3), pure. Five levels; evidence raises; a hand-over, split, merge or child inherits max(parent, own)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum


class Level(IntEnum):
    """The five; their names in three languages stand in ``packs/policy.toml``."""

    LOW = 1
    NORMAL = 2
    HIGH = 3
    URGENT = 4
    CRITICAL = 5


LEVELS = frozenset(int(level) for level in Level)


@dataclass(frozen=True)
class Evidence:
    """One reason for a level, before it is a row. ``quote`` is the customer's own words, cut from the message."""

    level: int
    source: str
    quote: str = ""
    start: int | None = None
    end: int | None = None
    words: str = ""


@dataclass(frozen=True)
class Impact:
    """What is at stake: money already lost (in ``currency``), orders that cannot go on, a campaign."""

    money_lost: Decimal | None = None
    currency: str = ""
    orders_blocked: int = 0
    campaign_at_risk: bool = False


def known(level: object) -> int:
    """``level`` as one of the five; anything unknown takes the highest, never a default low."""
    return (
        level
        if isinstance(level, int) and not isinstance(level, bool) and level in LEVELS
        else int(Level.CRITICAL)
    )


def demanded(evidence: Iterable[Evidence]) -> int:
    """The level that the evidence demands together: the highest of them, 1 when there is none."""
    return max((known(e.level) for e in evidence), default=int(Level.LOW))


def raised(level: int, floor: int, evidence: Iterable[Evidence]) -> tuple[int, int]:
    """Level and floor after new evidence: neither ever goes down here."""
    new = demanded(evidence)
    return max(known(level), new), max(known(floor), new)
