"""The shard function of Spark: one value of Spark's store is one shard, its state the kernel's own bytes.

What is stored is a snapshot and the batches since: writing the whole state for every batch would cost as much as the state
is large, and it is larger than a batch. A worker that still has the shard in memory (``_LIVE``, known by the mark that
Spark's store holds of it) goes on from there; any other restores the snapshot and takes the batches since again. The mark
is part of what Spark commits, so a shard that ran ahead in a task that failed is never gone on from.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import SparkFiles
from pyspark.sql.streaming.stateful_processor import StatefulProcessor, StatefulProcessorHandle

from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty
from makegood.watch.detail import detail
from makegood.watch.findings import Findings, join
from makegood.watch.model import Model
from makegood.watch.snapshot import restore, snapshot
from makegood.watch.spark.chunks import pack, together, unpack
from makegood.watch.spark.files import cut, to_batch
from makegood.watch.spark.shards import Shard, routed
from makegood.watch.state import State, new_state
from makegood.watch.words import explain

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PACKED = "shard string, clock bigint, chunk binary"
TOLD = "id bigint, now bigint, record binary, code string, data string"
#: The batches since the snapshot are kept until they are as large as it is, and at least this many bytes.
LEAST = 1 << 20
#: With nothing new for so long (ms), the clock of a shard goes on to that of the engine.
IDLE = 1_000


@dataclass(frozen=True)
class Work:
    """What every worker needs, by the name of the file that it was sent in: read once in a worker and not once in a task.

    In the function itself it must not be. Above 1 MiB (a hundred cohorts) PySpark makes a broadcast of a function, which the
    process that begins a stateful query does not read: BROADCAST_VARIABLE_NOT_LOADED, and nothing runs at all.
    """

    name: str

    @classmethod
    def sent(cls, spark: SparkSession, folder: Path, shards: tuple[Shard, ...], model: Model) -> Work:
        """Write it into ``folder`` and have Spark bring it to its workers."""
        data = pickle.dumps((shards, model))
        work = cls(f"work-{hashlib.blake2b(data, digest_size=16).hexdigest()}")
        path, half = folder / work.name, folder / f".half-{work.name}"
        for old in folder.glob("work-*"):
            old.unlink()
        half.write_bytes(data)
        half.rename(path)
        spark.sparkContext.addFile(str(path))
        return work

    def load(self) -> tuple[dict[str, Shard], Model]:
        if self.name not in _WORK:
            shards, model = pickle.loads(Path(SparkFiles.get(self.name)).read_bytes())
            _WORK.clear()
            _LIVE.clear()
            _WORK[self.name] = ({shard.name: shard for shard in shards}, model)
        return _WORK[self.name]


#: Of this worker: the work, and the shards that it has in memory with the mark of what they are.
_WORK: dict[str, tuple[dict[str, Shard], Model]] = {}
_LIVE: dict[str, tuple[str, State]] = {}


class Packer:
    """Files of the log (``content``: their bytes) to chunks, one for each shard: what Spark shuffles is bytes and not rows."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def __call__(self, parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        shards, _model = self.work.load()
        every = tuple(shards.values())
        plan = every[0].plan
        for file in (content for part in parts for content in part["content"]):
            rows = pq.read_table(pa.BufferReader(file.as_buffer()))
            sent = [
                (shard.name, now, pack(shard, mine, now))
                for piece, now in cut(rows)
                for shard, mine in routed(every, to_batch(plan, piece))
            ]
            if not sent:
                continue
            names, clocks, chunks = zip(*sent, strict=True)
            yield pa.RecordBatch.from_arrays(
                [pa.array(names), pa.array(clocks, pa.int64()), pa.array(chunks, pa.binary())],
                names=["shard", "clock", "chunk"],
            )


