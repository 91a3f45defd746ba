"""Which legal clocks a shop has switched on or off; what nobody switched goes by whether its text was read."""

from __future__ import annotations

from django.db import models

from makegood.base import clock
from makegood.packs.legal_shapes import Rule
from makegood.people.models import Shop, User


class ClockSwitch(models.Model):
    """One decision about one rule of one shop; the newest counts, the earlier ones stay as its history."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="clock_switches", db_index=False)
    rule = models.CharField(max_length=40)
    on = models.BooleanField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)
    why = models.CharField(max_length=500)

    class Meta:
        indexes = [models.Index("shop", "rule", "id", name="clock_switch")]


def switched(shop_id: int) -> dict[str, ClockSwitch]:
    """The decision that counts, by rule. One query."""
    rows = ClockSwitch.objects.filter(shop_id=shop_id).select_related("by").order_by("rule", "-id")
    return {row.rule: row for row in rows.distinct("rule")}


def is_on(rule: Rule, switches: dict[str, ClockSwitch]) -> bool:
    """Whether the clock may start by itself: as the shop switched it, else when its text was read."""
    return switches[rule.code].on if rule.code in switches else rule.verified
