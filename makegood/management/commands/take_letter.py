"""``manage take_letter --to ADDRESS``: what a mail server (postfix, exim, sendmail) pipes a letter into.

Its exit code is the mail server's answer (sysexits.h): 0 only when the letter is committed; 75 asks it to keep the
letter and try again, for whatever may be better later; 67 and 65 make it tell the sender.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from makegood.conversations.models import Mailbox
from makegood.desk import receiving
from makegood.desk.letter_place import mailbox_of

EX_DATAERR, EX_NOUSER, EX_TEMPFAIL = 65, 67, 75


class Command(BaseCommand):
    help = "Take one letter from standard input. Exit code 0: it is ours; 75: keep it; 65 or 67: refuse it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", required=True, help="the address that the letter was sent to")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = take(sys.stdin.buffer.read(receiving.LIMIT + 1), options["to"])
        except Exception as error:
            # Whatever it is, also a fault of ours: the mail server keeps the letter.
            self.stderr.write(f"not taken now: {type(error).__name__}: {error}")
            code = EX_TEMPFAIL
        sys.exit(code)


def take(raw: bytes, to: str) -> int:
    """Store the letter; returns the exit code. Raises what the database raises when it cannot be stored now."""
    if len(raw) > receiving.LIMIT:
        print(f"larger than {receiving.LIMIT // 2**20} MB", file=sys.stderr)
        return EX_DATAERR
    mailbox = mailbox_of(to)
    if mailbox is None:
        print("no such mailbox here", file=sys.stderr)
        return EX_NOUSER
    receiving.take_in(raw, way=Mailbox.Way.PIPE, mailbox=mailbox, envelope_to=to)
    return 0
