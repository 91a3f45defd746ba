"""``bin/manage load-events FILE --store CODE``: what a shop's system told, from a CSV or Parquet file."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from makegood.jobs.event_loading import Outcome, load
from makegood.jobs.event_mapping import Plan, read_mapping
from makegood.jobs.events import apply_due
from makegood.jobs.loading import Rejects
from makegood.jobs.tables import BadTable, Table
from makegood.transactions.models import Store


class Command(BaseCommand):
    help = "Load events from a CSV or Parquet file. A second load of the same file changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a CSV (UTF-8, with a header) or Parquet file")
        parser.add_argument("--store", required=True, metavar="CODE", help="the store that the events are of")
        parser.add_argument("--mapping", type=Path, metavar="TOML", help="which column holds what")
        for name, shown in (("column", "NAME=COLUMN"), ("fixed", "NAME=VALUE"), ("type", "WORD=TYPE")):
            parser.add_argument(f"--{name}", action="append", default=[], metavar=shown)
        parser.add_argument("--zone", default="", help="of times without a zone (UTC)")
        parser.add_argument("--limit", type=int, metavar="N", help="at most so many rows")
        parser.add_argument(
            "--rejects", type=Path, metavar="FILE", help="where rows go that are wrong (FILE.rejected.csv)"
        )
        parser.add_argument(
            "--no-apply", action="store_true", help="only the log; the worker applies it later"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Not self.stdout itself: Django's wrapper adds a line end to every piece that rich writes.
        console = Console(file=getattr(self.stdout, "_out", None), highlight=False)
        store = Store.objects.select_related("shop").filter(code=options["store"]).first()
        if store is None:
            raise CommandError(_("There is no store '%(code)s'.") % {"code": options["store"]}, returncode=2)
        rejects = options["rejects"] or Path(f"{options['file']}.rejected.csv")
        began = time.monotonic()
        try:
            if (options["limit"] or 1) < 1:
                raise BadTable(_("--limit must be at least 1."))
            table = Table(options["file"])
            mapping = read_mapping(
                options["mapping"], options["column"], options["fixed"], options["type"], options["zone"]
            )
            table.must_have(*mapping.columns())
            outcome = self.load(console, table, store, mapping, rejects, options["limit"])
        except BadTable as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(why)s; say another place with --rejects.")
                % {"file": rejects, "why": error.strerror or error},
                returncode=2,
            ) from None
        except KeyboardInterrupt:
            console.print(_("Stopped. What was loaded stays; the same command goes on from there."))
            raise SystemExit(130) from None
        self.say(console, outcome, time.monotonic() - began, rejects)
        if not options["no_apply"]:
            apply_due()

    def load(
        self, console: Console, table: Table, store: Store, mapping: Plan, rejects: Path, limit: int | None
    ) -> Outcome:
        bar = (BarColumn(), TextColumn("{task.fields[words]}"), TimeElapsedColumn())
        with Progress(*bar, console=console) as progress, Rejects(rejects) as aside:
            task = progress.add_task("", total=1.0, words="")

            def step(outcome: Outcome) -> None:
                part = max(table.done if not limit else 0, outcome.rows / limit if limit else 0)
                words = _("%(rows)s rows, %(new)s new events, %(rejected)s set aside") % vars(outcome)
                progress.update(task, completed=part, words=words)

            outcome = load(table, store, mapping, rejects=aside, limit=limit, step=step)
            progress.update(task, completed=1.0)
            return outcome

    def say(self, console: Console, outcome: Outcome, seconds: float, rejects: Path) -> None:
        console.print(
            _("%(rows)s rows in %(seconds).1f s: %(new)s new events, %(already)s there before.")
            % {**vars(outcome), "seconds": seconds}
        )
        if outcome.rejected:
            console.print(
                _("%(count)s rows were set aside, with the reason, in %(file)s.")
                % {"count": outcome.rejected, "file": rejects},
                soft_wrap=True,
            )
