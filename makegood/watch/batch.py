"""A batch of events as arrays, and what is dropped from it before it can do harm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64, chain, name_keys
from makegood.watch.plan import DAY, I64, Bools, Plan

#: A clock may be this far ahead of ours before it is set back to our 'now' (and counted).
AHEAD = 5 * 60 * 1_000_000
#: Times before 1990 or after 2100 are no times of a transaction but a wrong unit or a zero.
EARLIEST, LATEST = 20 * 365 * DAY, 130 * 366 * DAY


class BadBatch(ValueError):
    """The arrays do not fit one another: a mistake of the caller, never of the one who sent the events."""


@dataclass(frozen=True)
class Batch:
    """Events, an array a column, all of one length. ``event`` numbers those of the plan, -1: not watched.

    ``tx`` and ``id`` are 64-bit names (``keys.name_key``), ``at`` microseconds since 1970 UTC, ``amount`` money (0: none),
    ``attributes`` and ``moments`` in the order of the plan (0: absent; a moment in microseconds).
    """

    event: npt.NDArray[np.int16]
    tx: U64
    at: I64
    id: U64
    amount: npt.NDArray[np.float64]
    attributes: tuple[U64, ...]
    moments: tuple[I64, ...]

    def __len__(self) -> int:
        return len(self.event)

    def take(self, which: Any) -> Batch:
        """Some of the rows: an index array, a mask or a slice."""
        return Batch(
            self.event[which], self.tx[which], self.at[which], self.id[which], self.amount[which],
            tuple(a[which] for a in self.attributes), tuple(m[which] for m in self.moments),
        )  # fmt: skip

    def key(self, start: int, columns: tuple[int, ...]) -> U64:
        return chain(start, (self.attributes[c] for c in columns), len(self))


def micros(at: datetime) -> int:
    """A time as the watch counts it: µs since 1970."""
    return round(at.timestamp() * 1_000_000)


def empty(plan: Plan) -> Batch:
    return make(plan, [], [], [])


def concatenated(plan: Plan, parts: list[Batch]) -> Batch:
    """Batches one behind the other."""
    kept = [part for part in parts if len(part)]
    if len(kept) < 2:
        return kept[0] if kept else empty(plan)
    return Batch(
        np.concatenate([p.event for p in kept]),
        np.concatenate([p.tx for p in kept]),
        np.concatenate([p.at for p in kept]),
        np.concatenate([p.id for p in kept]),
        np.concatenate([p.amount for p in kept]),
        tuple(np.concatenate(columns) for columns in zip(*(p.attributes for p in kept), strict=True)),
        tuple(np.concatenate(columns) for columns in zip(*(p.moments for p in kept), strict=True)),
    )


def make(
    plan: Plan,
    events: Any,
    tx: Any,
    at: Any,
    *,
    ids: Any = None,
    amount: Any = None,
    attributes: dict[str, Any] | None = None,
    moments: dict[str, Any] | None = None,
) -> Batch:
    """A batch from plain lists or arrays: codes of events, names of transactions (strings or numbers), times in µs.

    Without ``ids`` an event is named by its transaction, its kind and its time: sent twice, it is the same event.
    """
    number = {code: i for i, code in enumerate(plan.events)}
    kinds = np.array([number.get(code, -1) for code in events], dtype=np.int16)
    when, who = np.asarray(at, dtype=np.int64), as_keys(tx)
    size = len(kinds)
    own = attributes or {}
    return checked(plan, Batch(
        kinds, who, when,
        as_keys(ids) if ids is not None else natural_ids(kinds, who, when),
        np.zeros(size) if amount is None else np.asarray(amount, dtype=np.float64),
        tuple(as_keys(own[a]) if a in own else np.zeros(size, np.uint64) for a in plan.attributes),
        tuple(
            np.asarray(moments[m], dtype=np.int64) if moments and m in moments else np.zeros(size, np.int64)
            for m in plan.moments
        ),
    ))  # fmt: skip


def as_keys(values: Any) -> U64:
    if isinstance(values, np.ndarray) and values.dtype.kind in "ui":
        return values.astype(np.uint64)
    return name_keys(values)


def natural_ids(kinds: npt.NDArray[np.int16], tx: U64, at: I64) -> U64:
    return chain(0, (tx, kinds.astype(np.int64).astype(np.uint64), at.astype(np.uint64)), len(tx))


def checked(plan: Plan, batch: Batch) -> Batch:
    """The batch itself; raises BadBatch when its arrays are not those of this plan."""
    columns = (batch.tx, batch.at, batch.id, batch.amount, *batch.attributes, *batch.moments)
    if any(len(column) != len(batch.event) for column in columns):
        raise BadBatch(f"columns of {sorted({len(c) for c in columns} | {len(batch.event)})} rows")
    if len(batch.attributes) != len(plan.attributes) or len(batch.moments) != len(plan.moments):
        raise BadBatch("attributes and moments must be those of the plan, in its order")
    return batch


def sifted(plan: Plan, batch: Batch, now: int) -> tuple[Batch, dict[str, int]]:
    """The events that may count, and how many were set aside or set right.

    ``unwatched``: no process knows them. ``poison``: no transaction, or a time that no transaction has. ``ahead``: from a
    clock ahead of ours, taken as if it came now (else its step would have a negative age and never be found).
    """
    checked(plan, batch)
    known: Bools = (batch.event >= 0) & (batch.event < len(plan.events))
    sound: Bools = (batch.tx != 0) & (batch.at > EARLIEST) & (batch.at < LATEST)
    count = {
        "events": len(batch),
        "unwatched": int(np.count_nonzero(~known)),
        "poison": int(np.count_nonzero(known & ~sound)),
    }
    kept = known & sound
    if not kept.all():
        batch = batch.take(kept)
    ahead = batch.at > now + AHEAD
    count["ahead"] = int(np.count_nonzero(ahead))
    amount = np.where(np.isfinite(batch.amount), np.clip(batch.amount, 0, 1e15), 0.0)
    at = np.where(ahead, now, batch.at) if count["ahead"] else batch.at
    return replace(batch, at=at, amount=amount), count
