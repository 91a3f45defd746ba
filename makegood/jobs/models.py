"""What the workers and loaders remember of their own doings."""

from __future__ import annotations

from django.db import models

from makegood.base import clock
from makegood.cases.models import Case


class LoadedRow(models.Model):
    """A row of a file that became a case; stored in the same transaction, so that no kill opens a row twice or loses it."""

    file_sha = models.CharField(max_length=64, help_text="SHA-256 of the file, in hex.")
    row = models.PositiveIntegerField(help_text="Which row of the data, from 1.")
    case = models.OneToOneField(Case, models.CASCADE, related_name="loaded_row")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("file_sha", "row", name="one_case_per_row")]
