"""A remedy is a plan; a step of it is a row of the ledger, written before anything is sent.

The database refuses what must not be (migration 0023): two open remedies on one payment, two asks on their way on one payment,
refunds beyond the payment, an ask that is sent twice or changed after it was, what nobody may decide alone, a budget overrun.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.swept import Swept
from makegood.cases.models import Case, Verification
from makegood.people.models import Shop, User
from makegood.transactions.models import Order, Payment

AMOUNT: Any = {"max_digits": 18, "decimal_places": 3}


class Budget(models.Model):
    """What a shop may give away in a month beyond what the law demands. What is used is counted by the rows of remedies."""

    shop = models.ForeignKey(Shop, models.CASCADE, related_name="budgets", db_index=False)
    month = models.DateField(help_text="The first day of the month, in the shop's own zone.")
    limit = models.DecimalField(**AMOUNT)
    currency = models.CharField(max_length=3)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint("shop", "month", name="one_budget_a_month"),
            models.CheckConstraint(name="a_budget_is_not_below_nought", condition=Q(limit__gte=0)),
            models.CheckConstraint(name="a_budget_begins_with_its_month", condition=Q(month__day=1)),
        ]


class Offer(Swept):
    """What the customer may choose among, until when. ``look_at`` is its end."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for approval")
        OPEN = "open", _("Waits for the customer's choice")
        CHOSEN = "chosen", _("The customer has chosen")
        COUNTERED = "countered", _("The customer proposed something else")
        EXPIRED = "expired", _("Ended without an answer")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    case = models.ForeignKey(Case, models.CASCADE, related_name="offers", db_index=False)
    round = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State)
    until = models.DateTimeField(help_text="The end of the offer.")
    words = models.TextField(blank=True, help_text="What is said to the customer beside the choices.")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=30, blank=True, help_text="Code of the reason that was collected.")
    message = models.ForeignKey(
        "makegood.Message",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The customer's words: why, or their own proposal.",
    )
    counter_kind = models.CharField(max_length=20, blank=True)
    counter_amount = models.DecimalField(**AMOUNT, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "case", name="one_open_offer_a_case", condition=Q(state__in=["waiting", "open"])
            ),
            models.CheckConstraint(
                name="an_open_offer_has_an_end",
                condition=Q(state__in=["waiting", "open"], look_at__isnull=False, settled_at__isnull=True)
                | (~Q(state__in=["waiting", "open"]) & Q(look_at__isnull=True, settled_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index("case", "id", name="offer_case"),
            models.Index("look_at", "id", name="offer_look", condition=Q(look_at__isnull=False)),
        ]


class Remedy(models.Model):
    """One way to make it good: offered, decided, carried out, seen to have arrived. Kind, amount and payment never change.

    ``within`` is up to how much the one who decided may decide alone (None: without limit); above it, and for every deviation,
    ``needs_approval`` holds. ``rule`` is the row of the policy, ``law`` the clock that demands it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for approval")
        OFFERED = "offered", _("Offered to the customer")
        ACCEPTED = "accepted", _("Decided, not yet begun")
        CARRYING = "carrying", _("Being carried out")
        DONE = "done", _("Done, not yet seen to have arrived")
        ARRIVED = "arrived", _("Arrived")
        FAILED = "failed", _("Refused: nothing moved")
        CAME_BACK = "came_back", _("Came back")
        NOT_CHOSEN = "not_chosen", _("Not chosen")
        NOT_APPROVED = "not_approved", _("Not approved")
        EXPIRED = "expired", _("The offer has ended")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    case = models.ForeignKey(Case, models.CASCADE, related_name="remedies", db_index=False)
    round = models.PositiveSmallIntegerField()
    offer = models.ForeignKey(Offer, models.CASCADE, null=True, related_name="options")
    kind = models.CharField(max_length=20, help_text="A code of the vocabulary of remedies.")
    amount = models.DecimalField(**AMOUNT, null=True)
    currency = models.CharField(max_length=3, blank=True)
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="remedies", db_index=False)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="remedies", db_index=False)
    #: Which lines of the order it is about; empty: the whole order.
    lines = models.JSONField(default=list, help_text="[{ref, name, quantity}]")
    state = models.CharField(max_length=12, choices=State)
    rule = models.CharField(max_length=40, blank=True, help_text="The row of the policy; empty: a deviation.")
    law = models.CharField(max_length=40, blank=True, help_text="The legal clock that demands it.")
    sentence = models.JSONField(default=dict, help_text="The policy in one sentence, in three languages.")
    within = models.DecimalField(**AMOUNT, null=True)
    needs_approval = models.BooleanField(default=False)
    deviation = models.TextField(blank=True, help_text="Why it departs from the policy.")
    other_route = models.TextField(
        blank=True, help_text="The customer's agreement to another way than the original payment."
    )
    reason = models.CharField(max_length=30, blank=True, help_text="Why, a code of the reasons.")
    budget = models.ForeignKey(Budget, models.PROTECT, null=True, related_name="remedies")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True, help_text="When it reached its last state.")
    promise_id = models.BigIntegerField(null=True, help_text="By when it is to arrive: a row of the ledger.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "payment",
                name="one_open_remedy_a_payment",
                condition=Q(state__in=["accepted", "carrying"], payment__isnull=False),
            ),
            models.UniqueConstraint(
                "order",
                "kind",
                name="one_open_remedy_a_kind_and_order",
                condition=Q(state__in=["accepted", "carrying"], order__isnull=False),
            ),
            models.CheckConstraint(
                name="above_the_limit_needs_approval",
                condition=Q(needs_approval=True)
                | Q(within__isnull=True)
                | Q(amount__isnull=True)
                | Q(amount__lte=F("within")),
            ),
            models.CheckConstraint(
                name="a_deviation_has_its_reason", condition=~Q(rule="") | ~Q(deviation="")
            ),
            models.CheckConstraint(
                name="a_remedy_of_money_says_how_much",
                condition=~Q(kind__in=["refund", "partial_refund", "credit", "compensation"])
                | (Q(amount__gt=0) & ~Q(currency="")),
            ),
        ]
        indexes = [
            models.Index("case", "id", name="remedy_case"),
            models.Index("payment", name="remedy_payment", condition=Q(payment__isnull=False)),
            models.Index("at", "id", name="remedy_at"),
        ]

    OPEN = (State.ACCEPTED, State.CARRYING)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def says(self) -> str:
        """The policy in one sentence, in the language that is active."""
        from makegood.base.languages import Text3

        return str(Text3.of(self.sentence)) if self.sentence else ""


class Approval(models.Model):
    """A second person's word on a remedy, with the time by which it was promised."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits")
        GIVEN = "given", _("Approved")
        REFUSED = "refused", _("Not approved")
        DROPPED = "dropped", _("No longer needed")

    remedy = models.OneToOneField(Remedy, models.CASCADE, related_name="approval")
    role = models.CharField(max_length=12, help_text="The least role that may approve.")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(null=True)
    words = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="nobody_approves_themselves", condition=Q(by__isnull=True) | ~Q(by=F("asked_by"))
            ),
            models.CheckConstraint(
                name="an_approval_has_its_person",
                condition=Q(state__in=["waiting", "dropped"])
                | Q(state__in=["given", "refused"], by__isnull=False, at__isnull=False),
            ),
        ]
        indexes = [models.Index("due_at", name="approval_waits", condition=Q(state="waiting"))]


