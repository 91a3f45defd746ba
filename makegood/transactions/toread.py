"""What is to be read at its store: one row a thing, so that a hundred nudges are one reading."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.db import connection, transaction

from makegood.base import clock
from makegood.transactions.models import Store, ToRead

#: How long one worker may hold a thing that it reads; the waits after each reading that failed.
CLAIM = timedelta(minutes=5)
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120))
_ASK = """INSERT INTO makegood_toread (store_id, noun, ref, look_at, asked_at, tries, trouble)
SELECT s, n, r, l, %s, 0, '' FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[]) t(s, n, r, l)
ON CONFLICT (store_id, noun, ref) DO UPDATE SET tries = 0,
  look_at = LEAST(makegood_toread.look_at, EXCLUDED.look_at), asked_at = EXCLUDED.asked_at"""

#: (store, noun, ref)
What = tuple[int, str, str]


def ask_all(wanted: Mapping[What, Store]) -> int:
    """Ask for the reading of things whose store can be read, and say how many; the others are left out."""
    now = clock.now()
    due = sorted(
        (store.pk, noun, ref, now + timedelta(seconds=store.read_after))
        for (_pk, noun, ref), store in wanted.items()
        if store.told_by == Store.ToldBy.READING and store.active
    )
    if due:
        columns = [list(column) for column in zip(*due, strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(_ASK, [now, *columns])
    return len(due)


def claim() -> ToRead | None:
    """Take what is due longest, for this worker alone; None when none is."""
    now = clock.now()
    with transaction.atomic():
        row = (
            ToRead.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("store__shop")
            .filter(look_at__lte=now)
            .order_by("look_at", "id")
            .first()
        )
        if row is not None:
            row.tries += 1
            row.look_at = now + CLAIM
            row.save(update_fields=["tries", "look_at"])
    return row


def has_read(row: ToRead) -> None:
    """It was read; an event that came meanwhile has asked for another reading, which stays."""
    now = clock.now()
    ToRead.objects.filter(pk=row.pk).update(read_at=now, trouble="")
    ToRead.objects.filter(pk=row.pk, asked_at=row.asked_at).update(look_at=None, tries=0)


def failed(row: ToRead, code: str, *, again: bool) -> None:
    """It could not be read: again later, or (``again`` False, or after the last wait) not by itself."""
    left = again and row.tries <= len(WAITS)
    look_at = clock.now() + WAITS[row.tries - 1] if left else None
    ToRead.objects.filter(pk=row.pk).update(trouble=code[:60], look_at=look_at)
