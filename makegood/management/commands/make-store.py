"""``bin/manage make-store CODE --shop CODE``: connect a shop's system, and print once where it sends its events and by which secret."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from makegood.base.errors import DeskError
from makegood.desk import stores
from makegood.people import actors


class Command(BaseCommand):
    help = "Connect a shop's system, or give a connected one a new secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="part of the address: /events/CODE/")
        parser.add_argument("--shop", default="", metavar="CODE", help="the shop whose system it is")
        parser.add_argument("--name", default="")
        parser.add_argument("--kind", default="generic", help="the connector")
        parser.add_argument(
            "--can-be-read", action="store_true", help="we may ask it for the state of a thing"
        )
        parser.add_argument(
            "--unsigned", action="store_true", help="its own webhooks are not signed: only a nudge"
        )
        parser.add_argument("--binary", action="store_true", help="take CloudEvents in binary mode too")
        parser.add_argument(
            "--skew", type=int, default=0, metavar="SECONDS", help="its clock is so far ahead"
        )
        parser.add_argument(
            "--read-after", type=int, default=0, metavar="SECONDS", help="wait so long before reading"
        )
        parser.add_argument(
            "--currency", action="append", default=[], help="may be said several times; none: any"
        )
        parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument(
            "--secret", action="append", default=[], metavar="NAME=VALUE", help="sealed, never shown"
        )
        parser.add_argument(
            "--new-secret", action="store_true", help="a connected one: the old secret stays for a while"
        )
        parser.add_argument(
            "--drop-old-secret", action="store_true", help="a connected one: the old secret ends now"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by = actors.system("command")
        code = options["code"]
        try:
            if options["drop_old_secret"]:
                stores.drop_old_secret(code, by=by)
                self.stdout.write(_("The old secret of '%(code)s' is taken no more.") % {"code": code})
                return
            if options["new_secret"]:
                secret = stores.new_secret(code, by=by)
            else:
                secret = stores.make(
                    code,
                    by=by,
                    shop=options["shop"],
                    name=options["name"],
                    kind=options["kind"],
                    readable=options["can_be_read"],
                    believed=not options["unsigned"],
                    binary=options["binary"],
                    skew=options["skew"],
                    read_after=options["read_after"],
                    currencies=options["currency"],
                    settings=_pairs(options["setting"]),
                    secrets=_pairs(options["secret"]),
                )
        except DeskError as error:
            raise CommandError(str(error), returncode=2) from None
        self.stdout.write(f"{settings.BASE_URL}/events/{code}/")
        self.stdout.write(_("Its secret, shown this once: %(secret)s") % {"secret": secret})


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise CommandError(_("'%(text)s' must be NAME=VALUE.") % {"text": text}, returncode=2)
        pairs[name] = value
    return pairs
