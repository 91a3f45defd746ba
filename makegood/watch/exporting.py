"""The house's log as files for another engine (watch/spark/files.py), a file a batch, and the names of what is in them.

The cursor of what was written stands in a file beside. Killed between the two it writes the same facts into one more file, which
does no harm: an event that comes twice is one.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from makegood.transactions import facts
from makegood.transactions.facts import Cursor
from makegood.transactions.models import Store
from makegood.watch import sink
from makegood.watch.log_events import events_of, to_batch
from makegood.watch.plan import Plan
from makegood.watch.runner import pieces
from makegood.watch.spark import files

CURSOR = ".cursor.json"


def export(plan: Plan, folder: Path, together: int) -> int:
    """Write what the log has that the folder has not yet, ``together`` facts a file; how many facts."""
    folder.mkdir(parents=True, exist_ok=True)
    cursor, count = _cursor(folder), 0
    shops = dict(Store.objects.values_list("id", "shop_id"))
    while came := facts.after(cursor, together):
        if any(fact.store_id not in shops for fact in came):
            shops = dict(Store.objects.values_list("id", "shop_id"))
        parts = []
        for piece, at in pieces(came):
            batch, names = to_batch(plan, piece, shops)
            sink.name(names)
            told = [_micros(fact.came_at) for fact in piece for _event in events_of(fact, plan)]
            parts.append(files.piece(plan, batch, np.array(told, np.int64), _micros(at)))
        rows = pa.concat_tables(parts)
        files.write(folder, rows)
        cursor, count = facts.cursor_of(came[-1]), count + len(came)
        half = folder / f".half{CURSOR}"
        half.write_text(json.dumps(cursor))
        half.rename(folder / CURSOR)
    return count


def _cursor(folder: Path) -> Cursor:
    path = folder / CURSOR
    if not path.exists():
        return facts.START
    tx, fact = json.loads(path.read_text())
    return int(tx), int(fact)


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
