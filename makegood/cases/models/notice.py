"""What a person of the desk is told about a case, until they have seen it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from makegood.base import clock
from makegood.cases.models.case import Case
from makegood.people.models import User


class Notice(models.Model):
    """One thing told to one person: a code and data, never words (the sentence is made in the reader's language)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notices", db_index=False)
    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="notices", db_index=False)
    kind = models.CharField(max_length=30, help_text="A code of desk/notices.py.")
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_user"),
            models.Index("user", name="notice_unseen", condition=Q(seen_at__isnull=True)),
        ]
