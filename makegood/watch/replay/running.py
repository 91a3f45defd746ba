"""A log through the kernel in the order of time, with only the past known: learned before, and learned again as it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep

import numpy as np

from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty
from makegood.watch.findings import Findings, join
from makegood.watch.learn import Incident, learn
from makegood.watch.model import Model, nothing
from makegood.watch.plan import DAY, HOUR, SYSTEMIC, Plan
from makegood.watch.state import State, new_state
from makegood.watch.windows import learn_windows, with_windows


@dataclass
class Run:
    """What came of it. ``models``: the moments at which was learned."""

    findings: Findings
    state: State
    numbers: dict[str, int] = field(default_factory=dict)
    models: list[int] = field(default_factory=list)


def run(
    plan: Plan,
    log: Batch,
    *,
    learn_until: int = 0,
    relearn: int = 30 * DAY,
    tick: int = HOUR,
    tail: int = 60 * DAY,
    speed: float = 0,
    model: Model | None = None,
    tune: Callable[[Plan, Model, int, Findings], Plan] = lambda plan, model, now, found: plan,
    said: Callable[[int, int], None] = lambda done, of: None,
) -> Run:
    """Replay ``log`` (rising in time). What lies before ``learn_until`` is learned from; the kernel sees everything.

    ``relearn`` 0: learned once. ``tune`` may choose other limits after each learning, of the plan as it was given and of what was found so far. ``speed``: seconds of the log per second, 0: as fast as it goes.
    ``tail``: how long the clock runs on after the last event. Times in µs.
    """
    known = model or (learn(plan, log, learn_until) if learn_until else nothing())
    written = plan
    if learn_until:
        plan = tune(_windows(written, log, learn_until), known, learn_until, join([]))
    state, parts, numbers = new_state(plan), list[Findings](), dict[str, int]()
    models, faults = [learn_until] if learn_until else [], list[Incident]()
    if not len(log):
        return Run(join([]), state)
    times = _moments(log, tick, tail)
    ends = np.searchsorted(log.at, times, side="right")
    nothing_new, begun, started = empty(plan), 0, monotonic()
    for now, end in zip(times.tolist(), ends.tolist(), strict=True):
        if relearn and models and now >= models[-1] + relearn and begun < len(log):
            known = learn(plan, log.take(slice(0, begun)), now, incidents=faults, version=len(models) + 1)
            plan = tune(_windows(written, log, now), known, now, join(parts))
            models.append(now)
        batch = log.take(slice(begun, end)) if end > begun else nothing_new
        state, found, counters = advance(state, batch, known, now, plan)
        for name, value in counters.number.items():
            numbers[name] = numbers.get(name, 0) + value
        if len(found):
            parts.append(found)
            faults += _incidents(plan, found)
        begun = end
        if speed:
            sleep(max(0.0, (now - int(times[0])) / 1e6 / speed - (monotonic() - started)))
        said(end, len(log))
    return Run(join(parts), state, numbers, models)


def _windows(plan: Plan, log: Batch, now: int) -> Plan:
    learned = learn_windows(plan, log.take(log.at <= now))
    return with_windows(plan, {code: one.window for code, one in learned.items()})


def _moments(log: Batch, tick: int, tail: int) -> np.ndarray:
    """Every tick at which something came, and once a day: nobody waits for hours in which nothing happens."""
    first, last = int(log.at[0]), int(log.at[-1])
    busy = np.unique(-(-log.at // tick)) * tick
    days = np.arange(first - first % DAY, last + tail + DAY, max(DAY, tick))
    return np.unique(np.concatenate([busy, days[days > first]]))


def _incidents(plan: Plan, found: Findings) -> list[Incident]:
    """Faults that are over, so that nothing is learned from what was open in them."""
    over = found[(found["kind"] == SYSTEMIC) & (found["state"] == 1)]
    whole = plan.keys[over["rule"]] == over["lane"]
    return [
        Incident(int(f["since"]), int(f["at"]), plan.codes[f["rule"]], 0 if every else int(f["lane"]))
        for f, every in zip(over, whole.tolist(), strict=True)
    ]