class Step(Swept):
    """One thing asked of a shop, once: a row of the ledger. ``ours`` is our own reference on everything that is sent.

    ``ask`` is what was sent. ``look_at``: when a planned one is sent, a sent one is taken for lost, an unknown one is looked up, and
    a done one whose result has not arrived yet is looked at again.
    ``there`` is the state of its result as the source last told it ('sent' is not yet 'paid_out').
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        SENDING = "sending", _("Being sent")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        UNKNOWN = "unknown", _("Unknown: being looked up")
        DROPPED = "dropped", _("Dropped before it was sent")

    case = models.ForeignKey(Case, models.CASCADE, related_name="steps", db_index=False)
    remedy = models.ForeignKey(Remedy, models.CASCADE, related_name="steps", db_index=False)
    n = models.PositiveSmallIntegerField()
    action = models.CharField(max_length=20)
    ours = models.CharField(max_length=64, unique=True)
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="+", db_index=False)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="+", db_index=False)
    amount = models.DecimalField(**AMOUNT, null=True)
    currency = models.CharField(max_length=3, blank=True)
    ask = models.JSONField(default=dict)
    expected_left = models.DecimalField(**AMOUNT, null=True)
    state = models.CharField(max_length=8, choices=State, default=State.PLANNED)
    by_hand = models.BooleanField(default=False, help_text="A person did it in the shop's own system.")
    code = models.CharField(max_length=30, blank=True, help_text="Why it was refused, or why nobody knows.")
    theirs = models.CharField(max_length=80, blank=True)
    ref = models.CharField(max_length=120, blank=True, help_text="The other side's name of the result.")
    there = models.CharField(max_length=20, blank=True)
    there_at = models.DateTimeField(null=True, help_text="When the source said so, by its own clock.")
    planned_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, help_text="When it was first sent.")
    unknown_since = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    sends = models.PositiveSmallIntegerField(default=0)
    looked = models.PositiveSmallIntegerField(default=0, help_text="How often it was looked up.")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint("remedy", "n", name="one_step_a_place"),
            models.UniqueConstraint(
                "payment",
                name="one_ask_on_its_way_a_payment",
                condition=Q(state__in=["sending", "unknown"], payment__isnull=False),
            ),
            models.CheckConstraint(
                name="what_was_sent_says_when",
                condition=Q(state__in=["planned", "dropped"]) | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="an_ask_on_its_way_is_looked_after",
                condition=~Q(state__in=["sending", "unknown"]) | Q(look_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                "look_at",
                "id",
                name="step_look",
                condition=Q(look_at__isnull=False),
            ),
            models.Index("case", "id", name="step_case"),
            models.Index("payment", name="step_payment", condition=Q(payment__isnull=False)),
        ]

    ON_ITS_WAY = (State.SENDING, State.UNKNOWN)


class TransactionProof(models.Model):
    """What the transaction itself says: the noun, its state and the moment, as the source told it; the object of a verification."""

    step = models.ForeignKey(Step, models.CASCADE, related_name="proofs")
    verification = models.ForeignKey(
        Verification, models.CASCADE, null=True, related_name="transaction_proofs"
    )
    noun = models.CharField(max_length=10)
    ref = models.CharField(max_length=120)
    state = models.CharField(max_length=20)
    said_at = models.DateTimeField(help_text="The source's own clock.")
    heard_at = models.DateTimeField(default=clock.now)
    how = models.CharField(max_length=10, help_text="event, reading, answer")

    class Meta:
        constraints = [models.UniqueConstraint("step", "state", "said_at", name="one_proof_a_telling")]
