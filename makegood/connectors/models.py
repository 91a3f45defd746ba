"""What is remembered of an outside service, in a row, so that every worker knows it."""

from __future__ import annotations

from django.db import models


class Circuit(models.Model):
    """A service that failed ``failures`` times in a row; until ``open_until`` nobody asks it."""

    name = models.CharField(max_length=40, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
