"""What became of transactions: what the false alarms are counted on, by the judge of a file and by the house at night. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from makegood.watch.findings import RECOVERED, Findings
from makegood.watch.keys import U64
from makegood.watch.plan import DAY, I64, OVERTAKEN, STUCK, Bools

NEVER = np.int64(1 << 61)
#: What is long known counts half after so many days: rates drift (watch.md 5).
HALF = 60 * DAY


@dataclass(frozen=True)
class Outcomes:
    """By transaction, ``tx`` rising. ``due``: after it it was late. ``ended`` and ``lead_to`` are NEVER where there was none;
    ``lead_to``: what must be known before it; ``known``: when it was known whether it was ``bad`` or ``good``. Times in µs."""

    tx: U64
    begun: I64
    due: I64
    ended: I64
    lead_to: I64
    known: I64
    bad: Bools
    good: Bools
    weight: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.tx)

    def take(self, which: npt.NDArray[np.generic]) -> Outcomes:
        return Outcomes(**{f.name: getattr(self, f.name)[which] for f in fields(self)})

    @property
    def over(self) -> I64:
        """Told at or after it is not told: it had ended, or it was too late."""
        return np.minimum(self.ended, self.lead_to)

    def place(self, tx: npt.NDArray[np.generic]) -> tuple[I64, Bools]:
        """(number of each transaction, whether it is there)."""
        if not len(self):
            return np.zeros(len(tx), np.int64), np.zeros(len(tx), bool)
        at = np.minimum(np.searchsorted(self.tx, tx), len(self) - 1)
        return at, self.tx[at] == tx

    def earliest(self, tx: npt.NDArray[np.generic], at: I64) -> I64:
        """The earliest moment of each transaction, NEVER where there is none."""
        place, mine = self.place(tx)
        out = np.full(len(self), NEVER)
        np.minimum.at(out, place[mine], at[mine])
        return out

    def fine(self, now: int) -> npt.NDArray[np.float64]:
        """What each good one counts at ``now``, 0 for what was not known.

        Only those whose promise is over by then: of the newest, the quick ones are known first, and false alarms are among
        the slow. On real orders, told to keep 5 %, it was 6.0 % instead of 7.6 %.
        """
        settled = np.maximum(self.known, self.due)
        age = np.maximum(now - settled, 0)
        return np.where(self.good & (settled < now), self.weight * 0.5 ** (age / HALF), 0.0)


def told_at(outcomes: Outcomes, findings: Findings) -> I64:
    """When each transaction was first told of: the due time of its first stuck or overtaken step.

    The runner is a tick behind that; a replay's tick is coarse, the product's a tenth of a second.
    """
    mine = findings[np.isin(findings["kind"], (STUCK, OVERTAKEN)) & (findings["state"] != RECOVERED)]
    return outcomes.earliest(mine["tx"], np.maximum(mine["due"], mine["since"]))
