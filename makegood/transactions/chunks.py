"""The log of chunks: events of a stream, many in a row. Its cursor and its days are those of the log of facts (facts.py).

One row for each event was most of the cost of taking it in and of reading it (docs/mechanisms/watch.md); what is applied to our own
tables needs that, what only the watch reads does not. What is in the bytes, ``watch/chunks.py`` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from makegood.base import clock, rows
from makegood.transactions.facts import Cursor
from makegood.transactions.models import Store

_APPEND = """WITH fresh AS (
  INSERT INTO makegood_factkey (store_id, key, content, came_at) VALUES ($1, $2, $2, $3) ON CONFLICT DO NOTHING RETURNING key
) INSERT INTO makegood_streamchunk (store_id, came_at, events, first_at, last_at, keys, data, texts)
SELECT $1, $3, $4, $5, $6, $7, $8, $9 FROM fresh RETURNING id"""
_COLUMNS = "tx, id, came_at, store_id, events, keys, data"
_AFTER = f"""SELECT {_COLUMNS} FROM makegood_streamchunk
WHERE (tx, id) > ($1, $2) AND tx < pg_snapshot_xmin(pg_current_snapshot())::text::bigint ORDER BY tx, id LIMIT $3"""
_BACK = f"""SELECT {_COLUMNS} FROM makegood_streamchunk
WHERE came_at >= $1 AND (tx, id) < ($2, $3) ORDER BY tx DESC, id DESC LIMIT $4"""
_COVERING = """SELECT id, came_at, store_id, keys FROM makegood_streamchunk
WHERE tstzrange(first_at, last_at, '[]') && tstzmultirange(VARIADIC $1::tstzrange[]) AND came_at >= $2
ORDER BY came_at LIMIT $3"""
_TEXTS = """SELECT id, texts FROM makegood_streamchunk
WHERE (id, came_at) IN (SELECT * FROM unnest($1::bigint[], $2::timestamptz[]))"""
#: Rows that are asked for at once; and how far a sender's clock may be ahead, so that an event is not older than its chunk by more.
TOGETHER, AHEAD = 64, timedelta(minutes=10)


@dataclass(frozen=True)
class Chunk:
    """Events that came together, ready for the log."""

    events: int
    first_at: datetime
    last_at: datetime
    keys: bytes
    data: bytes
    texts: bytes


class Kept(NamedTuple):
    """A chunk of the log without its texts."""

    tx: int
    id: int
    came_at: datetime
    store_id: int
    events: int
    keys: bytes
    data: bytes


def append(store: Store, chunk: Chunk, digest: bytes, *, at: datetime | None = None) -> bool:
    """Write a chunk; whether it is new. ``digest`` (16 bytes) is of the body that it came in: sent again, it is not written again."""
    sent = (chunk.events, chunk.first_at, chunk.last_at, chunk.keys, chunk.data, chunk.texts)
    return bool(rows.ask(_APPEND, store.pk, digest, at or clock.now(), *sent))


def after(cursor: Cursor, events: int) -> tuple[list[Kept], bool]:
    """The next chunks, with as many events together at least, and whether there may be more. Skips none that commits late."""
    found: list[Kept] = []
    while events > 0:
        some = [Kept(*row) for row in rows.ask(_AFTER, *cursor, TOGETHER, binary=True)]
        for n, chunk in enumerate(some):
            found.append(chunk)
            events -= chunk.events
            if events <= 0:
                return found, n + 1 < len(some) or len(some) == TOGETHER
        if len(some) < TOGETHER:
            return found, False
        cursor = (found[-1].tx, found[-1].id)
    return found, True


def newest_first(since: datetime) -> Iterable[Kept]:
    """The chunks that came from ``since`` on, the newest first."""
    last = (1 << 62, 0)
    while some := [Kept(*row) for row in rows.ask(_BACK, since, *last, TOGETHER, binary=True)]:
        yield from some
        last = (some[-1].tx, some[-1].id)


class Names(NamedTuple):
    """A chunk and the transactions in it."""

    id: int
    came_at: datetime
    store_id: int
    keys: bytes


def covering(spans: list[tuple[datetime, datetime]], limit: int) -> list[Names]:
    """Chunks with events between the moments of a span (any of them), ``limit`` at most, the earliest to come first."""
    if not spans:
        return []
    asked = [f"[{low.isoformat()},{high.isoformat()}]" for low, high in spans]
    first = min(low for low, _high in spans) - AHEAD
    return [Names(*row) for row in rows.ask(_COVERING, asked, first, limit, binary=True)]


def texts(places: Iterable[tuple[int, datetime]]) -> dict[int, bytes]:
    """The texts of chunks by their ids. ``places``: (id, came_at), so that one day's part is touched."""
    ids, days = [list(column) for column in zip(*places, strict=True)] or ([], [])
    return dict(rows.ask(_TEXTS, ids, days, binary=True))
