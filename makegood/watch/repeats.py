"""Duplicates (the same thing done twice) and recurrence (trouble that comes again for one subject)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from makegood.watch.batch import Batch
from makegood.watch.findings import RAISED, Findings, finding_ids, join, make, none, ranked
from makegood.watch.keys import U64, mix, pair_keys
from makegood.watch.plan import DUPLICATE, I64, RECURRENCE, DuplicateRule, Plan, RecurrenceRule
from makegood.watch.state import SUBJECTS, State
from makegood.watch.table import repeated


def duplicates(plan: Plan, state: State, batch: Batch, now: int, count: dict[str, int]) -> Findings:
    """Two events of different ids with one key within the window. The same event sent again has the same id and is none."""
    count["doubled"] = 0
    parts = []
    for number, rule in enumerate(plan.duplicates):
        mine = np.flatnonzero(rule.events[batch.event])
        if len(mine):
            parts.append(_second(plan, state, rule, len(plan.codes) + number, batch.take(mine), now, count))
    return join(parts)


def _second(
    plan: Plan, state: State, rule: DuplicateRule, number: int, batch: Batch, now: int, count: dict[str, int]
) -> Findings:
    """Pairs of neighbours in time, of this batch and of the newest copy remembered of each key."""
    key, whole = alike(rule, batch)
    if not whole.all():
        mine = np.flatnonzero(whole)
        batch, key = batch.take(mine), key[mine]
    known, before_at, before_id = state.copies.latest(key)
    several = known.copy()
    if len(twice := repeated(key)):
        several |= np.isin(key, twice)
    # Almost every event is the only one of its key: only the others are compared.
    alone = ~several
    state.copies.write(key[alone], batch.at[alone], batch.id[alone])
    if alone.all():
        return none()
    row = np.flatnonzero(several)  # any event of the key tells its subject and money
    asked = np.flatnonzero(known)
    asked = asked[np.unique(key[asked], return_index=True)[1]]
    keys = np.concatenate([key[asked], key[row]])
    at = np.concatenate([before_at[asked], batch.at[row]])
    ids = np.concatenate([before_id[asked], batch.id[row]])
    row = np.concatenate([asked, row])
    order = np.lexsort((ids, at, keys))
    keys, at, ids, row = keys[order], at[order], ids[order], row[order]
    same = (keys[1:] == keys[:-1]) & (ids[1:] == ids[:-1])
    count["doubled"] += int(np.count_nonzero(same))
    close = (keys[1:] == keys[:-1]) & ~same
    close &= (at[1:] - at[:-1] <= rule.window) if rule.window else True
    state.copies.write(keys, at, ids)
    later = np.flatnonzero(close) + 1
    if not len(later):
        return none()
    own = row[later]
    tx = batch.tx[own]
    # Once for a transaction; a key of several transactions once for each later copy.
    name = keys[later] if rule.tx else pair_keys(keys[later], ids[later])
    found = make(
        len(later), id=finding_ids(DUPLICATE, np.full(len(later), rule.key, np.uint64), name, np.zeros(len(later), np.int64)),
        kind=DUPLICATE, rule=number, tx=tx, at=now, due=at[later], since=at[later - 1],
        subject=batch.attributes[rule.subject][own] if rule.subject >= 0 else np.uint64(0),
        rare=1e-3, confidence=1.0 if rule.tx else 0.9, count=2, amount=batch.amount[own],
        other=ids[later - 1], other_at=at[later - 1],
    )  # fmt: skip
    return ranked(untold(state, found))


def alike(rule: DuplicateRule, batch: Batch) -> tuple[U64, npt.NDArray[np.bool_]]:
    """The key of each event, and whether it is whole: two payments of nobody in particular are not alike."""
    key = batch.key(rule.key, rule.columns)
    whole = np.ones(len(batch), bool)
    for column in rule.columns:
        whole &= batch.attributes[column] != 0
    if rule.tx:
        key = pair_keys(key, batch.tx)
    if rule.amount:
        key = pair_keys(key, np.round(batch.amount * 100).astype(np.int64).astype(np.uint64))
        whole &= batch.amount > 0
    return key, whole


def untold(state: State, found: Findings) -> Findings:
    """Those whose id was not told before, each once; they are told now."""
    _, first = np.unique(found["id"], return_index=True)
    found = found[np.sort(first)]
    known, _, _ = state.told.latest(found["id"])
    found = found[~known]
    state.told.write(found["id"].astype(np.uint64), found["at"].astype(np.int64))
    return found


def recurring(plan: Plan, state: State, found: Findings, now: int) -> Findings:
    """Subjects that have had more findings in the window than chance explains."""
    raised = found[(found["state"] == RAISED) & (found["subject"] != 0)]
    # Of two findings about one transaction the first counts: in an order of their own, not in that of the rows they stand in.
    raised = raised[np.lexsort((raised["id"], raised["due"]))]
    parts = []
    for number, rule in enumerate(plan.recurrences):
        mine = raised[np.isin(raised["kind"], rule.kinds) & _of(plan, rule, raised["rule"])]
        if len(mine):
            parts.append(
                _again(plan, state, rule, len(plan.codes) + len(plan.duplicates) + number, mine, now)
            )
    return join(parts)


def _of(plan: Plan, rule: RecurrenceRule, rules: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    step = rules < len(plan.codes)
    own = np.zeros(len(rules), bool)
    own[step] = rule.steps[rules[step]]
    return own | np.isin(rules, np.array(rule.rules, np.int64) + len(plan.codes))


def _again(
    plan: Plan, state: State, rule: RecurrenceRule, number: int, found: Findings, now: int
) -> Findings:
    """watch.md 1.2 (6): n findings in T; p = P(NegBin(a0, b0) >= n), the Gamma-Poisson tail.

    With a0 = 1 and b0 = 1 / usual that is (usual / (1 + usual)) ** n: at the usual 0.1 in 60 days the third is told.
    One transaction counts once: stuck and then overtaken is one trouble.
    """
    keys = pair_keys(np.full(len(found), rule.key, np.uint64), found["subject"].astype(np.uint64))
    seen = mix(keys ^ found["tx"].astype(np.uint64))
    fresh = ~state.told.latest(seen)[0]
    _, first = np.unique(seen, return_index=True)
    once = np.zeros(len(seen), bool)
    once[first] = True
    found, keys, seen = found[fresh & once], keys[fresh & once], seen[fresh & once]
    state.told.write(seen, np.full(len(seen), now, np.int64))
    if not len(found):
        return none()
    times = _noted(state, keys, found["due"].astype(np.int64))
    _, place = np.unique(keys, return_index=True)
    keys, times, found = keys[place], times[place], found[place]
    newest = times.max(1)
    n = ((newest[:, None] - times) <= rule.window).sum(1)
    rare = (rule.usual / (1 + rule.usual)) ** n
    often = (rare <= rule.alpha) & (n >= 2)
    if not often.any():
        return none()
    keys, found, n, rare, newest = keys[often], found[often], n[often], rare[often], newest[often]
    told = make(
        len(found), id=finding_ids(RECURRENCE, np.full(len(found), rule.key, np.uint64), keys, newest),
        kind=RECURRENCE, rule=number, tx=found["tx"], subject=found["subject"], at=now, due=newest,
        since=newest - rule.window, rare=rare, count=n, confidence=0.9, amount=found["amount"],
        expected=rule.usual, observed=n,
    )  # fmt: skip
    return ranked(untold(state, told))


def _noted(state: State, keys: U64, at: I64) -> I64:
    """Write the times into the subject's newest eight; the times of each key, its own included."""
    rows, _ = state.subjects.add(keys)
    names = list(SUBJECTS)
    # A subject that has several at once is written as often: the first of each, then the second of each, and so on.
    order = np.argsort(rows, kind="stable")
    begins = np.append(True, rows[order][1:] != rows[order][:-1])
    nth = np.arange(len(rows)) - np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
    for n in range(int(nth.max(initial=-1)) + 1):
        mine = order[nth == n]
        times = np.stack([*(state.subjects[name][rows[mine]] for name in names), at[mine]], axis=1)
        times.sort(axis=1)
        for place, name in enumerate(names, 1):
            state.subjects[name][rows[mine]] = times[:, place]
    return np.stack([state.subjects[name][rows] for name in names], axis=1)
