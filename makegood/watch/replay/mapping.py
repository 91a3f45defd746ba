"""What the columns of a file mean: a TOML file, checked with file, place and reason. docs/mechanisms/watch.md has examples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from makegood.packs.reading import Entry, read
from makegood.packs.watch_shapes import Process
from makegood.packs.watching import processes, read_process

PICKS = ("first", "min", "max", "sum", "count")


@dataclass(frozen=True)
class Join:
    """Another file, one line for each value of ``key``: of several lines ``pick`` says what is taken."""

    file: str  # beside the file of events
    on: str
    key: str
    pick: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Judge:
    """What trouble was, known afterwards. ``late``: ended after this moment (or days), or never. ``lead_to``: too late by then.

    ``bad`` and ``good`` are conditions ('review_score <= 2'), '' for none: then good is what ended in time.
    """

    begin: str
    end: str
    late_moment: str
    late_days: float
    lead_column: str
    lead_days: float
    bad: str
    good: str
    ended_only: bool
    weight_where: str
    weight_total: float


@dataclass(frozen=True)
class Mapping:
    """``wide``: a transaction a line, its events in columns (event -> column). Else an event a line (value -> event)."""

    processes: tuple[Process, ...]
    wide: bool
    tx: str
    at: str
    event: str
    id: str
    amount: str
    zone: str
    form: str
    events: dict[str, str]
    attributes: dict[str, str]
    moments: dict[str, str]
    joins: tuple[Join, ...]
    judge: Judge | None


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file; raises PackError."""
    root = read(path)
    root.only("process", "table", "events", "attributes", "moments", "join", "judge")
    table = root.table("table")
    table.only("shape", "tx", "at", "event", "id", "amount", "zone", "format")
    wide = table.one_of("shape", ("wide", "long"), "shape") == "wide"
    found = tuple(_process(root, name, path) for name in _strings(root, "process"))
    known = {event for process in found for event in process.events}
    events = _pairs(root, "events")
    for event in events if wide else events.values():
        if event not in known:
            raise root.wrong(
                f"events: no process has the event '{event}' (known: {', '.join(sorted(known))})"
            )
    attributes = _pairs(root, "attributes") if "attributes" in root.raw else {}
    for name in attributes:
        if name not in {a for p in found for a in p.attributes}:
            raise root.wrong(f"attributes: no process has the attribute '{name}'")
    return Mapping(
        found, wide, _text(table, "tx"), "" if wide else _text(table, "at"), "" if wide else _text(table, "event"),
        _text(table, "id", ""), _text(table, "amount", ""), _zone(table), _text(table, "format", ""),
        events, attributes, _pairs(root, "moments") if "moments" in root.raw else {},
        tuple(_join(e) for e in root.entries("join", low=0, name="file")),
        _judge(root.table("judge"), known) if "judge" in root.raw else None,
    )  # fmt: skip


def by_columns(tx: str, at: str, event: str, codes: tuple[str, ...], zone: str) -> Mapping:
    """A mapping without a file, for a log whose column ``event`` already holds codes of events."""
    found = tuple(processes()[code] for code in codes) if codes else tuple(processes().values())
    events = {e: e for p in found for e in p.events}
    return Mapping(found, False, tx, at, event, "", "", zone, "", events, {}, {}, (), None)


def _process(root: Entry, name: str, path: Path) -> Process:
    if name.endswith(".toml"):
        return read_process(path.parent / name)
    if name not in processes():
        raise root.wrong(f"'process': no process has the code '{name}' (known: {', '.join(processes())})")
    return processes()[name]


def _join(entry: Entry) -> Join:
    entry.only("file", "on", "key", "pick", "columns")
    return Join(
        _text(entry, "file"), _text(entry, "on"), _text(entry, "key", _text(entry, "on")),
        entry.one_of("pick", PICKS, "pick"), tuple(_strings(entry, "columns")),
    )  # fmt: skip


def _judge(entry: Entry, events: set[str]) -> Judge:
    entry.only("begin", "end", "late", "lead_to", "bad", "good", "ended_only", "weight")
    late, lead = entry.table("late"), entry.table("lead_to")
    late.only("moment", "days")
    lead.only("column", "days")
    weight = entry.table("weight") if "weight" in entry.raw else None
    if weight:
        weight.only("where", "total")
    return Judge(
        entry.one_of("begin", events, "event"), entry.one_of("end", events, "event"),
        _text(late, "moment", ""), late.above_zero("days") if "days" in late.raw else 0.0,
        _text(lead, "column", ""), lead.above_zero("days") if "days" in lead.raw else 0.0,
        _text(entry, "bad", ""), _text(entry, "good", ""), entry.flag("ended_only"),
        _text(weight, "where") if weight else "", weight.above_zero("total") if weight else 0.0,
    )  # fmt: skip


def _text(entry: Entry, key: str, otherwise: str | None = None) -> str:
    if key not in entry.raw and otherwise is not None:
        return otherwise
    value: str = entry.get(key, str, "a text")
    return value


def _strings(entry: Entry, key: str) -> list[str]:
    values = entry.get(key, list, "a list of texts")
    if not values or not all(isinstance(v, str) for v in values):
        raise entry.wrong(f"'{key}' must be a list of texts, not {values!r}")
    return list(values)


def _pairs(root: Entry, key: str) -> dict[str, str]:
    raw: dict[str, Any] = root.get(key, dict, "a table of texts")
    for name, value in raw.items():
        if not isinstance(value, str):
            raise root.wrong(f"'{key}': '{name}' must be a text, not {value!r}")
    return raw


def _zone(table: Entry) -> str:
    name = _text(table, "zone", "UTC")
    try:
        return str(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError):
        raise table.wrong(f"'{name}' is no time zone") from None
