"""How a case ends. Closing is the shape of a table (law 2): see the composite foreign keys in migration 0002.

A case is made good when a Closure stands: it points at a Verification, a Telling and an all-good Confirmation of the
same case and the same round. Every other ending is an Ending row with its own evidence and never counts as made good.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.cases.models.case import Case
from makegood.people.models import User


class Fix(models.Model):
    """What was done to make it good, by whom. Nothing is told from this alone."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="fixes")
    round = models.PositiveSmallIntegerField()
    remedy = models.CharField(max_length=20, blank=True)
    cause = models.TextField(help_text="Why it went wrong.")
    done = models.TextField(help_text="What was done.")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(name="fix_says_what", condition=~Q(done=""))]


class Verification(models.Model):
    """Proof that the fix holds: seen by somebody else, or by the fixer only with the reference of a record."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="verifications")
    round = models.PositiveSmallIntegerField()
    fix = models.ForeignKey(Fix, models.CASCADE, related_name="verifications")
    fixed_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="None: the transaction itself says so.",
    )
    proof = models.CharField(max_length=40, help_text="Kind of proof, a code of the sources pack.")
    reference = models.CharField(
        max_length=200, blank=True, help_text="Which record: a refund id, a tracking number."
    )
    seen = models.TextField(help_text="What was seen.")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="verified_by_proof_not_by_the_fixer_alone",
                # No person (the house read the transaction): never without the record that it read.
                condition=~Q(reference="") | (Q(by__isnull=False) & ~Q(by=F("fixed_by"))),
            ),
            models.CheckConstraint(name="verification_says_what_was_seen", condition=~Q(seen="")),
        ]


class Telling(models.Model):
    """The customer was told the outcome, after it was verified, in this message."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="tellings")
    round = models.PositiveSmallIntegerField()
    verification = models.ForeignKey(Verification, models.CASCADE, related_name="tellings")
    message = models.ForeignKey("makegood.Message", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)


class ConfirmationAsk(models.Model):
    """One documented attempt to hear the customer's own word."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="asks")
    round = models.PositiveSmallIntegerField()
    telling = models.ForeignKey(Telling, models.CASCADE, related_name="asks")
    channel = models.CharField(max_length=12)
    message = models.ForeignKey("makegood.Message", models.PROTECT, null=True, related_name="+")
    note = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)


class Answer(models.TextChoices):
    ALL_GOOD = "all_good", _("All good")
    PARTLY = "partly", _("Partly")
    NOT_GOOD = "not_good", _("Not good")


class Confirmation(models.Model):
    """The customer's own word about a telling: by their page, or spoken and written down by somebody who did not fix it."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="confirmations")
    round = models.PositiveSmallIntegerField()
    telling = models.ForeignKey(Telling, models.CASCADE, related_name="confirmations")
    answer = models.CharField(max_length=10, choices=Answer)
    words = models.TextField(blank=True)
    channel = models.CharField(max_length=12, help_text="page, api, phone, letter")
    written_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "telling", name="one_all_good_per_telling", condition=Q(answer=Answer.ALL_GOOD)
            ),
            models.CheckConstraint(
                name="spoken_word_is_written_down_in_words",
                condition=Q(written_by__isnull=True, channel="page")
                | (Q(written_by__isnull=False) & ~Q(words="")),
            ),
        ]


class Closure(models.Model):
    """Made good. Cannot be stored without what it stands on; reopening removes it, the events remember."""

    case = models.OneToOneField(Case, models.CASCADE, related_name="closure")
    round = models.PositiveSmallIntegerField()
    verification = models.ForeignKey(Verification, models.PROTECT, related_name="+", db_index=False)
    telling = models.ForeignKey(Telling, models.PROTECT, related_name="+", db_index=False)
    confirmation = models.ForeignKey(Confirmation, models.PROTECT, related_name="+", db_index=False)
    answer = models.CharField(max_length=10, default=Answer.ALL_GOOD)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(name="only_all_good_closes", condition=Q(answer=Answer.ALL_GOOD))
        ]


class Ending(models.Model):
    """Every ending that is not made good, each with the evidence that its kind demands."""

    class Kind(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("Unconfirmed")
        DISAGREED = "disagreed", _("Disagreed")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        MERGED = "merged", _("Merged")

    case = models.OneToOneField(Case, models.CASCADE, related_name="ending")
    round = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    telling = models.ForeignKey(Telling, models.PROTECT, null=True, related_name="+")
    message = models.ForeignKey("makegood.Message", models.PROTECT, null=True, related_name="+")
    outside_route = models.TextField(blank=True)
    words = models.TextField(blank=True)
    survivor = models.ForeignKey(Case, models.PROTECT, null=True, related_name="absorbed")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="each_ending_has_its_evidence",
                condition=Q(kind="unconfirmed", telling__isnull=False)
                | (Q(kind="disagreed", message__isnull=False) & ~Q(outside_route=""))
                | (Q(kind="withdrawn") & ~Q(words=""))
                | Q(kind="merged", survivor__isnull=False),
            ),
            models.CheckConstraint(name="no_case_survives_itself", condition=~Q(survivor=F("case"))),
        ]
