"""Cases that look like one fault: a suggestion, until a lead accepts or dismisses it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.cases.models import Case
from makegood.incidents.models.incidents import Incident
from makegood.people.models import User


class Suggestion(models.Model):
    """So many cases in so short a time share something. ``key`` is the rule and what is shared, as text.

    The sentence is made when it is read (``packs/incidents.toml``): ``n`` cases in ``hours``, where ``usual`` are usual.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Suggested")
        ACCEPTED = "accepted", _("Accepted")
        DISMISSED = "dismissed", _("Dismissed")
        PAST = "past", _("Past")

    key = models.TextField()
    rule = models.CharField(max_length=40)
    common = models.JSONField()
    case = models.ForeignKey(Case, models.CASCADE, related_name="+", help_text="The first of them.")
    n = models.PositiveIntegerField()
    hours = models.FloatField()
    usual = models.FloatField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    made_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now, help_text="When it was last found to be so.")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="+", db_index=False)
    settled_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    settled_at = models.DateTimeField(null=True)
    because = models.TextField(blank=True, help_text="Why a lead dismissed it.")
    silent_until = models.DateTimeField(null=True, help_text="Until then the same is not suggested again.")

    class Meta:
        constraints = [
            models.UniqueConstraint("key", name="one_open_suggestion_a_key", condition=Q(state="open")),
            models.CheckConstraint(
                name="dismissed_with_a_reason",
                condition=~Q(state="dismissed")
                | (~Q(because="") & Q(silent_until__isnull=False, settled_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="accepted_into_an_incident", condition=~Q(state="accepted") | Q(incident__isnull=False)
            ),
        ]
        indexes = [models.Index("key", "silent_until", name="suggestion_key")]


class SuggestedCase(models.Model):
    """A case of a suggestion, so that its sheet can say so."""

    suggestion = models.ForeignKey(Suggestion, models.CASCADE, related_name="cases", db_index=False)
    case = models.ForeignKey(Case, models.CASCADE, related_name="suggested_in")

    class Meta:
        constraints = [models.UniqueConstraint("suggestion", "case", name="once_in_a_suggestion")]
