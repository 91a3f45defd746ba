"""A model from histograms that an engine counts: the curves of watch/learn.py without the log in memory.

What SQL gives is (step, cohort, bucket, n), which adds up over days, machines and engines. What is made of it (survival, the
share that never finishes, shrinking) is watch/curves.py as everywhere. The odds of a step that foresees are read on the curves
in a second pass. Of lanes the newest completions come back, at most ``learn_lanes.NEWEST`` of each, and are counted here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from makegood.watch import curves
from makegood.watch.keys import U64
from makegood.watch.learn import LEAST, Incident
from makegood.watch.learn_lanes import NEWEST, learn_lanes
from makegood.watch.model import Model, nothing
from makegood.watch.pairing import History
from makegood.watch.plan import Plan
from makegood.watch.sql.engines import Engine
from makegood.watch.sql.steps import by_step, keys, steps
from makegood.watch.state import LEVELS

F64 = npt.NDArray[np.float64]
#: The bucket of a duration, and the place between buckets, as curves.py has them.
PLACE = f"least(greatest(ln(greatest({{0}}, 1) / {curves.HOUR:.17e}) / {curves.LOG:.17e} + {curves.OFFSET}, 0e0), {curves.BUCKETS - 1}e0)"
_SHARE = f"least(greatest(ceil(cbrt(least(greatest({{0}}, 0e0), 1e0)) * {curves.SHARES}) - 1, 0), {curves.SHARES - 1})"


@dataclass
class Counts:
    """Of one cohort: histograms by bucket, and the text of the cohort above it."""

    above: str = ""
    closed: F64 = field(default_factory=lambda: np.zeros(curves.BUCKETS))
    censored: F64 = field(default_factory=lambda: np.zeros(curves.BUCKETS))
    waits: F64 = field(default_factory=lambda: np.zeros(curves.BUCKETS))
    ripe: F64 = field(default_factory=lambda: np.zeros(curves.BUCKETS))
    shares: F64 = field(default_factory=lambda: np.zeros(curves.SHARES))
    odds: F64 = field(default_factory=lambda: np.zeros(curves.SHARES))


#: (step, level, text) -> counts
Histograms = dict[tuple[int, int, str], Counts]


def learn(
    engine: Engine, plan: Plan, now: int, *, incidents: Iterable[Incident] = (), version: int = 1
) -> Model:
    """The model that could be known at ``now`` (µs): that of watch/learn.py on the same log."""
    engine.keep("step_log", steps(plan, now))
    engine.keep("step_known", _source(engine, plan, now, list(incidents)))
    source = "SELECT * FROM step_known"
    counts = histograms(engine, source, now)
    learned = _assembled(plan, counts)
    if not learned:
        return nothing(version)
    _odds(engine, plan, source, counts, learned)
    model = _model(plan, learned, version)
    return _with_lanes(engine, plan, source, model)


def histograms(engine: Engine, source: str, now: int) -> Histograms:
    """Durations and used shares of kept promises, by cohort."""
    out: Histograms = {}
    took = f"CASE WHEN ended > 0 THEN ended ELSE {now} END - opened"
    levels = _levels("bucket, usable, done, cancelled, kept, used, ripe")
    rows = engine.ask(f"""
WITH one AS (
  SELECT *, CAST(floor({PLACE.format(f"({took})")}) AS INT) AS bucket, promise <= {now} AS ripe,
    CAST({_SHARE.format("(ended - opened) / (greatest(promise - opened, 1) * 1e0)")} AS INT) AS used
  FROM ({source}) AS known
), spread AS ({levels})
SELECT step, level, cohort, min(above) AS above, bucket, -1 AS used,
  sum(CASE WHEN usable AND done THEN 1 ELSE 0 END) AS closed, sum(CASE WHEN usable AND NOT done THEN 1 ELSE 0 END) AS censored,
  sum(CASE WHEN usable AND NOT done AND NOT cancelled THEN 1 ELSE 0 END) AS waits,
  sum(CASE WHEN usable AND NOT done AND NOT cancelled AND ripe THEN 1 ELSE 0 END) AS ripe
FROM spread GROUP BY step, level, cohort, bucket
UNION ALL
SELECT step, level, cohort, min(above), -1, used, count(*), 0, 0, 0 FROM spread WHERE kept GROUP BY step, level, cohort, used""")
    for row in rows.to_pylist():
        one = out.setdefault((row["step"], row["level"], row["cohort"]), Counts(row["above"]))
        if row["used"] >= 0:
            one.shares[row["used"]] += float(row["closed"])
            continue
        for name in ("closed", "censored", "waits", "ripe"):
            getattr(one, name)[row["bucket"]] += float(row[name])
    return out


def _source(engine: Engine, plan: Plan, now: int, faults: list[Incident]) -> str:
    """The steps, with ``done``, ``kept`` (their promise was due and was met) and ``usable`` (no fault was in them)."""
    of = by_step({s: str(plan.of[s]) for s in range(len(plan.codes)) if plan.of[s] >= 0}, "step")
    outside = " AND ".join(f"NOT ({_within(engine, plan, one, now)})" for one in faults) or "1 = 1"
    due = f"promise > 0 AND promise <= {now} AND done"
    every = (
        f"SELECT *, ended > 0 AND NOT cancelled AS done, {of} AS of_step FROM ({steps(plan, now)}) AS every"
    )
    return f"""
