"""The log of facts: written once, whatever is sent how often, and read by cursors that skip nothing.

A cursor over ids alone would skip rows: an id is drawn before its transaction commits, so a reader may pass 8 while 7 is still
on its way. Each row keeps its transaction (xid8); a reader goes only up to the oldest one that still runs
(pg_snapshot_xmin), and all below is there for good. A long write transaction anywhere in the server holds readers up; the
house keeps none. Transaction ids are those of one server: after a restore from a dump, set every FactCursor to 0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from makegood.base import clock, rows
from makegood.connectors.canon import Told
from makegood.transactions.fields import plain
from makegood.transactions.models import FactKey, Store, StoreFact

Cursor = tuple[int, int]
START: Cursor = (0, 0)
_AFTER = """SELECT {columns} FROM makegood_storefact
WHERE (tx, id) > ($1, $2) AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY tx, id LIMIT $3"""
_NAMES = tuple(f.attname for f in StoreFact._meta.concrete_fields)
#: Where ``more`` stands: Django has psycopg hand JSON over as text.
_MORE = _NAMES.index("more")
_SQL = _AFTER.format(columns=", ".join(f'"{name}"' for name in _NAMES))

#: What is sent for each fact, with the type of the array that carries it.
SENT: tuple[tuple[str, str], ...] = (
    ("key", "bytea"),
    ("content", "bytea"),
    ("event_id", "text"),
    ("type", "text"),
    ("noun", "text"),
    ("ref", "text"),
    ("order_number", "text"),
    ("at", "timestamptz"),
    ("sequence", "bigint"),
    ("state", "text"),
    ("amount", "numeric"),
    ("currency", "text"),
    ("more", "jsonb"),
    ("raw", "text"),
)
_KEPT = ", ".join(name for name, _kind in SENT[2:])
_STORE = f"""fresh AS (
  INSERT INTO makegood_factkey (store_id, key, content, came_at)
  SELECT $1, key, content, $2 FROM came ORDER BY key ON CONFLICT DO NOTHING RETURNING key
), put AS (
  INSERT INTO makegood_storefact (store_id, came_at, way, {_KEPT})
  SELECT $1, $2, $3, {", ".join(f"c.{name}" for name, _kind in SENT[2:])} FROM came c JOIN fresh USING (key) ORDER BY c.n
) SELECT key FROM fresh"""
# One JSON document and not an array a column: psycopg escapes each text of an array by itself, which was half of a batch's time.
_TEXTS = {"key": "text", "content": "text"}
_APPEND = (
    "WITH sent AS (SELECT decode(key, 'hex') AS key, decode(content, 'hex') AS content, "
    + ", ".join(name for name, _kind in SENT[2:])
    + ", n FROM json_to_recordset($4::json) AS t("
    + ", ".join(f"{name} {_TEXTS.get(name, kind)}" for name, kind in SENT)
    + ", n bigint)), came AS (SELECT DISTINCT ON (key) * FROM sent ORDER BY key, n), "
    + _STORE
)


@dataclass(frozen=True)
class Fact:
    """One thing that a store told, ready for the log. ``event_id`` and ``source`` make it the same one when it comes again."""

    told: Told
    event_id: str
    source: str = ""
    raw: str = ""

    def row(self) -> tuple[Any, ...]:
        """The values of SENT."""
        told, more = self.told, plain(self.told.more)
        money = told.money
        said = (told.type, told.noun, told.ref, told.order, told.at.isoformat(), told.sequence, told.state)
        worth = (str(money.amount), money.currency) if money else ()
        content = repr((said, worth, sorted(more.items(), key=str))).encode("utf-8", "surrogatepass")
        return (
            hashlib.blake2b(f"{self.source}\0{self.event_id}".encode(), digest_size=16).digest(),
            hashlib.blake2b(content, digest_size=8).digest(),
            self.event_id[:200],
            told.type,
            told.noun,
            told.ref,
            told.order,
            told.at,
            told.sequence,
            told.state,
            money.amount if money else None,
            money.currency if money else "",
            Jsonb(more),
            self.raw,
        )


#: What became of a fact that was to be written.
NEW, DUPLICATE, CONFLICT = "accepted", "duplicate", "same_id_other_content"


def append(store: Store, facts: Sequence[Fact], *, way: str, at: datetime | None = None) -> list[str]:
    """Write what is not there yet; for each NEW, DUPLICATE or CONFLICT (the same id told something else before).

    One statement for all. Raises what the database raises; nothing is written then.
    """
    if not facts:
        return []
    sent = [fact.row() for fact in facts]
    document = json.dumps([_as_json(n, row) for n, row in enumerate(sent)])
    with transaction.atomic():
        found = rows.ask(_APPEND, store.pk, at or clock.now(), way, document)
        fresh = {bytes(key) for (key,) in found}
        return _outcomes(store, [(row[0], row[1]) for row in sent], fresh)


_MORE_AT = [name for name, _kind in SENT].index("more")


def _as_json(n: int, row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of SENT as JSON carries it: bytes in hexadecimal, moments and amounts as text."""
    key, content, *rest = row
    found = dict(zip((name for name, _kind in SENT[2:]), rest, strict=True))
    found["at"], found["amount"] = row[7].isoformat(), None if row[10] is None else str(row[10])
    found["more"] = row[_MORE_AT].obj
    return {"key": key.hex(), "content": content.hex(), "n": n, **found}


