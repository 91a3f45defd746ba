"""What became of each transaction, as known afterwards: only the judge may look at it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64
from makegood.watch.outcomes import NEVER, Outcomes
from makegood.watch.plan import DAY, I64, Plan
from makegood.watch.replay.mapping import Judge, Mapping
from makegood.watch.replay.reading import MISSING, BadFile, Log, holds, micros


def truth(plan: Plan, mapping: Mapping, log: Log) -> Outcomes:
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
    lead_to = _lead(mapping, log, judge, begun, line)
    return Outcomes(
        tx, begun, due, ended, lead_to, _known(judge, due, ended, lead_to), bad & counted, good & counted & ~bad,
        _weight(log, judge, line),
    )  # fmt: skip


def _known(judge: Judge, due: I64, ended: I64, lead_to: I64) -> I64:
    """When it was known what became of it: it ended or was late (where only what ended counts: it ended), and where what
    the customer said counts, when they had been asked as well."""
    known = ended if judge.ended_only else np.where(due > 0, np.minimum(ended, due), ended)
    said = (judge.bad or judge.good) and judge.lead_column
    return np.maximum(known, np.where(lead_to < NEVER, lead_to, known)) if said else known


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
