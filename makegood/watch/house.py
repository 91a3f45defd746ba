"""What this house watches and with which limits: the processes that are on, their false alarms, the newest model."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import Any

import numpy as np

from makegood.base import clock
from makegood.packs.watch_shapes import Process
from makegood.packs.watching import processes
from makegood.watch.keys import name_key, pair_key
from makegood.watch.log_events import unsigned
from makegood.watch.model import Model, columns, nothing, renumbered
from makegood.watch.models import Finding, WatchModel, WatchMonth, WatchSetting
from makegood.watch.plan import Plan, compile_plan, with_tiers
from makegood.watch.windows import with_windows

#: A month says something about a promise when so many false alarms were to be expected; it lowers a limit to a quarter at most.
LEAST_EXPECTED, LEAST_SHARE = 5.0, 0.25
#: Every so many dismissals of one step in one lane as 'usual here' within this time halve what it may tell (watch.md 1.6), down to an eighth.
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
    """The false alarms that each step accepts: its part of the process's or the house's, as the nights shared it out or else
    as it is written (then lowered where the last month told more in vain than was promised); halved where people dismissed
    findings of no lane."""
    usual, held, shared = _dismissed(), _kept_of_promise(), shared_out()
    out = {}
    for code, accepted in accepts(chosen).items():
        part = shared.get(code, {})
        for step in chosen[code].steps.values():
            written = accepted * step.budget
            if step.code in part.get("steps", {}) and part["for"] > 0:
                given = part["steps"][step.code] * accepted / part["for"]
            else:
                given = written * _lowered(written, held.get(step.code))
            out[step.code] = min(given, 0.5) * _halved(usual[step.code, 0])
    return out


def accepts(chosen: dict[str, Process]) -> dict[str, float]:
    """Process -> the false alarms that it accepts: the house's, else its own."""
    own = dict(WatchSetting.objects.filter(shop=None, alpha__isnull=False).values_list("process", "alpha"))
    return {code: own.get(code, process.alpha) or 0.0 for code, process in chosen.items()}


def shared_out() -> dict[str, dict[str, Any]]:
    """Process -> how the newest model shared its false alarms out among its steps (`watch.sharing`)."""
    return {code: row["shared"] for code, row in _learned_beside().items() if "shared" in row}


def windows() -> dict[str, dict[str, Any]]:
    """Rule of duplicates -> the window that was learned (``window`` µs, ``pairs``, ``meant``: `watch.windows`)."""
    return {rule: one for row in _learned_beside().values() for rule, one in row.get("windows", {}).items()}


def _learned_beside() -> dict[str, dict[str, Any]]:
    return WatchModel.objects.order_by("-id").values_list("what_if", flat=True).first() or {}


def factors(chosen: dict[str, Process]) -> dict[int, float]:
    """Key of a lane, or of a step with a shop -> what it accepts, as a share of what the step does: shops have their own
    limit, and what is usual in one lane is told less there and nowhere else."""
    own = dict(WatchSetting.objects.filter(shop=None, alpha__isnull=False).values_list("process", "alpha"))
    out = {}
    for process, shop, alpha in WatchSetting.objects.filter(
        process__in=chosen, shop__isnull=False, alpha__isnull=False
    ).values_list("process", "shop_id", "alpha"):
        whole = own.get(process) or chosen[process].alpha
        for step in chosen[process].steps:
            # Nothing is switched off here (that is what 'on' is for): an alpha of 0 is as careful as there is.
            out[pair_key(name_key(step), name_key(str(shop)))] = max(alpha or 0.0, 1e-6) / max(whole, 1e-6)
    steps = {step for process in chosen.values() for step in process.steps}
    for (step, lane), count in _dismissed().items():
        if lane and step in steps and (less := _halved(count)) < 1:
            # In a lane of one shop this is the shop's own key: both count.
            key = unsigned(lane)
            out[key] = out.get(key, 1.0) * less
    return out


def _dismissed() -> Counter[tuple[str, int]]:
    """(step, lane) -> how often people said that it is usual there."""
    found = Finding.objects.filter(dismissed_because="usual", dismissed_at__gte=clock.now() - MEMORY)
    return Counter(found.values_list("step", "lane"))


def _halved(dismissals: int) -> float:
    return 0.5 ** min(dismissals // DISMISSED, MOST_HALVINGS)


def _kept_of_promise() -> dict[str, tuple[int, int]]:
    """Step -> (kept, of those told) in the newest month that is over: steps whose end is known, so nobody has to label them."""
    month = clock.now().astimezone(UTC).date().replace(day=1)
    rows = WatchMonth.objects.filter(month__lt=month).order_by("month").values_list("step", "kept", "told")
    return {step: (kept, told) for step, kept, told in rows}


def _lowered(promised: float, month: tuple[int, int] | None) -> float:
    """The monthly re-tuning (watch.md 1.6): more told in vain than promised, beyond chance, lowers the limit as much."""
    kept, told = month or (0, 0)
    expected = kept * promised
    if expected < LEAST_EXPECTED or told <= expected + 2 * expected**0.5:
        return 1.0
    return max(expected / told, LEAST_SHARE)


def watched() -> Watched | None:
    """The plan that is in force now; None when nothing is watched."""
    chosen = processes_on()
    if not chosen:
        return None
    plan, wanted = compile_plan(chosen.values()), alphas(chosen)
    own = factors(chosen)
    plan = with_tiers(replace(plan, alpha=np.array([wanted.get(code, 0.0) for code in plan.codes])), own)
    plan = with_windows(plan, {rule: one["window"] for rule, one in windows().items()})
    asked = (*sorted(wanted.items()), *((str(key), factor) for key, factor in sorted(own.items())))
    return Watched(plan, process_of(chosen), asked)


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
