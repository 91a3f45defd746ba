"""What is told of a finding beside its sentence: its place among its like, and who waits in a fault. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from makegood.watch import curves
from makegood.watch.findings import RECOVERED
from makegood.watch.model import Model
from makegood.watch.opening import step_keys
from makegood.watch.plan import SYSTEMIC, Plan
from makegood.watch.state import State, transactions

#: So many of the transactions that wait in a fault are named with it, the longest wait first.
AFFECTED = 200
#: The shares of its like that the small picture shows.
PICTURE = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def detail(plan: Plan, model: Model, state: State, one: Any) -> dict[str, Any]:
    """``rare``, ``paced``; of a fault ``affected``, of a step ``like``: what goes into the data of a finding."""
    data: dict[str, Any] = {"rare": float(one["rare"]), "paced": float(one["paced"])}
    if one["state"] == RECOVERED:
        return data
    if one["kind"] == SYSTEMIC:
        data["affected"] = affected(plan, state, one)
    elif picture := _picture(plan, model, state, one):
        data["like"] = picture
    return data


def affected(plan: Plan, state: State, one: Any) -> list[str]:
    """The transactions that wait in the lane of a fault, as texts (JavaScript and JSON know no 64 bits)."""
    step = int(one["rule"])
    rows = np.flatnonzero(state.rows["step"] == step)
    if one["lane"] != plan.keys[step]:
        lane = state.lanes.index.find(np.array([one["lane"]], np.uint64))[0]
        rows = rows[state.rows["lane"][rows] == lane]
    rows = rows[np.argsort(state.rows["first"][rows], kind="stable")][:AFFECTED]
    keys = transactions(plan, state.rows.index.keys[rows], state.rows["step"][rows])
    return [str(int(key)) for key in keys.view(np.int64)]


def _picture(plan: Plan, model: Model, state: State, one: Any) -> dict[str, Any]:
    """How long its like takes: share done -> seconds, as far as it was seen; {} where nothing was learned."""
    step = int(one["rule"])
    if step >= len(plan.codes) or not one["tx"]:
        return {}
    key = step_keys(plan, np.array([one["tx"]], np.uint64), np.array([step]))
    row = int(state.rows.index.find(key)[0])
    place = int(state.rows["cohort"][row]) if row >= 0 else -1
    cohort = int(state.known[place]) if 0 <= place < len(state.known) else -1
    if cohort < 0:
        return {}
    curve = model.curve[cohort]
    done = [
        [share, float(curves.upper(int(np.argmax(curve <= 1 - share)))) / 1e6]
        for share in PICTURE
        if curve[-1] <= 1 - share
    ]
    return {"done": done, "count": int(model.count[cohort])} if done else {}
