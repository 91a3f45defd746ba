"""What came and could not be taken: kept as it came, counted when it comes again, and tried once more when somebody asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from django.db import connection
from psycopg.types.json import Jsonb

from makegood.base import clock
from makegood.transactions.models import EventAside, Store, StoreFact

_KEEP = """INSERT INTO makegood_eventaside
  (store_id, state, way, reason, detail, headers, body, digest, times, came_at, last_at)
VALUES (%s, 'aside', %s, %s, %s, %s, %s, %s, 1, %s, %s)
ON CONFLICT (store_id, digest, reason) DO UPDATE SET times = makegood_eventaside.times + 1,
  last_at = EXCLUDED.last_at, state = 'aside', done_at = NULL, detail = EXCLUDED.detail RETURNING id"""
#: The headers that are kept of a CloudEvent: the signature is not, a replay needs none.
KEPT = ("content-type", "webhook-id", "webhook-timestamp", "user-agent", "fact")


def keep(
    store: Store,
    body: bytes,
    reason: str,
    detail: str = "",
    *,
    way: str = StoreFact.Way.EVENT,
    headers: Mapping[str, str] | None = None,
) -> int:
    """Set aside what came; the id of its row. The same body for the same reason is one row, however often it is sent."""
    now, digest = clock.now(), hashlib.sha256(body).digest()
    # A shop's own form is verified by its connector, in headers of its own choosing: there all are kept.
    every = way == StoreFact.Way.NATIVE
    kept = {n: v[:2000] for n, v in (headers or {}).items() if every or n in KEPT}
    plain = detail.replace("\x00", "").encode("utf-8", "replace").decode()[:300]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [store.pk, way, reason[:40], plain, Jsonb(kept), body, digest, now, now])
        return int(cursor.fetchone()[0])


def done(row: EventAside, state: str) -> None:
    """It was replayed, or let go."""
    row.state, row.done_at = state, clock.now()
    row.save(update_fields=["state", "done_at"])
