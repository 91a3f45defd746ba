"""Steps that a batch opens. Doubled and late events open nothing twice, in whatever order they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from makegood.watch import loops
from makegood.watch.batch import Batch
from makegood.watch.deadlines import GIVEN
from makegood.watch.keys import U64, chain, mix
from makegood.watch.model import Model
from makegood.watch.plan import I64, NEED, Bools, Links, Plan
from makegood.watch.state import LEVELS, TIER, TOLD, State, grown
from makegood.watch.table import distinct


def step_keys(plan: Plan, tx: U64, step: I64) -> U64:
    """The key of a step of a transaction; it can be undone (state.transactions)."""
    return mix(tx ^ plan.keys[step])


def touched(plan: Plan, links: Links, batch: Batch) -> tuple[I64, I64, I64, U64]:
    """(place in the batch, step, time, key) of every step that the events touch by these links."""
    if not len(links.steps) or not len(batch):
        none = np.zeros(0, np.int64)
        return none, none, none, np.zeros(0, np.uint64)
    found: tuple[I64, I64, I64, U64] = loops.touched(
        batch.event, batch.tx, batch.at, links.start, links.steps, plan.keys
    )
    return found


@dataclass(frozen=True)
class Opened:
    """``fresh``: rows whose due time has to be set. ``rows`` and ``at``: openings of rows that may have several in flight."""

    fresh: I64
    rows: I64
    at: I64


def open_steps(
    plan: Plan, model: Model, state: State, batch: Batch, now: int, count: dict[str, int]
) -> Opened:
    """Open what the batch opens.

    A row keeps its first and its last opening: who asks twice waits since the first time, and a close between two
    openings leaves the second one open, whichever of the three came first.
    """
    place, step, at, keys = touched(plan, plan.opens, batch)
    late = at < now - plan.late[step]
    count["late"] = int(np.count_nonzero(late))
    over = late | _ended(plan, state, keys, step, at)
    if over.any():
        wanted = np.flatnonzero(~over)
        place, step, at, keys = place[wanted], step[wanted], at[wanted], keys[wanted]
    rows, made = state.rows.claim(keys)
    count["opened"] = int(np.count_nonzero(made))
    if count["opened"] == len(rows):
        _fill(plan, model, state, batch, rows, place, step, at)
        return Opened(rows, rows[:0], at[:0])
    several = np.zeros(len(state.rows.index.keys), bool)
    several[rows[~made]] = True
    one = ~several[rows]
    _fill(plan, model, state, batch, rows[one], place[one], step[one], at[one])
    many = ~one
    state.rows.blank(rows[made & many])
    again = _merge(plan, model, state, batch, rows[many], place[many], step[many], at[many])
    return Opened(np.concatenate([rows[one], again.fresh]), again.rows, again.at)


def _fill(
    plan: Plan, model: Model, state: State, batch: Batch, rows: I64, place: I64, step: I64, at: I64
) -> None:
    """New rows that are opened once in this batch: nothing to compare with."""
    columns = state.rows
    loops.opened(rows, at, columns["first"], columns["last"], columns["flags"], columns["overtakes"])
    _describe(plan, model, state, batch, rows, place, step)


def _merge(
    plan: Plan, model: Model, state: State, batch: Batch, rows: I64, place: I64, step: I64, at: I64
) -> Opened:
    """Openings of rows that were open already, or that this batch opens several times."""
    columns = state.rows
    before, last = columns["first"][rows], columns["last"][rows]
    np.minimum.at(columns["first"], rows, at)
    np.maximum.at(columns["last"], rows, at)
    flight = np.concatenate([rows, rows]), np.concatenate([at, last])
    # The earliest opening says what the row is about; written last, it wins over the others of this batch.
    decides = np.flatnonzero((at == columns["first"][rows]) & (at < before))
    decides = decides[np.argsort(batch.id[place[decides]])[::-1]]
    if len(decides):
        _describe(plan, model, state, batch, rows[decides], place[decides], step[decides])
    return Opened(distinct(rows[decides]), *flight)


def _ended(plan: Plan, state: State, keys: U64, step: I64, at: I64) -> Bools:
    """Whether an opening is known to be over: closed at its time or later; for a need, answered at any time."""
    need = plan.flavour[step] == NEED
    over: Bools = state.closed.latest(keys)[1] >= at
    if need.any():
        over[need] = state.seen.latest(keys[need])[0]
    return over


def _describe(plan: Plan, model: Model, state: State, batch: Batch, rows: I64, place: I64, step: I64) -> None:
    """Every column that an opening decides, for each kind of step at once."""
    columns, none = state.rows, place[:0]
    order, begins = loops.grouped(step, len(plan.codes))
    for s in np.flatnonzero(np.diff(begins)).tolist():
        mine = order[begins[s] : begins[s + 1]]
        own, of = rows[mine], place[mine]
        need = plan.flavour[s] == NEED
        names = batch.attributes[plan.subject[s]] if plan.subject[s] >= 0 else none.view(np.uint64)
        told = batch.moments[plan.moment[s]] if plan.moment[s] >= 0 and not need else none
        loops.described(
            own, of, s, batch.at, batch.amount, names, told, 0 if need else int(plan.allowed[s]), TOLD, np.uint8(GIVEN),
            columns["step"], columns["amount"], columns["subject"], columns["promise"], columns["flags"],
        )  # fmt: skip
        if need:
            columns["lane"][own] = columns["cohort"][own] = -1
            continue
        lane = _lane(plan, model, state, batch, s, of)
        columns["lane"][own] = lane
        columns["cohort"][own] = _cohort(plan, model, state, batch, s, of)
        if len(plan.tier_keys):
            columns["flags"][own] |= _tier(plan, state, batch, s, of, lane).astype(np.uint8) << TIER


def _tier(plan: Plan, state: State, batch: Batch, step: int, at: I64, lane: I64) -> I64:
    """The stricter of what its lane and its shop accept."""
    tier = plan.tier(state.lanes.index.keys[lane])
    if "shop" not in plan.attributes:
        return tier
    shop = batch.attributes[plan.attributes.index("shop")][at]
    own = plan.tier(chain(int(plan.keys[step]), (shop,), len(at)))
    both = np.where(plan.tiers[own] < plan.tiers[tier], own, tier)
    return np.where(tier == 0, own, np.where(own == 0, tier, both))


def _lane(plan: Plan, model: Model, state: State, batch: Batch, step: int, at: I64) -> I64:
    """The lane of each, made with its parent (all lanes of the step together) where it is new."""
    root = int(plan.keys[step])
    size = len(at) if plan.lanes[step] else 1  # one lane for all: looked up once
    keys = _chained(root, batch, plan.lanes[step], at[:size])
    rows, made = state.lanes.add(keys)
    if made.any():
        whole, _ = state.lanes.add(np.array([root], np.uint64))
        state.lanes["step"][whole] = step
        fresh = rows[made]
        state.lanes["step"][fresh] = step
        state.lanes["parent"][fresh] = np.where(fresh == whole[0], -1, whole[0])
        state.lanes["last"][fresh] = state.now
        known_lanes(model, state, np.append(fresh, whole))
    return rows if len(rows) == len(at) else np.full(len(at), rows[0])


def known_lanes(model: Model, state: State, rows: I64) -> None:
    """For each of these lanes its number in the model."""
    state.known_lane = grown(state.known_lane, len(state.lanes.index.keys), -1)
    state.known_lane[rows] = model.find_lane(state.lanes.index.keys[rows])


def _cohort(plan: Plan, model: Model, state: State, batch: Batch, step: int, at: I64) -> I64:
    """The narrowest cohort of each, with the keys of those above it: which of them the model knows may change."""
    whole = len(at)
    at = at if plan.cohorts[step] else at[:1]  # one cohort for all: looked up once
    narrow = _level(plan, batch, step, at, len(plan.cohorts[step]))
    rows, made = state.cohorts.add(narrow)
    if made.any():
        fresh, levels = rows[made], cohort_keys(plan, batch, step, at[made])
        state.cohorts["step"][fresh] = step
        for depth in range(LEVELS):
            state.cohorts[f"level{depth}"][fresh] = levels[min(depth, len(levels) - 1)]
        known_cohorts(model, state, fresh)
    return rows if len(rows) == whole else np.full(whole, rows[0])


def _level(plan: Plan, batch: Batch, step: int, at: I64, depth: int) -> U64:
    """The keys at one depth of the chain; 0 is the step itself."""
    root = int(plan.keys[step])
    if not depth:
        return np.full(len(at), root, np.uint64)
    return _chained(root ^ depth, batch, plan.cohorts[step][depth - 1], at)


def _chained(first: int, batch: Batch, columns: tuple[int, ...], at: I64) -> U64:
    """keys.chain of these columns at these places."""
    out = np.full(len(at), first, np.uint64)
    for column in columns:
        loops.pair_at(out, batch.attributes[column], at)
    return out


def cohort_keys(plan: Plan, batch: Batch, step: int, at: I64) -> list[U64]:
    """The keys of the chain of cohorts, wide to narrow: the step itself, then each list of attributes."""
    return [_level(plan, batch, step, at, depth) for depth in range(len(plan.cohorts[step]) + 1)]


def known_cohorts(model: Model, state: State, rows: I64) -> None:
    """For each of these cohorts the narrowest of its chain that the model knows."""
    state.known = grown(state.known, len(state.cohorts.index.keys), -1)
    best = np.full(len(rows), -1, np.int64)
    for depth in range(LEVELS):
        found = model.find(state.cohorts[f"level{depth}"][rows])
        best = np.where(found >= 0, found, best)
    state.known[rows] = best
