"""What stands around a case: the customer's other cases, and linked ones."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from makegood.cases.models import Case, Relation
from makegood.desk.order_seen import OrderSeen, order_seen

__all__ = ["Around", "OrderSeen", "around", "order_seen"]

OTHERS = 8
MOST_LINKS = 50


@dataclass(frozen=True)
class Around:
    """Other cases, only those that the reader may see. ``merged`` are the numbers that lead here now."""

    others: list[Case]
    more_others: bool
    parent: Case | None
    children: list[Case]
    related: list[Case]
    merged: list[int]

    @property
    def linked(self) -> list[Case]:
        """Every case that can be unlinked."""
        return [*([self.parent] if self.parent else []), *self.children, *self.related]


def around(case: Case, mine: QuerySet[Case]) -> Around:
    """What stands around ``case`` among ``mine`` (the cases that the reader may see). Six queries."""
    others = list(
        mine.filter(customer_id=case.customer_id)
        .exclude(pk=case.pk)
        .exclude(ended_as="merged")
        .order_by("-id")[: OTHERS + 1]
    )
    pairs = Relation.objects.filter(Q(case=case) | Q(other=case)).values_list("case_id", "other_id")
    # The ids first: an OR across two joins reads every case there is.
    related = mine.filter(pk__in={pk for pair in pairs for pk in pair} - {case.pk}).order_by("id")
    merged = Case.objects.filter(ending__survivor=case).order_by("id").values_list("number", flat=True)
    return Around(
        others=others[:OTHERS],
        more_others=len(others) > OTHERS,
        parent=mine.filter(pk=case.parent_id).first() if case.parent_id else None,
        children=list(mine.filter(parent=case).order_by("id")[:MOST_LINKS]),
        related=list(related[:MOST_LINKS]),
        merged=list(merged[:MOST_LINKS]),
    )
