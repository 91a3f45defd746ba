"""Columns that grow with an index: row i of each belongs to key i."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64
from makegood.watch.plan import I64
from makegood.watch.table import Index


class Columns:
    """An index and its columns: ``names`` says their types and shapes, ``blank`` what a row begins with."""

    def __init__(self, names: dict[str, tuple[Any, Any]], capacity: int = 1024) -> None:
        self.names = names
        self.index = Index(capacity)
        self.columns: dict[str, npt.NDArray[Any]] = {}
        self._fit()

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]

    def add(self, keys: U64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """Rows of these keys, new ones blank; and which places made a row."""
        rows, made = self.index.claim(keys)
        if made.any():
            self._fit()
            self.blank(rows[made])
        return rows, made

    def claim(self, keys: U64) -> tuple[I64, npt.NDArray[np.bool_]]:
        """As ``add``, but what a new row holds is undefined until it is blanked or written."""
        rows, made = self.index.claim(keys)
        self._fit()
        return rows, made

    def blank(self, rows: I64) -> None:
        for name, (_, blank) in self.names.items():
            self.columns[name][rows] = blank

    def drop(self, rows: I64, *names: str) -> None:
        """Forget these rows; of rows that are not in use only the columns ``names`` (none: all) are sure to be blank."""
        self.index.drop(rows)
        for name in names or self.names:
            self.columns[name][rows] = self.names[name][1]

    def _fit(self) -> None:
        size = len(self.index.keys)
        for name, (kind, blank) in self.names.items():
            old = self.columns.get(name)
            if old is not None and len(old) == size:
                continue
            new = np.full(size, blank, dtype=kind)
            if old is not None:
                new[: len(old)] = old
            self.columns[name] = new

    @property
    def nbytes(self) -> int:
        return self.index.nbytes + sum(column.nbytes for column in self.columns.values())

    def packed(self) -> dict[str, npt.NDArray[Any]]:
        """The rows in use, without gaps: what a snapshot keeps."""
        rows = self.index.rows()
        return {"key": self.index.keys[rows], **{name: self.columns[name][rows] for name in self.names}}

    @classmethod
    def unpacked(cls, names: dict[str, tuple[Any, Any]], kept: dict[str, npt.NDArray[Any]]) -> Columns:
        """Rows from a snapshot, in its order: row i is the i-th kept one. A column that was not kept is blank."""
        made = cls(names, 0)
        made.index = Index.of(kept["key"])
        made._fit()
        for name in kept.keys() & names.keys():
            made.columns[name][: len(kept["key"])] = kept[name]
        return made
