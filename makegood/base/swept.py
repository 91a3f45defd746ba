"""A row that the sweep looks at (law 5): when next, and what went wrong when it did."""

from __future__ import annotations

from django.db import models


class Swept(models.Model):
    """``look_at`` is the only clock of the row; the sweep takes it when it is due, and nothing else wakes it."""

    look_at = models.DateTimeField(null=True, help_text="When the sweep looks next; none: never again.")
    set_back = models.PositiveSmallIntegerField(default=0, help_text="How often looking at it failed.")
    trouble = models.TextField(blank=True, help_text="Why it failed last, for whoever keeps the house.")

    class Meta:
        abstract = True
