"""How often one is overtaken in each lane, learned: a number is never 'many' by itself (watch.md 1.4: 0 to 31 % false
alarms with a fixed count), only against what the lane is used to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from makegood.watch.inversions import overtakes
from makegood.watch.model import MOST_OVERTAKES, TAILS
from makegood.watch.pairing import History
from makegood.watch.plan import I64, Plan

#: The newest completions of a lane that are looked at.
NEWEST = 20_000


@dataclass(frozen=True)
class Lane:
    """``tail``: for each of TAILS the overtakes that at most this share of the finished ones had more of."""

    step: int
    key: int
    count: int
    fifo: float
    tail: I64


def learn_lanes(plan: Plan, history: History) -> list[Lane]:
    """Every lane of the steps that may be queues and had completions."""
    out = []
    done = history.done & plan.overtaken[history.step]
    mine = history.take(done)
    order = np.argsort(mine.lane, kind="stable")
    keys, starts = np.unique(mine.lane[order], return_index=True)
    for key, part in zip(keys.tolist(), np.split(order, starts[1:]) if len(keys) else [], strict=True):
        opened, ended = mine.opened[part], mine.ended[part]
        if len(part) > NEWEST:
            newest = np.argsort(opened)[-NEWEST:]
            opened, ended = opened[newest], ended[newest]
        k = overtakes(opened, ended)
        out.append(Lane(int(mine.step[part[0]]), key, len(k), float(np.mean(k == 0)), _tail(k)))
    return out


def _tail(k: I64) -> I64:
    """The quantiles; of n items none finer than 1 / (n + 1): there one more than ever was."""
    ranked = np.sort(np.minimum(k, MOST_OVERTAKES))
    at = np.ceil(len(k) * (1 - TAILS)).astype(np.int64) - 1
    out = ranked[np.clip(at, 0, len(k) - 1)]
    return np.where(len(k) * TAILS < 1, ranked[-1], out)
