"""``first_admin``: the link by which the first administrator signs in, when there is a need for one."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from makegood.desk import peopling


class Command(BaseCommand):
    help = "Prints a one-time sign-in link when no administrator could sign in yet; otherwise says nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        made = peopling.first_admin(os.environ.get("MAKEGOOD_ADMIN_EMAIL") or "admin@makegood.local")
        if made is None:
            return
        admin, secret = made
        address = settings.BASE_URL.rstrip("/") + reverse("welcome", args=[secret])
        self.stdout.write(f"Sign in once as {admin.email}: {address}")
