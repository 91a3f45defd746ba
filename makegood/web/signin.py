"""Sign-in is django-allauth's (never our own); here only: nobody signs up by themselves."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):
    """People are invited by a manager; a customer needs no account."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
