"""What this house watches and with which limits: the processes that are on, their false alarms, the newest model."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from makegood.base import clock
from makegood.packs.watch_shapes import Process
from makegood.packs.watching import processes
from makegood.watch.model import Model, columns, nothing, renumbered
from makegood.watch.models import Finding, WatchModel, WatchSetting
from makegood.watch.plan import Plan, compile_plan

#: Every so many dismissals of one step as 'usual here' within this time halve what it may tell (watch.md 1.6), down to an eighth.
DISMISSED, MEMORY, MOST_HALVINGS = 3, timedelta(days=30), 3


@dataclass(frozen=True)
class Watched:
    """``process``: step or rule -> the code of its process."""

    plan: Plan
    process: dict[str, str]
    asked: tuple[
        tuple[str, float], ...
    ]  # what was asked for: another one means that the plan is to be made anew


def processes_on() -> dict[str, Process]:
    """The processes that are not switched off for all shops."""
    off = set(WatchSetting.objects.filter(shop=None, on=False).values_list("process", flat=True))
    return {code: process for code, process in processes().items() if code not in off}


def alphas(chosen: dict[str, Process]) -> dict[str, float]:
    """The false alarms that each step accepts: the process's or the house's, times its budget, halved by dismissals."""
    own = dict(WatchSetting.objects.filter(shop=None, alpha__isnull=False).values_list("process", "alpha"))
    since = clock.now() - MEMORY
    usual = Counter(
        Finding.objects.filter(dismissed_because="usual", dismissed_at__gte=since).values_list(
            "step", flat=True
        )
    )
    return {
        step.code: (own.get(code, process.alpha) or 0.0)
        * step.budget
        / 2 ** min(usual[step.code] // DISMISSED, MOST_HALVINGS)
        for code, process in chosen.items()
        for step in process.steps.values()
    }


def watched() -> Watched | None:
    """The plan that is in force now; None when nothing is watched."""
    chosen = processes_on()
    if not chosen:
        return None
    plan, wanted = compile_plan(chosen.values()), alphas(chosen)
    plan = replace(plan, alpha=np.array([wanted.get(code, 0.0) for code in plan.codes]))
    return Watched(plan, process_of(chosen), tuple(sorted(wanted.items())))


def process_of(chosen: dict[str, Process]) -> dict[str, str]:
    """Step or rule -> its process."""
    return {
        row.code: code
        for code, p in chosen.items()
        for row in (*p.steps.values(), *p.duplicates, *p.needs, *p.recurrences)
    }


def pack(model: Model) -> bytes:
    """A model as bytes."""
    out = io.BytesIO()
    arrays: Any = {name: np.asarray(values) for name, values in columns(model).items()}
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def newest(plan: Plan) -> Model:
    """The newest model for this plan; the empty one on the first day. Its version is the id of its row."""
    row = WatchModel.objects.order_by("-id").first()
    if row is None:
        return nothing()
    with np.load(io.BytesIO(bytes(row.data)), allow_pickle=False) as kept:
        model = Model(**{**{name: kept[name] for name in kept.files}, "version": row.pk})
    if tuple(row.codes) == plan.codes:
        return model
    number = {code: i for i, code in enumerate(plan.codes)}
    return renumbered(model, np.array([number.get(code, -1) for code in row.codes], np.int64))
