"""The kernel in the shards of Spark finds what it finds alone, and what SQL finds; killed or changed, nothing is lost or doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from makegood.watch.advance import advance
from makegood.watch.batch import empty
from makegood.watch.findings import Findings, join
from makegood.watch.learn import learn
from makegood.watch.model import Model
from makegood.watch.plan import KINDS
from makegood.watch.spark import chunks, files, job, sink
from makegood.watch.spark.extra import Missing, need
from makegood.watch.spark.shards import divide, routed
from makegood.watch.state import new_state
from tests.watch.streams import NOON
from tests.watch.troubled import Troubled, cut, played, troubled


@pytest.fixture(scope="module")
def story() -> Troubled:
    return troubled()


@pytest.fixture(scope="module")
def model(story: Troubled) -> Model:
    return learn(story.plan, story.history, NOON)


@pytest.fixture(scope="module")
def alone(story: Troubled, model: Model) -> Findings:
    return played(story, model)


def told(found: Findings) -> set[tuple[str, int, int]]:
    """(kind, id, state) of each."""
    return {(KINDS[int(f["kind"])], int(f["id"]), int(f["state"])) for f in found}


def test_divided_into_shards_the_work_finds_the_same_but_recurrence(
    story: Troubled, model: Model, alone: Findings
) -> None:
    want = {one for one in told(alone) if one[0] != "recurrence"}
    for parts in (1, 2, 3):
        shards = divide(story.plan, parts)
        states, found = {shard.name: new_state(shard.plan) for shard in shards}, []
        for batch, now in [*cut(story), (empty(story.plan), story.until)]:
            for shard, mine in routed(shards, batch):
                mine, now = chunks.unpack(shard, chunks.pack(shard, mine, now))
                _state, some, _ = advance(states[shard.name], mine, model, now, shard.plan)
                found.append(some)
        assert told(join(found)) == want, f"{parts} parts"


def test_a_batch_goes_through_a_file_unchanged(tmp_path: Path, story: Troubled) -> None:
    files.write_all(tmp_path, story.plan, story.log, 3_000)
    read = list(files.read(tmp_path, story.plan))
    assert [len(batch) for batch, _now in read][:-1] == [3_000] * (len(story.log) // 3_000)
    back = chunks.together(story.plan, [batch for batch, _now in read])
    for name in ("event", "tx", "at", "id", "amount"):
        assert np.array_equal(getattr(back, name), getattr(story.log, name)), name
    for mine, theirs in zip(
        back.attributes + back.moments, story.log.attributes + story.log.moments, strict=True
    ):
        assert np.array_equal(mine, theirs)
    assert read[-1][1] == int(story.log.at.max())


def test_a_clock_that_is_ahead_does_not_carry_the_others_along(tmp_path: Path, story: Troubled) -> None:
    part = story.log.take(slice(0, 10))
    came = part.at.copy()
    wild = replace(part, at=np.where(np.arange(10) == 3, part.at + 400 * 86_400_000_000, part.at))
    files.write(tmp_path, files.table(story.plan, wild, came))
    assert next(iter(files.read(tmp_path, story.plan)))[1] == int(came.max())


def test_without_the_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Missing, match=r"no_such_engine is not installed here; .*makegood\[spark\]"):
        need("no_such_engine")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Missing, match="Java 17"):
        need(java=True)


@pytest.fixture(scope="module")
def spark() -> Iterator[object]:
    try:
        need("pyspark", "pandas", "google.protobuf", "duckdb", java=True)
    except Missing as missing:
        pytest.skip(str(missing))
    session = job.session(2, master="local[2]", **{
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -Xshare:auto", "spark.sql.codegen.wholeStage": "false",
    })  # fmt: skip
    yield session
    session.stop()


@pytest.mark.slow
def test_one_stream_tells_the_same_alone_by_sql_and_through_spark(
    tmp_path: Path,
    spark: object,
    story: Troubled,
    model: Model,
    alone: Findings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from makegood.watch.sql import engines, finding, learning

    for part, _now in cut(story):
        files.write(tmp_path / "log", files.table(story.plan, part))
    work = job.Job(story.plan, model, tmp_path / "log", tmp_path / "kept", tmp_path / "out", parts=2)
    job.drain(spark, work, story.until)  # type: ignore[arg-type]
    through = sink.read(tmp_path / "out")
    with capsys.disabled():
        print(f"\n{len(story.log)} events; {Counter(kind for kind, _id, _state in told(through))}")
    assert told(through) == told(alone)
    assert {kind for kind, _id, _state in told(through)} == set(KINDS), (
        "every kind of trouble happens in this stream"
    )
    by_sql = engines.Spark(story.plan, tmp_path / "log", spark)  # type: ignore[arg-type]
    assert finding.found(by_sql, story.plan, model, story.until) == finding.defined(story.plan, through)
    files.write_all(tmp_path / "history", story.plan, story.history, 50_000)
    learned = learning.learn(engines.Spark(story.plan, tmp_path / "history", spark), story.plan, NOON)  # type: ignore[arg-type]
    assert np.array_equal(learned.cohort, model.cohort) and np.array_equal(learned.count, model.count)
    assert np.allclose(learned.curve, model.curve, atol=1e-6) and np.array_equal(
        learned.lane_tail, model.lane_tail
    )
