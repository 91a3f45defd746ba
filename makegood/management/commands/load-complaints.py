"""``bin/manage load-complaints FILE``: open a case for every text in a CSV or Parquet file."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Shown

from makegood.base.languages import CODES, closest
from makegood.jobs.loading import Columns, Outcome, Rejects, load
from makegood.jobs.models import LoadedRow
from makegood.jobs.tables import BadTable, Condition, Table
from makegood.people.models import Shop


class Command(BaseCommand):
    help = "Open a case for every text in a CSV or Parquet file. Stopped loads go on where they were."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a CSV (UTF-8, with a header) or Parquet file")
        parser.add_argument(
            "--shop", required=True, metavar="CODE", help="the shop that the complaints are about"
        )
        parser.add_argument(
            "--create-shop", metavar="NAME", help="make the shop with this name if it is not there"
        )
        parser.add_argument("--currency", default="", help="of a shop that is made (KRW, CNY, USD …)")
        parser.add_argument("--text", required=True, metavar="COLUMN", help="what the customer wrote")
        for name in ("subject", "name", "email", "phone", "order"):
            parser.add_argument(f"--{name}", default="", metavar="COLUMN")
        parser.add_argument("--language", default="", metavar="COLUMN", help="a column of ko, zh-hans or en")
        parser.add_argument(
            "--language-is", default="", metavar="CODE", help="the language of every row (ko, zh-hans, en)"
        )
        parser.add_argument("--at", default="", metavar="COLUMN", help="when it happened (ISO 8601)")
        parser.add_argument(
            "--where",
            action="append",
            default=[],
            metavar="'COLUMN OP VALUE'",
            help="only such rows; =, !=, <, <=, >, >=",
        )
        parser.add_argument("--limit", type=int, metavar="N", help="at most so many rows")
        parser.add_argument("--channel", default="", help="how they reached us (letter, chat, phone …)")
        parser.add_argument(
            "--rejects",
            type=Path,
            metavar="FILE",
            help="where rows go that cannot be opened (FILE.rejected.csv)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Not self.stdout itself: Django's wrapper adds a line end to every piece that rich writes.
        console = Console(file=getattr(self.stdout, "_out", None), highlight=False)
        try:
            table, columns, where = self.read(options)
        except BadTable as error:
            raise CommandError(str(error), returncode=2) from None
        shop = self.shop(options)
        rejects = options["rejects"] or Path(f"{options['file']}.rejected.csv")
        began = time.monotonic()
        try:
            outcome = self.load(console, table, shop, columns, where, rejects, options)
        except BadTable as error:
            raise CommandError(str(error), returncode=2) from None
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(why)s; say another place with --rejects.")
                % {"file": rejects, "why": error.strerror or error},
                returncode=2,
            ) from None
        except KeyboardInterrupt:
            count = LoadedRow.objects.filter(file_sha=table.sha()).count()
            console.print(
                _("Stopped. %(count)s rows of this file are cases now; the same command goes on from there.")
                % {"count": count}
            )
            raise SystemExit(130) from None
        self.say(console, outcome, time.monotonic() - began, rejects)

    def read(self, options: dict[str, Any]) -> tuple[Table, Columns, list[Condition]]:
        """What is asked for, checked against the file; raises BadTable."""
        table = Table(options["file"])
        names = {
            name: options[name]
            for name in ("text", "subject", "name", "email", "phone", "order", "language", "at")
        }
        where = [Condition.read(text) for text in options["where"]]
        table.must_have(*names.values(), *(condition.column for condition in where))
        stated = options["language_is"]
        if stated and not closest(stated, ""):
            raise BadTable(_("'%(language)s' is none of ko, zh-hans and en.") % {"language": stated})
        if (options["limit"] or 1) < 1:
            raise BadTable(_("--limit must be at least 1."))
        if len(options["channel"]) > 12:
            raise BadTable(_("--channel may have at most 12 letters."))
        return table, Columns(**names, language_is=stated), where

    def shop(self, options: dict[str, Any]) -> Shop:
        code, name = options["shop"], options["create_shop"]
        if found := Shop.objects.filter(code=code).first():
            return found
        if not name:
            raise CommandError(
                _("There is no shop '%(code)s'. Make it with --create-shop NAME.") % {"code": code},
                returncode=2,
            )
        language = closest(options["language_is"] or "en")
        zone = {"ko": "Asia/Seoul", "zh-hans": "Asia/Shanghai"}.get(language, "UTC")
        currency = options["currency"] or {"ko": "KRW", "zh-hans": "CNY"}.get(language, "USD")
        shop = Shop(name=name, code=code, language=language, zone=zone, currency=currency)
        try:
            shop.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=2) from None
        shop.save()
        return shop

    def load(
        self,
        console: Console,
        table: Table,
        shop: Shop,
        columns: Columns,
        where: list[Condition],
        rejects: Path,
        options: dict[str, Any],
    ) -> Outcome:
        bar = (BarColumn(), TextColumn("{task.fields[rows]}"), TimeElapsedColumn())
        with Progress(*bar, console=console) as progress, Rejects(rejects) as aside:
            task = progress.add_task("", total=1.0, rows="")
            limit = options["limit"]

            def step(outcome: Outcome) -> None:
                part = max(table.done if not limit else 0, outcome.rows / limit if limit else 0)
                words = _("%(rows)s rows, %(opened)s opened, %(rejected)s set aside") % vars(outcome)
                progress.update(task, completed=part, rows=words)

            outcome = load(
                table,
                shop,
                columns,
                where=where,
                rejects=aside,
                limit=limit,
                channel=options["channel"],
                step=step,
            )
            progress.update(task, completed=1.0)
            return outcome

    def say(self, console: Console, outcome: Outcome, seconds: float, rejects: Path) -> None:
        console.print(
            _(
                "%(rows)s rows in %(seconds).1f s (%(rate).0f a second): %(opened)s opened, %(already)s there before."
            )
            % {**vars(outcome), "seconds": seconds, "rate": outcome.rows / max(seconds, 0.001)}
        )
        if outcome.rejected:
            console.print(
                _("%(count)s rows were set aside, with the reason, in %(file)s.")
                % {"count": outcome.rejected, "file": rejects},
                soft_wrap=True,
            )
        if not outcome.opened:
            return
        console.print(
            _("Urgency: %(levels)s.")
            % {
                "levels": ", ".join(
                    f"{level}: {n}" for level, n in sorted(outcome.levels.items(), reverse=True)
                )
            }
        )
        shown = Shown(title=_("What the triage model suggests"))
        for head in (_("Type"), _("Sure"), _("Not sure"), *CODES):
            shown.add_column(head, justify="left" if head == _("Type") else "right")
        both = outcome.sure + outcome.unsure
        codes = {code for code, _language in both}
        counts = {code: sum(both[code, language] for language in CODES) for code in codes}
        for code in sorted(codes, key=lambda c: (-counts[c], c)):
            sure = sum(outcome.sure[code, language] for language in CODES)
            each = (str(both[code, language] or "") for language in CODES)
            shown.add_row(code, str(sure), str(counts[code] - sure), *each)
        totals = (str(sum(n for (_c, of), n in both.items() if of == language)) for language in CODES)
        shown.add_section()
        shown.add_row(_("All"), str(outcome.sure.total()), str(outcome.unsure.total()), *totals)
        console.print(shown)
