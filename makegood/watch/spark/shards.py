"""Which part of the work is done where, so that every shard alone finds what the whole would. Pure.

Three kinds of work have three keys. A step that is a queue or is watched for faults needs all of its lanes (who overtook whom,
whether the rest of the step fails too): the whole step is in one shard. Other steps, needs and duplicates within a
transaction need only the transaction: spread by its name. Duplicates over several transactions are spread by their key.
An event goes to every shard that has work for it. Recurrence counts what was found, wherever: it is done where findings meet
(sink.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from makegood.watch.batch import Batch
from makegood.watch.keys import U64, mix, pair_keys
from makegood.watch.plan import I64, NEED, Bools, DuplicateRule, Links, Plan


@dataclass(frozen=True)
class Shard:
    """``plan``: the whole plan but for its links, which are those of this work only; numbers of steps stay the same.

    ``part`` of ``parts``: of what is spread; ``rule``: the duplicates that it is spread by, None: by transaction.
    """

    name: str
    plan: Plan
    events: Bools
    part: int = 0
    parts: int = 1
    rule: DuplicateRule | None = None


def divide(plan: Plan, parts: int) -> tuple[Shard, ...]:
    """The work in about ``parts`` shards of each kind; 1: everything in one."""
    bare = replace(plan, recurrences=())
    if parts <= 1:
        return (_shard("all", bare, np.ones(len(plan.codes), bool), [True] * len(plan.duplicates)),)
    whole = (plan.overtaken | plan.systemic) & (plan.flavour != NEED)
    none = [False] * len(plan.duplicates)
    out = [
        _shard(f"steps-{i}", bare, np.isin(np.arange(len(whole)), group), none)
        for i, group in enumerate(_groups(plan, np.flatnonzero(whole), parts))
    ]
    spread = _shard("tx", bare, ~whole, [d.tx for d in plan.duplicates])
    out += _parts(spread, parts, None)
    for number, rule in enumerate(plan.duplicates):
        if not rule.tx:
            only = [i == number for i in range(len(none))]
            out += _parts(_shard(f"alike-{rule.code}", bare, np.zeros(len(whole), bool), only), parts, rule)
    return tuple(out)


def _parts(shard: Shard, parts: int, rule: DuplicateRule | None) -> list[Shard]:
    if not shard.events.any():
        return []
    return [replace(shard, name=f"{shard.name}-{i}", part=i, parts=parts, rule=rule) for i in range(parts)]


def _groups(plan: Plan, steps: I64, parts: int) -> list[I64]:
    """Neighbours stay together: steps of one process share events, and an event is sent once to each group."""
    weight = np.array(
        [np.count_nonzero(links.steps == s) for s in steps for links in (plan.opens, plan.closes)]
    )
    weight = weight.reshape(-1, 2).sum(1)
    place = (np.cumsum(weight) - weight / 2) * parts // max(int(weight.sum()), 1)
    return [steps[place == i] for i in range(parts) if (place == i).any()]


def _shard(name: str, plan: Plan, steps: Bools, duplicates: list[bool]) -> Shard:
    rules = tuple(
        rule if mine else replace(rule, events=np.zeros_like(rule.events))
        for rule, mine in zip(plan.duplicates, duplicates, strict=True)
    )
    links = [_only(which, steps) for which in (plan.opens, plan.closes, plan.cancels)]
    events = np.zeros(len(plan.events), bool)
    for one in links:
        events |= np.diff(one.start) > 0
    for rule in rules:
        events |= rule.events
    opens, closes, cancels = links
    return Shard(name, replace(plan, opens=opens, closes=closes, cancels=cancels, duplicates=rules), events)


def _only(links: Links, steps: Bools) -> Links:
    return Links.of(
        [
            [int(s) for s in links.steps[low:high] if steps[s]]
            for low, high in zip(links.start, links.start[1:], strict=False)
        ]
    )


def rows_of(shard: Shard, batch: Batch) -> I64:
    """The rows of a batch that a shard has work for."""
    known = (batch.event >= 0) & (batch.event < len(shard.events))
    mine = known & shard.events[np.where(known, batch.event, 0)]
    rows = np.flatnonzero(mine)
    if shard.parts == 1 or not len(rows):
        return rows
    key = batch.tx[rows] if shard.rule is None else _key(shard.rule, batch, rows)
    return rows[mix(key) % np.uint64(shard.parts) == shard.part]


def _key(rule: DuplicateRule, batch: Batch, rows: I64) -> U64:
    """What is alike has this in common; coarser than the rule's own key, and that is enough."""
    some = batch.take(rows)
    key = some.key(rule.key, rule.columns)
    if rule.amount:
        money = np.where(np.isfinite(some.amount), np.clip(some.amount, 0, 1e15), 0.0)
        key = pair_keys(key, np.round(money * 100).astype(np.int64).astype(np.uint64))
    return key


def used(shard: Shard) -> tuple[list[int], list[int]]:
    """(attributes, moments) that its work reads: others are not sent."""
    plan = shard.plan
    steps = {int(s) for links in (plan.opens, plan.closes, plan.cancels) for s in links.steps}
    columns = {c for s in steps for row in (plan.lanes[s], *plan.cohorts[s]) for c in row}
    columns |= {int(plan.subject[s]) for s in steps}
    for rule in plan.duplicates:
        if rule.events.any():
            columns |= {*rule.columns, rule.subject}
    if "shop" in plan.attributes:  # a shop may have a limit of its own, whatever the step's lane is
        columns.add(plan.attributes.index("shop"))
    moments = {int(plan.moment[s]) for s in steps}
    return sorted(columns - {-1}), sorted(moments - {-1})


def routed(shards: tuple[Shard, ...], batch: Batch) -> Iterator[tuple[Shard, Batch]]:
    """What each shard gets of a batch; also nothing, for time passes in every shard."""
    for shard in shards:
        yield shard, batch.take(rows_of(shard, batch))