class Kernel(StatefulProcessor):
    """``base``: a snapshot; ``since``: the batches after it; ``mark``: what a live shard is known by, and the sizes of both."""

    def __init__(self, work: Work, idle: bool) -> None:
        """``idle``: while nothing comes the clock of the shard goes on to the engine's; else time is the log's alone."""
        self.work, self.idle = work, idle

    def init(self, handle: StatefulProcessorHandle) -> None:
        self.handle = handle
        self.base = handle.getValueState("base", "state binary")
        self.since = handle.getListState("since", "chunk binary")
        self.mark = handle.getValueState("mark", "mark string, base bigint, since bigint")

    def handleInputRows(
        self, key: Any, rows: Iterator[pd.DataFrame], timerValues: Any
    ) -> Iterator[pd.DataFrame]:
        shards, _model = self.work.load()
        shard, came = shards[key[0]], defaultdict[int, list[bytes]](list)
        for frame in rows:
            for now, chunk in zip(frame["clock"].tolist(), frame["chunk"], strict=True):
                came[int(now)].append(bytes(chunk))
        pieces = [
            (together(shard.plan, [unpack(shard, chunk)[0] for chunk in sorted(came[now])]), now)
            for now in sorted(came)
        ]
        for timer in list(self.handle.listTimers()):
            self.handle.deleteTimer(timer)
        if self.idle:
            self.handle.registerTimer(timerValues.getCurrentProcessingTimeInMs() + IDLE)
        yield from self._advance(shard, pieces)

    def handleExpiredTimer(self, key: Any, timerValues: Any, expiredTimerInfo: Any) -> Iterator[pd.DataFrame]:
        shards, _model = self.work.load()
        shard = shards[key[0]]
        at = timerValues.getCurrentProcessingTimeInMs()  # of the batch, so that doing it again is the same
        self.handle.registerTimer(at + IDLE)
        yield from self._advance(shard, [(empty(shard.plan), at * 1000)])

    def close(self) -> None:
        pass

    def _advance(self, shard: Shard, pieces: list[tuple[Batch, int]]) -> Iterator[pd.DataFrame]:
        """The kernel takes these one after the other, each with its clock."""
        _shards, model = self.work.load()
        mark, base, since = self.mark.get() or ("", 0, 0)
        state, told, chunks = self._state(shard, model, mark), list[Findings](), list[bytes]()
        for batch, now in pieces:
            state, some, _ = advance(state, batch, model, max(now, 1), shard.plan)
            told.append(some)
            chunks.append(pack(shard, batch, now))
        size = sum(len(chunk) for chunk in chunks)
        if not mark or since + size > max(LEAST, base):
            data = snapshot(state, shard.plan)
            self.base.update((data,))
            self.since.clear()
            base, since = len(data), 0
        else:
            for chunk in chunks:
                self.since.appendValue((chunk,))
            since += size
        mark = uuid.uuid4().hex
        self.mark.update((mark, base, since))
        _LIVE[shard.name] = mark, state
        found = join(told)
        if len(found):
            yield _told(shard, model, state, found, pieces[-1][1])

    def _state(self, shard: Shard, model: Model, mark: str) -> State:
        live = _LIVE.pop(shard.name, None)
        if not mark:
            return new_state(shard.plan)
        if live and live[0] == mark:
            return live[1]
        kept = self.base.get()
        state = restore(bytes(kept[0]), shard.plan) if kept else new_state(shard.plan)
        for (chunk,) in self.since.get():
            batch, now = unpack(shard, bytes(chunk))
            state, _told_before, _ = advance(state, batch, model, max(now, 1), shard.plan)
        return state


def _told(shard: Shard, model: Model, state: State, found: Findings, now: int) -> pd.DataFrame:
    """Findings with what explains them, which only the shard knows."""
    rows = []
    for one in found:
        code, data = explain(shard.plan, one)
        data |= detail(shard.plan, model, state, one)
        rows.append((int(one["id"].view("i8")), now, one.tobytes(), code, json.dumps(data)))
    return pd.DataFrame(rows, columns=["id", "now", "record", "code", "data"])
