"""Money that moves back, is fought over or given as amends, and the tax paper of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.transactions.models.orders import Order
from makegood.transactions.models.thing import AMOUNT, OfOrder


class Refund(OfOrder):
    """One movement of money back. ``sent`` means that nobody knows yet; ``stuck`` that only a person can move it."""

    class State(models.TextChoices):
        ASKED = "asked", _("Refund asked for")
        APPROVED = "approved", _("Refund approved")
        DECLINED = "declined", _("Refund declined")
        SENT = "sent", _("Refund sent")
        PAID_OUT = "paid_out", _("Refund paid out")
        REFUSED = "refused", _("Refund failed")
        STUCK = "stuck", _("Refund stuck")
        REVERSED = "reversed", _("Refund came back")
        WITHDRAWN = "withdrawn", _("Refund withdrawn")

    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="refunds")
    payment_ref = models.CharField(max_length=120, blank=True)
    our_key = models.CharField(max_length=120, blank=True, db_index=True)
    state = models.CharField(max_length=12, choices=State)
    amount = models.DecimalField(**AMOUNT, null=True)
    currency = models.CharField(max_length=3)
    destination = models.CharField(max_length=40, blank=True)
    expected_by = models.DateField(null=True)

    class Meta(OfOrder.Meta):
        pass


class Dispute(OfOrder):
    """A claim made over our head: a chargeback, a complaint at the platform."""

    class State(models.TextChoices):
        WARNED = "warned", _("Dispute opened")
        NEEDS_ANSWER = "needs_answer", _("Dispute needs an answer")
        IN_REVIEW = "in_review", _("Dispute in review")
        WON = "won", _("Dispute won")
        LOST = "lost", _("Dispute lost")
        SETTLED = "settled", _("Dispute settled")

    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="disputes")
    payment_ref = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=12, choices=State)
    amount = models.DecimalField(**AMOUNT, null=True)
    currency = models.CharField(max_length=3)
    answer_by = models.DateTimeField(null=True)

    class Meta(OfOrder.Meta):
        pass


class Invoice(OfOrder):
    """Tax paper; ``corrects`` is the ref of the one that it corrects."""

    class State(models.TextChoices):
        ASKED = "asked", _("Invoice asked for")
        DRAFTED = "drafted", _("Invoice drafted")
        ISSUED = "issued", _("Invoice issued")
        FILED = "filed", _("Invoice filed")
        FILING_FAILED = "filing_failed", _("Filing failed")
        CANCELLED = "cancelled", _("Invoice cancelled")
        CORRECTION_WAITING = "correction_waiting", _("Correction waits")
        CORRECTED = "corrected", _("Invoice corrected")

    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="invoices")
    state = models.CharField(max_length=20, choices=State)
    kind = models.CharField(max_length=20, blank=True)
    office_no = models.CharField(max_length=60, blank=True)
    file_by = models.DateField(null=True)
    corrects = models.CharField(max_length=120, blank=True)
    amount = models.DecimalField(**AMOUNT, null=True)
    currency = models.CharField(max_length=3)

    class Meta(OfOrder.Meta):
        pass


class Credit(OfOrder):
    """A coupon, gift card or store credit given as amends."""

    class State(models.TextChoices):
        GRANTED = "granted", _("Credit granted")
        USED = "used", _("Credit used")
        EXPIRED = "expired", _("Credit expired")
        REVOKED = "revoked", _("Credit revoked")

    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="credits")
    state = models.CharField(max_length=12, choices=State)
    kind = models.CharField(max_length=20, blank=True)
    amount = models.DecimalField(**AMOUNT, null=True)
    currency = models.CharField(max_length=3)
    valid_until = models.DateField(null=True)

    class Meta(OfOrder.Meta):
        pass
