"""The house's logs as files for another engine (watch/spark/files.py), a file a batch, and the names of what is in them.

The place in the logs of what was written stands in a file beside. Killed between the two it writes the same facts into one more file, which
does no harm: an event that comes twice is one.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from makegood.watch import sink
from makegood.watch.following import Place, Reader
from makegood.watch.plan import Plan
from makegood.watch.spark import files

CURSOR = ".cursor.json"


def export(plan: Plan, folder: Path, together: int) -> int:
    """Write what the log has that the folder has not yet, ``together`` facts and events a file; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    reader, count = Reader(plan, _place(folder)), 0
    while True:
        pieces, names, came = reader.read(together)
        if not came:
            return count
        sink.name(names)
        files.write(
            folder, pa.concat_tables([files.piece(plan, one.batch, one.came, one.at) for one in pieces])
        )
        count += came
        half = folder / f".half{CURSOR}"
        half.write_text(json.dumps(asdict(reader.place)))
        half.rename(folder / CURSOR)


def _place(folder: Path) -> Place:
    path = folder / CURSOR
    if not path.exists():
        return Place()
    kept = json.loads(path.read_text())
    if isinstance(kept, list):  # of a folder that was begun when there was one log
        return Place((int(kept[0]), int(kept[1])))
    return Place(tuple(kept["fact"]), tuple(kept["chunk"]), int(kept["done"]))
