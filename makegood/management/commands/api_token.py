"""``api_token EMAIL --name N --scope cases:read …``: make a token and show its secret once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from makegood.base import clock
from makegood.people.models import ApiToken, User


class Command(BaseCommand):
    help = "Make a token for the API. It acts as the person with this email; its secret is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument(
            "--scope", action="append", required=True, choices=ApiToken.Scope.values, dest="scopes"
        )
        parser.add_argument("--days", type=int, help="how long it is valid; without it, until it is revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"], is_active=True).first()
        if user is None:
            raise CommandError(f"nobody who may sign in has the email {options['email']}")
        if options["days"] is not None and options["days"] < 1:
            raise CommandError("--days must be 1 or more")
        token, secret = ApiToken.issue(user, options["name"], sorted(set(options["scopes"])))
        if options["days"]:
            token.ends_at = clock.now() + timedelta(days=options["days"])
            token.save(update_fields=["ends_at"])
        self.stdout.write(secret)
