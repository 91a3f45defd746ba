"""How often each of many items is overtaken: inversions, counted for the whole array at once. Pure."""

from __future__ import annotations

import numpy as np

from makegood.watch.plan import I64

#: Up to so many each is compared with each: a few calls instead of a few for every bit.
SMALL = 192


def overtakes(opened: I64, ended: I64) -> I64:
    """For each item how many were opened after it and ended before it.

    By the bits of the rank of the end, highest first (a wavelet tree, Grossi, Gupta, Vitter 2003): of two items whose ranks
    first differ in a bit, the one with 0 ends earlier, so each item with 1 counts those with 0 that were opened after it and
    share its higher bits. O(n log n), and no sort but the first.
    """
    size, out = len(opened), np.zeros(len(opened), np.int64)
    if size < 2:
        return out
    order = np.lexsort(
        (ended, opened)
    )  # of those opened at one time the earlier end first: they overtake nobody
    ends = ended[order]
    if (ends[1:] >= ends[:-1]).all():
        return out
    if size <= SMALL:
        out[order] = np.triu(ends[None, :] < ends[:, None], 1).sum(1)
        return out
    by_end = np.argsort(ends, kind="stable")
    rank = np.empty(size, np.int64)  # equal ends in the order of opening: of two of them none overtakes
    rank[by_end] = np.arange(size)
    count, place = np.zeros(size, np.int64), np.arange(size)
    block = np.zeros(size, np.int64)
    for bit in reversed(range(int(size - 1).bit_length())):
        one = (rank[place] >> bit) & 1
        zeros = np.cumsum(1 - one)
        starts = np.flatnonzero(np.append(True, block[1:] != block[:-1]))
        lengths = np.diff(np.append(starts, size))
        before = np.repeat(zeros[starts] - (1 - one[starts]), lengths)
        through = np.repeat(zeros[np.append(starts[1:], size) - 1], lengths)
        count[place] += np.where(one == 1, through - zeros, 0)
        of_block = np.where(
            one == 0,
            zeros - before - 1,
            np.arange(size) - np.repeat(starts, lengths) - (zeros - before) + (through - before),
        )
        to = np.repeat(starts, lengths) + of_block
        place_next, block_next = np.empty_like(place), np.empty_like(block)
        place_next[to], block_next[to] = place, 2 * block + one
        place, block = place_next, block_next
    out[order] = count
    return out
