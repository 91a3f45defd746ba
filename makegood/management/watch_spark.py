"""``bin/manage watch export FOLDER`` and ``bin/manage watch spark LOG``: the watch on an engine that a house already has."""

from __future__ import annotations

import shutil
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError
from django.db import connection
from rich.console import Console
from rich.table import Table

from makegood.base import clock
from makegood.packs.watch_shapes import DETECTORS
from makegood.watch import exporting, house, sink
from makegood.watch.findings import PAST, RAISED, RECOVERED, Findings
from makegood.watch.model import Model, nothing
from makegood.watch.plan import Plan, compile_plan
from makegood.watch.replay.mapping import Mapping
from makegood.watch.replay.reading import read_log
from makegood.watch.spark import files, job
from makegood.watch.spark import sink as found_in
from makegood.watch.spark.extra import Missing, need
from makegood.watch.spark.sink import Told


def add_arguments(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("spark and export")
    group.add_argument(
        "--kept", type=Path, help="spark: a folder for its checkpoint; started again with it, it goes on"
    )
    group.add_argument("--out", type=Path, help="spark: a folder for what is found (else OUT beside KEPT)")
    group.add_argument(
        "--house",
        action="store_true",
        help="spark: this house's processes, limits and model, and its findings",
    )
    group.add_argument("--master", default="local[2]", help="spark: where it runs; '' as spark-submit says")
    group.add_argument(
        "--parts", type=int, default=2, help="spark: shards of each kind of work, about one for each core"
    )
    group.add_argument(
        "--files-together", type=int, default=1, help="spark: files of the log that a batch takes at most"
    )
    group.add_argument(
        "--until", default="", help="spark: let time pass to this moment (ISO) or 'now' after the last event"
    )
    group.add_argument("--follow", action="store_true", help="go on for ever: take what comes as it comes")
    group.add_argument(
        "--together", type=int, default=50_000, help="events (export: facts) in a file of the log"
    )


@dataclass(frozen=True)
class Asked:
    """What is watched, and what was learned."""

    plan: Plan
    model: Model
    watched: house.Watched | None


def export(console: Console, options: dict[str, Any]) -> None:
    """Write the house's log into a folder, once or for ever."""
    watched = _watched()
    while True:
        count = exporting.export(watched.plan, options["file"], options["together"])
        if count or not options["follow"]:
            console.print(f"{count:,d} facts written to {options['file']}")
        if not options["follow"]:
            return
        time.sleep(1)


def spark(console: Console, mapping: Mapping, learn_until: int, options: dict[str, Any]) -> None:
    """Run a log through the kernel in Spark's shards."""
    if options["kept"] is None:
        raise CommandError(
            "spark needs --kept FOLDER: what it goes on from when it is started again", returncode=2
        )
    if options["parts"] < 1 or options["files_together"] < 1 or options["together"] < 1:
        raise CommandError("--parts, --files-together and --together must be above 0", returncode=2)
    until = _until(options["until"])
    out = options["out"] or options["kept"].with_name(options["kept"].name + "-found")
    try:
        need("pyspark", "pandas", "google.protobuf", java=True)
        asked = _asked(mapping, options)
        folder = _log(asked.plan, mapping, options)
        if learn_until:
            asked = Asked(asked.plan, _learned(asked.plan, folder, learn_until), asked.watched)
        session = job.session(options["parts"], master=options["master"])
        work = job.Job(
            asked.plan, asked.model, folder, options["kept"], out, options["parts"], options["files_together"],
            _into_house(asked.watched) if asked.watched else None,
        )  # fmt: skip
        if options["follow"]:
            job.follow(session, work)
        else:
            job.drain(session, work, until)
    except (Missing, job.Changed, FileNotFoundError) as error:
        raise CommandError(str(error), returncode=2) from None
    _say(console, asked.plan, found_in.read(out), out)


def _asked(mapping: Mapping, options: dict[str, Any]) -> Asked:
    if options["house"]:
        watched = _watched()
        return Asked(watched.plan, house.newest(watched.plan), watched)
    plan = compile_plan(mapping.processes, (options["alpha"] or [None])[0])
    return Asked(plan, nothing(), None)


def _watched() -> house.Watched:
    watched = house.watched()
    if watched is None:
        raise CommandError("Nothing is watched: every process is switched off.", returncode=2)
    return watched


def _log(plan: Plan, mapping: Mapping, options: dict[str, Any]) -> Path:
    """The folder of the log; a single file is first cut into one beside ``--kept``, once."""
    path: Path = options["file"]
    if path.is_dir():
        return path
    folder: Path = options["kept"] / "log"
    if not folder.exists():
        half = options["kept"] / ".half-log"
        shutil.rmtree(half, ignore_errors=True)
        files.write_all(half, plan, read_log(plan, mapping, path).batch, options["together"])
        half.rename(folder)
    return folder


def _learned(plan: Plan, folder: Path, until: int) -> Model:
    from makegood.watch.sql import engines, learning

    return learning.learn(engines.Duck(plan, folder), plan, until)


def _into_house(watched: house.Watched) -> Any:
    def put(told: list[Told], found: Findings) -> None:
        try:
            sink.put(watched, told, found, {})
        finally:
            connection.close()  # Spark calls from threads of its own, which come and go

    return put


def _until(text: str) -> int:
    if not text:
        return 0
    if text == "now":
        return round(clock.now().timestamp() * 1_000_000)
    return moment_of("--until", text)


def moment_of(option: str, text: str) -> int:
    """A date or a time as µs since 1970 UTC; raises CommandError that names the option."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{option}: '{text}' is no date (YYYY-MM-DD)", returncode=2) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def _say(console: Console, plan: Plan, found: Findings, out: Path) -> None:
    table = Table(title=f"What was found ({out})")
    for head in ("what", "raised", "over by itself", "late and done"):
        table.add_column(head, justify="left" if head == "what" else "right")
    counts = Counter(zip(found["kind"].tolist(), found["state"].tolist(), strict=True))
    for kind in sorted(set(np.unique(found["kind"]).tolist())):
        numbers = (f"{counts[kind, state]:,d}" for state in (RAISED, RECOVERED, PAST))
        table.add_row(DETECTORS[kind], *numbers)
    console.print(table)
