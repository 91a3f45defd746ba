"""Finding a pack file (shipped, or a site's edited copy) and taking checked values out of it.

Every wrong value ends as a PackError with file, place and reason: a pack is edited by a team, not by a programmer.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from makegood.base.languages import Text3
from makegood.packs.errors import PackError
from makegood.packs.shapes import LEVELS

SHIPPED = Path(__file__).parent
CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
TEXT3 = ("ko", "zh", "en")


def overlay() -> str:
    """The folder of a site's edited copies ('' when there is none). Read each time: tests and commands set it."""
    return os.environ.get("MAKEGOOD_PACKS", "")


def locate(name: str, folder: str) -> Path:
    """The file that counts for ``name`` ('playbooks/product.toml'): the copy in ``folder``, else the shipped one."""
    if folder and not Path(folder).is_dir():
        # A mistyped folder must not quietly mean 'the shipped packs'.
        raise PackError(folder, "", "MAKEGOOD_PACKS names a folder that does not exist")
    edited = Path(folder) / name if folder else None
    return edited if edited and edited.is_file() else SHIPPED / name


def read(path: Path) -> Entry:
    """The whole file as one entry; raises PackError when it is missing, not UTF-8 or not TOML."""
    try:
        return Entry(path, "", tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise PackError(path, "", "the file is missing") from None
    except UnicodeDecodeError:
        raise PackError(path, "", "the file is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise PackError(path, "", f"not valid TOML: {error}") from None


@dataclass(frozen=True)
class Entry:
    """A table of a pack file that knows where it stands, so that whatever is wrong in it can be named."""

    file: Path
    place: str
    raw: dict[str, Any]

    def wrong(self, reason: str) -> PackError:
        return PackError(self.file, self.place, reason)

    def only(self, *keys: str) -> None:
        """Refuse keys that nobody reads: a mistyped key would otherwise be an edit without effect."""
        for key in self.raw:
            if key not in keys:
                raise self.wrong(f"unknown key '{key}' (known: {', '.join(keys)})")

    def get(self, key: str, kind: type | tuple[type, ...], what: str) -> Any:
        if key not in self.raw:
            raise self.wrong(f"'{key}' is missing")
        value = self.raw[key]
        # bool is an int in Python; 'urgency = true' is still a mistake.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(f"'{key}' must be {what}, not {value!r}")
        return value

    def text(self, key: str) -> Text3:
        """A text in three languages that stands in a table of its own (``says = { ko, zh, en }``)."""
        table = Entry(
            self.file, f"{self.place} {key}".strip(), self.get(key, dict, "a table with ko, zh and en")
        )
        table.only(*TEXT3)
        return table.own_text()

    def own_text(self) -> Text3:
        """The text in three languages that stands in this entry itself, as its keys ko, zh and en."""
        for language in TEXT3:
            value = self.raw.get(language)
            if not isinstance(value, str) or not value.strip():
                raise self.wrong(f"the text in '{language}' is missing or empty")
        return Text3.of({language: self.raw[language] for language in TEXT3})

    def code(self, key: str = "code") -> str:
        value: str = self.get(key, str, "a code")
        if not CODE.fullmatch(value):
            raise self.wrong(f"'{value}' is not a code: small letters, digits and _, with one dot at most")
        return value

    def one_of(self, key: str, known: Container[str], what: str) -> str:
        value: str = self.get(key, str, "a code")
        if value not in known:
            raise self.wrong(f"'{key}': no {what} has the code '{value}'")
        return value

    def many_of(self, key: str, known: Container[str], what: str) -> tuple[str, ...]:
        values = self.get(key, list, "a list of codes")
        if not values:
            raise self.wrong(f"'{key}' is empty")
        for value in values:
            if not isinstance(value, str) or value not in known:
                raise self.wrong(f"'{key}': no {what} has the code {value!r}")
        if len(set(values)) < len(values):
            raise self.wrong(f"'{key}' names a code twice")
        return tuple(values)

    def flag(self, key: str) -> bool:
        return bool(self.get(key, bool, "true or false")) if key in self.raw else False

    def level(self, key: str) -> int:
        value: int = self.get(key, int, "a whole number from 1 to 5")
        if value not in LEVELS:
            raise self.wrong(f"'{key}' must be a level from 1 to 5, not {value}")
        return value

    def above_zero(self, key: str, whole: bool = False) -> float:
        kind, what = (int, "a whole number") if whole else ((int, float), "a number")
        value: float = self.get(key, kind, what)
        if not 0 < value < 100_000:  # also refuses nan and inf, which TOML can write
            raise self.wrong(f"'{key}' must be above 0 and below 100000, not {value}")
        return value

    def table(self, key: str) -> Entry:
        return Entry(self.file, f"{self.place} {key}".strip(), self.get(key, dict, "a table"))

    def entries(self, key: str, low: int = 1, high: int | None = None, name: str = "code") -> list[Entry]:
        """The tables of a list, each placed by its own code (or its number), between ``low`` and ``high`` of them."""
        found = self.get(key, list, "a list of tables") if low or key in self.raw else []
        if len(found) < low or (high is not None and len(found) > high):
            span = f"{low} to {high}" if high is not None else f"at least {low}"
            raise self.wrong(f"'{key}' must have {span} entries, not {len(found)}")
        return [self._placed(key, number, raw, name) for number, raw in enumerate(found, 1)]

    def _placed(self, key: str, number: int, raw: Any, name: str) -> Entry:
        label = raw.get(name, f"number {number}") if isinstance(raw, dict) else f"number {number}"
        entry = Entry(self.file, f"{self.place} {key}[{label}]".strip(), raw)
        if not isinstance(raw, dict):
            raise entry.wrong("must be a table")
        return entry


def refuse_twice(entries: Iterable[Entry], name: str = "code") -> None:
    """Raise PackError at the second entry that bears a code which was already given."""
    seen: list[object] = []  # a list: a wrong value need not be hashable
    for entry in entries:
        value = entry.raw.get(name)
        if value in seen:
            raise entry.wrong(f"the {name} '{value}' is given twice")
        seen.append(value)
