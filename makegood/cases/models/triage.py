"""Facts as facts, ticks on the playbook, what was found in the words, and corrections that the model learns from."""

from __future__ import annotations

from django.db import models

from makegood.base import clock
from makegood.base.languages import LANGUAGES
from makegood.cases.models.case import Case
from makegood.people.models import User


class Fact(models.Model):
    """What happened, when, and who says so. A fact that was wrong is struck with a reason, never deleted."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="facts")
    text = models.TextField()
    happened_at = models.DateTimeField(null=True)
    source = models.CharField(max_length=40)
    detail = models.CharField(max_length=200, blank=True, help_text="Which record: a number, an address.")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    struck_at = models.DateTimeField(null=True)
    struck_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    struck_because = models.TextField(blank=True)


class Tick(models.Model):
    """One item of the playbook, done; ``item`` is its code in the type's playbook."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="ticks")
    item = models.CharField(max_length=80)
    answer = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("case", "item", name="one_tick_per_item")]


class Reference(models.Model):
    """An order number, amount, tracking number or date that was found in a message."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="references")
    message = models.ForeignKey("makegood.Message", models.CASCADE, related_name="references")
    kind = models.CharField(max_length=20)
    value = models.CharField(max_length=120)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()


class Correction(models.Model):
    """A text and the type that a person gave it: what the triage model is retrained from."""

    case = models.OneToOneField(Case, models.CASCADE, related_name="correction")
    text = models.TextField()
    language = models.CharField(max_length=10, choices=LANGUAGES)
    type = models.CharField(max_length=40)
    suggested = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(default=clock.now)


class TriageModel(models.Model):
    """A trained triage model as ``text.triage.Model.to_bytes`` gave it; the newest is the one that suggests.

    ``accuracy`` is the share of the held-out labels (``held_out`` of them) whose type it named first, 0 to 1; it never
    saw those, so that the next model can be measured against it fairly.
    """

    content = models.BinaryField()
    made_at = models.DateTimeField(default=clock.now)
    examples = models.PositiveIntegerField(help_text="Labels of people that it learned from.")
    held_out = models.PositiveIntegerField()
    accuracy = models.FloatField()
    threshold = models.FloatField()
