"""What the API door remembers."""

from __future__ import annotations

from django.db import models

from makegood.base import clock
from makegood.people.models import ApiToken


class IdempotencyKey(models.Model):
    """A create that was answered: the same key and body get the same answer, another body is refused."""

    token = models.ForeignKey(ApiToken, models.CASCADE, db_index=False)
    key = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("token", "key", name="one_answer_per_key")]
