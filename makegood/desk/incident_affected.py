"""Whom else a fault probably struck: the orders of a time that share what is common, a page at a time, with why and who.

Nobody of them has said a word to us, so their names are shown as far as telling two apart needs it, and no further.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from makegood.base.languages import LANGUAGES
from makegood.cases.access import cases_for, shops_for
from makegood.cases.models import Case
from makegood.cases.states import OPEN_STATUSES
from makegood.desk import cohorts, incident_acts
from makegood.incidents.models import Incident
from makegood.people.actors import Actor
from makegood.people.customers import shy
from makegood.transactions.models import Order

PAGE = 25


@dataclass(frozen=True)
class Struck:
    """One order. ``taken``: a case stands on it; ``case`` is it, or another open one of the same customer, where the reader may see it."""

    order: Order
    customer: str
    language: str
    taken: bool
    case: Case | None
    out: bool


@dataclass(frozen=True)
class Affected:
    """A page of the orders of that time; ``n`` and ``languages`` count those for whom a case would be opened, without ``left``."""

    since: datetime
    until: datetime
    n: int
    languages: dict[str, int]
    left: frozenset[int]
    rows: list[Struck]
    at: int
    next: int | None

    @property
    def elsewhere(self) -> str:
        """Those left out that stand on other pages, as a hidden field carries them."""
        here = {row.order.pk for row in self.rows}
        return ",".join(str(pk) for pk in sorted(self.left - here))


def read(
    incident: Incident,
    *,
    by: Actor,
    since: datetime | None,
    until: datetime | None,
    at: int = 0,
    left: Iterable[int] = (),
) -> Affected:
    """The page from the place ``at`` on. Raises Refusal beside 'since' or 'until' for a time that is none."""
    begin, end = incident_acts.span(since, until)
    out = frozenset(left)
    free = incident_acts.affected(incident, begin, end, without=out)
    rows = free.order_by().values("customer__language").annotate(n=Count("id"))
    counts = dict(rows.values_list("customer__language", "n"))
    found = list(_seen(incident, by, begin, end).filter(pk__gt=at - 1).order_by("pk")[: PAGE + 1])
    shown = found[:PAGE]
    return Affected(
        since=begin,
        until=end,
        n=sum(counts.values()),
        languages=counts,
        left=out,
        rows=_rows(shown, by, out),
        at=at,
        next=found[PAGE].pk if len(found) > PAGE else None,
    )


def _seen(incident: Incident, by: Actor, since: datetime, until: datetime) -> QuerySet[Order]:
    found = cohorts.struck(incident.common, since, until).select_related("customer", "shop")
    mine = shops_for(by)
    return found if mine is None else found.filter(shop__in=mine)


def _rows(orders: list[Order], by: Actor, out: frozenset[int]) -> list[Struck]:
    numbers = [order.number for order in orders]
    people = [order.customer_id for order in orders]
    cases = list(
        Case.objects.filter(
            Q(order__in=orders)
            | Q(order_number__in=numbers, shop__in={o.shop_id for o in orders})
            | Q(customer__in=people, status__in=OPEN_STATUSES)
        )
        .only("pk", "number", "shop_id", "customer_id", "order_id", "order_number")
        .order_by("-pk")
    )
    mine = set(cases_for(by).filter(pk__in=[case.pk for case in cases]).values_list("pk", flat=True))
    return [_row(order, cases, mine, out) for order in orders]


def _row(order: Order, cases: list[Case], mine: set[int], out: frozenset[int]) -> Struck:
    own = [
        c
        for c in cases
        if c.order_id == order.pk or (c.shop_id, c.order_number) == (order.shop_id, order.number)
    ]
    others = [c for c in cases if c.customer_id == order.customer_id]
    case = next((c for c in [*own, *others] if c.pk in mine), None)
    customer = order.customer
    assert customer is not None, "cohorts.struck asks for known customers"
    return Struck(
        order, shy(str(customer)), dict(LANGUAGES)[customer.language], bool(own), case, order.pk in out
    )
