"""The job: Spark reads the log's files, the kernel runs in its shards, what is found is written by batch.

Everything that a restart needs is below ``kept``: Spark's checkpoint (which rows, which state), and the moments at which the
log was said to be quiet. Started again after any death it goes on; with other processes or another number of shards it must
begin anew with an empty ``kept`` and finds the same under the same names.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import makegood
from makegood.watch.findings import Findings
from makegood.watch.model import Model
from makegood.watch.plan import Plan
from makegood.watch.spark import files
from makegood.watch.spark.extra import need
from makegood.watch.spark.shards import Shard, divide
from makegood.watch.spark.sink import Sink, Told

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SETTINGS = {
    "spark.sql.streaming.stateStore.providerClass": "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "50000",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.streaming.stopTimeout": "20s",
}  # fmt: skip
_LOCAL = {
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
    # The events are worked on in Python; what the JVM does is little and the same for each batch. Compiling that well (C2, a class
    # for each query) cost more core-seconds here than the kernel took for two million events.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC", "spark.sql.codegen.wholeStage": "false",
}  # fmt: skip


#: A file, as Spark calls it.
_FILE = "path string, modificationTime timestamp, length bigint, content binary"
#: How often Spark's own Python is started before that is an error.
TRIES = 3


class Changed(ValueError):
    """What is kept belongs to other processes or another number of shards."""


@dataclass(frozen=True)
class Job:
    """``log``: a folder of files.py's files; ``kept``, ``out``: folders of this job alone.

    ``parts``: shards of each kind of work; ``files_together``: files of the log that one batch takes at most. ``also``: see Sink.
    """

    plan: Plan
    model: Model
    log: Path
    kept: Path
    out: Path
    parts: int = 2
    files_together: int = 1
    also: Callable[[list[Told], Findings], None] | None = field(default=None, compare=False)


def session(parts: int, *, master: str = "", memory: str = "1g", **more: str) -> SparkSession:
    """Spark, started here when nobody has (``master``: 'local[2]', or what spark-submit says)."""
    need("pyspark", "pandas", "google.protobuf", java=True)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("makegood-watch").config(
        "spark.sql.shuffle.partitions", str(max(parts, 1))
    )
    settings = {**_SETTINGS, **more}
    if master:
        builder = builder.master(master)
        os.environ.setdefault(
            "PYSPARK_PYTHON", sys.executable
        )  # else the first python3 of the path, without our libraries
        if master.startswith("local"):  # on a cluster Makegood is installed where its workers run
            place = str(Path(makegood.__file__).parents[1])
            paths = os.pathsep.join(filter(None, [place, os.environ.get("PYTHONPATH", "")]))
            settings = {
                **_LOCAL,
                "spark.driver.memory": memory,
                "spark.executorEnv.PYTHONPATH": paths,
                **settings,
            }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    if master.startswith("local"):
        spark.sparkContext.setLogLevel("ERROR")
    return spark


def drain(spark: SparkSession, job: Job, until: int = 0) -> int:
    """Take everything in that the log holds now, then let time pass to ``until`` (µs, 0: no further). Batches done."""
    count = _run(spark, job, follow="")
    clock = job.kept / "clock"
    if until > max((files.clock_of(_rows(path)) for path in files.paths(clock)), default=0):
        files.write(clock, files.moment(job.plan, until))
        count += _run(spark, job, follow="")
    return count


def follow(spark: SparkSession, job: Job, every: str = "1 second") -> None:
    """Go on for ever: files that come are taken as they come, and while none comes the clock goes on."""
    _run(spark, job, follow=every)


def _rows(path: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _run(spark: SparkSession, job: Job, follow: str) -> int:
    from makegood.watch.spark.processor import PACKED, TOLD, Kernel, Packer, Work

    for folder in (job.log, job.kept, job.kept / "clock", job.out):
        folder.mkdir(parents=True, exist_ok=True)
    shards = divide(job.plan, job.parts)
    same(job.kept, job.plan, shards)
    # While the log is read, time is the log's; only who follows it to its end lets idle time pass.
    spark.conf.set("spark.sql.streaming.noDataMicroBatches.enabled", "true" if follow else "false")
    # Each file as one value, read by the worker: Spark's own reader hands columns on row by row, at three times the kernel's cost.
    source = spark.readStream.format("binaryFile").schema(_FILE)
    rows = (
        source.option("pathGlobFilter", "part-*.parquet")
        .option("maxFilesPerTrigger", job.files_together)
        .load(str(job.log))
    )
    quiet = spark.readStream.format("binaryFile").schema(_FILE).load(str(job.kept / "clock"))
    work = Work.sent(spark, job.kept, shards, job.model)
    sink, batches = Sink(job.plan, job.out, job.also), list[int]()

    def write(found: Any, batch: int) -> None:
        sink.write(batch, found.toArrow())
        batches.append(batch)

    writer = (
        rows.unionByName(quiet)
        .select("content")
        .mapInArrow(Packer(work), PACKED)
        .groupBy("shard")
        .transformWithStateInPandas(Kernel(work, idle=bool(follow)), TOLD, "Append", "ProcessingTime")
        .writeStream.outputMode("append")
        .option("checkpointLocation", str(job.kept / "spark"))
        .foreachBatch(write)
    )
    _finish(writer.trigger(processingTime=follow) if follow else writer.trigger(availableNow=True))
    return len(batches)


def _finish(writer: Any) -> None:
    """Run to the end. Spark gives its Python ten seconds to answer, which on a busy machine may be too few: then once more."""
    from pyspark.errors import StreamingQueryException

    for left in range(TRIES - 1, -1, -1):
        try:
            writer.start().awaitTermination()
            return
        except StreamingQueryException as error:  # it goes on from the batch that it stopped at
            if not left or "failed to connect back" not in str(error):
                raise


def same(kept: Path, plan: Plan, shards: tuple[Shard, ...]) -> None:
    """Refuse (Changed) to go on with a state of other processes: Spark would give it to shards that do other work."""
    ours = {"plan": plan.version, "codes": list(plan.codes), "shards": [shard.name for shard in shards]}
    path = kept / "job.json"
    if not path.exists():
        path.write_text(json.dumps(ours))
    elif json.loads(path.read_text()) != ours:
        raise Changed(
            f"{kept} was kept with other processes or shards; name an empty folder (what was found stays the same)."
        )
