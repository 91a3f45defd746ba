"""Who outside owes what by when, over all cases that somebody may see, and how each party has kept its word. Reading only."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Prefetch, Q

from makegood.base import clock
from makegood.cases.access import cases_for
from makegood.parties.models import Party, PartyAnswer, PartyAsk, PartySending
from makegood.people import roles
from makegood.people.actors import Actor

MOST = 200


@dataclass(frozen=True)
class Owing:
    """One open task, with what was last said and whether it arrived."""

    ask: PartyAsk
    late: bool
    last: PartyAnswer | None
    unreached: bool


@dataclass(frozen=True)
class Kept:
    """How one party did so far: tasks kept in time, those that were late, those that it could not do, those that are open."""

    party: Party
    open: int
    kept: int
    broken: int
    cannot: int


@dataclass(frozen=True)
class Owed:
    rows: tuple[Owing, ...]
    more: bool
    parties: tuple[Kept, ...]


def read(by: Actor, party: int = 0) -> Owed:
    """The page. ``party`` narrows the tasks to those of one."""
    roles.check(by, "see_owed")
    mine = PartyAsk.objects.filter(case__in=cases_for(by))
    asks = mine.filter(state=PartyAsk.State.OPEN)
    if party:
        asks = asks.filter(party=party)
    asks = asks.select_related("party", "case__shop", "case__owner", "by").order_by("due_at", "id")
    answers = Prefetch("answers", PartyAnswer.objects.select_related("message").order_by("at", "id"))
    found = list(asks.prefetch_related(answers, "sendings")[: MOST + 1])
    return Owed(tuple(owing(ask) for ask in found[:MOST]), len(found) > MOST, _parties(by))


def owing(ask: PartyAsk) -> Owing:
    """A task as it is shown; its answers and sendings were fetched."""
    answers, sendings = list(ask.answers.all()), sorted(ask.sendings.all(), key=lambda s: s.pk)
    return Owing(
        ask=ask,
        late=ask.is_open and ask.due_at < clock.now(),
        last=max(answers, key=lambda a: (a.at, a.pk)) if answers else None,
        unreached=bool(sendings) and sendings[-1].state == PartySending.State.FAILED,
    )


def _parties(by: Actor) -> tuple[Kept, ...]:
    seen = Q(asks__case__in=cases_for(by))
    counted = Party.objects.filter(seen).annotate(
        n_open=Count("asks", filter=seen & Q(asks__state="open")),
        n_kept=Count("asks", filter=seen & Q(asks__promise__state="kept")),
        n_broken=Count("asks", filter=seen & Q(asks__promise__state="broken")),
        n_cannot=Count("asks", filter=seen & Q(asks__state="cannot")),
    )
    rows = counted.select_related("shop").order_by(F("n_broken").desc(), "name", "id")[:MOST]
    return tuple(Kept(p, p.n_open, p.n_kept, p.n_broken, p.n_cannot) for p in rows)
