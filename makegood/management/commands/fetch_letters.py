"""``manage fetch_letters``: fetches the mailboxes that come by IMAP. The worker does this too; alone, for a machine of its own or cron."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from makegood.conversations.models import Mailbox
from makegood.mail.fetch import Fetcher
from makegood.mail.watch import Watch


class Command(BaseCommand):
    help = "Fetch letters by IMAP until SIGTERM or Ctrl-C; with --once what is there now, then end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="fetch what is there now, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if not options["once"]:
            for sign in (signal.SIGTERM, signal.SIGINT):
                signal.signal(sign, lambda _number, _frame: stop.set())
            Watch().run(stop)
            return
        boxes = Mailbox.objects.filter(way=Mailbox.Way.IMAP, active=True).order_by("pk")
        wrong = [f"{box.address}: {said}" for box in boxes if (said := Fetcher(box.pk, stop).once())]
        if wrong:
            raise CommandError("; ".join(wrong))
