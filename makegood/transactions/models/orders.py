"""Orders and what hangs on them, as the shop told it: separate axes, each with the source's own time.

States are those of the canonical model (docs/decisions/0003): goods, money and paper are never one 'status'.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.people.models import Customer, Shop
from makegood.transactions.models.thing import AMOUNT, OfOrder, Thing


class Order(Thing):
    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CANCELLED = "cancelled", _("Cancelled")
        CLOSED = "closed", _("Closed")

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="orders", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="orders")
    number = models.CharField(_("Order number"), max_length=60)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    placed_at = models.DateTimeField(null=True)
    total = models.DecimalField(**AMOUNT, null=True)
    currency = models.CharField(max_length=3)
    lines = models.JSONField(default=list, help_text="[{ref, name, quantity, price of one}]")
    made_for = models.CharField(
        max_length=60, blank=True, help_text="The number of the order that this one makes good."
    )

    class Meta(Thing.Meta):
        constraints = [
            *Thing.Meta.constraints,
            models.UniqueConstraint("shop", "number", name="one_order_per_number"),
        ]
        # Who else bought while a fault lasted is asked by shop and time, or by time alone.
        indexes = [
            models.Index("shop", "made_for", condition=~models.Q(made_for=""), name="orders_made_for"),
            models.Index("shop", "placed_at", name="order_shop_placed"),
            models.Index("placed_at", name="order_placed"),
        ]

    def __str__(self) -> str:
        return self.number


class Payment(OfOrder):
    class State(models.TextChoices):
        AWAITING = "awaiting", _("Awaiting payment")
        HELD = "held", _("Held")
        TAKEN = "taken", _("Paid")
        FAILED = "failed", _("Payment failed")
        VOIDED = "voided", _("Voided")
        EXPIRED = "expired", _("Payment expired")

    order = models.ForeignKey(Order, models.CASCADE, null=True, related_name="payments")
    state = models.CharField(max_length=12, choices=State)
    method = models.CharField(max_length=40, blank=True)
    amount = models.DecimalField(**AMOUNT, null=True)
    refunded = models.DecimalField(**AMOUNT, default=0)
    #: As the provider says it: never our own subtraction.
    left_to_refund = models.DecimalField(**AMOUNT, null=True)
    locked = models.BooleanField(default=False, help_text="The provider takes no more refunds for it.")
    currency = models.CharField(max_length=3)

    class Meta(OfOrder.Meta):
        pass
