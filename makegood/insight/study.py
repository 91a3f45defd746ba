"""Logs of other systems, loaded beside our own tables (schema ``study``), so that the same arithmetic can be tried on them.

They are no cases of ours and touch none: a shop that comes from another help desk sees what its hand-offs cost there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from django.db import connection, transaction

from makegood.escalation.hops import Moment
from makegood.insight.decay import Decay, decay


@dataclass(frozen=True)
class Line:
    """One line of a log. ``missed``: whether the case was past its deadline, as far as this line knows."""

    case: str
    at: datetime
    team: str
    person: str = ""
    missed: bool | None = None


def store(name: str, lines: Iterable[Line], step: Callable[[int], None] = lambda done: None) -> int:
    """Keep a log under ``name``, in place of what stood there; all of it or nothing. Returns how many lines."""
    count = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM study.line WHERE log = %s", [name])
        columns = "log, case_key, n, at, team, person, missed"
        with cursor.copy(f"COPY study.line ({columns}) FROM STDIN") as copy:
            for count, line in enumerate(lines, start=1):
                copy.write_row((name, line.case, count, line.at, line.team, line.person, line.missed))
                if count % 1000 == 0:
                    step(count)
    return count


def logs(name: str) -> Iterator[tuple[list[Moment], bool | None]]:
    """The cases of a log, one at a time: what happened in the order of time (then of the file), and the last word on its deadline."""
    statement = (
        "SELECT case_key, at, team, person, missed FROM study.line WHERE log = %s ORDER BY case_key, at, n"
    )
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(statement, [name])
        for _case, rows in groupby(_each(cursor), key=itemgetter(0)):
            lines = list(rows)
            yield [Moment(at, team, person) for _, at, team, person, _ in lines], lines[-1][4]


def _each(cursor: object) -> Iterator[tuple[str, datetime, str, str, bool | None]]:
    while rows := cursor.fetchmany(5000):  # type: ignore[attr-defined]
        yield from rows


def figures(name: str) -> Decay:
    """The figures of a log; a hand-off at its very end waits until the last line of the whole log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(at) FROM study.line WHERE log = %s", [name])
        (last,) = cursor.fetchone()
    return decay(logs(name), last)


def names() -> list[tuple[str, int]]:
    """The logs that are there, with their lines."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT log, count(*) FROM study.line GROUP BY log ORDER BY log")
        return list(cursor.fetchall())
