"""One sender at a time for one thing, over all workers: the database's own advisory locks, which die with their session.

No protection against a second ask after the first (that is the ledger's, and the look before sending): it closes the moment between
that look and the sending, for those other sides that cannot tell two equal asks apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def claimed(*what: str) -> Iterator[bool]:
    """Whether ``what`` is ours until the end; False at once when somebody else has it. RuntimeError inside a transaction."""
    number = int.from_bytes(hashlib.sha256("\n".join(what).encode()).digest()[:8], "big", signed=True)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
