"""The kernel in the shards of Spark finds what it finds alone, and what SQL finds; killed or changed, nothing is lost or doubled."""

from __future__ import annotations

import json
import pickle
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from makegood.base import clock
from makegood.jobs import watching
from makegood.transactions import facts
from makegood.watch import curves, relearn
from makegood.watch.advance import advance
from makegood.watch.batch import empty, make
from makegood.watch.findings import Findings, join
from makegood.watch.learn import learn
from makegood.watch.model import Model, nothing
from makegood.watch.models import Finding
from makegood.watch.plan import KINDS
from makegood.watch.spark import chunks, files, job, sink
from makegood.watch.spark.extra import Missing, need
from makegood.watch.spark.shards import divide, routed
from makegood.watch.state import new_state
from tests.log import seen_by_readers
from tests.watch.streams import NOON
from tests.watch.telling import store_of, stream, tell
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
def spark() -> Iterator[Any]:
    try:
        need("pyspark", "pandas", "google.protobuf", "duckdb", java=True)
    except Missing as missing:
        pytest.skip(str(missing))
    session = job.session(2, master="local[2]")
    yield session
    session.stop()


@pytest.mark.slow
def test_one_stream_tells_the_same_alone_by_sql_and_through_spark(
    tmp_path: Path,
    spark: Any,
    story: Troubled,
    model: Model,
    alone: Findings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from makegood.watch.sql import engines, finding, learning

    for part, _now in cut(story):
        files.write(tmp_path / "log", files.table(story.plan, part))
    files.write(tmp_path / "log", files.moment(story.plan, story.until))
    work = job.Job(story.plan, model, tmp_path / "log", tmp_path / "kept", tmp_path / "out", parts=2)
    job.drain(spark, work)
    through = sink.read(tmp_path / "out")
    with capsys.disabled():
        print(f"\n{len(story.log)} events; {Counter(kind for kind, _id, _state in told(through))}")
    assert told(through) == told(alone)
    assert {kind for kind, _id, _state in told(through)} == set(KINDS), (
        "every kind of trouble happens in this stream"
    )
    by_sql = engines.Spark(story.plan, tmp_path / "log", spark)
    assert finding.found(by_sql, story.plan, model, story.until) == finding.defined(story.plan, through)
    files.write_all(tmp_path / "history", story.plan, story.history, 50_000)
    learned = learning.learn(engines.Spark(story.plan, tmp_path / "history", spark), story.plan, NOON)
    assert np.array_equal(learned.cohort, model.cohort) and np.array_equal(learned.count, model.count)
    assert np.allclose(learned.curve, model.curve, atol=1e-6) and np.array_equal(
        learned.lane_tail, model.lane_tail
    )


def of_many_cohorts(many: int) -> Model:
    """A model of so many cohorts of other steps."""
    curve = np.linspace(1, 0, curves.BUCKETS, dtype=np.float32)
    return replace(
        nothing(), version=1, step=np.zeros(many, np.int64), cohort=np.arange(1, many + 1, dtype=np.uint64),
        count=np.full(many, 1_000), never=np.zeros(many), curve=np.tile(curve, (many, 1)),
        shares=np.zeros((many, curves.SHARES)), odds=np.zeros((many, curves.SHARES)),
    )  # fmt: skip


@pytest.mark.slow
def test_while_nothing_comes_a_promise_still_runs_out(tmp_path: Path, spark: Any, story: Troubled) -> None:
    """Jiwoo's parcel is promised for three seconds from now; after her order the log is silent. What was learned is large:
    as part of the function that goes to the workers it would be more than PySpark lets through (1 MiB)."""
    now = round(clock.now().timestamp() * 1_000_000)
    order = make(story.plan, ["order.placed"], ["HN-1"], [now], moments={"promised_at": [now + 3_000_000]})
    files.write(tmp_path / "log", files.table(story.plan, order))
    model = of_many_cohorts(300)
    assert len(pickle.dumps(model)) > 1 << 20
    work = job.Job(story.plan, model, tmp_path / "log", tmp_path / "kept", tmp_path / "out", parts=1)
    going = Thread(target=job.follow, args=(spark, work, "300 milliseconds"), daemon=True)
    going.start()
    until = time.monotonic() + 120
    while not len(sink.read(tmp_path / "out")):
        assert time.monotonic() < until and going.is_alive(), "nothing was found"
        time.sleep(0.1)
    for query in spark.streams.active:
        query.stop()
    going.join(30)
    found = sink.read(tmp_path / "out")[0]
    assert story.plan.rules[found["rule"]] == "order.delivery" and found["at"] >= now + 3_000_000


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_house_finds_the_same_by_its_own_runner_and_by_spark_on_its_exported_log(
    tmp_path: Path, spark: Any, cast: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Haneul's twelve days: what the worker's thread writes into the house, and what Spark writes there, are one and the same."""
    now = clock.now()
    facts.days_ahead((now - timedelta(days=25)).date(), 30)
    count = tell(store_of(cast.haneul), stream(now - timedelta(days=21), 250, 12))
    seen_by_readers()
    assert relearn.learn_anew()
    with clock.travel(now):
        watching.follow(Event(), together=1_000, drained=True)
        ours = rows()
        call_command("watch", "export", str(tmp_path / "log"), together=1_000)
        call_command("watch", "export", str(tmp_path / "log"), together=1_000)
        assert len(files.paths(tmp_path / "log")) == -(-count // 1_000), (
            "what was written is not written again"
        )
        Finding.objects.all().delete()
        call_command(
            "watch", "spark", str(tmp_path / "log"), kept=tmp_path / "kept", house=True, until="now", master="local[2]"
        )  # fmt: skip
    with capsys.disabled():
        print(
            f"\n{count} facts of the house: {len(ours)} findings by its runner, {Finding.objects.count()} by Spark"
        )
    assert rows() == ours and len(ours) > 5
    late = Finding.objects.filter(kind="stuck").first()
    assert late and late.shop == cast.haneul and late.order_number.startswith("HN-")


def rows() -> list[tuple[Any, ...]]:
    fields = (
        "uid",
        "kind",
        "step",
        "state",
        "order_number",
        "shop_id",
        "since",
        "promised_at",
        "code",
        "amount",
        "data",
    )
    return [
        (row[0], *row[1:-1], json.dumps(row[-1]))
        for row in Finding.objects.order_by("uid").values_list(*fields)
    ]


def test_what_was_kept_for_other_shards_is_not_gone_on_from(
    tmp_path: Path, story: Troubled, model: Model
) -> None:
    job.same(tmp_path, story.plan, divide(story.plan, 2))
    job.same(tmp_path, story.plan, divide(story.plan, 2))
    with pytest.raises(job.Changed, match="name an empty folder"):
        job.same(tmp_path, story.plan, divide(story.plan, 3))


@pytest.mark.parametrize(("options", "said"), [
    ({}, "--kept"), ({"kept": Path("k"), "parts": 0}, "--parts"), ({"kept": Path("k"), "until": "soon"}, "--until: 'soon'"),
])  # fmt: skip
def test_a_wrong_option_is_said_before_anything_is_started(
    options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("watch", "spark", str(tmp_path), **options)
