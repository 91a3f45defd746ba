"""The case itself. Only ``cases/pen.py`` writes its state (law); everything it says of itself is a named field."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.languages import EN, LANGUAGES
from makegood.cases.states import OPEN_STATUSES, Status
from makegood.people.models import Customer, Shop, Team, User
from makegood.transactions.models import Order

_open = Q(status__in=OPEN_STATUSES)


class Case(models.Model):
    """One customer's problem, from noticed to ended.

    ``number`` is what people say: the id followed by two check digits (ISO 7064 MOD 97-10, so ``number % 97 == 1``),
    so that a mistyped number leads nowhere instead of to a stranger's case. ``version`` is the ``seq`` of the last event.
    ``calm`` is 5 minus the urgency, so that 'most urgent first, then next due' is one ascending index for keyset paging.
    """

    number = models.GeneratedField(
        expression=F("id") * 100 + 98 - (F("id") * 100) % 97,
        output_field=models.BigIntegerField(),
        db_persist=True,
        unique=True,
    )
    shop = models.ForeignKey(Shop, models.PROTECT, related_name="cases", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="cases", db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, null=True, related_name="cases", db_index=False)
    order_number = models.CharField(max_length=60, blank=True)
    subject = models.CharField(max_length=200)
    language = models.CharField(max_length=10, choices=LANGUAGES, default=EN)

    status = models.CharField(max_length=10, choices=Status, default=Status.REPORTED)
    version = models.PositiveIntegerField(default=1)
    round = models.PositiveSmallIntegerField(default=1, help_text="1, and one more at each reopening.")
    ended_as = models.CharField(max_length=12, blank=True)
    ended_at = models.DateTimeField(null=True)

    kind = models.CharField(max_length=12, blank=True)
    type = models.CharField(max_length=40, blank=True)
    second_type = models.CharField(max_length=40, blank=True)
    responsibility = models.CharField(max_length=20, default="unknown")
    asked_remedy = models.CharField(max_length=20, blank=True)
    money_lost = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    orders_blocked = models.PositiveIntegerField(default=0)
    campaign_at_risk = models.BooleanField(default=False)

    urgency = models.PositiveSmallIntegerField(default=2)
    urgency_floor = models.PositiveSmallIntegerField(default=1)
    calm = models.GeneratedField(
        expression=5 - F("urgency"), output_field=models.SmallIntegerField(), db_persist=True
    )

    owner = models.ForeignKey(User, models.PROTECT, null=True, related_name="owns", db_index=False)
    team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="cases", db_index=False)
    waiting_for = models.CharField(max_length=20, blank=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")

    opened_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(null=True, help_text="The next moment: nothing open is ever without one.")
    snoozed_until = models.DateTimeField(null=True, help_text="Put aside until then; its promises stand.")
    touched_at = models.DateTimeField(null=True, help_text="When staff last did something in this round.")
    customer_wrote_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="urgency_between_1_and_5_over_its_floor",
                condition=Q(urgency__gte=F("urgency_floor"), urgency_floor__gte=1, urgency__lte=5),
            ),
            models.CheckConstraint(
                name="open_case_has_a_next_moment", condition=~_open | Q(due_at__isnull=False)
            ),
            models.CheckConstraint(
                name="ended_is_ended",
                condition=(_open & Q(ended_as="", ended_at__isnull=True))
                | (Q(status=Status.ENDED, ended_at__isnull=False) & ~Q(ended_as="")),
            ),
            models.CheckConstraint(name="no_case_is_its_own_parent", condition=~Q(parent=F("id"))),
        ]
        indexes = [
            models.Index("calm", "due_at", "id", name="case_queue", condition=_open),
            models.Index("shop", "calm", "due_at", "id", name="case_queue_shop", condition=_open),
            models.Index(
                "owner",
                "calm",
                "due_at",
                "id",
                name="case_queue_owner",
                condition=_open & Q(owner__isnull=False),
            ),
            models.Index(
                "team",
                "calm",
                "due_at",
                "id",
                name="case_queue_team",
                condition=_open & Q(team__isnull=False),
            ),
            models.Index("due_at", "id", name="case_queue_due", condition=_open),
            models.Index("due_at", "id", name="case_queue_told", condition=Q(status=Status.TOLD)),
            models.Index(
                "calm",
                "due_at",
                "id",
                name="case_queue_untouched",
                condition=_open & Q(touched_at__isnull=True, urgency__gte=4),
            ),
            models.Index(
                "due_at",
                "id",
                name="case_queue_snoozed",
                condition=_open & Q(snoozed_until__isnull=False),
            ),
            models.Index("ended_as", "ended_at", "id", name="case_ended", condition=Q(status=Status.ENDED)),
            models.Index("customer", "id", name="case_customer"),
            models.Index("shop", "id", name="case_shop"),
            models.Index("opened_at", name="case_opened"),
            models.Index("order_number", name="case_order_number", condition=~Q(order_number="")),
        ]

    def __str__(self) -> str:
        return f"{self.number}"

    @property
    def status_name(self) -> str:
        """The status in words; Django's ``get_status_display`` builds all choices anew for every row of a list."""
        return str(Status(self.status).label)

    @property
    def is_open(self) -> bool:
        return self.status != Status.ENDED


def number_of(case_id: int) -> int:
    """The number of the case with this id, as the database generates it: the id and two check digits."""
    return case_id * 100 + 98 - (case_id * 100) % 97


def is_number(number: int) -> bool:
    """Whether the check digits of a case number are right (ISO 7064 MOD 97-10)."""
    return number > 0 and number % 97 == 1


class Relation(models.Model):
    """Two cases that have to do with each other, beside parent and child."""

    class What(models.TextChoices):
        RELATED = "related", _("Related")
        SPLIT_FROM = "split_from", _("Split from")

    case = models.ForeignKey(Case, models.CASCADE, related_name="relations")
    other = models.ForeignKey(Case, models.CASCADE, related_name="related_by")
    what = models.CharField(max_length=12, choices=What, default=What.RELATED)

    class Meta:
        constraints = [
            models.UniqueConstraint("case", "other", name="one_relation_a_pair"),
            models.CheckConstraint(name="no_relation_to_itself", condition=~Q(case=F("other"))),
        ]


class CaseLink(models.Model):
    """A customer's key to their case: the address carries a signature of this row's id; the row expires and can be revoked."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="links")
    made_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    shown = models.BooleanField(
        default=False,
        help_text="Shown to whoever reported, not sent to a known address: it never leads to another case.",
    )


class Presence(models.Model):
    """Who has the case open now, on its sheet or in its war room; a row with a short life, advisory only."""

    class Mode(models.TextChoices):
        VIEWING = "viewing", _("viewing")
        WRITING = "writing", _("writing")

    class Place(models.TextChoices):
        SHEET = "sheet", _("on the sheet")
        ROOM = "room", _("in the war room")

    case = models.ForeignKey(Case, models.CASCADE, related_name="presences")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    place = models.CharField(max_length=5, choices=Place, default=Place.SHEET, db_default=Place.SHEET)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.VIEWING)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("case", "user", "place", name="one_presence_each")]
