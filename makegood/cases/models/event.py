"""The history: append-only (a trigger refuses UPDATE and DELETE), codes and data, never sentences (law 4)."""

from __future__ import annotations

from django.db import models

from makegood.base import clock
from makegood.cases.models.case import Case
from makegood.people.models import User


class CaseEvent(models.Model):
    """One thing that happened to a case. ``seq`` counts from 1 without a gap; the last one is the case's version."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    actor_role = models.CharField(max_length=12)
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    door = models.CharField(max_length=8)
    true_at = models.DateTimeField(help_text="When it became true.")
    written_at = models.DateTimeField(default=clock.now)
    data = models.JSONField(default=dict)
    cause = models.ForeignKey("self", models.PROTECT, null=True, related_name="caused", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint("case", "seq", name="one_event_per_seq")]
        ordering = ["case", "seq"]

    def __str__(self) -> str:
        return f"{self.case_id}/{self.seq} {self.kind}"
