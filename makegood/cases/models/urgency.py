"""Why a case is as urgent as it is, and who ever lowered it: the rows that the database's ratchet reads."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from makegood.base import clock
from makegood.cases.models.case import Case
from makegood.people.models import User


class UrgencyEvidence(models.Model):
    """One reason for a level, with the customer's own words where there are any (offsets count characters of the message)."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="evidence")
    seq = models.PositiveIntegerField(help_text="The event that it came with.")
    level = models.PositiveSmallIntegerField()
    source = models.CharField(
        max_length=40, help_text="signal:<id>, impact:<code>, type:<code>, hand, inherited, contact"
    )
    quote = models.TextField(blank=True)
    message = models.ForeignKey(
        "makegood.Message", models.SET_NULL, null=True, related_name="+", db_index=False
    )
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    words = models.TextField(blank=True, help_text="What a person wrote as the reason.")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(name="evidence_level", condition=Q(level__gte=1, level__lte=5))]


class UrgencyLowering(models.Model):
    """A lead lowered it, in writing. The trigger on the case lets no lower urgency through without this row."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="lowerings")
    seq = models.PositiveIntegerField()
    from_level = models.PositiveSmallIntegerField()
    to_level = models.PositiveSmallIntegerField()
    reason = models.TextField()
    evidence = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint("case", "seq", name="one_lowering_per_event"),
            models.CheckConstraint(
                name="lowering_lowers", condition=Q(to_level__lt=F("from_level"), to_level__gte=1)
            ),
            models.CheckConstraint(name="lowering_says_why", condition=~Q(reason="") & ~Q(evidence="")),
        ]
