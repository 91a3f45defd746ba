"""What makes a function a verb: its right is checked, it runs in one transaction, and what its event causes follows.

One verb, one function, one transaction, one event (law 1). Here, too, what must not be kept is masked (``cases/vault.py``). The actor is an explicit keyword, also when it is the
system. What an event causes elsewhere stands in ``desk/follows.py`` and runs in the same transaction, as a verb of
the system with this event as its cause.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction

from makegood.cases import vault
from makegood.cases.models import Case, CaseEvent
from makegood.people import roles
from makegood.people.actors import SYSTEM, Actor

Follower = Callable[[CaseEvent], object]
Verb = TypeVar("Verb", bound=Callable[..., CaseEvent])

#: event kind -> what it causes; filled by ``desk/follows.py`` alone.
FOLLOWERS: dict[str, tuple[Follower, ...]] = {}
#: row of ``people/roles.py`` -> the functions that need it, so that a test can ask whether the API forgot one.
VERBS: dict[str, list[Callable[..., CaseEvent]]] = {}


def verb(name: str) -> Callable[[Verb], Verb]:
    """Make a function the verb ``name`` of ``people/roles.py``."""
    if name not in roles.MAY:
        raise LookupError(f"{name} stands in no row of people/roles.py")

    def wrap(function: Verb) -> Verb:
        @functools.wraps(function)
        def run(*args: Any, by: Actor, **fields: Any) -> CaseEvent:
            roles.check(by, name)
            with transaction.atomic():
                args, fields = _masked(args, fields, by)
                event = function(*args, by=by, **fields)
                follow(event)
            return event

        VERBS.setdefault(name, []).append(run)
        return run  # type: ignore[return-value]

    return wrap


def _masked(
    args: tuple[Any, ...], fields: dict[str, Any], by: Actor
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Card numbers and the like that people typed anywhere are masked here, once for all verbs; the house's own words hold none."""
    case = args[0] if args and isinstance(args[0], Case) else getattr(args[0], "case", None) if args else None
    if by.role == SYSTEM or not isinstance(case, Case):
        return args, fields
    return (
        tuple(vault.arriving(case, one, by=by) for one in args),
        {name: vault.arriving(case, one, by=by, field=name) for name, one in fields.items()},
    )


def follow(event: CaseEvent) -> None:
    """Do what an event causes; for acts that write many events at once and cannot be a verb each."""
    for follower in FOLLOWERS.get(event.kind, ()):
        follower(event)
