"""A batch as bytes: many events in one message. Sent one by one they cost a hundred times as much (watch.md 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from makegood.watch.batch import Batch
from makegood.watch.plan import Plan
from makegood.watch.spark.shards import Shard, used

_HEAD = np.dtype([("size", "<i8"), ("now", "<i8")])


def pack(shard: Shard, batch: Batch, now: int) -> bytes:
    """The columns that the shard reads, one after the other, after their number and the clock."""
    attributes, moments = used(shard)
    columns = [batch.event.astype("<i2"), batch.tx, batch.at, batch.id, batch.amount]
    columns += [batch.attributes[c] for c in attributes] + [batch.moments[m] for m in moments]
    head = np.array([(len(batch), now)], _HEAD)
    return b"".join([head.tobytes(), *(np.ascontiguousarray(c).tobytes() for c in columns)])


def unpack(shard: Shard, data: bytes) -> tuple[Batch, int]:
    """:func:`pack` undone: (batch, clock)."""
    head = np.frombuffer(data, _HEAD, 1)[0]
    size, place = int(head["size"]), _HEAD.itemsize
    attributes, moments = used(shard)

    def column(kind: str) -> np.ndarray:
        nonlocal place
        found = np.frombuffer(data, kind, size, place)
        place += found.nbytes
        return found

    event, tx, at, name, amount = (column(kind) for kind in ("<i2", "<u8", "<i8", "<u8", "<f8"))
    own, when = {c: column("<u8") for c in attributes}, {m: column("<i8") for m in moments}
    none = np.zeros(size, np.uint64)
    return Batch(
        event, tx, at, name, amount,
        tuple(own.get(c, none) for c in range(len(shard.plan.attributes))),
        tuple(when.get(m, none.view(np.int64)) for m in range(len(shard.plan.moments))),
    ), int(head["now"])  # fmt: skip


def together(plan: Plan, batches: Sequence[Batch]) -> Batch:
    """Several batches as one."""
    if len(batches) == 1:
        return batches[0]
    return Batch(
        np.concatenate([b.event for b in batches]), np.concatenate([b.tx for b in batches]),
        np.concatenate([b.at for b in batches]), np.concatenate([b.id for b in batches]),
        np.concatenate([b.amount for b in batches]),
        tuple(np.concatenate([b.attributes[i] for b in batches]) for i in range(len(plan.attributes))),
        tuple(np.concatenate([b.moments[i] for b in batches]) for i in range(len(plan.moments))),
    )  # fmt: skip
