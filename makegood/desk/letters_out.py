"""What the page of letters on their way shows: those that wait, failed or came back, oldest first. Reading only."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from makegood.cases.access import cases_for
from makegood.conversations.models import Delivery
from makegood.people.actors import Actor

PAGE, MOST_COUNTED = 50, 1000
State = Delivery.State
VIEWS = (State.WAITING, State.FAILED, State.BOUNCED)


@dataclass(frozen=True)
class Outbox:
    """One view; ``counts`` stop at MOST_COUNTED. ``more`` is the id behind which the next page begins; 0 at the end."""

    view: str
    letters: list[Delivery]
    counts: dict[str, int]
    more: int


def read(actor: Actor, view: str = "", after: int = 0) -> Outbox:
    """The letters of cases that the actor sees. Without a view: what did not arrive, if there is any, else what waits."""
    counts = {state: _of(actor, state).values("pk")[: MOST_COUNTED + 1].count() for state in VIEWS}
    if view not in VIEWS:
        view = next((s for s in (State.BOUNCED, State.FAILED) if counts[s]), State.WAITING)
    found = (
        _of(actor, view).filter(pk__gt=after).select_related("case__shop", "case__customer", "case__owner")
    )
    letters = list(found.order_by("pk")[: PAGE + 1])
    more = letters[PAGE - 1].pk if len(letters) > PAGE else 0
    return Outbox(view, letters[:PAGE], {k: min(n, MOST_COUNTED) for k, n in counts.items()}, more)


def _of(actor: Actor, state: str) -> QuerySet[Delivery]:
    """The letters in this state that still want somebody: neither sent again since, nor of a case that was merged away."""
    again = Delivery.objects.filter(again_of=OuterRef("pk"))
    # Both conditions as they stand in the partial indexes, or PostgreSQL reads every letter that was ever sent.
    stands = Q(state=state) if state == State.WAITING else Q(state=state, state__in=VIEWS[1:])
    found = Delivery.objects.filter(stands)
    if actor.role not in ("manager", "admin"):
        found = found.filter(case__in=cases_for(actor))
    return found if state == State.WAITING else found.filter(~Exists(again))
