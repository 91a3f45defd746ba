"""What the optional helper was asked to write, and what came of it. Nobody's word yet: it changes nothing of a case."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.cases.models import Case
from makegood.people.models import User


class HelperTask(models.Model):
    """One thing asked of the helper by one person. ``text`` is read by staff only, and forgotten after a week."""

    class What(models.TextChoices):
        SUMMARY = "summary", _("Summary")
        DRAFT = "draft", _("Draft of an answer")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Written")
        FAILED = "failed", _("Failed")
        REFUSED = "refused", _("Dropped")

    case = models.ForeignKey(Case, models.CASCADE, related_name="helper_tasks")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    what = models.CharField(max_length=8, choices=What)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(default=clock.now)
    taken_at = models.DateTimeField(null=True, help_text="When a worker began to ask.")
    done_at = models.DateTimeField(null=True)
    prompt_version = models.CharField(max_length=20, blank=True)
    model = models.CharField(max_length=200, blank=True)
    asked_tokens = models.PositiveIntegerField(default=0)
    answered_tokens = models.PositiveIntegerField(default=0)
    text = models.TextField(blank=True, help_text="What the machine wrote, after every check.")
    struck = models.PositiveSmallIntegerField(default=0, help_text="Sentences that were struck out of it.")
    error = models.CharField(max_length=30, blank=True, help_text="A code: why there is no text.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "case", "user", "what", name="one_waiting_helper_task", condition=Q(state="waiting")
            ),
            models.CheckConstraint(
                name="helper_task_has_its_outcome",
                condition=Q(state="waiting", done_at__isnull=True, text="", error="")
                | Q(state="done", done_at__isnull=False, error="")
                | Q(state__in=("failed", "refused"), done_at__isnull=False, text="") & ~Q(error=""),
            ),
        ]
        indexes = [
            models.Index("asked_at", "id", name="helper_task_waiting", condition=Q(state="waiting")),
            models.Index("user", "asked_at", name="helper_task_user"),
        ]
