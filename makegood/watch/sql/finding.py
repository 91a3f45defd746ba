"""What the log holds at a moment, found by SQL alone: steps that are late, needs that were not met, the same thing twice.

For a backfill, and to check the kernel by other means. Not here: being overtaken, faults and recurrence (they depend on what was
known when), steps that foresee, and what waits by its few peers (a cohort that was not learned). ``defined`` says which
findings of a kernel are to be the same.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from makegood.watch.batch import EARLIEST, LATEST
from makegood.watch.findings import RECOVERED, Findings, finding_ids
from makegood.watch.keys import U64, chain, pair_keys
from makegood.watch.model import NEVER, Limits, Model, limits
from makegood.watch.plan import DUPLICATE, MISMATCH, NEED, STUCK, DuplicateRule, Plan
from makegood.watch.sql.engines import Engine
from makegood.watch.sql.learning import cohort_key
from makegood.watch.sql.steps import by_step, keys, links, steps
from makegood.watch.state import BY_HOURS, BY_PROMISE, BY_SHARE, LEVELS

#: (kind, id)
Names = set[tuple[int, int]]


def found(engine: Engine, plan: Plan, model: Model, until: int) -> Names:
    """What the whole log tells at ``until`` (µs), also what is over since, under the kernel's names."""
    return late(engine, plan, model, until) | unmet(engine, plan, until) | twice(engine, plan, until)


def defined(plan: Plan, findings: Findings) -> Names:
    """Those of a kernel's findings that SQL defines too."""
    kind, rule = findings["kind"], findings["rule"].astype(np.int64)
    foreseen = np.append(plan.foresee, np.zeros(len(plan.rules) - len(plan.codes), bool))[rule]
    stuck = (kind == STUCK) & ~foreseen & np.isin(findings["reason"], (BY_HOURS, BY_SHARE, BY_PROMISE))
    mine = (findings["state"] != RECOVERED) & (stuck | (kind == MISMATCH) | (kind == DUPLICATE))
    return {(int(k), int(i)) for k, i in zip(kind[mine], findings["id"][mine], strict=True)}


def late(engine: Engine, plan: Plan, model: Model, until: int) -> Names:
    """Steps whose due time came before their end: by the hours of their like, by the share of the promise, by the promise."""
    engine.keep("step_log", steps(plan, until))
    source = "SELECT * FROM step_log"
    engine.put("known", _known(engine, plan, model, source))
    watched = ", ".join(
        str(s) for s in range(len(plan.codes)) if plan.flavour[s] != NEED and not plan.foresee[s]
    )
    whole = by_step({s: "FALSE" for s in range(len(plan.codes)) if plan.of[s] >= 0}, "TRUE")
    patient = by_step(
        {s: f"{1 + float(plan.patience[s]):.17e}" for s in range(len(plan.codes)) if plan.patience[s]}, "1e0"
    )
    own = " AND known.lane = s.lane AND known.shop = s.shop" if len(plan.tier_keys) else ""
    rows = engine.ask(f"""
WITH one AS (
  SELECT s.*, CASE WHEN promise > opened THEN promise - opened ELSE 0 END AS allowed, known.wait, known.share, {whole} AS whole
  FROM (SELECT * FROM ({source}) AS every WHERE step IN ({watched})) AS s
  JOIN known ON known.of_step = s.step AND known.level1 = s.level1 AND known.level2 = s.level2 AND known.level3 = s.level3
    AND known.level4 = s.level4{own}
), timed AS (
  SELECT *, least(
    CASE WHEN NOT (allowed > 0 AND share >= 0) AND (allowed = 0 OR whole) AND wait < {NEVER} THEN opened + wait ELSE {NEVER} END,
    CASE WHEN allowed > 0 AND share >= 0 THEN opened + CAST(floor(share * allowed) AS BIGINT) ELSE {NEVER} END,
    CASE WHEN allowed > 0 AND whole THEN opened + CAST(floor(allowed * {patient}) AS BIGINT) ELSE {NEVER} END
  ) AS due FROM one
)
SELECT step, tx, opened FROM timed WHERE due <= {until} AND (ended = 0 OR due < ended)""")
    return _names(plan, STUCK, rows)


def _known(engine: Engine, plan: Plan, model: Model, source: str) -> pa.Table:
    """The limits of every chain of cohorts in the log: of the narrowest that the model knows (share -1: none).

    Where shops or lanes have limits of their own, of every lane and shop that such a chain has.
    """
    names = [f"level{d}" for d in range(1, LEVELS)] + (["lane", "shop"] if len(plan.tier_keys) else [])
    rows = engine.ask(f"SELECT DISTINCT step, {', '.join(names)} FROM ({source}) AS every").to_pylist()
    limit = limits(plan, model)
    kept = [
        (row, number + _tier(plan, row) * len(model.cohort))
        for row in rows
        if (number := _narrowest(plan, model, row)) >= 0
    ]
    share = np.array([limit.share[n] for _row, n in kept], np.float64)
    return pa.table({
        "of_step": pa.array([row["step"] for row, _n in kept], pa.int32()),
        **{name: pa.array([row[name] for row, _n in kept], pa.string()) for name in names},
        "wait": pa.array(_waits(limit, [n for _row, n in kept]), pa.int64()),
        "share": pa.array(np.where(np.isfinite(share), share, -1.0), pa.float64()),
    })  # fmt: skip


