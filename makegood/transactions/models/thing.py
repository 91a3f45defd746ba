"""What every thing of a transaction has: who told it, under which name, when by the source's clock, and how each field is known."""

from __future__ import annotations

from django.db import models

from makegood.base import clock
from makegood.transactions.models.store import Store

#: Major units. Three places are enough for every currency that people pay with (KWD, TND have three).
AMOUNT = {"max_digits": 18, "decimal_places": 3}


class Thing(models.Model):
    """``told_at`` is the source's clock when it last changed something; ``heard_at`` is ours when we last heard it confirmed.

    ``known`` holds for each field which fact told it (transactions/merging.py); it is written together with the fields.
    """

    store = models.ForeignKey(Store, models.PROTECT, null=True, related_name="+", db_index=False)
    ref = models.CharField(max_length=120, blank=True, help_text="The source's own name of it.")
    told_at = models.DateTimeField(help_text="When the source last said so, by its own clock.")
    heard_at = models.DateTimeField(default=clock.now, help_text="When we last heard it.")
    sequence = models.BigIntegerField(null=True, help_text="The source's own version, where it has one.")
    known = models.JSONField(default=dict)
    more = models.JSONField(default=dict, help_text="What else the source told, by the names of the schemas.")

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                "store",
                "ref",
                condition=models.Q(store__isnull=False) & ~models.Q(ref=""),
                name="one_%(class)s_per_ref",
            )
        ]


class OfOrder(Thing):
    """A thing that hangs on an order; it may be told before its order is, and is tied to it when that comes."""

    order_number = models.CharField(max_length=60, blank=True)

    class Meta(Thing.Meta):
        abstract = True
        indexes = [
            # What waits for its order to be told.
            models.Index(
                "order_number",
                condition=models.Q(order__isnull=True) & ~models.Q(order_number=""),
                name="%(class)s_waits",
            )
        ]
