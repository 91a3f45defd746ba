"""A state as bytes and back (an Arrow file, packed and compressed), and a state moved to changed processes. No I/O."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from makegood.watch.columns import Columns
from makegood.watch.memory import Generation, Memory
from makegood.watch.plan import Plan
from makegood.watch.state import COHORTS, LANES, LATER, ROWS, SUBJECTS, TIER, UNUSED, State, new_state

FORM = 1
_TABLES: dict[str, dict[str, tuple[Any, Any]]] = {
    "rows": ROWS,
    "lanes": LANES,
    "cohorts": COHORTS,
    "subjects": SUBJECTS,
}
#: Columns that were not always there: a state that was kept without them begins with blank ones.
_LATER = ("rest_o", "rest_e")
_MEMORIES = ("closed", "seen", "copies", "told")


class BadSnapshot(ValueError):
    """The bytes are no state that this version can read."""


def snapshot(state: State, plan: Plan) -> bytes:
    """The whole state; the model is not in it. Rows are packed: gaps and the index are built again when it is read."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name in _TABLES:
        for column, values in getattr(state, name).packed().items():
            arrays[f"{name}.{column}"] = values
    # A row names its lane and cohort by number; packed, the numbers are places in the packed lists.
    for column, table in (("lane", state.lanes), ("cohort", state.cohorts)):
        arrays[f"rows.{column}"] = _places(table, arrays[f"rows.{column}"])
    arrays["lanes.parent"] = _places(state.lanes, arrays["lanes.parent"])
    for name in _MEMORIES:
        memory: Memory = getattr(state, name)
        for age, generation in (("young", memory.young), ("old", memory.old)):
            rows = generation.index.rows()
            arrays[f"{name}.{age}.key"] = generation.index.keys[rows]
            arrays[f"{name}.{age}.at"], arrays[f"{name}.{age}.value"] = (
                generation.at[rows],
                generation.values(rows),
            )
    meta = {
        "form": str(FORM), "version": state.version, "now": str(state.now), "ticked": str(state.ticked),
        "codes": "\n".join(plan.codes), "tiers": " ".join(map(repr, plan.tiers.tolist())), **{f"{n}.since": str(int(getattr(state, n).since)) for n in _MEMORIES},
    }  # fmt: skip
    table = pa.table(
        {
            "name": list(arrays),
            "type": [str(a.dtype) for a in arrays.values()],
            "data": pa.array([np.ascontiguousarray(a).tobytes() for a in arrays.values()], pa.large_binary()),
        }
    ).replace_schema_metadata(meta)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _places(table: Columns, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    place = np.full(len(table.index.keys), -1, np.int32)
    rows = table.index.rows()
    place[rows] = np.arange(len(rows))
    return np.where(numbers >= 0, place[np.maximum(numbers, 0)], -1).astype(np.int32)


def restore(data: bytes, plan: Plan) -> State:
    """The state in the bytes, moved to ``plan`` where its processes have changed since. Raises BadSnapshot."""
    try:
        table = pa.ipc.open_file(pa.BufferReader(data)).read_all()
        meta = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        if meta["form"] != str(FORM):
            raise BadSnapshot(f"form {meta['form']}, not {FORM}")
        kinds, blobs = table["type"].to_pylist(), table["data"].to_pylist()
        arrays = {
            name: np.frombuffer(blob, dtype=kind).copy()
            for name, kind, blob in zip(table["name"].to_pylist(), kinds, blobs, strict=True)
        }
        state = new_state(plan)
        for name, columns in _TABLES.items():
            kept = {
                c: arrays[f"{name}.{c}"]
                for c in ("key", *columns)
                if f"{name}.{c}" in arrays or c not in _LATER
            }
            setattr(state, name, Columns.unpacked(columns, kept))
        for name in _MEMORIES:
            memory: Memory = getattr(state, name)
            memory.since = np.int64(meta[f"{name}.since"])
            memory.young, memory.old = (_generation(arrays, f"{name}.{age}") for age in ("young", "old"))
        state.version, state.now, state.ticked = meta["version"], int(meta["now"]), int(meta["ticked"])
        codes = tuple(meta["codes"].split("\n"))
        _to_tiers(state, np.array([float(f) for f in meta.get("tiers", "1.0").split()]), plan)
    except (pa.ArrowException, KeyError, ValueError, TypeError, UnicodeDecodeError) as error:
        raise BadSnapshot(f"no state can be read from {len(data)} bytes: {error}") from error
    return state if (state.version, codes) == (plan.version, plan.codes) else moved_to(state, codes, plan)


def _to_tiers(state: State, had: npt.NDArray[np.float64], plan: Plan) -> None:
    """Rows keep the factor that they were opened with, or the nearest that there is now; a change counts for what opens next."""
    if np.array_equal(had, plan.tiers):
        return
    nearest = np.abs(np.log(had)[:, None] - np.log(plan.tiers)[None, :]).argmin(1).astype(np.uint8)
    flags, low = state.rows["flags"], (np.uint8(1) << TIER) - np.uint8(1)
    state.rows["flags"][:] = (flags & low) | (nearest[np.minimum(flags >> TIER, len(had) - 1)] << TIER)


def _generation(arrays: dict[str, npt.NDArray[Any]], name: str) -> Generation:
    made = Generation()
    made.write(arrays[f"{name}.key"], arrays[f"{name}.at"], arrays[f"{name}.value"])
    return made


def moved_to(state: State, codes: tuple[str, ...], plan: Plan) -> State:
    """The same state under changed processes (``codes``: the steps it was kept with). It is changed in place.

    An open step whose code still exists goes on, with its times as the new process has them; one that is gone is dropped.
    Keys are made of codes, not numbers, so nothing has to be looked up again.
    """
    number = {code: i for i, code in enumerate(plan.codes)}
    now_called = np.array(
        [number.get(code, -1) for code in codes] + [-1], np.int16
    )  # the last: rows that have no step
    rows = state.rows.index.rows()
    step = now_called[state.rows["step"][rows]]
    state.rows.drop(rows[step < 0], *UNUSED)
    state.rows["step"][rows[step >= 0]] = step[step >= 0]
    for table in (state.lanes, state.cohorts):
        every = table.index.rows()
        table["step"][every] = now_called[table["step"][every]]
    kept = state.rows.index.rows()
    promised = (state.rows["flags"][kept] & 4) > 0
    allowed = plan.allowed[state.rows["step"][kept]]
    fallback = np.where(allowed > 0, state.rows["first"][kept] + allowed, 0)
    state.rows["promise"][kept] = np.where(promised, state.rows["promise"][kept], fallback)
    state.rows["due"][kept] = LATER
    state.version, state.bound, state.limits = plan.version, None, None
    return state
