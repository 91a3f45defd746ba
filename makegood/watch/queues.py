"""Overtaken: how many that came later to the same lane were finished before (watch.md 1.2 (2)).

k_i = (arrivals after i in the lane) - (still open after i), kept as a number on each open row: every completion adds one to
those of its lane that were opened before it. 'Later' is the time of the event, not of its arrival: two machines that write
at once do not make an overtake.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from makegood.watch import loops
from makegood.watch.closing import Ended
from makegood.watch.inversions import overtakes
from makegood.watch.model import Model
from makegood.watch.plan import I64, Plan
from makegood.watch.state import TIER, TOLD_OVERTAKEN, State

#: Finished in a lane without anybody overtaken before a first overtake is told: confidence 1 - 1/(n + 2) (watch.md 1.2).
HISTORY = 20
#: With a share of at least this many in order a lane is a queue; in others being overtaken says nothing (measured on parcels).
FIFO = 0.5


def count_overtakes(plan: Plan, state: State, ended: Ended) -> tuple[I64, I64, I64]:
    """Add this batch's completions to the rows they overtook.

    Returns, by place in ``ended``, how often each had been overtaken when it ended; and the rows that were overtaken now,
    with the place of the completion that did it last.
    """
    columns = state.rows
    suffered = columns["overtakes"][ended.rows].astype(np.int64)
    none = np.zeros(0, np.int64)
    counts = plan.overtaken[columns["step"][ended.rows]] & ~ended.cancelled
    if not counts.any():
        return suffered, none, none
    lane = columns["lane"][ended.rows]
    mine = np.flatnonzero(counts)
    opened = columns["first"][ended.rows[mine]]
    order = np.lexsort((opened, lane[mine]))
    mine, opened = mine[order], opened[order]
    edges = np.flatnonzero(np.append(True, np.diff(lane[mine]) != 0))
    ends = np.append(edges[1:], len(mine))
    low, high = np.zeros((2, len(state.lanes.index.keys)), np.int64)
    low[lane[mine[edges]]], high[lane[mine[edges]]] = edges, ends
    for a, b in zip(edges.tolist(), ends.tolist(), strict=True):
        suffered[mine[a:b]] += overtakes(opened[a:b], ended.at[mine[a:b]])
    going = np.zeros(len(columns["step"]), bool)
    going[ended.rows] = True
    passed: I64 = loops.pass_by(
        columns["lane"], columns["first"], columns["overtakes"], going, low, high, opened
    )
    return suffered, passed, mine[high[columns["lane"][passed]] - 1]


def thresholds(
    model: Model, state: State, lanes: npt.NDArray[np.int32], tier: I64
) -> tuple[I64, npt.NDArray[np.float64]]:
    """(k above which one is told, confidence) of lanes.

    Learned: the quantile of k in the lane. Not learned yet: in a lane where HISTORY or more were finished and hardly
    anybody was overtaken, the first overtake counts; with less history the rank of k among those that were finished.
    """
    known = state.known_lane[lanes]
    done, over = state.lanes["done"][lanes], state.lanes["overtaken"][lanes]
    never = np.int64(1 << 40)
    order = (over == 0) & (done >= HISTORY)
    limit = np.where(order, 0, never)
    trust = 1 - 1 / (done + 2.0)
    if state.limits is not None and len(model.lane):
        at = np.maximum(known, 0)
        fifo = model.lane_fifo[at] >= FIFO
        learned = (known >= 0) & (model.lane_count[at] >= HISTORY)
        limit = np.where(
            learned, np.where(fifo, state.limits.overtakes[at + tier * len(model.lane)], never), limit
        )
        trust = np.where(learned, 1 - 1 / (model.lane_count[at] + 2.0), trust)
    return limit, trust


def overtaken_rows(plan: Plan, model: Model, state: State, rows: I64) -> I64:
    """Those of ``rows`` that are overtaken more often than their lane explains, and were not told yet."""
    columns = state.rows
    new = (columns["flags"][rows] & TOLD_OVERTAKEN) == 0
    rows = rows[new & (columns["step"][rows] >= 0)]
    tier = (columns["flags"][rows] >> TIER).astype(np.int64)
    limit, _ = thresholds(model, state, columns["lane"][rows], tier)
    return rows[columns["overtakes"][rows] > limit]
