"""Who calls: a bearer token acts as its user, within its scopes. What was looked up is kept for a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer

from makegood.base import clock
from makegood.base.errors import NotAllowed
from makegood.cases import access
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import ApiToken, Shop, digest

T = TypeVar("T")
#: So long may a revoked token, a changed role or a moved shop still be seen as it was, by each process.
KEPT = timedelta(seconds=5)


class Kept(Generic[T]):
    """A small memory of one process: what ``look`` found stays for :data:`KEPT`; nothing found is never kept."""

    def __init__(self, most: int = 1000) -> None:
        self.most = most
        self.rows: dict[Hashable, tuple[datetime, T]] = {}

    def get(self, key: Hashable, look: Callable[[], T | None]) -> T | None:
        now = clock.now()
        known = self.rows.get(key)
        if known is not None and known[0] <= now < known[0] + KEPT:
            return known[1]
        found = look()
        if found is None:
            self.rows.pop(key, None)
            return None
        if len(self.rows) >= self.most:
            self.rows.clear()
        self.rows[key] = (now, found)
        return found


@dataclass(frozen=True)
class Caller:
    """The token that a request came with, and whom it acts as."""

    token_id: int
    actor: Actor
    scopes: frozenset[str]
    ends_at: datetime | None


callers: Kept[Caller] = Kept()
shops: Kept[Shop] = Kept()


def forget() -> None:
    """Empty the memories of this process (tests, whose rows vanish under them)."""
    callers.rows.clear()
    shops.rows.clear()


class Bearer(HttpBearer):
    """``Authorization: Bearer mg_…``."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        mark = digest(token)
        caller = callers.get(mark, lambda: look_up(mark))
        if caller is None or (caller.ends_at is not None and caller.ends_at <= clock.now()):
            return None
        return caller


def look_up(mark: str) -> Caller | None:
    """The caller whose token has this digest; None when there is none, it was revoked, has ended, or its user left."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now()))
        .filter(digest=mark, revoked_at__isnull=True, user__is_active=True)
        .first()
    )
    if token is None:
        return None
    return Caller(token.pk, actors.user(token.user, "api"), frozenset(token.scopes), token.ends_at)


def acting(request: HttpRequest, scope: str) -> Actor:
    """Whom this request acts as; raises NotAllowed when its token lacks the scope."""
    caller = caller_of(request)
    if scope not in caller.scopes:
        raise NotAllowed(
            "scope", _("This token lacks the scope %(scope)s.") % {"scope": scope}, field="scope"
        )
    return caller.actor


def caller_of(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def shop_of(actor: Actor, code: str) -> Shop:
    """The shop with this code where the actor may open cases; raises NotThere."""
    found = shops.get((actor.user_id, code), lambda: access.shop_for(actor, code))
    assert found is not None
    return found
