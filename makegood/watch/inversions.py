"""How often each of many items is overtaken: inversions, counted for the whole array at once. Pure."""

from __future__ import annotations

import numpy as np

from makegood.watch import loops
from makegood.watch.plan import I64


def overtakes(opened: I64, ended: I64) -> I64:
    """For each item how many were opened after it and ended before it."""
    size, out = len(opened), np.zeros(len(opened), np.int64)
    if size < 2:
        return out
    order = np.lexsort(
        (ended, opened)
    )  # of those opened at one time the earlier end first: they overtake nobody
    ends = ended[order]
    if (ends[1:] >= ends[:-1]).all():
        return out
    rank = np.empty(size, np.int64)  # equal ends in the order of opening: of two of them none overtakes
    rank[np.argsort(ends, kind="stable")] = np.arange(1, size + 1)
    out[order] = loops.overtakes(rank)
    return out
