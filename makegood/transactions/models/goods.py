"""Goods on their way: parcels out, back and again, and what is expected back."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.transactions.models.orders import Order
from makegood.transactions.models.thing import OfOrder


class Shipment(OfOrder):
    class Direction(models.TextChoices):
        OUT = "out", _("To the customer")
        BACK = "back", _("Back to the shop")
        AGAIN = "again", _("Sent again")

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

    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="shipments")
    state = models.CharField(max_length=20, choices=State)
    direction = models.CharField(max_length=5, choices=Direction, default=Direction.OUT)
    carrier = models.CharField(max_length=60)
    tracking = models.CharField(max_length=60, db_index=True)
    lines = models.JSONField(default=list, help_text="[{name, quantity}]")
    promised_by = models.DateField(null=True)
    last_scan_at = models.DateTimeField(null=True)

    class Meta(OfOrder.Meta):
        pass


class Return(OfOrder):
    """Goods that are expected back; ``lines`` tell what was expected, received and written off."""

    class State(models.TextChoices):
        ASKED = "asked", _("Return asked for")
        APPROVED = "approved", _("Return approved")
        DECLINED = "declined", _("Return declined")
        ON_ITS_WAY = "on_its_way", _("Return on its way")
        PART_RECEIVED = "part_received", _("Partly received")
        RECEIVED = "received", _("Received back")
        CLOSED = "closed", _("Return closed")
        WITHDRAWN = "withdrawn", _("Return withdrawn")

    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="returns")
    state = models.CharField(max_length=20, choices=State)
    lines = models.JSONField(default=list, help_text="[{name, expected, received, written_off}]")
    answer_by = models.DateTimeField(null=True, help_text="When the platform decides by itself.")

    class Meta(OfOrder.Meta):
        pass
