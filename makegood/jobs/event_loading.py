"""A file of events into the log: for shops that cannot push. Each event once, however often the file is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import DatabaseError, transaction

from makegood.jobs.event_mapping import Plan
from makegood.jobs.loading import Rejects
from makegood.jobs.tables import Row, Table
from makegood.transactions import facts
from makegood.transactions.envelope import Bad, check
from makegood.transactions.facts import Fact
from makegood.transactions.models import Store, StoreFact

#: Rows a transaction: a stop loses no more than these, and the next load brings them.
TOGETHER = 2000


@dataclass
class Outcome:
    """What became of the file."""

    rows: int = 0
    events: int = 0
    new: int = 0
    already: int = 0
    rejected: int = 0


def load(
    table: Table,
    store: Store,
    mapping: Plan,
    *,
    rejects: Rejects,
    limit: int | None = None,
    step: Callable[[Outcome], object] = lambda outcome: None,
) -> Outcome:
    """Write the events of every row to the log. A row of which one event is wrong goes to ``rejects`` whole.

    Raises BadTable when the file cannot be read on.
    """
    outcome = Outcome()
    rows = islice(table.rows(mapping.columns()), limit)
    while batch := list(islice(rows, TOGETHER)):
        made = list(_made(batch, store, mapping, rejects, outcome))
        _write(store, made, rejects, outcome)
        step(outcome)
    return outcome


Numbered = tuple[int, Row, Fact]


def _made(
    batch: list[tuple[int, Row]], store: Store, mapping: Plan, rejects: Rejects, outcome: Outcome
) -> Iterator[Numbered]:
    for number, row in batch:
        outcome.rows += 1
        try:
            found = [check(event, store) for event in mapping.events(row)]
        except Bad as bad:
            _reject(number, row, bad, rejects, outcome)
        else:
            outcome.events += len(found)
            yield from ((number, row, fact) for fact in found)


def _write(store: Store, made: list[Numbered], rejects: Rejects, outcome: Outcome) -> None:
    try:
        with transaction.atomic():
            results = facts.append_copied(store, [fact for _n, _r, fact in made], way=StoreFact.Way.FILE)
    except DatabaseError as error:
        if len(made) > 1:  # one of them: find it, and write the others
            half = len(made) // 2
            _write(store, made[:half], rejects, outcome)
            _write(store, made[half:], rejects, outcome)
            return
        results = []
        _reject(made[0][0], made[0][1], Bad("cannot_store", str(error).splitlines()[0]), rejects, outcome)
    for (number, row, _fact), result in zip(made, results, strict=False):
        outcome.new += result == facts.NEW
        outcome.already += result == facts.DUPLICATE
        if result == facts.CONFLICT:
            _reject(number, row, Bad(result), rejects, outcome)


def _reject(number: int, row: Row, bad: Bad, rejects: Rejects, outcome: Outcome) -> None:
    outcome.rejected += 1
    why = f"{bad.code}: {bad.detail}" if bad.detail else bad.code
    rejects.add(number, why, json.dumps(row, default=str, ensure_ascii=False))
