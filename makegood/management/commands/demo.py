"""``bin/manage demo``: fill an empty database with a believable demo, and print how to sign in."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from makegood.cases.models import Case
from makegood.demo import build
from makegood.demo.plans import WHOLE


class Command(BaseCommand):
    help = "Fill an empty database with demo shops, people, orders and cases, and print the sign-ins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="also into a database that has cases already"
        )
        parser.add_argument(
            "--cases", type=int, default=WHOLE, help="how many courses of a case (default %(default)s)"
        )
        parser.add_argument(
            "--orders", type=int, default=build.ORDERS, help="how many orders (default %(default)s)"
        )
        parser.add_argument("--seed", type=int, default=build.SEED, help="another seed tells other cases")

    def handle(self, *args: Any, **options: Any) -> None:
        # Not self.stdout itself: Django's wrapper adds a line end to every piece that rich writes.
        console = Console(file=getattr(self.stdout, "_out", None), highlight=False)
        password = os.environ.get("MAKEGOOD_DEMO_PASSWORD") or "makegood-demo-1"
        try:
            validate_password(password)
        except ValidationError as error:
            raise CommandError(
                _("MAKEGOOD_DEMO_PASSWORD cannot be used: %(why)s") % {"why": " ".join(error.messages)},
                returncode=2,
            ) from None
        if options["cases"] < 1 or options["orders"] < 0:
            raise CommandError(
                _("There must be at least one case, and no fewer than no orders."), returncode=2
            )
        if build.there():
            build.set_password(password)
            console.print(_("The demo is there already."))
        elif Case.objects.exists() and not options["force"]:
            raise CommandError(
                _(
                    "This database has cases already. The demo is for an empty one; --force adds it all the same."
                ),
                returncode=2,
            )
        else:
            count = self.fill(console, password, options)
            console.print(_("The demo is ready: %(count)s cases.") % {"count": count})
        console.print(self.table(password))
        if address := build.customer_address():
            console.print(_("A customer whose confirmation is awaited:"))
            console.print(address, soft_wrap=True)

    def fill(self, console: Console, password: str, options: dict[str, Any]) -> int:
        with Progress(console=console) as progress:
            bar = progress.add_task(_("Telling the demo's cases"), total=options["cases"])
            return build.build(
                password=password,
                seed=options["seed"],
                cases=options["cases"],
                orders=options["orders"],
                step=lambda: progress.advance(bar),
            )

    def table(self, password: str) -> Table:
        table = Table(title=_("Sign in with"))
        for head in (_("Role"), _("Name"), _("Email"), _("Password")):
            table.add_column(head, no_wrap=True)
        for who in build.sign_ins():
            table.add_row(who.role, who.name, who.email, password)
        return table
