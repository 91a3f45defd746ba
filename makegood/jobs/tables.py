"""Reading rows out of a file of unknown size, a batch at a time: CSV or Parquet, told apart by what is in the file."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

Row = dict[str, Any]
BATCH = 200
#: A field may be longer than a message may be: such a row is refused by itself and does not stop the file.
LONGEST_FIELD = 16 * 2**20
_WHERE = re.compile(r"^\s*(.+?)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*$", re.S)
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class BadTable(ValueError):
    """The file, or what was asked of it, is not as it must be; the message is a sentence for the user."""


@dataclass(frozen=True)
class Condition:
    """``column op value``; compared as numbers where both sides are numbers, else as text. An empty cell only ever is '!='."""

    column: str
    op: str
    value: str

    @classmethod
    def read(cls, text: str) -> Condition:
        """From "rating <= 2"; raises BadTable."""
        found = _WHERE.match(text)
        if not found:
            raise BadTable(
                _("'%(text)s' is no condition; write COLUMN OP VALUE, for instance: rating <= 2")
                % {"text": text}
            )
        return cls(*found.groups())

    def holds(self, row: Row) -> bool:
        cell = row.get(self.column)
        if cell is None:
            return self.op == "!="
        try:
            return _TESTS[self.op](float(cell), float(self.value))
        except (TypeError, ValueError):
            return _TESTS[self.op](str(cell).strip(), self.value)


class Table:
    """A file of rows. ``columns`` are its names; :meth:`rows` yields (number from 1, row) and holds one batch at a time."""

    def __init__(self, path: Path) -> None:
        """Raises BadTable when there is no such file, or it is neither CSV nor Parquet."""
        try:
            with path.open("rb") as file:
                start = file.read(4096)
        except OSError as error:
            raise BadTable(
                _("%(file)s cannot be read: %(why)s.") % {"file": path, "why": error.strerror or error}
            ) from None
        self.path, self.size = path, path.stat().st_size
        self.parquet = start[:4] == b"PAR1"
        if not self.parquet and (path.suffix.lower() == ".parquet" or b"\0" in start or not start.strip()):
            raise BadTable(_("%(file)s is neither a CSV nor a Parquet file.") % {"file": path})
        self.columns = self._columns()
        self.done = 0.0

    def sha(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def must_have(self, *names: str) -> None:
        """Raise BadTable for the first of ``names`` that is no column; '' is left alone."""
        for name in names:
            if name and name not in self.columns:
                raise BadTable(
                    _("%(file)s has no column '%(name)s'; it has: %(columns)s.")
                    % {"file": self.path.name, "name": name, "columns": ", ".join(self.columns)}
                )

    def rows(self, wanted: list[str]) -> Iterator[tuple[int, Row]]:
        """Every row, with the ``wanted`` columns at least; ``done`` tells the part that was read (0 to 1)."""
        try:
            yield from self._parquet_rows(wanted) if self.parquet else self._csv_rows()
        except (pa.ArrowException, csv.Error, OSError) as error:
            raise BadTable(
                _("%(file)s cannot be read on: %(why)s.") % {"file": self.path, "why": error}
            ) from None

    def _columns(self) -> list[str]:
        if self.parquet:
            try:
                return list(pq.ParquetFile(self.path).schema_arrow.names)
            except (pa.ArrowException, OSError) as error:
                raise BadTable(
                    _("%(file)s is not a whole Parquet file: %(why)s.")
                    % {"file": self.path, "why": str(error).splitlines()[0]}
                ) from None
        with self.path.open("rb") as raw, self._text(raw) as file:
            head = next(csv.reader(file), [])
        if any("\udc80" <= letter <= "\udcff" for name in head for letter in name):
            raise BadTable(_("%(file)s is not written in UTF-8.") % {"file": self.path})
        return head

    @staticmethod
    def _text(raw: BinaryIO) -> io.TextIOWrapper:
        # surrogateescape: a broken byte is seen in its own row, and does not stop the rows around it.
        return io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")

    def _csv_rows(self) -> Iterator[tuple[int, Row]]:
        csv.field_size_limit(LONGEST_FIELD)
        with self.path.open("rb") as raw, self._text(raw) as file:
            for number, row in enumerate(csv.DictReader(file), start=1):
                if number % BATCH == 0:
                    self.done = raw.tell() / max(1, self.size)
                yield number, row
        self.done = 1.0

    def _parquet_rows(self, wanted: list[str]) -> Iterator[tuple[int, Row]]:
        file = pq.ParquetFile(self.path)
        total, number = max(1, file.metadata.num_rows), 0
        for batch in file.iter_batches(batch_size=BATCH, columns=sorted(set(wanted))):
            for row in batch.to_pylist():
                number += 1
                yield number, row
            self.done = number / total
        self.done = 1.0
