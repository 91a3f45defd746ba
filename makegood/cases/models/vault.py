"""What was masked on arrival: the originals, sealed, apart from every text; and who opened one, when and why."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.cases.models.case import Case
from makegood.people.models import User


class MaskedValue(models.Model):
    """One value that somebody wrote on a case. ``digest`` is keyed: the same value twice is one row, and nobody can guess it back."""

    class Kind(models.TextChoices):
        CARD = "card", _("Card number")
        CODE = "code", _("Code of a card")
        RESIDENT = "resident", _("Resident number")
        PASSPORT = "passport", _("Passport number")
        ACCOUNT = "account", _("Bank account")

    case = models.ForeignKey(Case, models.CASCADE, related_name="masked", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    shown = models.CharField(max_length=80, help_text="How it stands in the text now.")
    sealed = models.BinaryField(help_text="The original, sealed by base/seal.py; empty: erased.")
    digest = models.CharField(max_length=64)
    role = models.CharField(max_length=12, help_text="Whose words they were: the actor's role.")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)
    erased_at = models.DateTimeField(null=True)
    erased_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint("case", "digest", name="one_masked_value_a_case"),
            models.CheckConstraint(
                name="an_erased_value_is_empty",
                condition=Q(erased_at__isnull=True) | Q(sealed=b""),
            ),
        ]


class Reveal(models.Model):
    """Somebody read an original. Written before it is shown; the value itself stands nowhere but in the vault."""

    masked = models.ForeignKey(MaskedValue, models.CASCADE, related_name="reveals")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=500)
