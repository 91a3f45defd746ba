"""The watch on Spark: is it the same, does it survive, how fast is it, beside the kernel alone on the same stream.

    python -m bench.watch_spark parity [--orders 30000] [--minutes 20]   # the same findings alone, by SQL, through Spark
    python -m bench.watch_spark crash  [--kills 6] [--orders 3000]       # the driver killed at random, started again
    python -m bench.watch_spark speed  [--transactions 300000]           # events per core-second, bytes an open step

Core-seconds are the processor time of this process, the JVM and Spark's Python workers together. Exits 1 where what was found
differs.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.kernel import START
from bench.kernel import stream as quiet_stream
from makegood.packs.watching import processes
from makegood.watch.advance import advance
from makegood.watch.batch import Batch
from makegood.watch.findings import Findings, join
from makegood.watch.learn import learn
from makegood.watch.model import Model
from makegood.watch.plan import DAY, KINDS, Plan, compile_plan
from makegood.watch.snapshot import snapshot
from makegood.watch.spark import files, job, sink
from makegood.watch.state import State, new_state
from tests.watch.streams import NOON
from tests.watch.troubled import Troubled, cut, played, troubled

Told = set[tuple[str, int, int]]


def told(found: Findings) -> Told:
    return {(KINDS[int(f["kind"])], int(f["id"]), int(f["state"])) for f in found}


def compared(ours: Told, theirs: Told) -> int:
    """Print the counts by kind; 1 when they differ."""
    mine, other = (Counter(kind for kind, _i, _s in some) for some in (ours, theirs))
    for kind in KINDS:
        print(f"  {kind:<12}{mine[kind]:8,d} alone {other[kind]:8,d} Spark")
    print(
        f"  {len(ours):,d} and {len(theirs):,d}; only alone {len(ours - theirs)}, only Spark {len(theirs - ours)}",
        flush=True,
    )
    return int(ours != theirs)


def written(folder: Path, story: Troubled) -> None:
    for part, _now in cut(story):
        files.write(folder, files.table(story.plan, part))


def parity(folder: Path, given: argparse.Namespace) -> int:
    from makegood.watch.sql import engines, finding, learning

    story = troubled(given.orders, hours=12, every=given.minutes)
    model = learn(story.plan, story.history, NOON)
    written(folder / "log", story)
    files.write_all(folder / "history", story.plan, story.history, 200_000)
    alone = played(story, model)
    spark = job.session(given.parts, master="local[2]")
    work = job.Job(story.plan, model, folder / "log", folder / "kept", folder / "out", given.parts)
    batches = job.drain(spark, work, story.until)
    print(f"load {os.getloadavg()[0]:.1f}; {len(story.log):,d} events, {batches} batches", flush=True)
    wrong = compared(told(alone), told(sink.read(folder / "out")))
    want = finding.defined(story.plan, alone)
    for engine in (
        engines.Duck(story.plan, folder / "log"),
        engines.Spark(story.plan, folder / "log", spark),
    ):
        begun = time.monotonic()
        found = finding.found(engine, story.plan, model, story.until)
        print(
            f"  by SQL on {type(engine).__name__}: {len(found):,d} of {len(want):,d}, {len(found ^ want)} differ; {time.monotonic() - begun:.1f} s"
        )
        wrong |= int(found != want)
    for engine in (
        engines.Duck(story.plan, folder / "history"),
        engines.Spark(story.plan, folder / "history", spark),
    ):
        begun = time.monotonic()
        other = learning.learn(engine, story.plan, NOON)
        same = np.array_equal(other.cohort, model.cohort) and np.array_equal(other.count, model.count)
        off = float(np.abs(other.curve - model.curve).max()) if same else 1.0
        print(
            f"  learned by SQL on {type(engine).__name__}: {len(other.cohort)} cohorts, curves off by at most {off:.1e}; {time.monotonic() - begun:.1f} s"
        )
        wrong |= int(not same or off > 1e-6)
    spark.stop()
    return wrong


CHILD = """
import pickle, sys
from pathlib import Path
from makegood.watch.spark import job
folder = Path(sys.argv[1])
plan, model, parts, until = pickle.loads((folder / "work").read_bytes())
spark = job.session(parts, master="local[2]")
job.drain(spark, job.Job(plan, model, folder / "log", folder / "kept", folder / "out", parts), until)
spark.stop()
"""


def crash(folder: Path, given: argparse.Namespace) -> int:
    """SIGKILL to the driver and all below it, at random moments after a batch of its was seen; then to the end. A start of Spark
    takes 20 to 60 seconds here: kills end at half of the time given, so that the rest is enough for what is left to do."""
    import pickle

    story = troubled(given.orders, hours=6, every=given.minutes)
    model = learn(story.plan, story.history, NOON)
    written(folder / "log", story)
    (folder / "work").write_bytes(pickle.dumps((story.plan, model, given.parts, story.until)))
    random, out, begun = np.random.default_rng(given.seed), folder / "out", time.monotonic()
    commits, kills, done = folder / "kept" / "spark" / "commits", 0, False
    while not done:
        left = given.seconds - (time.monotonic() - begun)
        wanted = 1 + kills % 2 if kills < given.kills and left > given.seconds / 2 else 0
        done = _life(folder, commits, out, wanted, left, float(random.uniform(0, 1.5)))
        kills += not done
        print(
            f"  {time.monotonic() - begun:4.0f} s: {'came to the end' if done else f'kill {kills}'} with "
            f"{_files(commits)} batches done, {len(list(out.glob('findings-*')))} told",
            flush=True,
        )
    print(
        f"load {os.getloadavg()[0]:.1f}; {len(story.log):,d} events; {kills} kills of {given.kills}",
        flush=True,
    )
    alone, every = (
        played(story, model),
        [one for path in sorted(out.glob("findings-*.parquet")) for one in _of(path)],
    )
    doubled = Counter(every) != Counter(_named(one) for one in alone)
    print(
        f"  records written {len(every):,d}, told alone {len(alone):,d}{'; NOT the same' if doubled else ''}"
    )
    return compared(told(alone), told(sink.read(out))) | int(doubled)


def _life(folder: Path, commits: Path, out: Path, wanted: int, left: float, later: float) -> bool:
    """One driver, killed ``later`` seconds after so many new files were seen (0: never); whether it came to its end.

    Whatever happens here (too long, an error, a Ctrl-C) it and its JVM end with it: a session of its own gets no signal of ours.
    """
    said, before, begun = folder / "said", _files(commits, out), time.monotonic()
    with said.open("wb") as heard:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder)], stderr=heard, start_new_session=True
        )
        try:
            while child.poll() is None:
                if time.monotonic() - begun > left:
                    raise SystemExit(
                        f"not done in the time given (--seconds); Spark said last:\n{said.read_text()[-2000:]}"
                    )
                if wanted and _files(commits, out) - before >= wanted:
                    time.sleep(later)
                    return child.poll() == 0
                time.sleep(0.05)
            if child.returncode:
                raise SystemExit(f"Spark itself failed:\n{said.read_text()[-4000:]}")
            return True
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _of(path: Path) -> list[tuple[int, int, int]]:
    return [_named(one) for one, _code, _data in sink.of_file(path)]


def _named(one: Any) -> tuple[int, int, int]:
    return int(one["kind"]), int(one["id"]), int(one["state"])


def _files(*folders: Path) -> int:
    """Batches done, and findings told; not what Spark writes beside them (.N.crc)."""
    return sum(len(list(folder.glob("[0-9f]*"))) for folder in folders if folder.exists())


def cpu(process: psutil.Process) -> Counter[str]:
    """Processor seconds by kind: this process, the JVM, and the Python workers below it."""
    total = Counter[str]()
    for one in [process, *process.children(recursive=True)]:
        try:
            times, name = one.cpu_times(), one.name()
        except psutil.Error:
            continue
        kind = "driver" if one == process else "JVM" if "java" in name else "workers"
        # What children left behind is told only by those whose children are not counted themselves.
        total[kind] += (
            times.user
            + times.system
            + (times.children_user + times.children_system if kind == "workers" else 0)
        )
    return total


def speed(folder: Path, given: argparse.Namespace) -> int:
    """The stream of bench.kernel: alone, then through Spark; the first files warm Spark up and are not counted."""
    plan = compile_plan([processes()[code] for code in ("order", "payment", "invoice")])
    log = quiet_stream(plan, given.transactions, 10)
    model = learn(plan, log, START + 5 * DAY)
    alone, state, spent = _alone(plan, log, model, given.together)
    print(f"load {os.getloadavg()[0]:.1f}; {len(log):,d} events, {given.together:,d} a batch", flush=True)
    print(f"kernel alone  {len(log) / spent:12,.0f} events per core-second")
    rows, packed = state.nbytes, len(snapshot(state, plan))
    print(
        f"open steps    {state.open_steps:,d}: {rows['rows'] / max(state.open_steps, 1):.0f} bytes each as arrays; all that is "
        f"remembered {sum(rows.values()) / 1e6:.0f} MB, {packed / 1e6:.0f} MB as a snapshot"
    )
    spark = job.session(given.parts, master="local[2]", memory="2g")
    work = job.Job(
        plan, model, folder / "log", folder / "kept", folder / "out", given.parts, files_together=given.files
    )
    warm = given.together * given.files * 2
    files.write_all(folder / "log", plan, log.take(slice(0, warm)), given.together)
    job.drain(spark, work)
    rest = log.take(slice(warm, None))
    files.write_all(folder / "log", plan, rest, given.together)
    me, begun = psutil.Process(), time.monotonic()
    before = cpu(me)
    batches = job.drain(spark, work)
    wall, spent_by = time.monotonic() - begun, cpu(me) - before
    used = sum(spent_by.values())
    print(
        f"Spark         {len(rest) / used:12,.0f} events per core-second, {len(rest) / wall:,.0f} a second on two cores "
        f"({len(rest):,d} in {batches} batches; core-seconds: {', '.join(f'{name} {spent_by[name]:.1f}' for name in sorted(spent_by))})"
    )
    print(f"              {len(rest) / used / (len(log) / spent):12.2f} times the kernel alone")
    size = sum(p.stat().st_size for p in (folder / "kept" / "spark" / "state").rglob("*") if p.is_file())
    memory = sum(p.memory_info().rss for p in [me, *me.children(recursive=True)])
    print(
        f"              {memory / 2**30:.1f} GiB of memory in all its processes, {size / 1e6:.0f} MB of state on disk"
    )
    spark.stop()
    return compared(told(alone), told(sink.read(folder / "out")))


def _alone(plan: Plan, log: Batch, model: Model, together: int) -> tuple[Findings, State, float]:
    state, found, begun = new_state(plan), [], time.process_time()
    for low in range(0, len(log), together):
        part = log.take(slice(low, low + together))
        state, some, _ = advance(state, part, model, int(part.at[-1]), plan)
        found.append(some)
    return join(found), state, time.process_time() - begun


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("what", choices=("parity", "crash", "speed"))
    asked.add_argument("--orders", type=int, default=0)
    asked.add_argument("--minutes", type=float, default=20)
    asked.add_argument("--kills", type=int, default=6)
    asked.add_argument("--seconds", type=float, default=540, help="crash: ends by itself within this time")
    asked.add_argument("--files", type=int, default=8, help="speed: files of the log that a batch takes")
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--transactions", type=int, default=300_000)
    asked.add_argument("--together", type=int, default=50_000)
    asked.add_argument("--parts", type=int, default=2)
    given = asked.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.settings")
    given.orders = given.orders or {"parity": 30_000, "crash": 3_000}.get(given.what, 0)
    with tempfile.TemporaryDirectory() as folder:
        return {"parity": parity, "crash": crash, "speed": speed}[given.what](Path(folder), given)


if __name__ == "__main__":
    sys.exit(main())