def _tier(plan: Plan, row: dict[str, str | int]) -> int:
    """The stricter of what its lane and its shop accept (watch/opening.py: _tier)."""
    if not len(plan.tier_keys):
        return 0
    root = plan.keys[int(row["step"])].reshape(1)
    lane = int(plan.tier(keys([str(row["lane"])], root))[0])
    shop = int(plan.tier(keys([str(row["shop"])], root))[0]) if "shop" in plan.attributes else 0
    if not (lane and shop):
        return lane or shop
    return shop if plan.tiers[shop] < plan.tiers[lane] else lane


def _waits(limit: Limits, numbers: list[int]) -> list[int]:
    return [int(limit.wait[n]) for n in numbers]


def _narrowest(plan: Plan, model: Model, row: dict[str, str | int]) -> int:
    step, best = int(row["step"]), -1
    for level in range(LEVELS):
        text = str(row[f"level{level}"]) if level else ""
        if level and not text:
            break
        number = int(model.find(np.array([cohort_key(plan, step, level, text)], np.uint64))[0])
        best = number if number >= 0 else best
    return best


def unmet(engine: Engine, plan: Plan, until: int) -> Names:
    """Events that need another which was not there at the end of the grace."""
    source = links(plan, NEED)
    if not source:
        return set()
    grace = by_step({s: str(plan.allowed[s]) for s in range(len(plan.codes)) if plan.flavour[s] == NEED}, "0")
    rows = engine.ask(f"""
WITH one AS (
  SELECT link.step, tx, min(CASE WHEN kind = 0 THEN at_us END) AS opened, min(CASE WHEN kind = 1 THEN at_us END) AS met
  FROM log JOIN {source} ON log.event = link.event
  WHERE tx <> 0 AND at_us > {EARLIEST} AND at_us < {LATEST} AND at_us <= {until} GROUP BY link.step, tx
)
SELECT step, tx, opened FROM one
WHERE opened IS NOT NULL AND opened + {grace} <= {until} AND (met IS NULL OR met > opened + {grace})""")
    return _names(plan, MISMATCH, rows)


def _names(plan: Plan, kind: int, rows: pa.Table) -> Names:
    step = rows["step"].to_numpy().astype(np.int64)
    ids = finding_ids(
        kind, plan.keys[step], _unsigned(rows, "tx"), rows["opened"].to_numpy().astype(np.int64)
    )
    return {(kind, int(i)) for i in ids}


def _unsigned(rows: pa.Table, name: str) -> U64:
    return np.ascontiguousarray(rows[name].to_numpy().astype(np.int64)).view(np.uint64)


def twice(engine: Engine, plan: Plan, until: int) -> Names:
    """Two events of different ids with one key within the window."""
    out: Names = set()
    for rule in plan.duplicates:
        attributes = [f"a_{plan.attributes[c]}" for c in rule.columns]
        cents = "CAST(round(amount * 100) AS BIGINT)"
        key = [*(["tx"] if rule.tx else []), *attributes, *([cents] if rule.amount else [])]
        whole = [
            *(f"{a} <> 0" for a in attributes),
            *(["amount > 0"] if rule.amount else []),
            f"at_us <= {until}",
            "tx <> 0",
        ]
        order = f"PARTITION BY {', '.join(key)} ORDER BY at_us, id"
        events = ", ".join(f"'{plan.events[e]}'" for e in np.flatnonzero(rule.events))
        rows = engine.ask(f"""
WITH one AS (
  SELECT tx, id, at_us, {cents} AS cents{"".join(", " + a for a in attributes)}, lag(id) OVER ({order}) AS before_id, lag(at_us) OVER ({order}) AS before_at
  FROM log WHERE event IN ({events}) AND {" AND ".join(whole)}
)
SELECT * FROM one WHERE before_id IS NOT NULL AND before_id <> id{f" AND at_us - before_at <= {rule.window}" if rule.window else ""}""")
        out |= _copies(rule, attributes, rows)
    return out


def _copies(rule: DuplicateRule, attributes: list[str], rows: pa.Table) -> Names:
    """The kernel's names of later copies (watch/repeats.py: alike, _second)."""
    size = rows.num_rows
    key = chain(rule.key, (_unsigned(rows, a) for a in attributes), size)
    if rule.tx:
        key = pair_keys(key, _unsigned(rows, "tx"))
    if rule.amount:
        key = pair_keys(key, _unsigned(rows, "cents"))
    name = key if rule.tx else pair_keys(key, _unsigned(rows, "id"))
    ids = finding_ids(DUPLICATE, np.full(size, rule.key, np.uint64), name, np.zeros(size, np.int64))
    return {(DUPLICATE, int(i)) for i in ids}
