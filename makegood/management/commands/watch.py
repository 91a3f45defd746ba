"""``bin/manage watch replay FILE`` and ``judge FILE``: a log of events through the watch's kernel; ``spark`` and ``export``: on Spark.

What the columns mean stands in a TOML file (--map); docs/mechanisms/watch.md describes it.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from makegood.management import watch_spark
from makegood.management.watch_spark import moment_of
from makegood.management.watch_tables import print_findings, print_judged, print_summary
from makegood.packs.errors import PackError
from makegood.watch.plan import HOUR, Plan, compile_plan
from makegood.watch.replay.judging import BUDGETS, judge
from makegood.watch.replay.mapping import Mapping, by_columns, read_mapping
from makegood.watch.replay.reading import BadFile, Log, read_log
from makegood.watch.replay.running import Run, run
from makegood.watch.replay.truth import truth


class Command(BaseCommand):
    help = "Run a log of events (CSV or Parquet) through the watch: what it finds and when, or how good its alarms are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("replay", "judge", "spark", "export"))
        parser.add_argument(
            "file", type=Path, help="a file; for spark also a folder of a log, for export the folder to write"
        )
        parser.add_argument("--map", type=Path, help="a TOML file that says what the columns mean")
        parser.add_argument("--tx", default="tx", help="without --map: the column of the transaction")
        parser.add_argument("--at", default="at", help="without --map: the column of the time")
        parser.add_argument("--event", default="event", help="without --map: the column of the event's code")
        parser.add_argument(
            "--process", action="append", default=[], help="without --map: a process; else all"
        )
        parser.add_argument("--zone", default="UTC", help="without --map: the zone of times that have none")
        parser.add_argument(
            "--learn-until", help="YYYY-MM-DD: learn on what came before, tell of what comes after"
        )
        parser.add_argument("--relearn-days", type=float, default=30, help="learn again so often; 0: once")
        parser.add_argument(
            "--alpha",
            type=float,
            action="append",
            help="false alarms per step instead of the processes' own; repeat to compare",
        )
        parser.add_argument(
            "--budget", type=float, action="append",
            help="for judge: the share of false alarms that is accepted; repeat to compare (else 0.01, 0.02, 0.05)",
        )  # fmt: skip
        parser.add_argument("--tick-minutes", type=float, default=60, help="how often the kernel looks")
        parser.add_argument(
            "--speed", type=float, default=0, help="seconds of the log per second; 0: as fast as it goes"
        )
        parser.add_argument("--show", type=int, default=20, help="how many findings are listed")
        watch_spark.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(width=None if self.stdout.isatty() else 140, file=self.stdout, highlight=False)  # type: ignore[arg-type]
        learn_until = _day(options["learn_until"])
        for alpha in options["alpha"] or []:
            if not 0 < alpha < 0.5:
                raise CommandError("--alpha must be above 0 and below 0.5", returncode=2)
        for budget in options["budget"] or []:
            if not 0 < budget < 0.5:
                raise CommandError("--budget must be above 0 and below 0.5", returncode=2)
        if options["tick_minutes"] <= 0 or options["speed"] < 0 or options["relearn_days"] < 0:
            raise CommandError(
                "--tick-minutes must be above 0, --speed and --relearn-days not below 0", returncode=2
            )
        try:
            if options["what"] == "export":
                watch_spark.export(console, options)
                return
            mapping = _mapping(options)
            if options["what"] == "spark":
                watch_spark.spark(console, mapping, learn_until, options)
                return
            plan = compile_plan(mapping.processes)
            with console.status("reading"):
                log = read_log(plan, mapping, options["file"])
            if options["what"] == "judge":
                self._judge(console, plan, mapping, log, learn_until, options["budget"] or BUDGETS)
            else:
                self._replay(console, mapping, log, learn_until, options)
        except (PackError, BadFile) as error:
            raise CommandError(str(error), returncode=2) from None

    def _judge(
        self, console: Console, plan: Plan, mapping: Mapping, log: Log, learn_until: int, budgets: Sequence[float]
    ) -> None:  # fmt: skip
        if not learn_until:
            raise CommandError("judge needs --learn-until: what was known, and what is judged", returncode=2)
        known = truth(plan, mapping, log)
        with console.status("judging") as status:
            print_judged(console, judge(plan, log, known, learn_until, budgets=budgets, said=status.update))

    def _replay(
        self, console: Console, mapping: Mapping, log: Log, learn_until: int, options: dict[str, Any]
    ) -> None:
        runs: list[tuple[float | None, Plan, Run]] = []
        for alpha in options["alpha"] or [None]:
            plan = compile_plan(mapping.processes, alpha)
            with Progress(console=console, transient=True) as progress:
                task = progress.add_task(
                    "replay" if alpha is None else f"replay, alpha {alpha:g}", total=len(log.batch)
                )
                done = run(
                    plan, log.batch, learn_until=learn_until, relearn=int(options["relearn_days"] * 24 * HOUR),
                    tick=int(options["tick_minutes"] * HOUR / 60), speed=options["speed"],
                    said=lambda n, of, task=task: progress.update(task, completed=n),  # type: ignore[misc]
                )  # fmt: skip
            runs.append((alpha, plan, done))
        alpha, plan, done = runs[0]
        print_findings(console, plan, mapping, log, done.findings, options["show"], learn_until)
        print_summary(console, runs, learn_until)


def _mapping(options: dict[str, Any]) -> Mapping:
    if options["map"]:
        return read_mapping(options["map"])
    try:
        return by_columns(
            options["tx"], options["at"], options["event"], tuple(options["process"]), options["zone"]
        )
    except KeyError as error:
        raise CommandError(f"no process has the code {error}", returncode=2) from None


def _day(text: str | None) -> int:
    """A day as µs since 1970 UTC, 0 for none."""
    return moment_of("--learn-until", text) if text else 0
