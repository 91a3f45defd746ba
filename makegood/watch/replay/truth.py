"""What became of each transaction, as known afterwards: only the judge may look at it."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64
from makegood.watch.plan import DAY, I64, Bools, Plan
from makegood.watch.replay.mapping import Judge, Mapping
from makegood.watch.replay.reading import MISSING, BadFile, Log, holds, micros

NEVER = np.int64(1 << 61)


@dataclass(frozen=True)
class Truth:
    """By transaction. ``due``: after it it was late. ``ended`` and ``lead_to`` are NEVER where there was none; ``lead_to``: what must be known before it."""

    tx: U64
    begun: I64
    due: I64
    ended: I64
    lead_to: I64
    bad: Bools
    good: Bools
    weight: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.tx)

    def take(self, which: npt.NDArray[np.generic]) -> Truth:
        return Truth(**{f.name: getattr(self, f.name)[which] for f in fields(self)})

    def known_by(self, now: int) -> Truth:
        """Those whose outcome was known at a moment: what tuning may look at."""
        return self.take(np.minimum(self.ended, self.lead_to) < now)


def truth(plan: Plan, mapping: Mapping, log: Log) -> Truth:
    """Raises BadFile where the mapping's ``judge`` names what the file has not."""
    judge = mapping.judge
    if judge is None:
        raise BadFile("the mapping has no [judge]: nothing says what trouble was")
    tx, begun, promise = _first(plan, log, judge.begin, judge.late_moment)
    ended_tx, ended_at, _ = _first(plan, log, judge.end, "")
    ended = np.full(len(tx), NEVER)
    at = np.minimum(np.searchsorted(ended_tx, tx), max(len(ended_tx) - 1, 0))
    if len(ended_tx):
        ended = np.where(ended_tx[at] == tx, ended_at[at], NEVER)
    due = promise if judge.late_moment else begun + int(judge.late_days * DAY)
    late = (ended > due) & (due > 0)
    line = _lines(log, tx)
    bad = late & (holds(log.table, judge.bad)[line] if judge.bad else True)
    good = holds(log.table, judge.good)[line] if judge.good else ~late
    counted = (ended < NEVER) if judge.ended_only else np.ones(len(tx), bool)
    return Truth(tx, begun, due, ended, _lead(mapping, log, judge, begun, line), bad & counted, good & counted & ~bad, _weight(log, judge, line))  # fmt: skip


def _first(plan: Plan, log: Log, event: str, moment: str) -> tuple[U64, I64, I64]:
    """(transactions, time of the first such event, the moment it carries), rising by transaction."""
    rows = np.flatnonzero(log.batch.event == plan.events.index(event))
    tx, first = np.unique(
        log.batch.tx[rows], return_index=True
    )  # events rise in time, so the first is the earliest
    rows = rows[first]
    if moment and moment not in plan.moments:
        raise BadFile(f"no process has a moment '{moment}' to be late for")
    carried = log.batch.moments[plan.moments.index(moment)][rows] if moment else np.zeros(len(rows), np.int64)
    return tx, log.batch.at[rows], carried


def _lines(log: Log, tx: U64) -> I64:
    """The line of the table that speaks of each transaction (its first)."""
    known, first = np.unique(log.tx, return_index=True)
    return first[np.searchsorted(known, tx)]


def _lead(mapping: Mapping, log: Log, judge: Judge, begun: I64, line: I64) -> I64:
    if not judge.lead_column:
        return begun + int(judge.lead_days * DAY)
    if judge.lead_column not in log.table.column_names:
        raise BadFile(f"there is no column '{judge.lead_column}'")
    at = micros(log.table[judge.lead_column], mapping)[line]
    return np.where(at == MISSING, NEVER, at)


def _weight(log: Log, judge: Judge, line: I64) -> npt.NDArray[np.float64]:
    if not judge.weight_where:
        return np.ones(len(line))
    heavy = holds(log.table, judge.weight_where)
    return np.where(heavy[line], judge.weight_total / max(int(heavy.sum()), 1), 1.0)
