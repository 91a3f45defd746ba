"""One fault over many cases: the incident, the cases in it, and the acts that are done on all of them step by step."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.swept import Swept
from makegood.cases.models import Case
from makegood.people.models import Shop, User
from makegood.transactions.models import Order


class Incident(models.Model):
    """One fault over many cases. It has no urgency and no progress of its own: both are read from its cases.

    ``case`` is its anchor: what is done to the incident as a whole is written down there, and its war room is the
    anchor's. ``common`` says what its cases share, as codes (``desk/cohorts.py: KEYS``).
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="anchors")
    what = models.TextField(help_text="The fault, in words.")
    type = models.CharField(max_length=40, blank=True)
    shop = models.ForeignKey(
        Shop, models.PROTECT, null=True, related_name="+", help_text="None: several shops."
    )
    common = models.JSONField(default=dict)
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, help_text="None: the watch."
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "case", name="one_open_incident_an_anchor", condition=Q(closed_at__isnull=True)
            ),
            models.CheckConstraint(name="an_incident_says_what", condition=~Q(what="")),
            models.CheckConstraint(
                name="a_closed_incident_names_who",
                condition=Q(closed_at__isnull=True, closed_by__isnull=True)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
            ),
        ]
        indexes = [models.Index("opened_at", name="incident_open", condition=Q(closed_at__isnull=True))]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class IncidentCase(models.Model):
    """A case is, or was, in an incident. ``standing`` until it is taken out (with a reason) or the incident is closed."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="members", db_index=False)
    case = models.ForeignKey(Case, models.CASCADE, related_name="incidents")
    standing = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    left_at = models.DateTimeField(null=True)
    left_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    left_because = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("incident", "case", name="once_in_an_incident"),
            models.UniqueConstraint("case", name="one_standing_incident_a_case", condition=Q(standing=True)),
            models.CheckConstraint(
                name="taken_out_with_a_reason",
                condition=Q(left_at__isnull=True, left_because="")
                | (Q(left_at__isnull=False, standing=False) & ~Q(left_because="")),
            ),
        ]
        indexes = [models.Index("incident", "id", name="incident_cases", condition=Q(left_at__isnull=True))]


class IncidentAct(models.Model):
    """One act on many cases: who did it and with which words. Its steps are carried out one case at a time."""

    class Kind(models.TextChoices):
        JOIN = "join", _("Cases brought in")
        OPEN = "open", _("Cases opened for who did not complain")
        WORD = "word", _("Word to all customers")
        FIX = "fix", _("What was done, for all")
        VERIFY = "verify", _("Verified, for all")
        MENDED = "mended", _("Told that it is mended")

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="acts")
    kind = models.CharField(max_length=8, choices=Kind)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)
    texts = models.JSONField(default=dict, help_text="Language -> the words to the customers who read it.")
    next_word_at = models.DateTimeField(null=True, help_text="None: by the rule of each case's own level.")
    details = models.JSONField(
        default=dict, help_text="What the verb of each case is given beside the words."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="words_are_said_in_words", condition=~Q(kind__in=("word", "mended")) | ~Q(texts={})
            )
        ]


class ActStep(Swept):
    """An act on one case (or, before there is one, on one order): done exactly once, or it says why not.

    ``why`` is the code of the refusal, or why it was passed over; ``trouble`` what went wrong by itself.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Done")
        PASSED = "passed", _("Passed over")
        FAILED = "failed", _("Failed")

    act = models.ForeignKey(IncidentAct, models.CASCADE, related_name="steps", db_index=False)
    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="act_steps")
    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    why = models.CharField(max_length=40, blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("act", "case", name="once_a_case"),
            models.UniqueConstraint("act", "order", name="once_an_order"),
            models.CheckConstraint(
                name="a_step_is_on_something", condition=Q(case__isnull=False) | Q(order__isnull=False)
            ),
            models.CheckConstraint(
                name="a_waiting_step_has_a_moment",
                condition=Q(state="waiting", look_at__isnull=False, done_at__isnull=True)
                | (~Q(state="waiting") & Q(look_at__isnull=True, done_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index("look_at", "id", name="act_step_look", condition=Q(state="waiting")),
            models.Index("act", "state", name="act_step_state"),
        ]
