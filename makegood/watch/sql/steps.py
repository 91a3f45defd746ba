"""The log as steps with a beginning and an end, in SQL: the same pairs as watch/pairing.py makes of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from makegood.watch.batch import EARLIEST, LATEST
from makegood.watch.keys import U64, chain
from makegood.watch.pairing import CANCEL, CLOSE, OPEN
from makegood.watch.plan import NEED, Links, Plan
from makegood.watch.state import LEVELS


def links(plan: Plan, flavour: int) -> str:
    """VALUES of (event, step, kind) for the steps, or the needs, of a plan."""
    rows = []
    for kind, which in ((OPEN, plan.opens), (CLOSE, plan.closes), (CANCEL, plan.cancels)):
        rows += [
            f"('{plan.events[e]}', {s}, {kind})"
            for e, s in _pairs(which)
            if (plan.flavour[s] == NEED) == (flavour == NEED)
        ]
    return f"(VALUES {', '.join(rows)}) AS link(event, step, kind)" if rows else ""


def _pairs(which: Links) -> Iterable[tuple[int, int]]:
    for e, (low, high) in enumerate(zip(which.start, which.start[1:], strict=False)):
        for s in which.steps[low:high]:
            yield e, int(s)


def by_step(values: Mapping[int, str], otherwise: str) -> str:
    """CASE over steps; ``values``: step -> SQL."""
    said = " ".join(f"WHEN {step} THEN {value}" for step, value in sorted(values.items()))
    return f"CASE step {said} ELSE {otherwise} END" if said else otherwise


def steps(plan: Plan, now: int) -> str:
    """A query: step, tx, opened, ended (0: open), cancelled, promise (0: none), given, amount, lane, shop, level1 …, up to ``now``.

    Lanes, shops and cohorts are texts, the 64-bit names of their attributes with bars between (:func:`keys` reads them).
    """
    every = range(len(plan.codes))
    moment = by_step({s: f"m_{plan.moments[plan.moment[s]]}" for s in every if plan.moment[s] >= 0}, "0")
    allowed = by_step({s: f"at_us + {plan.allowed[s]}" for s in every if plan.allowed[s]}, "0")
    lane = by_step({s: _text(plan, plan.lanes[s]) for s in every if plan.lanes[s]}, "''")
    level = [
        by_step({s: _text(plan, plan.cohorts[s][d]) for s in every if len(plan.cohorts[s]) > d}, "''")
        for d in range(LEVELS - 1)
    ]
    shop = _text(plan, (plan.attributes.index("shop"),)) if "shop" in plan.attributes else "''"
    levels = ", ".join(f"{text} AS level{d}" for d, text in enumerate(level, 1))
    order = "PARTITION BY step, tx ORDER BY at_us, kind, id"
    return f"""
WITH touched AS (
  SELECT link.step, link.kind, log.* FROM log JOIN {links(plan, 0)} ON log.event = link.event
  WHERE tx <> 0 AND at_us > {EARLIEST} AND at_us < {LATEST} AND at_us <= {now}
), marked AS (
  SELECT *, lag(kind) OVER ({order}) AS before FROM touched
), turns AS (
  SELECT * FROM marked WHERE (kind = {OPEN} AND coalesce(before, {CANCEL}) <> {OPEN}) OR (kind <> {OPEN} AND before = {OPEN})
), paired AS (
  SELECT *, lead(kind) OVER ({order}) AS end_kind, lead(at_us) OVER ({order}) AS end_at FROM turns
)
SELECT step, tx, at_us AS opened, coalesce(end_at, 0) AS ended, coalesce(end_kind, {CLOSE}) = {CANCEL} AS cancelled, amount,
  CASE WHEN {moment} > at_us THEN {moment} ELSE {allowed} END AS promise, {lane} AS lane, {shop} AS shop, {levels}
FROM paired WHERE kind = {OPEN}"""


def _text(plan: Plan, columns: tuple[int, ...]) -> str:
    return f"concat_ws('|', {', '.join(f'CAST(a_{plan.attributes[c]} AS STRING)' for c in columns)})"


def keys(texts: Iterable[str], roots: U64) -> U64:
    """The kernel's keys of such texts, each begun with its root; '' is the root itself."""
    out = roots.copy()
    for place, text in enumerate(texts):
        if text:
            columns = np.array([int(part) for part in text.split("|")], np.int64).view(np.uint64)
            out[place : place + 1] = chain(
                int(roots[place]), (columns[i : i + 1] for i in range(len(columns))), 1
            )
    return out
