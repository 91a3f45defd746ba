"""Lanes: their pace, and the fault that hits many at once (systemic). watch.md 1.2 'Pace' and (5).

Expected completions E = sum of H(age at the end) - H(age at the start), H = -ln S, over the items of a lane (one-sample
log-rank); observed O. pace = (O + 10) / (E + 10) over the recent past. CUSUM = max(0, CUSUM + E (1 - rho) + O ln rho),
rho = 0.5, alarm at h = 8: per lane, and for all lanes of a step together. S keeps the share that never finishes (a cure
fraction), or what stands still for ever would be expected for ever.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from makegood.watch import curves, loops
from makegood.watch.closing import Ended
from makegood.watch.findings import RAISED, RECOVERED, Findings, finding_ids, join, make, none, ranked
from makegood.watch.model import Model
from makegood.watch.plan import HOUR, I64, SYSTEMIC, Plan
from makegood.watch.state import State

RHO, ALARM = 0.5, 8.0
#: That the rest of a step fails too is believed at twenty to one (log-likelihood ratio of the rates RHO and 1).
EVIDENCE = float(np.log(20))
TICK = 60_000_000
#: A lane is judged once its like was finished this often (watch.md 1.2, cold start).
ENOUGH = 200
F64 = npt.NDArray[np.float64]


def hazard(model: Model, cohort: I64, age: I64) -> F64:
    """H(age) = -ln(pi + (1 - pi) S*(age)); 0 for an age of 0 or less."""
    never, open_still = model.never[cohort], curves.read(model.curve, cohort, age)
    open_still *= 1 - never
    open_still += never
    return np.where(age > 0, -np.log(open_still, out=open_still), 0.0)


def _judged(plan: Plan, model: Model, state: State, rows: I64) -> tuple[I64, I64]:
    """Which of the rows (by place) stand in a lane that is judged, and their cohorts in the model."""
    columns, fit = state.rows, model.count >= ENOUGH
    if not len(state.known) or not len(fit):
        return rows[:0], rows[:0]
    found: tuple[I64, I64] = loops.judged(
        rows, columns["step"], columns["cohort"], state.known, fit, plan.systemic
    )
    return found


def note_ended(plan: Plan, model: Model, state: State, ended: Ended, took: I64, suffered: I64) -> None:
    """Add what ended to its lanes: history of durations and overtakes, and observed and expected since the last tick."""
    lanes, lane = state.lanes, state.rows["lane"][ended.rows].astype(np.int64)
    size, logs = len(lanes.index.keys), np.log(np.maximum(took, 1))
    loops.note(
        lane,
        logs,
        suffered,
        ended.at,
        ended.cancelled,
        lanes["done"],
        lanes["overtaken"],
        lanes["logs"],
        lanes["last"],
    )
    if not len(model.cohort):
        return
    place, cohort = _judged(plan, model, state, ended.rows)
    if not len(place):
        return
    rows, own = ended.rows[place], lane[place]
    first, step = state.rows["first"][rows], state.rows["step"][rows]
    gone = hazard(model, cohort, plan.age(step, first, ended.at[place]))
    # Who began since the last tick was expected of nothing before it.
    before = np.flatnonzero(first < state.ticked)
    gone[before] -= hazard(model, cohort[before], plan.age(step[before], first[before], state.ticked))
    lanes["tick_e"][:] += np.bincount(own, np.maximum(gone, 0), size)
    lanes["tick_o"][:] += np.bincount(own[~ended.cancelled[place]], minlength=size)


def tick(plan: Plan, model: Model, state: State, now: int) -> Findings:
    """Once a minute at most: what was expected of every lane, what came, and whether that is an incident."""
    if now - state.ticked < TICK or not len(model.cohort):
        if not len(model.cohort):
            state.ticked = now
        return none()
    lanes, size = state.lanes, len(state.lanes.index.keys)
    rows = state.rows.index.rows()
    judged, cohort = _judged(plan, model, state, rows)
    rows = rows[judged]
    first, step = state.rows["first"][rows], state.rows["step"][rows]
    ages = plan.age(step, first, now), plan.age(step, first, state.ticked)
    grown = hazard(model, cohort, ages[0]) - hazard(model, cohort, ages[1])
    expected: F64 = np.asarray(
        lanes["tick_e"] + np.bincount(state.rows["lane"][rows], np.maximum(grown, 0), size), dtype=np.float64
    )
    observed = lanes["tick_o"].copy()
    lanes["tick_e"][:], lanes["tick_o"][:] = 0, 0
    leaf = lanes["parent"] >= 0
    counted = leaf & (
        lanes["incident"] == 0
    )  # a lane with an incident of its own explains nothing about the others
    own_o, own_e = np.where(counted, observed, 0), np.where(counted, expected, 0)
    for values in (expected, observed):
        np.add.at(values, lanes["parent"][counted], values[counted])
    above = np.maximum(lanes["parent"], 0)
    rest_o, rest_e = np.where(leaf, observed[above] - own_o, 0), np.where(leaf, expected[above] - own_e, 0)
    _remember_pace(plan, state, observed, expected, now - state.ticked)
    lanes["cusum"][:] = np.clip(lanes["cusum"] + expected * (1 - RHO) + observed * np.log(RHO), 0, 2 * ALARM)
    calm = lanes["cusum"] <= 0
    counts = {"missing_o": observed, "missing_e": expected, "rest_o": rest_o, "rest_e": rest_e}
    for name, more in counts.items():
        lanes[name][:] = np.where(calm, 0, lanes[name] + more)
    lanes["since"][:] = np.where(calm & (lanes["incident"] == 0), now, lanes["since"])
    state.ticked = now
    return join([_recovered(state, calm, now), _raised(plan, state, now)])


def _remember_pace(plan: Plan, state: State, observed: F64, expected: F64, passed: int) -> None:
    """Recent counts fade: by half in the typical time of the step (a quarter of an hour to a day)."""
    step = np.maximum(state.lanes["step"], 0)
    half = np.clip(plan.typical[step], HOUR // 4, 24 * HOUR)
    fade = 0.5 ** (passed / half)
    state.lanes["recent_o"][:] = state.lanes["recent_o"] * fade + observed
    state.lanes["recent_e"][:] = state.lanes["recent_e"] * fade + expected


def pace(state: State, lanes: npt.NDArray[np.int32]) -> F64:
    """(O + 10) / (E + 10) of the lane, of all lanes of its step where it is too small to say; 1 is its usual speed."""
    usable = np.maximum(lanes, 0)
    parent = state.lanes["parent"][usable]
    small = (state.lanes["recent_e"][usable] < 10) & (parent >= 0)
    judge = np.where(small, parent, usable)
    out = (state.lanes["recent_o"][judge] + 10) / (state.lanes["recent_e"][judge] + 10)
    return np.where(lanes >= 0, out, 1.0)


def incident_of(state: State, lanes: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """The incident of each lane, or of all lanes of its step; 0: none."""
    usable = np.maximum(lanes, 0)
    own = state.lanes["incident"][usable]
    parent = state.lanes["parent"][usable]
    above = np.where(parent >= 0, state.lanes["incident"][np.maximum(parent, 0)], np.uint64(0))
    return np.where(lanes >= 0, np.where(own != 0, own, above), np.uint64(0)).astype(np.uint64)


def _raised(plan: Plan, state: State, now: int) -> Findings:
    """One incident for one fault: the whole step where the rest of it fails too, else the lanes that explain it."""
    lanes = state.lanes
    hot = np.flatnonzero((lanes["cusum"] >= ALARM) & (lanes["incident"] == 0) & (lanes["step"] >= 0))
    told: list[int] = []
    for whole in np.unique(np.where(lanes["parent"][hot] >= 0, lanes["parent"][hot], hot)).tolist():
        if lanes["incident"][whole] != 0:
            continue
        if lanes["cusum"][whole] >= ALARM and _all_of_it(state, whole):
            told.append(whole)
        else:
            told += hot[lanes["parent"][hot] == whole].tolist()
    return _tell(plan, state, np.array(told, np.int64), now) if told else none()


def _all_of_it(state: State, whole: int) -> bool:
    """Whether a fault of a step is more than that of the lanes which alarm by themselves.

    Asked is what is left without them, as observed and expected since the trouble of the most striking lane began. Beside one
    lane (or none) what is left must itself speak for a fault, not only fall short: with two expected and one come the old rule
    (under 0.6 of them) called all payments off for one bank's stop. Several lanes at once are one fault, unless what is left is
    seen to go on.
    """
    lanes = state.lanes
    below = np.flatnonzero((lanes["parent"] == whole) & (lanes["incident"] == 0))
    if not len(below):
        return True
    worst = below[np.argmax(lanes["cusum"][below])]
    hot = below[lanes["cusum"][below] >= ALARM]
    if len(hot) == len(below) > 1:
        return True
    left = 0.0
    for name, weight in (("e", 1 - RHO), ("o", float(np.log(RHO)))):
        others = lanes[f"missing_{name}"][hot[hot != worst]].sum()
        left += weight * max(lanes[f"rest_{name}"][worst] - others, 0.0)
    if not len(hot) and lanes["cusum"][whole] - lanes["cusum"][worst] >= ALARM:
        return True  # many small lanes, none of which alarms, do so without the worst
    return bool(left > -EVIDENCE if len(hot) > 1 else left >= EVIDENCE)


def _tell(plan: Plan, state: State, told: I64, now: int) -> Findings:
    lanes = state.lanes
    keys = lanes.index.keys[told]
    ids = finding_ids(SYSTEMIC, plan.keys[lanes["step"][told]], keys, lanes["since"][told])
    lanes["incident"][told] = ids
    for row in told[lanes["parent"][told] >= 0]:
        parent = lanes["parent"][row]
        for name in ("cusum", "missing_o", "missing_e"):
            lanes[name][parent] = max(0.0, lanes[name][parent] - lanes[name][row])
        # What this lane lacked is explained, and speaks for no fault of the others.
        lanes["rest_o"][lanes["parent"] == parent] = lanes["rest_e"][lanes["parent"] == parent] = 0
    found = _records(plan, state, told, now, RAISED)
    return ranked(found)


def _recovered(state: State, calm: npt.NDArray[np.bool_], now: int) -> Findings:
    over = np.flatnonzero(calm & (state.lanes["incident"] != 0))
    if not len(over):
        return none()
    found = make(
        len(over), id=state.lanes["incident"][over], kind=SYSTEMIC, state=RECOVERED,
        rule=state.lanes["step"][over], lane=state.lanes.index.keys[over], at=now, due=now,
        since=state.lanes["since"][over],
    )  # fmt: skip
    state.lanes["incident"][over] = 0
    state.lanes["since"][over] = now  # what fails next, also within the same minute, is another fault
    return found


def _records(plan: Plan, state: State, told: I64, now: int, how: int) -> Findings:
    """The lane's numbers: since when, how many were expected and came, how many wait, what they are worth."""
    lanes = state.lanes
    waiting = state.rows.index.rows()
    lane = state.rows["lane"][waiting]
    size = len(lanes.index.keys)
    leaf = np.bincount(np.maximum(lane, 0), (lane >= 0).astype(float), size)
    money = np.bincount(np.maximum(lane, 0), np.where(lane >= 0, state.rows["amount"][waiting], 0), size)
    child = lanes["parent"] >= 0
    for values in (leaf, money):
        np.add.at(values, lanes["parent"][child], values[child])
    return make(
        len(told), id=lanes["incident"][told], kind=SYSTEMIC, state=how, rule=lanes["step"][told],
        lane=lanes.index.keys[told], at=now, due=now, since=lanes["since"][told],
        rare=np.exp(-lanes["cusum"][told]), count=leaf[told].astype(np.int64),
        confidence=1 - np.exp(-lanes["cusum"][told] / 4),
        amount=money[told], expected=lanes["missing_e"][told], observed=lanes["missing_o"][told],
        other_at=lanes["last"][told],
    )  # fmt: skip
