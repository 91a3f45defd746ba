"""``bin/manage load-hand-offs FILE``: what hand-offs cost in the log of another system."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Shown

from makegood.insight import study
from makegood.insight.decay import MOST, Decay
from makegood.jobs.tables import BadTable, Table

YES, NO = {"true", "yes", "1"}, {"false", "no", "0"}


class Command(BaseCommand):
    help = "Load an event log (CSV or Parquet) into the schema 'study' and show what its hand-offs cost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, help="a CSV (UTF-8, with a header) or Parquet file, an event a row"
        )
        parser.add_argument("--name", help="under which name it is kept (the file's)")
        parser.add_argument("--case", required=True, metavar="COLUMN", help="which case")
        parser.add_argument("--at", required=True, metavar="COLUMN", help="when it happened")
        parser.add_argument("--at-format", metavar="FORMAT", help="of strptime, where it is not ISO 8601")
        parser.add_argument("--zone", default="UTC", help="of times without one")
        parser.add_argument("--team", required=True, metavar="COLUMN", help="which team has it ('?' is none)")
        parser.add_argument("--person", default="", metavar="COLUMN")
        parser.add_argument(
            "--in-time", default="", metavar="COLUMN", help="whether the deadline is kept (true/false)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=getattr(self.stdout, "_out", None), highlight=False)
        name = options["name"] or options["file"].stem
        try:
            table = Table(options["file"])
            wanted = [options[key] for key in ("case", "at", "team", "person", "in_time") if options[key]]
            table.must_have(*wanted)
            with Progress(console=console) as progress:
                task = progress.add_task(name, total=1.0)
                count = study.store(
                    name,
                    lines(table, wanted, options),
                    lambda done: progress.update(task, completed=table.done),
                )
                progress.update(task, completed=1.0)
        except BadTable as error:
            raise CommandError(str(error), returncode=2) from None
        if not count:
            raise CommandError(_("%(file)s has no rows.") % {"file": options["file"]}, returncode=2)
        say(console, name, count, study.figures(name))


def lines(table: Table, wanted: list[str], options: dict[str, Any]) -> Iterator[study.Line]:
    """The rows as lines of a log; raises BadTable for the first that has no case or no time: half a log tells nothing true."""
    try:
        zone = ZoneInfo(options["zone"])
    except (ZoneInfoNotFoundError, ValueError):
        raise BadTable(_("'%(zone)s' is no time zone.") % {"zone": options["zone"]}) from None
    for number, row in table.rows(wanted):
        case, team = text(row, options["case"]), text(row, options["team"])
        at = moment(row.get(options["at"]), options["at_format"], zone)
        if not case or at is None:
            raise BadTable(_("Row %(number)s has no case or no time that can be read.") % {"number": number})
        kept = text(row, options["in_time"]).lower()
        yield study.Line(
            case,
            at,
            "" if team == "?" else team,
            text(row, options["person"]),
            False if kept in YES else True if kept in NO else None,
        )


def text(row: dict[str, Any], column: str) -> str:
    """The cell as text without what PostgreSQL cannot hold; '' where there is none."""
    cell = row.get(column) if column else None
    return "" if cell is None else str(cell).replace("\0", "").encode("utf-8", "replace").decode().strip()


def moment(cell: Any, form: str | None, zone: ZoneInfo) -> datetime | None:
    """The cell as a moment; None when it cannot be read."""
    try:
        at = cell if isinstance(cell, datetime) else None
        at = at or (datetime.strptime(str(cell), form) if form else datetime.fromisoformat(str(cell)))  # noqa: DTZ007
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def say(console: Console, name: str, count: int, found: Decay) -> None:
    """The figures in one table."""
    console.print(
        _("%(name)s: %(cases)s cases, %(lines)s lines.")
        % {"name": name, "cases": found.cases, "lines": count}
    )
    console.print(
        _("Back with a team that had given it away: %(share).1f %% of the cases.")
        % {"share": 100 * found.bounced.value}
    )
    shown = Shown(title=_("After each hand-off"))
    for head in (_("Hand-off"), _("Times"), _("Median hours until somebody touches it")):
        shown.add_column(head, justify="right")
    for nth, (hours, times) in found.waits.items():
        if nth <= MOST:
            shown.add_row(str(nth), str(times), f"{hours:.1f}")
    console.print(shown)
    if not found.missed:
        return
    shown = Shown(title=_("Deadline missed"))
    for head in (_("Hand-offs"), _("Cases"), "%"):
        shown.add_column(head, justify="right")
    for hops, share in found.missed.items():
        shown.add_row(f"{hops}+" if hops == MOST else str(hops), str(share.whole), f"{100 * share.value:.1f}")
    for bounced, share in found.missed_by_bounce.items():
        shown.add_row(
            _("bounced") if bounced else _("not bounced"), str(share.whole), f"{100 * share.value:.1f}"
        )
    console.print(shown)
