"""What the house shares out at night: each process's false alarms among its steps, by what became of its own promises.

The same tuning as the judge's (`watch.tuning`), on labels that nobody has to write: a transaction is good when it kept what
was promised, bad when it did not. Kept with the model (``WatchModel.what_if``: process -> 'shared'); `house.alphas` reads it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from makegood.packs.watch_shapes import Process
from makegood.watch.log_events import unsigned
from makegood.watch.model import Model
from makegood.watch.models import Finding
from makegood.watch.outcomes import NEVER, Outcomes
from makegood.watch.pairing import History
from makegood.watch.plan import DAY, I64, Plan
from makegood.watch.tuning import Ladders, came_true, floors, movable, share_out, steered

#: So many broken and so many kept promises say something about how to share; below it what is written stands.
LEAST_BAD, LEAST_GOOD = 20, 200
#: The newest so many transactions are looked at: each is held once for every limit that is tried.
MOST = 200_000
#: What is worth telling early, as a share of the usual promise: of ten days, half a day, two and three and a half.
EARLY = (0.05, 0.2, 0.35)


def outcomes_of(plan: Plan, history: History, process: Process) -> Outcomes | None:
    """What became of the promises of a process; None where it promises nothing or nothing is known.

    Of several promised steps of one transaction the worst counts.
    """
    whole = [
        i
        for i in movable(plan, tuple(process.steps))
        if plan.of[i] < 0 and not plan.foresee[i] and (plan.moment[i] >= 0 or plan.allowed[i] > 0)
    ]
    mine = np.isin(history.step, whole) & ~history.cancelled & (history.promise > history.opened)
    h = history.take(mine)
    if not len(h):
        return None
    tx, first, number = np.unique(h.tx, return_index=True, return_inverse=True)
    ends = np.where(h.ended > 0, h.ended, NEVER)
    late = ends > h.promise
    bad = np.bincount(number, late, len(tx)) > 0
    begun, due, ended = h.opened[first].copy(), np.zeros(len(tx), np.int64), np.zeros(len(tx), np.int64)
    broken = np.full(len(tx), NEVER)
    np.minimum.at(begun, number, h.opened)
    np.maximum.at(due, number, h.promise)
    np.maximum.at(ended, number, ends)
    np.minimum.at(broken, number[late], h.promise[late])
    lead_to = np.where(bad, broken, due)
    return Outcomes(tx, begun, due, ended, lead_to, np.where(bad, broken, ended), bad, ~bad, np.ones(len(tx)))


def share(
    plan: Plan, model: Model, history: History, processes: dict[str, Process], accepted: dict[str, float],
    before: dict[str, dict[str, Any]], now: int,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Process -> what is shared out from now on; what knows too little is not there. ``accepted``: its false alarms per
    transaction; ``before``: what this gave the last night; ``plan`` with the limits as they are written."""
    out = {}
    for code, process in processes.items():
        outcomes = outcomes_of(plan, history, process)
        if outcomes is None or accepted[code] <= 0:
            continue
        working, vain, known = _working(code, outcomes, accepted[code], before.get(code), now)
        outcomes = _newest(outcomes, now)
        fine, bad = outcomes.fine(now), outcomes.bad
        if np.count_nonzero(bad) < LEAST_BAD or np.count_nonzero(fine) < LEAST_GOOD:
            continue
        own = history.take(outcomes.place(history.tx)[1])
        steps = movable(plan, tuple(process.steps))
        tried = Ladders(plan, model, own, outcomes, steps=steps, floor=floors(plan), patience=None)
        usual = float(np.median((outcomes.lead_to - outcomes.begun)[bad]))
        found = share_out(tried, bad, fine, working, [int(usual * early) for early in EARLY])
        alpha = tried.setting(found.rungs).alpha
        out[code] = {
            "for": accepted[code], "working": working, "vain": vain, "of": known,
            "from": before.get(code, {}).get("from", now), "at": now,
            "steps": {plan.codes[i]: float(alpha[i]) for i in tried.steps},
        }  # fmt: skip
    return out


def _newest(outcomes: Outcomes, now: int) -> Outcomes:
    """The newest of which it is known by now what became of them."""
    counts = np.flatnonzero((outcomes.fine(now) > 0) | (outcomes.bad & (outcomes.known < now)))
    kept = counts[np.argsort(outcomes.begun[counts], kind="stable")[-MOST:]]
    return outcomes.take(np.sort(kept))


def _working(
    code: str, outcomes: Outcomes, accepted: float, last: dict[str, Any] | None, now: int
) -> tuple[float, float, int]:
    """(what is shared out, what came true since the last night, of how many)."""
    if last is None or not last["for"]:
        return accepted, 0.0, 0
    vain, known = came_true(outcomes, _told(code, outcomes, int(last["from"])), last["from"], last["at"], now)
    before = last["working"] * accepted / last["for"]
    return steered(before, accepted, vain, known, (now - last["at"]) / DAY), vain, known


def _told(code: str, outcomes: Outcomes, since: int) -> I64:
    """When each transaction was first told of by this house."""
    rows = Finding.objects.filter(process=code, kind__in=["stuck", "overtaken"]).exclude(tx=0)
    found = list(rows.values_list("tx", "found_at"))
    tx = np.array([unsigned(key) for key, _at in found], np.uint64)
    at = np.array([round(moment.timestamp() * 1_000_000) for _key, moment in found], np.int64)
    return outcomes.earliest(tx[at >= since], at[at >= since])
