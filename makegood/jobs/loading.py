"""Opening a case for every row of a file: each once, however often the load is stopped and started again."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from makegood.base.errors import DeskError
from makegood.base.languages import closest
from makegood.cases.models import Case
from makegood.desk.opening import Report, open_case
from makegood.jobs.models import LoadedRow
from makegood.jobs.tables import Condition, Row, Table
from makegood.people import actors
from makegood.people.models import Shop
from makegood.text.triage import default_model

#: Rows a transaction: a stop loses no more than these, and they are opened when the load goes on.
TOGETHER = 25


class BadRow(ValueError):
    """This row cannot be opened; the message says why. The others go on."""


@dataclass(frozen=True)
class Columns:
    """Which column holds what; '' where there is none. ``language_is`` holds for every row without a column for it."""

    text: str
    subject: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    order: str = ""
    language: str = ""
    at: str = ""
    language_is: str = ""

    def names(self) -> list[str]:
        every = (
            self.text,
            self.subject,
            self.name,
            self.email,
            self.phone,
            self.order,
            self.language,
            self.at,
        )
        return [name for name in every if name]


@dataclass
class Outcome:
    """What became of the rows; ``sure`` and ``unsure`` count the triage model's first suggestion by (type, language)."""

    rows: int = 0
    opened: int = 0
    already: int = 0
    rejected: int = 0
    sure: Counter[tuple[str, str]] = field(default_factory=Counter)
    unsure: Counter[tuple[str, str]] = field(default_factory=Counter)
    levels: Counter[int] = field(default_factory=Counter)


class Rejects:
    """The file of rows that were set aside; made when the first one comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None

    def add(self, number: int, why: str, text: str) -> None:
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", newline="", errors="backslashreplace")
            csv.writer(self._file).writerow(["row", "reason", "text"])
        csv.writer(self._file).writerow([number, why, text[:200]])

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def load(
    table: Table,
    shop: Shop,
    columns: Columns,
    *,
    where: list[Condition],
    rejects: Rejects,
    limit: int | None = None,
    channel: str = "",
    step: Callable[[Outcome], object] = lambda outcome: None,
) -> Outcome:
    """Open a case for every row that holds all of ``where``, up to ``limit`` such rows; rows loaded before are left alone.

    Rows that the desk refuses go to ``rejects``. Raises BadTable when the file cannot be read on.
    """
    outcome, sha = Outcome(), table.sha()
    wanted = columns.names() + [condition.column for condition in where]
    rows = ((n, row) for n, row in table.rows(wanted) if all(c.holds(row) for c in where))
    for batch in _batches(islice(rows, limit)):
        with transaction.atomic():
            there = set(
                LoadedRow.objects.filter(file_sha=sha, row__in=[n for n, _row in batch]).values_list(
                    "row", flat=True
                )
            )
            for number, row in batch:
                outcome.rows += 1
                if number in there:
                    outcome.already += 1
                    continue
                try:
                    _count(outcome, _open(sha, number, row, shop, columns, channel), str(row[columns.text]))
                except IntegrityError as error:
                    if "one_case_per_row" not in str(error):
                        raise
                    outcome.already += 1  # another load of the same file was faster
                except (BadRow, DeskError) as error:
                    outcome.rejected += 1
                    rejects.add(number, str(error), str(row.get(columns.text) or ""))
        step(outcome)
    return outcome


def _open(sha: str, number: int, row: Row, shop: Shop, columns: Columns, channel: str) -> Case:
    report = report_of(row, columns, ZoneInfo(shop.zone), channel)
    with transaction.atomic():
        case = open_case(shop, report, by=actors.system("command")).case
        LoadedRow.objects.create(file_sha=sha, row=number, case=case)
    return case


def report_of(row: Row, columns: Columns, zone: ZoneInfo, channel: str) -> Report:
    """The report that a row makes; raises BadRow."""
    if None in row:
        raise BadRow(_("The row has more fields than the header."))

    def cell(name: str) -> str:
        value = row.get(name) if name else None
        text = "" if value is None else str(value)
        if any("\udc80" <= letter <= "\udcff" for letter in text):
            raise BadRow(_("'%(column)s' is not written in UTF-8.") % {"column": name})
        return text

    text, language = cell(columns.text), cell(columns.language).strip() or columns.language_is
    if not text.strip():
        raise BadRow(_("'%(column)s' is empty.") % {"column": columns.text})
    if language and not closest(language, ""):
        raise BadRow(_("'%(language)s' is none of ko, zh-hans and en.") % {"language": language})
    return Report(
        text=text,
        subject=cell(columns.subject),
        customer_name=cell(columns.name),
        customer_email=cell(columns.email),
        customer_phone=cell(columns.phone),
        order_number=cell(columns.order),
        language=language,
        channel=channel,
        happened_at=moment_of(row.get(columns.at), zone) if columns.at else None,
    )


def moment_of(value: Any, zone: ZoneInfo) -> datetime | None:
    """A moment from a date, a time or ISO 8601 text; without a zone it is the shop's. Raises BadRow."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise BadRow(_("'%(value)s' is not a date in ISO 8601.") % {"value": value}) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _count(outcome: Outcome, case: Case, text: str) -> None:
    outcome.opened += 1
    outcome.levels[case.urgency] += 1
    suggestion = default_model().suggest(text, case.language)
    kept = outcome.sure if suggestion.sure else outcome.unsure
    kept[suggestion.top[0].type, case.language] += 1


def _batches(rows: Iterator[tuple[int, Row]]) -> Iterator[list[tuple[int, Row]]]:
    while batch := list(islice(rows, TOGETHER)):
        yield batch