SELECT s.*, {outside} AS usable,
  {due} AND CASE WHEN s.of_step = s.step THEN ended <= promise ELSE whole.whole_tx IS NOT NULL END AS kept
FROM ({every}) AS s LEFT JOIN (
  SELECT DISTINCT step AS whole_step, tx AS whole_tx FROM ({every}) AS own WHERE {due} AND ended <= promise AND of_step = step
) AS whole ON whole.whole_tx = s.tx AND whole.whole_step = s.of_step AND s.of_step <> s.step"""


def _within(engine: Engine, plan: Plan, one: Incident, now: int) -> str:
    said = f"opened < {one.over} AND CASE WHEN ended > 0 THEN ended ELSE {now} END > {one.begun}"
    if one.step and one.step not in plan.codes:
        return "1 = 0"
    if one.step:
        said += f" AND s.step = {plan.codes.index(one.step)}"
    if one.lane:
        lanes = engine.ask("SELECT DISTINCT step, lane FROM step_log").to_pylist()
        roots = np.array([plan.keys[row["step"]] for row in lanes], np.uint64)
        mine = keys([row["lane"] for row in lanes], roots) == np.uint64(one.lane)
        texts = [
            f"(s.step = {row['step']} AND lane = '{row['lane']}')"
            for row, hit in zip(lanes, mine, strict=True)
            if hit
        ]
        said += f" AND ({' OR '.join(texts) or '1 = 0'})"
    return said


def _levels(columns: str) -> str:
    """Every step once for each level of its chain of cohorts, with the cohort above."""
    parts = [f"SELECT step, 0 AS level, '' AS cohort, '' AS above, {columns} FROM one"]
    for d in range(1, LEVELS):
        above = f"level{d - 1}" if d > 1 else "''"
        parts.append(f"SELECT step, {d}, level{d}, {above}, {columns} FROM one WHERE level{d} <> ''")
    return " UNION ALL ".join(parts)


@dataclass
class _Learned:
    count: int
    never: float
    curve: F64
    shares: F64
    odds: F64


def _assembled(plan: Plan, counts: Histograms) -> dict[tuple[int, int, str], _Learned]:
    """Each cohort, wide to narrow, shrunk to the one above it (watch/learn.py: _level)."""
    out: dict[tuple[int, int, str], _Learned] = {}
    for (step, level, text), one in sorted(counts.items(), key=lambda item: item[0]):
        survival, count = curves.kaplan_meier(one.closed, one.censored), int(one.closed.sum())
        above = _above(out, counts, step, level, text)
        end = float(curves.plateau(survival))
        if bool(curves.seen_to_the_end(one.closed, one.waits, one.ripe)):
            never = end
        else:
            never = min(above.never, end) if above else 0.0
        curve, none = curves.completers(survival, never), np.zeros(curves.SHARES)
        if above is None:
            if count or one.shares.any():
                out[step, level, text] = _Learned(count, never, curve, one.shares, none)
        elif count >= LEAST:
            weight = count / (count + curves.SHRINK)
            out[step, level, text] = _Learned(
                count, weight * never + (1 - weight) * above.never, curves.shrink(curve, count, above.curve),
                _pulled(one.shares, above.shares), none,
            )  # fmt: skip
    return out


def _above(
    learned: dict[tuple[int, int, str], _Learned], counts: Histograms, step: int, level: int, text: str
) -> _Learned | None:
    """The nearest wider cohort that was learned; what was too small is passed over."""
    while level:
        level, text = level - 1, counts[step, level, text].above
        if (step, level, text) in learned:
            return learned[step, level, text]
    return None


def _pulled(own: F64, above: F64) -> F64:
    total = above.sum()
    return own + (curves.SHRINK * above / total if total else 0)


def _odds(
    engine: Engine, plan: Plan, source: str, counts: Histograms, learned: dict[tuple[int, int, str], _Learned]
) -> None:
    """P(miss | age) just before each kept promise was met, of the steps that foresee (watch/learn.py: _odds)."""
    wanted = [key for key in sorted(learned) if plan.foresee[key[0]]]
    if not wanted:
        return
    engine.put("curve", pa.table({
        "step": np.repeat([k[0] for k in wanted], curves.BUCKETS + 1),
        "level": np.repeat([k[1] for k in wanted], curves.BUCKETS + 1),
        "cohort": [k[2] for k in wanted for _ in range(curves.BUCKETS + 1)],
        "bucket": np.tile(np.arange(-1, curves.BUCKETS), len(wanted)),
        "s": np.concatenate([np.append(1.0, learned[k].curve.astype(np.float32).astype(np.float64)) for k in wanted]),
    }))  # fmt: skip
    at = {
        name: PLACE.format(f"({sql})") for name, sql in (("w", "promise - opened"), ("a", "ended - opened"))
    }
    read = {
        n: f"greatest({n}0.s + ({n}_at - floor({n}_at)) * ({n}1.s - {n}0.s), {curves.FLOOR:e})" for n in at
    }
    join = " ".join(
        f"JOIN curve AS {n}{i} ON {n}{i}.step = p.step AND {n}{i}.level = p.level AND {n}{i}.cohort = p.cohort "
        f"AND {n}{i}.bucket = CAST(floor({n}_at) AS INT) - {1 - i}"
        for n in at for i in (0, 1)
    )  # fmt: skip
    rows = engine.ask(f"""
