"""Endpoints that hear of our events, each event on its way to one of them, and each attempt."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.cases.models import CaseEvent
from makegood.people.models import Shop, User


class Hook(models.Model):
    """An address outside that is told of case events. Without a shop it hears of all; without kinds, of every kind."""

    class Off(models.TextChoices):
        PERSON = "person", _("Switched off by a person")
        GONE = "gone", _("Its server said that it is gone for good (410)")
        FAILING = "failing", _("It failed for days")

    shop = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="hooks")
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=2000)
    kinds: ArrayField[list[str], list[str]] = ArrayField(models.CharField(max_length=40), default=list)
    sealed = models.BinaryField(help_text="The secret, sealed (base/seal.py).")
    sealed_old = models.BinaryField(
        default=bytes, help_text="The one before, which signs too until old_until."
    )
    old_until = models.DateTimeField(null=True)
    off = models.CharField(max_length=8, choices=Off, blank=True)
    off_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row; 0: the last one arrived.")
    failing_since = models.DateTimeField(null=True)
    rest_until = models.DateTimeField(null=True, help_text="After a failure nothing is sent before this.")
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)

    def __str__(self) -> str:
        return self.name


class HookCall(models.Model):
    """One event for one endpoint: written by a trigger with the event itself (migration 0019), sent by the worker.

    Without an event it is the trial that somebody asked for.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Being sent")
        SENT = "sent", _("Delivered")
        DEAD = "dead", _("Not delivered")

    key = models.UUIDField(default=uuid.uuid4, help_text="webhook-id: the same at every try.")
    hook = models.ForeignKey(Hook, models.CASCADE, related_name="calls", db_index=False)
    event = models.ForeignKey(CaseEvent, models.CASCADE, null=True, related_name="calls", db_index=False)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    look_at = models.DateTimeField(default=clock.now)
    made_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hook", "event"], name="one_event_a_hook")]
        indexes = [
            models.Index(fields=["hook", "look_at"], name="hook_call_due", condition=Q(state="waiting")),
            models.Index(fields=["hook", "-id"], name="hook_call_newest"),
        ]


class HookTry(models.Model):
    """One attempt: what was answered, and how long it took. ``error`` is a code where no answer came."""

    call = models.ForeignKey(HookCall, models.CASCADE, related_name="attempts")
    at = models.DateTimeField(default=clock.now)
    status = models.PositiveSmallIntegerField(null=True)
    ms = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=40, blank=True)
    answer = models.TextField(blank=True, help_text="Its first 1,000 bytes.")
