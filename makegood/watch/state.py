"""What the kernel knows between two batches. Arrays only; ``snapshot`` makes bytes of it, ``restore`` a state again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch.columns import Columns
from makegood.watch.keys import U64
from makegood.watch.memory import NEVER, Memory
from makegood.watch.model import Limits, Model
from makegood.watch.plan import I64, Plan

LATER = np.int64(1 << 61)  # a due time that never comes
LEVELS = 5  # of a cohort chain: the step itself and up to four lists of attributes
#: Bits of a row's ``flags``; the upper five are its tier (plan.tiers).
TOLD_STUCK, TOLD_OVERTAKEN, TOLD, TIER = 1, 2, np.uint8(3), np.uint8(3)
#: Why a due time is what it is; a finding carries it as ``reason``.
BY_HOURS, BY_SHARE, BY_PROMISE, BY_ODDS, BY_PEERS, BY_GRACE = range(6)

#: An open step: 58 bytes, and 28 to 33 in the index.
ROWS: dict[str, tuple[Any, Any]] = {
    "first": (np.int64, LATER),  # when it was opened
    "last": (np.int64, NEVER),  # when it was opened last (asked for again while open)
    "due": (np.int64, LATER),
    "promise": (np.int64, 0),
    "subject": (np.uint64, 0),
    "lane": (np.int32, -1),
    "cohort": (np.int32, -1),
    "amount": (np.float32, 0),
    "overtakes": (np.int32, 0),
    "step": (np.int16, -1),
    "reason": (np.int8, 0),
    "flags": (np.uint8, 0),
}
#: What tells a row that is in use from one that is not.
UNUSED = ("due", "step", "lane")
#: A lane: one queue, or what several add up to (all lanes of a step).
LANES: dict[str, tuple[Any, Any]] = {
    "step": (np.int16, -1),
    "parent": (np.int32, -1),
    "done": (np.int64, 0),
    "overtaken": (np.int64, 0),
    "logs": (np.float64, 0),  # sum of the logarithms of its durations
    "tick_o": (
        np.float64,
        0,
    ),  # since the last tick: completions, and how many were to be expected of those that ended
    "tick_e": (np.float64, 0),
    "recent_o": (np.float64, 0),
    "recent_e": (np.float64, 0),
    "cusum": (np.float64, 0),
    "missing_o": (np.float64, 0),  # since the cusum last was 0
    "missing_e": (np.float64, 0),
    "rest_o": (np.float64, 0),  # of the other lanes of its step, since its own cusum last was 0
    "rest_e": (np.float64, 0),
    "since": (np.int64, 0),  # when the cusum last was 0
    "last": (np.int64, 0),  # the latest completion
    "incident": (np.uint64, 0),
}
COHORTS: dict[str, tuple[Any, Any]] = {
    "step": (np.int16, -1),
    **{f"level{i}": (np.uint64, 0) for i in range(LEVELS)},
}
#: Findings of one kind about one subject: the times of the newest eight.
TIMES = 8
SUBJECTS: dict[str, tuple[Any, Any]] = {f"time{i}": (np.int64, NEVER) for i in range(TIMES)}


@dataclass
class State:
    """One shard. ``advance`` changes it in place and gives it back: a copy of a million rows a batch would be the cost.

    ``known`` and ``known_lane`` are the numbers of cohorts and lanes in the model that is in force (``model``).
    """

    version: str
    now: int
    ticked: int
    model: int
    rows: Columns
    lanes: Columns
    cohorts: Columns
    subjects: Columns
    closed: Memory  # steps that ended, by step key: an open that comes late opens nothing
    seen: Memory  # events that needs ask for
    copies: Memory  # first copies, by duplicate key
    told: Memory  # findings by id, so that none is told twice
    known: I64
    known_lane: I64
    limits: Limits | None = None
    bound: Model | None = None

    @property
    def open_steps(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> dict[str, int]:
        """Memory by part, in bytes."""
        parts: dict[str, Any] = {
            "rows": self.rows, "lanes": self.lanes, "cohorts": self.cohorts, "subjects": self.subjects,
            "closed": self.closed, "seen": self.seen, "copies": self.copies, "told": self.told,
        }  # fmt: skip
        return {name: part.nbytes for name, part in parts.items()}


def new_state(plan: Plan, capacity: int = 1024) -> State:
    late = int(plan.late.max(initial=1))
    return State(
        plan.version, 0, 0, -1,
        Columns(ROWS, capacity), Columns(LANES, 64), Columns(COHORTS, 64), Columns(SUBJECTS, 64),
        Memory(late), Memory(plan.memory), Memory(plan.memory), Memory(plan.memory),
        np.zeros(0, np.int64), np.zeros(0, np.int64),
    )  # fmt: skip


def grown(array: npt.NDArray[Any], size: int, blank: Any) -> npt.NDArray[Any]:
    """The array with room for ``size``, its new places blank."""
    if len(array) >= size:
        return array
    out = np.full(size, blank, dtype=array.dtype)
    out[: len(array)] = array
    return out


def transactions(plan: Plan, keys: U64, steps: npt.NDArray[Any]) -> U64:
    """The transactions of rows: the key of a row can be undone (keys.unmix)."""
    from makegood.watch.keys import unmix

    return unmix(keys) ^ plan.keys[steps]
