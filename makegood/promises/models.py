"""A promise is a row with a clock. This is the first part of the ledger: next words; the issue 'Promises' adds the rest."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from makegood.base.clock import now
from makegood.cases.models import Case
from makegood.people.models import User


class Promise(models.Model):
    """A time that was given to somebody. ``due_at`` never moves; a new promise supersedes an old one."""

    class What(models.TextChoices):
        FIRST_WORD = "first_word", _("First answer")
        NEXT_WORD = "next_word", _("Next word")

    class Basis(models.TextChoices):
        POLICY = "policy", _("By our own rule")
        PROMISED = "promised", _("Promised by a person")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        KEPT = "kept", _("Kept")
        BROKEN = "broken", _("Broken")
        SUPERSEDED = "superseded", _("Replaced by a newer one")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    case = models.ForeignKey(Case, models.CASCADE, related_name="promises", db_index=False)
    what = models.CharField(max_length=12, choices=What)
    basis = models.CharField(max_length=10, choices=Basis)
    to = models.CharField(max_length=10, default="customer")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField()
    words = models.TextField(blank=True)
    policy = models.JSONField(default=dict, help_text="The rule as it stood when the promise was made.")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    settled_at = models.DateTimeField(
        null=True, help_text="When it was kept or replaced; a break is dated by due_at."
    )
    proof = models.ForeignKey("makegood.Message", models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="open_promise_is_unsettled",
                condition=Q(state="open", settled_at__isnull=True) | ~Q(state="open"),
            ),
            models.CheckConstraint(name="promise_looks_ahead", condition=Q(due_at__gt=F("made_at"))),
            models.CheckConstraint(
                name="only_a_message_keeps_a_word", condition=~Q(state="kept") | Q(proof__isnull=False)
            ),
        ]
        indexes = [
            models.Index("case", "due_at", name="promise_case"),
            models.Index("due_at", name="promise_due", condition=Q(state="open")),
        ]
