"""Who opens a stream: the person of a session, asked when it opens and again while it lasts. Runs in the hub's threads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from makegood.base import clock
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import STAFF, User


@dataclass(frozen=True)
class Guest:
    """``key`` of the session, and what the person's password made of it when they signed in."""

    key: str
    actor: Actor
    hash: str

    @property
    def mark(self) -> str:
        """The session without its secret, as the database tells of its end (laws/live.sql)."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:16]


def guest(cookies: str) -> Guest | None:
    """The person of the desk whose session this header carries; None for anybody else."""
    key = _key(cookies)
    if not key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active or not user.is_staff_here:
        return None
    return Guest(key, actors.user(user), user.get_session_auth_hash())


def still(guests: Iterable[Guest]) -> dict[Guest, Guest | None]:
    """For each whether the session stands, the person may sign in and has the same password: who they are now (a role may have
    changed), else None. Two queries for all.
    """
    asked = set(guests)
    alive = Session.objects.filter(session_key__in={one.key for one in asked}, expire_date__gt=clock.now())
    keys = set(alive.values_list("session_key", flat=True))
    users = User.objects.filter(is_active=True, role__in=STAFF).in_bulk({one.actor.person for one in asked})
    found: dict[Guest, Guest | None] = {}
    for one in asked:
        user = users.get(one.actor.person) if one.key in keys else None
        same = user is not None and user.get_session_auth_hash() == one.hash
        found[one] = Guest(one.key, actors.user(user), one.hash) if user is not None and same else None
    return found


def _key(cookies: str) -> str:
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    value = morsel.value if morsel is not None else ""
    return value if value.isascii() and value.isalnum() and len(value) <= 40 else ""
