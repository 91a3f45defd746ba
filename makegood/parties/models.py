"""Outside parties of a shop, the tasks that they were given, their answers, and what is on its way to them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.languages import EN, LANGUAGES
from makegood.base.swept import Swept
from makegood.cases.models import Case
from makegood.people.models import Shop, User


class Party(models.Model):
    """Somebody outside of whom a shop asks things. Reached by letter, or by a webhook of theirs."""

    class Way(models.TextChoices):
        LETTER = "letter", _("By letter")
        WEBHOOK = "webhook", _("By webhook")

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="parties")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=30, help_text="A code of [party] in packs/taxonomy.toml.")
    language = models.CharField(max_length=10, choices=LANGUAGES, default=EN)
    way = models.CharField(max_length=8, choices=Way, default=Way.LETTER)
    email = models.CharField(max_length=254, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    sealed = models.BinaryField(default=bytes, help_text="The webhook's secret, sealed (base/seal.py).")
    active = models.BooleanField(default=True)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name_plural = "parties"
        constraints = [
            models.UniqueConstraint("shop", "name", name="one_party_per_name"),
            models.CheckConstraint(
                name="a_party_can_be_reached",
                condition=(Q(way="letter") & ~Q(email="")) | (Q(way="webhook") & ~Q(url="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PartyAsk(Swept):
    """One task: what is asked, by when, and what the party may read of the case. The promise is its clock."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        CANNOT = "cannot", _("Cannot be done")
        WITHDRAWN = "withdrawn", _("Taken back")

    case = models.ForeignKey(Case, models.CASCADE, related_name="party_asks")
    party = models.ForeignKey(Party, models.PROTECT, related_name="asks")
    promise = models.OneToOneField("makegood.Promise", models.PROTECT, related_name="party_ask")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)
    what = models.TextField()
    personal = models.BooleanField(default=False, help_text="The party may read who the customer is.")
    shows: ArrayField[list[str], list[str]] = ArrayField(
        models.CharField(max_length=30), default=list, help_text="order, shipment:<id>, fact:<id>"
    )
    due_at = models.DateTimeField()
    says_by = models.DateTimeField(null=True, help_text="By when they say that it will be done.")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    ended_at = models.DateTimeField(null=True)
    reminded = models.PositiveSmallIntegerField(default=0, help_text="Reminders by the schedule, all in all.")
    late = models.PositiveSmallIntegerField(default=0, help_text="Those of them after the time had passed.")
    link_ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="an_open_ask_has_not_ended",
                condition=Q(state="open", ended_at__isnull=True)
                | (~Q(state="open") & Q(ended_at__isnull=False, look_at__isnull=True)),
            )
        ]
        indexes = [
            models.Index("look_at", "id", name="party_ask_look", condition=Q(state="open")),
            models.Index("due_at", "id", name="party_ask_owed", condition=Q(state="open")),
        ]

    @property
    def is_open(self) -> bool:
        return self.state == PartyAsk.State.OPEN


class PartyAnswer(models.Model):
    """What the party said, once or many times. Evidence; it closes nothing."""

    class Answer(models.TextChoices):
        DONE = "done", _("It is done")
        BY = "by", _("It will be done")
        CANNOT = "cannot", _("It cannot be done")
        WROTE = "wrote", _("They wrote")

    ask = models.ForeignKey(PartyAsk, models.CASCADE, related_name="answers")
    answer = models.CharField(max_length=8, choices=Answer)
    until = models.DateTimeField(null=True)
    message = models.ForeignKey("makegood.Message", models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)


class PartySending(models.Model):
    """A letter or webhook to a party: written with the event, sent by the worker, retried, and seen when it did not arrive."""

    class What(models.TextChoices):
        ASKED = "asked", _("Asked")
        REMINDED = "reminded", _("Reminded")
        WITHDRAWN = "withdrawn", _("Taken back")

    class State(models.TextChoices):
        WAITING = "waiting", _("Being sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Not delivered")

    ask = models.ForeignKey(PartyAsk, models.CASCADE, related_name="sendings")
    what = models.CharField(max_length=10, choices=What)
    way = models.CharField(max_length=8, choices=Party.Way)
    to = models.CharField(max_length=2000)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    look_at = models.DateTimeField(default=clock.now)
    error = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("look_at", "id", name="party_sending_due", condition=Q(state="waiting"))]
