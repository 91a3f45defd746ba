"""The budget of a shop for a month: what may be given away beyond what the law demands. The database counts and refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.remedies.models import Budget, Remedy

#: States in which a remedy takes from its budget.
TAKES = ("offered", "accepted", "carrying", "done", "arrived")


@dataclass(frozen=True)
class Seen:
    """A budget and what is used of it."""

    budget: Budget
    used: Decimal

    @property
    def left(self) -> Decimal:
        return max(self.budget.limit - self.used, Decimal(0))


def month_of(shop: Shop) -> date:
    """The first day of the month that it is now in the shop's own zone."""
    return clock.today(shop.zone).replace(day=1)


def of(shop: Shop, currency: str) -> Budget | None:
    """The budget that counts now; None where none was set, or it is in another currency."""
    return Budget.objects.filter(shop=shop, month=month_of(shop), currency=currency).first()


def used(budget: Budget) -> Decimal:
    """What is used: of the choices of one offer the dearest, as the database counts it."""
    most: dict[int, Decimal] = {}
    for pk, offer, amount in Remedy.objects.filter(budget=budget, state__in=TAKES).values_list(
        "id", "offer", "amount"
    ):
        key = offer if offer is not None else -pk
        most[key] = max(most.get(key, Decimal(0)), amount or Decimal(0))
    return sum(most.values(), Decimal(0))


def seen(shop: Shop) -> list[Seen]:
    """This month's budget and those of the months before, newest first."""
    rows = Budget.objects.filter(shop=shop).order_by("-month")[:12]
    return [Seen(row, used(row)) for row in rows]


def set_budget(shop: Shop, limit: Decimal, *, by: Actor) -> Budget:
    """Set what the shop may give away this month. Raises Refusal below what is used already, NotAllowed for whoever may not."""
    roles.check(by, "keep_budgets")
    if not limit.is_finite() or not 0 <= limit < Decimal(10) ** 12:
        raise Refusal("no_amount", _("Say how much."), field="limit")
    with transaction.atomic():
        budget, _made = Budget.objects.get_or_create(
            shop=shop,
            month=month_of(shop),
            defaults={"limit": limit, "currency": shop.currency, "by_id": by.person},
        )
        budget = Budget.objects.select_for_update().get(pk=budget.pk)
        if limit < (taken := used(budget)):
            raise Refusal("below_used", _("%(used)s is used of it already.") % {"used": taken}, field="limit")
        budget.limit, budget.by_id, budget.at = limit, by.person, clock.now()
        budget.save(update_fields=["limit", "by", "at"])
    return budget