WITH one AS (SELECT *, {at["w"]} AS w_at, {at["a"]} AS a_at FROM ({source}) AS known WHERE kept),
spread AS ({_levels("w_at, a_at")})
SELECT p.step, p.level, p.cohort, CAST({_SHARE.format(f"{read['w']} / {read['a']}")} AS INT) AS odds, count(*) AS n
FROM spread AS p {join} GROUP BY 1, 2, 3, 4""")
    for row in rows.to_pylist():
        counts[row["step"], row["level"], row["cohort"]].odds[row["odds"]] += row["n"]
    for key in wanted:
        above = _above(learned, counts, *key)
        learned[key].odds = counts[key].odds if above is None else _pulled(counts[key].odds, above.odds)


def cohort_key(plan: Plan, step: int, level: int, text: str) -> int:
    """The kernel's key of a cohort (watch/opening.py: cohort_keys)."""
    root = np.array([int(plan.keys[step]) ^ level], np.uint64)
    return int(keys([text], root)[0])


def _model(plan: Plan, learned: dict[tuple[int, int, str], _Learned], version: int) -> Model:
    rows = sorted(
        ((cohort_key(plan, *key), key[0], one) for key, one in learned.items()), key=lambda row: row[0]
    )
    blank: dict[str, Any] = {
        f: getattr(nothing(), f) for f in ("lane", "lane_step", "lane_count", "lane_fifo", "lane_tail")
    }
    return Model(
        version=version, step=np.array([step for _k, step, _o in rows], np.int64),
        cohort=np.array([key for key, _s, _o in rows], np.uint64),
        count=np.array([one.count for *_, one in rows], np.int64), never=np.array([one.never for *_, one in rows]),
        curve=np.array([one.curve for *_, one in rows], np.float32), shares=np.array([one.shares for *_, one in rows]),
        odds=np.array([one.odds for *_, one in rows]), **blank,
    )  # fmt: skip


def _with_lanes(engine: Engine, plan: Plan, source: str, model: Model) -> Model:
    """The model with what the newest completions of each lane say of overtaking."""
    queues = ", ".join(str(s) for s in np.flatnonzero(plan.overtaken))
    if not queues:
        return model
    rows = engine.ask(f"""
SELECT step, lane, opened, ended FROM (
  SELECT *, row_number() OVER (PARTITION BY step, lane ORDER BY opened DESC) AS nth FROM ({source}) AS known
  WHERE usable AND done AND step IN ({queues})
) AS newest WHERE nth <= {NEWEST}""")
    step = rows["step"].to_numpy().astype(np.int64)
    texts = rows["lane"].combine_chunks().dictionary_encode()
    place = texts.indices.to_numpy() + len(texts.dictionary) * step
    unique, first, number = np.unique(place, return_index=True, return_inverse=True)
    names = texts.dictionary.to_pylist()
    found: U64 = keys([names[p % len(names)] for p in unique], plan.keys[step[first]].astype(np.uint64))
    size = len(step)
    none = np.zeros(size, np.uint64)
    lanes = learn_lanes(plan, History(
        step, none, rows["opened"].to_numpy(), rows["ended"].to_numpy(), np.zeros(size, bool), np.zeros(size, np.int64),
        found[number] if size else none, (),
    ))  # fmt: skip
    lanes = sorted(lanes, key=lambda lane: lane.key)
    if not lanes:
        return model
    return Model(**{
        **{name: getattr(model, name) for name in ("version", "step", "cohort", "count", "never", "curve", "shares", "odds")},
        "lane": np.array([lane.key for lane in lanes], np.uint64),
        "lane_step": np.array([lane.step for lane in lanes], np.int64),
        "lane_count": np.array([lane.count for lane in lanes], np.int64),
        "lane_fifo": np.array([lane.fifo for lane in lanes]),
        "lane_tail": np.array([lane.tail for lane in lanes], np.int32),
    })  # fmt: skip
