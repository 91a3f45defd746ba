"""Use that was stopped, or is to be stopped within minutes: an account or a payment of a security case."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.cases.models.case import Case
from makegood.people.models import User


class Freeze(models.Model):
    """One account or payment. Asked, then frozen (by whom, with what proof), and at last, perhaps, released."""

    class What(models.TextChoices):
        ACCOUNT = "account", _("The account")
        PAYMENT = "payment", _("The payment")

    case = models.ForeignKey(Case, models.CASCADE, related_name="freezes")
    what = models.CharField(max_length=8, choices=What)
    which = models.CharField(
        max_length=120, blank=True, help_text="Which payment or account, as the shop names it."
    )
    asked_at = models.DateTimeField(default=clock.now)
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    promise = models.OneToOneField("makegood.Promise", models.PROTECT, null=True, related_name="freeze")
    frozen_at = models.DateTimeField(null=True)
    frozen_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    proof = models.ForeignKey("makegood.Message", models.PROTECT, null=True, related_name="+", db_index=False)
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "case", "what", "which", name="one_freeze_a_thing", condition=Q(released_at__isnull=True)
            )
        ]

    @property
    def state(self) -> str:
        """'asked', 'frozen' or 'released'."""
        if self.released_at:
            return "released"
        return "frozen" if self.frozen_at else "asked"
