"""How the columns of a file become events: a TOML of the shop's, flags, or both. Pure but for reading the file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from makegood.connectors.canon import TYPES, noun_of
from makegood.jobs.tables import BadTable, Row
from makegood.transactions.envelope import Bad
from makegood.transactions.fields import fields_of

ENVELOPE = ("id", "source", "type", "subject", "time", "sequence")
_DATA = ("ref", "order", "money.amount", "money.currency")


@dataclass(frozen=True)
class Made:
    """One event that a row makes: from which columns, and with which fixed values. Both by the names of the event."""

    columns: Mapping[str, str]
    fixed: Mapping[str, str]

    def reads(self) -> list[str]:
        return list(self.columns.values())


@dataclass(frozen=True)
class Plan:
    """A row makes each of ``made`` whose time is not empty. ``types``: the file's own words -> our types."""

    made: tuple[Made, ...]
    types: Mapping[str, str] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    time_format: str = ""

    def columns(self) -> list[str]:
        """Every column that is read."""
        return sorted({name for made in self.made for name in made.reads()})

    def events(self, row: Row) -> list[dict[str, Any]]:
        """The events of a row, as CloudEvents. Raises Bad for a cell that cannot be read."""
        if None in row:
            raise Bad("too_many_fields", "the row has more fields than the header")
        return [event for made in self.made if (event := self._event(made, row)) is not None]

    def _event(self, made: Made, row: Row) -> dict[str, Any] | None:
        told: dict[str, str] = dict(made.fixed)
        for name, column in made.columns.items():
            value = row.get(column)
            if value is None or value == "":
                if name == "time":
                    return None  # it has not happened
                continue
            told[name] = self._text(name, value)
        kind = told.get("type", "")
        told["type"] = self.types.get(kind, kind)
        event: dict[str, Any] = {name: told[name] for name in ENVELOPE if name in told}
        event |= {"specversion": "1.0", "source": told.get("source", "/file")}
        event["data"] = _data(told)
        # Without an id of its own, a row is what it says: the same row in the next file is the same event.
        event.setdefault(
            "id", hashlib.blake2b(json.dumps(event, sort_keys=True).encode(), digest_size=12).hexdigest()
        )
        return event

    def _text(self, name: str, value: Any) -> str:
        if isinstance(value, str) and any("\udc80" <= letter <= "\udcff" for letter in value):
            raise Bad("bad_text", f"{name} is not written in UTF-8")
        if name.endswith(("time", "_at", "_until")) or name == "answer_by":
            return self._moment(name, value)
        if isinstance(value, float):
            value = int(value) if value.is_integer() else value
        if isinstance(value, datetime):
            value = value.date()
        return str(value).strip()

    def _moment(self, name: str, value: Any) -> str:
        try:
            if isinstance(value, date) and not isinstance(value, datetime):
                value = datetime.combine(value, time())
            if not isinstance(value, datetime):
                text = str(value).strip()
                value = self._parsed(text)
        except ValueError:
            raise Bad("bad_time", f"{name}: {value}") from None
        return (value if value.tzinfo else value.replace(tzinfo=self.zone)).isoformat()

    def _parsed(self, text: str) -> datetime:
        if self.time_format:
            return datetime.strptime(text, self.time_format)  # noqa: DTZ007 (the zone comes right after)
        return datetime.fromisoformat(text)


def _data(told: Mapping[str, str]) -> dict[str, Any]:
    kind = told["type"].removesuffix(".v1")
    known = fields_of(noun_of(kind)) if kind in TYPES else {}
    data: dict[str, Any] = {name: told[name] for name in ("ref", "order") if told.get(name)}
    if told.get("money.amount"):
        data["money"] = {"amount": told["money.amount"], "currency": told.get("money.currency", "")}
    for name, value in told.items():
        if name in ENVELOPE or name in _DATA or not value:
            continue
        shape = known.get(name)
        if shape is None:
            continue  # a field of another of the row's events
        if shape.kind == "flag":
            data[name] = value.lower() in ("1", "true", "yes", "y")
        elif shape.kind == "lines":
            data[name] = [{"name": value}]
        elif shape.kind == "person":
            data[name] = {"email" if "@" in value else "phone": value}
        else:
            data[name] = value[:10] if shape.kind == "date" else value
    return data


def read_mapping(
    path: Path | None, columns: list[str], fixed: list[str], types: list[str], zone: str
) -> Plan:
    """From a TOML file and the flags (NAME=VALUE); the flags win. Raises BadTable with a sentence."""
    found: dict[str, Any] = {}
    if path is not None:
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadTable(_("%(file)s cannot be read: %(why)s.") % {"file": path, "why": error}) from None
    if odd := set(found) - {"columns", "fixed", "types", "event", "zone", "time_format"}:
        raise BadTable(_("The mapping has no part '%(name)s'.") % {"name": sorted(odd)[0]})
    every = Made({**found.get("columns", {}), **_pairs(columns)}, {**found.get("fixed", {}), **_pairs(fixed)})
    parts = [
        Made({**every.columns, **part.get("columns", {})}, {**every.fixed, **part.get("fixed", {})})
        for part in found.get("event", [{}])
    ]
    made = tuple(_checked(part) for part in parts)
    words = {**found.get("types", {}), **_pairs(types)}
    for type_ in [*words.values(), *(m.fixed["type"] for m in made if "type" in m.fixed and not words)]:
        if str(type_).removesuffix(".v1") not in TYPES:
            raise BadTable(_("'%(type)s' is no type of event.") % {"type": type_})
    try:
        return Plan(made, words, ZoneInfo(zone or found.get("zone", "UTC")), found.get("time_format", ""))
    except (ZoneInfoNotFoundError, ValueError):
        raise BadTable(_("'%(zone)s' is no time zone.") % {"zone": zone or found.get("zone")}) from None


def _checked(made: Made) -> Made:
    known = {*ENVELOPE, *_DATA, *(name for type_ in TYPES for name in fields_of(noun_of(type_)))}
    names = {**made.columns, **made.fixed}
    if odd := set(names) - known:
        raise BadTable(_("An event has no field '%(name)s'.") % {"name": sorted(odd)[0]})
    for name in ("type", "subject", "time"):
        if name not in names:
            raise BadTable(_("Say which column holds '%(name)s', or fix it.") % {"name": name})
    return made


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise BadTable(_("'%(text)s' must be NAME=VALUE.") % {"text": text})
        pairs[name.strip()] = value.strip()
    return pairs
