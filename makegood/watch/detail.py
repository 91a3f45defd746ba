"""What is told of a finding beside its sentence: its place among its like, and who waits in a fault. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from makegood.watch import curves
from makegood.watch.findings import FINDING, RECOVERED, Findings
from makegood.watch.model import Model
from makegood.watch.opening import step_keys
from makegood.watch.plan import I64, SYSTEMIC, Plan
from makegood.watch.state import State, transactions

#: So many of the transactions that wait in a fault are named with it, the longest wait first.
AFFECTED = 200
#: The shares of its like that the small picture shows.
PICTURE = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def detail(plan: Plan, model: Model, state: State, one: Any) -> dict[str, Any]:
    """``rare``, ``paced``; of a fault ``affected``, of a step ``like``: what goes into the data of a finding."""
    return details(plan, model, state, np.array([one], FINDING))[0]


def details(plan: Plan, model: Model, state: State, found: Findings) -> list[dict[str, Any]]:
    """:func:`detail` of each, their rows looked up together and each picture made once."""
    steps = len(plan.codes)
    simple = (
        (found["rule"] < steps)
        & (found["tx"] != 0)
        & (found["state"] != RECOVERED)
        & (found["kind"] != SYSTEMIC)
    )
    at = np.flatnonzero(simple)
    rows = state.rows.index.find(step_keys(plan, found["tx"][at], found["rule"][at].astype(np.int64)))
    cohorts = dict(zip(at.tolist(), _cohorts(state, rows).tolist(), strict=True))
    pictures = {cohort: _drawn(model, cohort) for cohort in set(cohorts.values())}
    out = []
    for n, (rare, paced) in enumerate(zip(found["rare"].tolist(), found["paced"].tolist(), strict=True)):
        data: dict[str, Any] = {"rare": rare, "paced": paced}
        if n in cohorts:
            if picture := pictures[cohorts[n]]:
                data["like"] = picture
        elif found["kind"][n] == SYSTEMIC and found["state"][n] != RECOVERED:
            data["affected"] = affected(plan, state, found[n])
        out.append(data)
    return out


def _cohorts(state: State, rows: I64) -> I64:
    """The number of the cohort in the model, -1 for none, of each row (-1: no row)."""
    place = np.where(rows >= 0, state.rows["cohort"][np.maximum(rows, 0)], -1)
    if not len(state.known):
        return np.full(len(rows), -1, np.int64)
    inside = (place >= 0) & (place < len(state.known))
    return np.where(inside, state.known[np.where(inside, place, 0)], -1)


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


def _drawn(model: Model, cohort: int) -> dict[str, Any]:
    """How long its like takes: share done -> seconds, as far as it was seen; {} where nothing was learned."""
    if cohort < 0:
        return {}
    curve = model.curve[cohort]
    done = [
        [share, float(curves.upper(int(np.argmax(curve <= 1 - share)))) / 1e6]
        for share in PICTURE
        if curve[-1] <= 1 - share
    ]
    return {"done": done, "count": int(model.count[cohort])} if done else {}
