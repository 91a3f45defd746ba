"""The log as Parquet files: a row an event, numbers only, in the order in which the log has them.

Columns: ``event`` (code), ``tx`` and ``id`` (64-bit names, keys.name_key, as signed numbers), ``at_us`` and ``came_us`` (µs since 1970
UTC; when it happened, and when it was told, which bounds a clock that is ahead), ``now_us`` (the clock of the log
at the end of the piece that the row is taken in with, runner.pieces; 0: a file is one piece), ``amount``, and for each attribute and moment
of the processes ``a_NAME`` (64-bit name, 0: none) and ``m_NAME`` (µs, 0: none). A column that is missing is all 0, one that no
process knows is not read: files outlive a change of the processes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from makegood.watch.batch import EARLIEST, LATEST, Batch
from makegood.watch.plan import I64, Plan

#: A file's name holds its place in the log; Spark takes files in the order of their times, so these rise with it.
_NAME = re.compile(r"^part-(\d{12})\.parquet$")


def fields(plan: Plan) -> list[tuple[str, str]]:
    """(column, type as both SQL and Arrow call it) of the files of this plan."""
    own = [
        ("event", "string"),
        ("tx", "bigint"),
        ("at_us", "bigint"),
        ("came_us", "bigint"),
        ("now_us", "bigint"),
        ("id", "bigint"),
        ("amount", "double"),
    ]
    return [
        *own,
        *((f"a_{a}", "bigint") for a in plan.attributes),
        *((f"m_{m}", "bigint") for m in plan.moments),
    ]


def table(plan: Plan, batch: Batch, came: I64 | None = None) -> pa.Table:
    """A batch as rows of the log; without ``came`` each was told when it happened."""
    codes = np.array([*plan.events, ""], dtype=object)
    columns: dict[str, Any] = {
        "event": pa.array(codes[batch.event], pa.string()),
        "tx": batch.tx.view(np.int64), "at_us": batch.at, "came_us": batch.at if came is None else came,
        "now_us": np.zeros(len(batch), np.int64), "id": batch.id.view(np.int64), "amount": batch.amount,
    }  # fmt: skip
    columns |= {f"a_{n}": v.view(np.int64) for n, v in zip(plan.attributes, batch.attributes, strict=True)}
    columns |= {f"m_{n}": v for n, v in zip(plan.moments, batch.moments, strict=True)}
    return pa.table({name: columns[name] for name, _kind in fields(plan)})


def piece(plan: Plan, batch: Batch, came: I64, now: int) -> pa.Table:
    """Rows that are taken in together, with the clock at their end; where no process knows the latest of them, a row that only says it."""
    rows = table(plan, batch, came)
    if clock_of(rows) < now:
        rows = pa.concat_tables([rows, moment(plan, now)])
    place = rows.schema.get_field_index("now_us")
    return rows.set_column(place, "now_us", pa.array(np.full(len(rows), now, np.int64)))


def write(folder: Path, rows: pa.Table) -> Path:
    """The next file of the log, whole or not at all: Spark never sees half of one."""
    folder.mkdir(parents=True, exist_ok=True)
    number = (
        max((int(found[1]) for name in os.listdir(folder) if (found := _NAME.match(name))), default=0) + 1
    )
    path, half = folder / f"part-{number:012d}.parquet", folder / f".half-{number:012d}"
    pq.write_table(rows, half, compression="zstd")
    # Spark's order is that of modification times, in whole milliseconds: two files written at once would be in none.
    os.utime(half, ns=(number * 1_000_000_000, number * 1_000_000_000))
    half.rename(path)
    return path


def write_all(folder: Path, plan: Plan, batch: Batch, together: int) -> int:
    """A whole log in files of ``together`` events; how many files."""
    starts = range(0, len(batch), together)
    for low in starts:
        write(folder, table(plan, batch.take(slice(low, low + together))))
    return len(starts)


def paths(folder: Path) -> list[Path]:
    """The files of a log in its order."""
    return sorted(path for path in folder.iterdir() if _NAME.match(path.name))


def to_batch(plan: Plan, rows: pa.Table | pa.RecordBatch) -> Batch:
    """Rows of the log as a batch of this plan."""
    have, size = set(rows.schema.names), rows.num_rows

    def numbers(name: str, kind: Any) -> Any:
        if name not in have:
            return np.zeros(size, kind)
        values = _filled(rows[name], 0)
        return (
            np.ascontiguousarray(values).view(kind) if kind is np.uint64 else values.astype(kind, copy=False)
        )

    event = pc.index_in(rows["event"], value_set=pa.array(plan.events, pa.string()))
    return Batch(
        _filled(event, -1).astype(np.int16),
        numbers("tx", np.uint64), numbers("at_us", np.int64), numbers("id", np.uint64), numbers("amount", np.float64),
        tuple(numbers(f"a_{a}", np.uint64) for a in plan.attributes),
        tuple(numbers(f"m_{m}", np.int64) for m in plan.moments),
    )  # fmt: skip


def _filled(column: Any, blank: int) -> npt.NDArray[Any]:
    """A column's values, ``blank`` for none. Most hold no such; filling them all the same took as long as reading them."""
    column = pc.fill_null(column, blank) if column.null_count else column
    return np.asarray(
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    )


def clock_of(rows: pa.Table | pa.RecordBatch) -> int:
    """The latest time that the rows tell (µs), never later than they were told; 0 for none."""
    at = _filled(rows["at_us"], 0)
    if "came_us" in rows.schema.names:
        came = _filled(rows["came_us"], 0)
        at = np.where(came > 0, np.minimum(at, came), at)
    at = at[(at > EARLIEST) & (at < LATEST)]
    return int(at.max(initial=0))


def moment(plan: Plan, now: int) -> pa.Table:
    """A row that holds only a time: the log was quiet until then."""
    columns = {name: pa.array([None], pa.string() if kind == "string" else pa.float64() if kind == "double" else pa.int64())
               for name, kind in fields(plan)}  # fmt: skip
    return pa.table({**columns, "at_us": pa.array([now], pa.int64())})


def cut(rows: pa.Table) -> list[tuple[pa.Table, int]]:
    """The pieces of some rows, each with its clock."""
    if "now_us" not in rows.schema.names:
        return [(rows, clock_of(rows))]
    now = _filled(rows["now_us"], 0)
    edges = [0, *(np.flatnonzero(now[1:] != now[:-1]) + 1).tolist(), len(now)]
    parts = [rows.slice(low, high - low) for low, high in pairwise(edges) if high > low]
    return [(part, int(part["now_us"][0].as_py() or 0) or clock_of(part)) for part in parts]


def read(folder: Path, plan: Plan) -> Iterable[tuple[Batch, int]]:
    """Each file as a batch with its clock: what a runner without Spark takes."""
    for path in paths(folder):
        rows = pq.read_table(path)
        yield to_batch(plan, rows), clock_of(rows)