_TEMPORARY = "CREATE TEMP TABLE IF NOT EXISTS makegood_came ({}, n bigint) ON COMMIT DROP".format(
    ", ".join(f"{name} {kind}" for name, kind in SENT)
)
_COPY = f"COPY makegood_came ({', '.join(name for name, _kind in SENT)}, n) FROM STDIN"
_APPEND_COPIED = "WITH came AS (SELECT DISTINCT ON (key) * FROM makegood_came ORDER BY key, n), " + _STORE


def append_copied(store: Store, facts: Sequence[Fact], *, way: str, at: datetime | None = None) -> list[str]:
    """:func:`append` for thousands at once: sent by COPY into a table of this transaction, then written by the same statement."""
    if not facts:
        return []
    sent = [fact.row() for fact in facts]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TEMPORARY)
        cursor.execute("TRUNCATE makegood_came")
        with cursor.copy(_COPY) as copy:
            for n, row in enumerate(sent):
                copy.write_row((*row, n))
        found = rows.ask(_APPEND_COPIED, store.pk, at or clock.now(), way)
        return _outcomes(store, [(row[0], row[1]) for row in sent], {bytes(key) for (key,) in found})


def _outcomes(store: Store, sent: list[tuple[bytes, bytes]], fresh: set[bytes]) -> list[str]:
    left = set(fresh)
    there: dict[bytes, bytes] = {}
    if len(fresh) < len(sent):
        known = FactKey.objects.filter(store=store, key__in=[key for key, _content in sent])
        there = {bytes(key): bytes(content) for key, content in known.values_list("key", "content")}
    outcomes = []
    for key, content in sent:
        if key in left:
            left.discard(key)
            outcomes.append(NEW)
        else:
            outcomes.append(DUPLICATE if there.get(key, content) == content else CONFLICT)
    return outcomes


def after(cursor: Cursor, limit: int) -> list[StoreFact]:
    """The next facts after ``cursor`` = (tx, id) of the last one that was read, oldest first. Skips none that commits late."""
    found = rows.ask(_SQL, *cursor, limit)
    return [
        StoreFact.from_db("default", _NAMES, [*row[:_MORE], json.loads(row[_MORE]), *row[_MORE + 1 :]])
        for row in found
    ]


class Line(NamedTuple):
    """What the watch reads of a fact, by the names of its columns."""

    tx: int
    pk: int
    came_at: datetime
    store_id: int
    type: str
    noun: str
    ref: str
    order_number: str
    at: datetime
    amount: Decimal | None
    currency: str
    more: dict[str, Any]


_LINES = _AFTER.format(
    columns="tx, id, came_at, store_id, type, noun, ref, order_number, at, amount, currency, more::text"
)


def lines_after(cursor: Cursor, limit: int) -> list[Line]:
    """As :func:`after`, without what came and without a model for each: for whoever reads all of the log."""
    decode = msgspec.json.decode
    return [Line._make((*row[:-1], decode(row[-1]))) for row in rows.ask(_LINES, *cursor, limit, binary=True)]


def cursor_of(fact: StoreFact | Line) -> Cursor:
    """The cursor behind this fact."""
    return fact.tx, fact.pk


def mark_stale(pks: Iterable[tuple[int, datetime]]) -> None:
    """Mark facts that came behind a newer version (id and came_at, so that one day's part is touched)."""
    with connection.cursor() as cursor:
        for pk, came_at in pks:
            cursor.execute(
                "UPDATE makegood_storefact SET stale = true WHERE id = %s AND came_at = %s", [pk, came_at]
            )


#: The logs that have a part a day.
LOGS = ("makegood_storefact", "makegood_streamchunk")


def days_ahead(first: date, days: int = 7) -> int:
    """Make the logs' parts for ``days`` days from ``first``; how many were missing. Rows that came without one move into it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(makegood_log_days(log::regclass, %s, %s)) FROM unnest(%s::text[]) AS log", [first, days, list(LOGS)])  # fmt: skip
        return int(cursor.fetchone()[0])


def forget(before: date) -> int:
    """Drop the parts of the days before ``before``, and the keys of what they held; how many parts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(makegood_log_forget(log::regclass, %s)) FROM unnest(%s::text[]) AS log", [before, list(LOGS)])  # fmt: skip
        gone = int(cursor.fetchone()[0])
        cursor.execute(
            "DELETE FROM makegood_factkey WHERE came_at < %s::timestamp AT TIME ZONE 'UTC'", [before]
        )
        return gone
