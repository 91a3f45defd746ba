"""Where the steps and lanes of every process stand now, in numbers: what the pages show between two looks."""

from __future__ import annotations

from typing import Any

import numpy as np

from makegood.watch import curves
from makegood.watch.lanes import pace
from makegood.watch.log_events import signed
from makegood.watch.model import Model
from makegood.watch.plan import NEED, Plan
from makegood.watch.state import TOLD_STUCK, State

#: The lanes of a step that are named, those with most that is late first.
LANES = 12


def seen(plan: Plan, model: Model, state: State) -> dict[str, Any]:
    """By step: open, late, oldest (µs), its pace, what is usual, its lanes; and the kernel's clock."""
    rows = state.rows.index.rows()
    step = state.rows["step"][rows]
    late = (state.rows["flags"][rows] & TOLD_STUCK) > 0
    out: dict[str, Any] = {}
    for number, code in enumerate(plan.codes):
        if plan.flavour[number] == NEED:
            continue
        mine = step == number
        own = rows[mine]
        out[code] = {
            "open": len(own),
            "late": int(late[mine].sum()),
            "oldest": int(state.rows["first"][own].min()) if len(own) else 0,
            "pace": _pace_of(plan, state, number),
            "usual": _usual(plan, model, number),
            "lanes": _lanes(state, own, late[mine]),
        }
    return {"now": state.now, "open": len(rows), "steps": out}


def _pace_of(plan: Plan, state: State, step: int) -> float:
    whole = state.lanes.index.find(np.array([plan.keys[step]], np.uint64))
    return round(float(pace(state, whole.astype(np.int32))[0]), 3) if whole[0] >= 0 else 1.0


def _usual(plan: Plan, model: Model, step: int) -> dict[str, float]:
    """Seconds in which half, and 99 of 100, are done; completions behind it. {} before anything was learned."""
    cohort = int(model.find(np.array([plan.keys[step]], np.uint64))[0]) if len(model.cohort) else -1
    if cohort < 0:
        return {}
    curve = model.curve[cohort].astype(np.float64)
    half, most = (
        curves.upper(curves.median_bucket(curve)),
        curves.upper(curves.quantile(curve, np.asarray(0.01))),
    )
    return {"half": float(half) / 1e6, "most": float(most) / 1e6, "count": int(model.count[cohort])}


def _lanes(state: State, rows: np.ndarray, late: np.ndarray) -> list[dict[str, Any]]:
    lane = state.rows["lane"][rows]
    inside = lane >= 0
    numbers, place = np.unique(lane[inside], return_inverse=True)
    if not len(numbers):
        return []
    waiting = np.bincount(place, minlength=len(numbers))
    over = np.bincount(place, weights=late[inside], minlength=len(numbers)).astype(np.int64)
    speed = pace(state, numbers)
    first = np.lexsort((-waiting, -over))[:LANES]
    return [
        {
            "key": str(signed(int(state.lanes.index.keys[numbers[i]]))),
            "open": int(waiting[i]),
            "late": int(over[i]),
            "pace": round(float(speed[i]), 3),
        }
        for i in first.tolist()
    ]
