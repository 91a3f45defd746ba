"""Streams of events for tests: seeded, in minutes after a fixed day, about shops and people we know."""

from __future__ import annotations

from typing import Any

import numpy as np

from makegood.packs.watching import processes
from makegood.watch.batch import Batch, make
from makegood.watch.findings import Findings
from makegood.watch.plan import DAY, KINDS, Plan, compile_plan

MINUTE = 60_000_000
NOON = 20_000 * DAY + 12 * 60 * MINUTE  # a day in 2024


def plan_of(*codes: str, alpha: float | None = None) -> Plan:
    return compile_plan([processes()[code] for code in codes], alpha)


def batch(plan: Plan, *events: tuple[Any, ...], **attributes: str) -> Batch:
    """Events as (code, transaction, minutes after NOON[, id]); ``attributes`` are the same for all."""
    return make(
        plan, [e[0] for e in events], [e[1] for e in events], [NOON + round(e[2] * MINUTE) for e in events],
        ids=[e[3] for e in events] if events and len(events[0]) > 3 else None,
        attributes={name: [value] * len(events) for name, value in attributes.items()},
    )  # fmt: skip


def minute(at: float) -> int:
    return NOON + round(at * MINUTE)


def told(plan: Plan, found: Findings) -> list[tuple[str, str, int]]:
    """(kind, rule, state) of each finding."""
    return [(KINDS[int(f["kind"])], plan.rules[int(f["rule"])], int(f["state"])) for f in found]


def queue(plan: Plan, count: int, *, seed: int = 1, every: float = 2.0, takes: float = 5.0) -> Batch:
    """Invoices of one provider, requested every few minutes and issued strictly in order: about ``takes`` minutes later,
    and up to an hour where the provider pauses (now and then, as real ones do).
    """
    random = np.random.default_rng(seed)
    asked = -count * every + np.arange(count) * every - 120
    pause = np.where(np.arange(count) % 50 == 49, random.uniform(30, 60, count), 0)
    issued = (
        np.maximum.accumulate(asked + takes * random.uniform(0.8, 1.2, count) + pause)
        + np.arange(count) * 1e-3
    )
    names = [f"invoice-{i}" for i in range(count)]
    events = ["invoice.requested"] * count + ["invoice.issued"] * count
    at = np.concatenate([asked, issued])
    return make(
        plan, events, names * 2, NOON + np.round(at * MINUTE).astype(np.int64),
        attributes={"provider": ["hometax"] * 2 * count, "customer": names * 2},
    )  # fmt: skip
