"""What the shards found, written once: a file for each batch of Spark, whole or not at all, and the same when it comes again.

Spark writes down which batch comes next before it does it, and that it was done after it; killed in between it does the batch
again from the same state and the same rows. So a batch's file is written over by the same findings, and nothing is lost or
doubled. Recurrence is counted here, where the findings of all shards meet: what is known of its subjects after a batch is a
file beside, and batch N goes on from the newest one before N.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from makegood.watch.findings import FINDING, RECOVERED, Findings, join, none
from makegood.watch.plan import Plan
from makegood.watch.repeats import recurring
from makegood.watch.snapshot import restore, snapshot
from makegood.watch.state import State, new_state
from makegood.watch.words import explain

#: (finding, code of its sentence, data of it)
Told = tuple[Any, str, dict[str, Any]]
#: States of recurrence that are kept: Spark goes back one batch, people perhaps a few.
KEPT = 10


@dataclass
class Sink:
    """``also``: what else is done with each batch's findings (the house's tables); it must bear being told twice."""

    plan: Plan
    folder: Path
    also: Callable[[list[Told], Findings], None] | None = None
    _at: int = -1
    _state: State | None = field(default=None, repr=False)

    def write(self, batch: int, rows: pa.Table) -> int:
        """The findings of one batch; how many. ``rows``: processor.TOLD."""
        if not rows.num_rows:
            return 0
        told = sorted(
            _read(rows), key=lambda one: (int(one[0]["kind"]), int(one[0]["id"]), int(one[0]["state"]))
        )
        now = max(rows["now"].to_pylist())
        found = np.array([one for one, _code, _data in told], FINDING)
        again = self._recurring(batch, found, now)
        told += [(one, *explain(self.plan, one)) for one in again]
        found = join([found, again])
        self._put(
            self.folder / f"findings-{batch:09d}.parquet",
            lambda path: pq.write_table(_table(told, now), path),
        )
        if self.also is not None:
            self.also([one for one in told if one[0]["state"] != RECOVERED], found)
        return len(found)

    def _recurring(self, batch: int, found: Findings, now: int) -> Findings:
        if not self.plan.recurrences:
            return none()
        state = self._state if self._state is not None and self._at < batch else self._before(batch)
        state.now = max(state.now, now)
        state.told.turn(state.now)
        again = recurring(self.plan, state, found, now)
        self._state, self._at = state, batch
        data = snapshot(state, self.plan)
        self._put(self.folder / f"again-{batch:09d}.state", lambda path: path.write_bytes(data))
        for old in sorted(self.folder.glob("again-*.state"))[:-KEPT]:
            old.unlink()
        return again

    def _before(self, batch: int) -> State:
        """What was known of the subjects before this batch."""
        kept = [p for p in sorted(self.folder.glob("again-*.state")) if int(p.stem.split("-")[1]) < batch]
        return restore(kept[-1].read_bytes(), self.plan) if kept else new_state(self.plan)

    def _put(self, path: Path, write: Callable[[Path], object]) -> None:
        half = path.with_name(f".half-{path.name}")
        write(half)
        half.rename(path)


def _read(rows: pa.Table) -> Iterator[Told]:
    for record, code, data in zip(*(rows[c].to_pylist() for c in ("record", "code", "data")), strict=True):
        yield np.frombuffer(record, FINDING)[0], code, json.loads(data)


def _table(told: Iterable[Told], now: int) -> pa.Table:
    rows = list(told)
    return pa.table(
        {
            "id": pa.array([int(one["id"].view("i8")) for one, _c, _d in rows], pa.int64()),
            "now": pa.array([now] * len(rows), pa.int64()),
            "record": pa.array([one.tobytes() for one, _c, _d in rows], pa.binary()),
            "code": pa.array([code for _o, code, _d in rows], pa.string()),
            "data": pa.array([json.dumps(data) for _o, _c, data in rows], pa.string()),
        }
    )


def told(folder: Path) -> list[Told]:
    """Every finding in the order in which it was found, each state of it once."""
    out: dict[tuple[int, int, int], Told] = {}
    for path in sorted(folder.glob("findings-*.parquet")):
        for one in of_file(path):
            out.setdefault((int(one[0]["kind"]), int(one[0]["id"]), int(one[0]["state"])), one)
    return list(out.values())


def of_file(path: Path) -> Iterator[Told]:
    """The findings of one batch."""
    return _read(pq.read_table(path))


def read(folder: Path) -> Findings:
    """The findings of ``told`` alone."""
    every = told(folder)
    return np.array([one for one, _code, _data in every], FINDING) if every else none()
