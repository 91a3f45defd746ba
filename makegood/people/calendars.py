"""Business calendars as rows: versioned, so that a promise remembers by which calendar it was counted."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.base import clock


class Calendar(models.Model):
    """When somebody works: opening hours in a time zone, holidays, make-up working days. Its days stand in its versions."""

    code = models.SlugField(_("Short code"), max_length=40, unique=True)
    name = models.CharField(_("Name"), max_length=120)
    made_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.name


class CalendarVersion(models.Model):
    """One state of a calendar; never changed (a trigger sees to it): an edit is a new version, promises keep theirs.

    ``data`` is what ``base/calendar.py`` reads: zone, weekly spans, closed days and make-up days with their names.
    """

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="versions")
    n = models.PositiveIntegerField()
    data = models.JSONField()
    source = models.CharField(max_length=200, blank=True, help_text="By hand, a file, a library's version.")
    by = models.ForeignKey("makegood.User", models.PROTECT, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("calendar", "n", name="one_row_a_version")]
