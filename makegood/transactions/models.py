"""Orders and what hangs on them, as the shop told it: separate axes, each with the source's own time.

States are those of the canonical model (docs/decisions/0003): goods, money and paper are never one 'status'.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.people.models import Customer, Shop


class Order(models.Model):
    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CANCELLED = "cancelled", _("Cancelled")
        CLOSED = "closed", _("Closed")

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="orders", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="orders")
    number = models.CharField(_("Order number"), max_length=60)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    placed_at = models.DateTimeField()
    total = models.DecimalField(max_digits=16, decimal_places=2)
    currency = models.CharField(max_length=3)
    lines = models.JSONField(default=list, help_text="[{name, quantity, price}]")
    told_at = models.DateTimeField(help_text="When the source last said so.")

    class Meta:
        constraints = [models.UniqueConstraint("shop", "number", name="one_order_per_number")]
        # Who else bought while a fault lasted is asked by shop and time, or by time alone.
        indexes = [
            models.Index("shop", "placed_at", name="order_shop_placed"),
            models.Index("placed_at", name="order_placed"),
        ]

    def __str__(self) -> str:
        return self.number


class Payment(models.Model):
    class State(models.TextChoices):
        AWAITING = "awaiting", _("Awaiting payment")
        HELD = "held", _("Held")
        TAKEN = "taken", _("Paid")
        FAILED = "failed", _("Payment failed")
        VOIDED = "voided", _("Voided")
        EXPIRED = "expired", _("Payment expired")

    order = models.ForeignKey(Order, models.CASCADE, related_name="payments")
    state = models.CharField(max_length=12, choices=State)
    method = models.CharField(max_length=40, blank=True)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    refunded = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    currency = models.CharField(max_length=3)
    told_at = models.DateTimeField()


class Shipment(models.Model):
    class State(models.TextChoices):
        LABEL = "label", _("Label made")
        COLLECTED = "collected", _("Collected")
        MOVING = "moving", _("On its way")
        OUT_FOR_DELIVERY = "out_for_delivery", _("Out for delivery")
        ATTEMPT_FAILED = "attempt_failed", _("Delivery attempt failed")
        READY_FOR_PICKUP = "ready_for_pickup", _("Ready for pick-up")
        DELIVERED = "delivered", _("Delivered")
        COMING_BACK = "coming_back", _("Coming back")
        CAME_BACK = "came_back", _("Came back")
        EXCEPTION = "exception", _("Trouble on the way")
        SILENT = "silent", _("No scan for long")
        CANCELLED = "cancelled", _("Shipment cancelled")

    order = models.ForeignKey(Order, models.CASCADE, related_name="shipments")
    state = models.CharField(max_length=20, choices=State)
    carrier = models.CharField(max_length=60)
    tracking = models.CharField(max_length=60, db_index=True)
    promised_by = models.DateField(null=True)
    last_scan_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField()
