"""What is asked of a shop to stop the use of a payment or an account: a row of the ledger of its own, as ``models.py: Step`` is for remedies.

It stands beside the task for people, never instead of it: a machine that failed in silence would leave a stolen card in use.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.swept import Swept
from makegood.cases.models import Case, Freeze
from makegood.transactions.models import Order, Payment, Store


class FreezeAsk(Swept):
    """One freeze asked of one shop, once. ``ours``: our own reference on it. ``look_at``: when it is sent, taken for lost, looked up."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        SENDING = "sending", _("Being sent")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        UNKNOWN = "unknown", _("Unknown: being looked up")
        DROPPED = "dropped", _("Dropped before it was sent")

    case = models.ForeignKey(Case, models.CASCADE, related_name="freeze_asks", db_index=False)
    freeze = models.OneToOneField(Freeze, models.CASCADE, related_name="ask")
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="+", db_index=False)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="+", db_index=False)
    ours = models.CharField(max_length=64, unique=True)
    ask = models.JSONField(default=dict, help_text="What was sent.")
    state = models.CharField(max_length=8, choices=State, default=State.PLANNED)
    code = models.CharField(max_length=30, blank=True, help_text="Why it was refused, or why nobody knows.")
    theirs = models.CharField(max_length=80, blank=True)
    ref = models.CharField(max_length=120, blank=True, help_text="The shop's own name of the result.")
    there = models.CharField(max_length=20, blank=True)
    planned_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, help_text="When it was first sent.")
    settled_at = models.DateTimeField(null=True)
    sends = models.PositiveSmallIntegerField(default=0)
    looked = models.PositiveSmallIntegerField(default=0)

    ON_ITS_WAY = (State.SENDING, State.UNKNOWN)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_freeze_that_was_sent_says_when",
                condition=Q(state__in=["planned", "dropped"]) | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_freeze_on_its_way_is_looked_after",
                condition=~Q(state__in=["planned", "sending", "unknown"]) | Q(look_at__isnull=False),
            ),
        ]
        indexes = [models.Index("look_at", "id", name="freeze_ask_look", condition=Q(look_at__isnull=False))]
