"""What hand-offs cost: waits after each, bounces, deadlines missed by the number of hops. Pure, over the logs of many cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from makegood.escalation.hops import Moment, bounces, hops

#: Cases with more hops than this are counted together ('6 or more').
MOST = 6


@dataclass(frozen=True)
class Share:
    """``part`` of ``whole`` cases."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """0 to 1; nothing of nothing is 0."""
        return self.part / self.whole if self.whole else 0.0


@dataclass(frozen=True)
class Decay:
    """``waits``: median hours from the nth hand-off to the next touch, and of how many hand-offs.

    ``missed``: the share of cases past their deadline by hops (:data:`MOST` stands for that many or more), and
    ``missed_by_bounce`` for cases that bounced (True) and did not; empty where the log tells no deadlines.
    """

    cases: int
    waits: dict[int, tuple[float, int]]
    bounced: Share
    missed: dict[int, Share]
    missed_by_bounce: dict[bool, Share]


def decay(logs: Iterable[tuple[Sequence[Moment], bool | None]], now: datetime) -> Decay:
    """The figures over ``(moments of a case, whether its deadline was missed)``; None where that is not known.

    A hand-off that nobody has touched yet waits until ``now``: left out, the slowest would make the median look better.
    """
    cases = bounced = 0
    waits: dict[int, list[float]] = defaultdict(list)
    missed: dict[int, list[bool]] = defaultdict(list)
    by_bounce: dict[bool, list[bool]] = defaultdict(list)
    for moments, late in logs:
        found = hops(moments)
        came_back = bounces(found) > 0
        cases += 1
        bounced += came_back
        for hop in found:
            waits[hop.nth].append(hop.wait(now).total_seconds() / 3600)
        if late is not None:
            missed[min(len(found), MOST)].append(late)
            by_bounce[came_back].append(late)
    return Decay(
        cases=cases,
        waits={nth: (median(hours), len(hours)) for nth, hours in sorted(waits.items())},
        bounced=Share(bounced, cases),
        missed={n: Share(sum(each), len(each)) for n, each in sorted(missed.items())},
        missed_by_bounce={b: Share(sum(each), len(each)) for b, each in sorted(by_bounce.items())},
    )
