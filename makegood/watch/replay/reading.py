"""Files of events as one batch in the order of time, with what the judge needs beside it."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from makegood.watch.batch import Batch, concatenated, make
from makegood.watch.keys import name_keys
from makegood.watch.plan import I64, Bools, Plan
from makegood.watch.replay.mapping import Join, Mapping

_WHERE = re.compile(r"^\s*(.+?)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*$", re.S)
_TESTS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MISSING = np.iinfo(np.int64).min


class BadFile(ValueError):
    """The file is not as its mapping says; the message is a sentence for whoever wrote it."""


@dataclass(frozen=True)
class Log:
    """All events, rising in time; ``table`` is the file itself (joined), ``names`` gives back the text of a transaction."""

    batch: Batch
    table: pa.Table
    tx: npt.NDArray[np.uint64]  # by line of the table
    names: dict[int, str] = field(repr=False)


def read_log(plan: Plan, mapping: Mapping, path: Path) -> Log:
    """The file as events. Lines without a transaction or a time are left out by the kernel, which counts them."""
    table = _table(path)
    for join in mapping.joins:
        table = _joined(table, path.parent, join)
    _must_have(table, mapping)
    names = texts(table, mapping.tx)
    keys = name_keys(names)
    batch = _wide(plan, mapping, table, keys) if mapping.wide else _long(plan, mapping, table, keys)
    batch = batch.take(np.lexsort((batch.id, batch.at)))
    return Log(batch, table, keys, dict(zip(keys.tolist(), names, strict=True)))


def _table(path: Path) -> pa.Table:
    if not path.is_file():
        raise BadFile(f"{path}: there is no such file")
    try:
        with path.open("rb") as file:
            return pq.read_table(path) if file.read(4) == b"PAR1" else pv.read_csv(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: neither Parquet nor CSV in UTF-8 with a header: {error}") from None


def _joined(table: pa.Table, folder: Path, join: Join) -> pa.Table:
    other = _table(folder / join.file)
    for name in (join.key, *join.columns):
        if name not in other.column_names:
            raise BadFile(f"{join.file}: there is no column '{name}'")
    for name in set(join.columns) & set(table.column_names):
        raise BadFile(f"{join.file}: the column '{name}' is in both files")
    grouped = other.group_by(join.key, use_threads=False).aggregate([(c, join.pick) for c in join.columns])
    grouped = grouped.rename_columns(
        [
            n[: -len(join.pick) - 1] if n != join.key and n.endswith(f"_{join.pick}") else n
            for n in grouped.column_names
        ]
    )
    if join.on not in table.column_names:
        raise BadFile(f"there is no column '{join.on}' to join {join.file} on")
    return table.join(grouped, keys=join.on, right_keys=join.key)


def _must_have(table: pa.Table, mapping: Mapping) -> None:
    wanted = [mapping.tx, mapping.id, mapping.amount, *mapping.attributes.values(), *mapping.moments.values()]
    wanted += list(mapping.events.values()) if mapping.wide else [mapping.at, mapping.event]
    for name in wanted:
        if name and name not in table.column_names:
            raise BadFile(f"there is no column '{name}' (there are: {', '.join(table.column_names)})")


def _wide(plan: Plan, mapping: Mapping, table: pa.Table, keys: npt.NDArray[np.uint64]) -> Batch:
    parts = []
    for event, column in mapping.events.items():
        at = micros(table[column], mapping)
        rows = np.flatnonzero(at != MISSING)
        parts.append(_batch(plan, mapping, table, keys, rows, np.full(len(rows), event), at[rows]))
    return concatenated(plan, parts)


def _long(plan: Plan, mapping: Mapping, table: pa.Table, keys: npt.NDArray[np.uint64]) -> Batch:
    at = micros(table[mapping.at], mapping)
    at = np.where(at == MISSING, 0, at)  # no time: the kernel counts it as poison
    events = [mapping.events.get(value, "") for value in texts(table, mapping.event)]
    return _batch(plan, mapping, table, keys, np.arange(table.num_rows), np.array(events, dtype=object), at)


def _batch(
    plan: Plan,
    mapping: Mapping,
    table: pa.Table,
    keys: npt.NDArray[np.uint64],
    rows: I64,
    events: Any,
    at: I64,
) -> Batch:
    moments = {}
    for name, column in mapping.moments.items():
        when = micros(table[column], mapping)[rows]
        moments[name] = np.where(when == MISSING, 0, when)
    made = make(
        plan, list(events), keys[rows], at,
        amount=numbers(table, mapping.amount)[rows] if mapping.amount else None,
        attributes={name: name_keys(texts(table, column))[rows] for name, column in mapping.attributes.items()},
        moments=moments,
    )  # fmt: skip
    if mapping.id and not mapping.wide:
        return Batch(
            made.event, made.tx, made.at, name_keys(texts(table, mapping.id))[rows], made.amount, made.attributes,
            made.moments,
        )  # fmt: skip
    return made


def texts(table: pa.Table, column: str) -> list[str]:
    """The column as texts, '' where there is nothing."""
    return ["" if value is None else str(value) for value in table[column].to_pylist()]


def numbers(table: pa.Table, column: str) -> npt.NDArray[np.float64]:
    """The column as numbers, nan where there is none."""
    try:
        return np.asarray(
            pc.cast(table[column], pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64
        )
    except pa.ArrowInvalid as error:
        raise BadFile(f"the column '{column}' holds something that is no number: {error}") from None


def micros(column: Any, mapping: Mapping) -> I64:
    """A column of times as µs since 1970 UTC, MISSING where there is none. Times without a zone are of the mapping's."""
    kind = column.type
    try:
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            column = (
                pc.strptime(column, mapping.form, "us")
                if mapping.form
                else pc.cast(column, pa.timestamp("us"))
            )
        elif pa.types.is_integer(kind):
            column = pc.cast(column, pa.timestamp("s"))
        elif pa.types.is_date(kind):
            column = pc.cast(column, pa.timestamp("us"))
        elif pa.types.is_null(kind):
            return np.full(len(column), MISSING)
        if column.type.tz is None and mapping.zone != "UTC":
            column = pc.assume_timezone(column, mapping.zone, ambiguous="earliest", nonexistent="latest")
        whole = pc.cast(column, pa.timestamp("us", tz=column.type.tz), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, AttributeError) as error:
        raise BadFile(f"a column of times cannot be read: {error}") from None
    return np.asarray(pc.fill_null(pc.cast(whole, pa.int64()), MISSING).to_numpy(), dtype=np.int64)


def holds(table: pa.Table, condition: str) -> Bools:
    """Which lines meet 'column <= value'; an empty cell meets only '!='. Raises BadFile."""
    found = _WHERE.match(condition)
    if not found or found[1] not in table.column_names:
        raise BadFile(f"'{condition}' is no condition on a column; write: rating <= 2")
    column, test, value = found[1], _TESTS[found[2]], found[3]
    cells = table[column].to_pylist()
    try:
        number = float(value)
        return np.array([c is not None and test(float(c), number) for c in cells])
    except (TypeError, ValueError):
        return np.array(
            [test("" if c is None else str(c), value) and (c is not None or found[2] == "!=") for c in cells]
        )
