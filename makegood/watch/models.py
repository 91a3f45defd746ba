"""Tables of the watch at work: how far it has read, what it learned, what it found, and what a team wants of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.cases.models import Case
from makegood.people.models import Shop


class WatchState(models.Model):
    """The kernel's state with the cursors of both logs that it stands at: one row, written in one statement, so neither is ahead of the other.

    ``turn`` counts the writes: who comes with an old one has lost the row to another worker and reads it anew.
    """

    tx = models.BigIntegerField(default=0)
    fact_id = models.BigIntegerField(default=0)
    chunk_tx = models.BigIntegerField(default=0)
    chunk_id = models.BigIntegerField(default=0)
    chunk_done = models.IntegerField(
        default=0,
        help_text="Events of the next chunk that were taken already: a chunk may be cut by the clock.",
    )
    turn = models.BigIntegerField(default=0)
    snapshot = models.BinaryField(default=bytes, help_text="watch/snapshot.py; empty: nothing read yet.")
    seen = models.JSONField(
        default=dict, help_text="Numbers of steps and lanes for the pages (watch/standing.py)."
    )
    kept_at = models.DateTimeField(default=clock.now)


class WatchModel(models.Model):
    """What was learned, and what other limits would have told (``what_if``), by process; under 'shared' there how its
    false alarms were shared out among its steps (watch/sharing.py), under 'windows' within which two alike are one done twice
    (watch/windows.py). The newest is in force."""

    plan = models.CharField(
        max_length=500, help_text="The version of the processes that it was learned with."
    )
    codes = models.JSONField(help_text="Their steps, in order.")
    data = models.BinaryField()
    facts = models.BigIntegerField(help_text="Events that it was learned from.")
    what_if = models.JSONField(default=dict)
    learned_at = models.DateTimeField(default=clock.now)


class WatchName(models.Model):
    """What a number of the kernel means: 64 bits as PostgreSQL keeps them, of a transaction or of a lane."""

    key = models.BigIntegerField(primary_key=True)
    shop = models.ForeignKey(
        Shop, models.CASCADE, null=True, related_name="+", db_index=False, db_constraint=False
    )
    order_number = models.CharField(max_length=60, blank=True)
    ref = models.CharField(
        max_length=200, help_text="The order's number, else the thing's own; of a lane its attributes."
    )
    currency = models.CharField(max_length=3, blank=True)
    seen_at = models.DateTimeField(default=clock.now)


class Finding(models.Model):
    """One thing that the watch found. ``uid`` is the kernel's name of it: found again after a crash, it is the same row.

    ``code`` and ``data`` make its sentence in the reader's language (watch/words.py). ``acted`` says what came of it.
    """

    class State(models.TextChoices):
        RAISED = "raised", _("Open")
        RECOVERED = "recovered", _("Over by itself")
        DISMISSED = "dismissed", _("Dismissed")
        PAST = "past", _("Was late, is done")

    class Acted(models.TextChoices):
        NOT_YET = "", _("Nothing yet")
        OPENED = "opened", _("A case was opened")
        JOINED = "joined", _("It joined a case")
        INCIDENT = "incident", _("It is part of an incident")
        OFF = "off", _("The shop has switched this process off")
        GUESS = "guess", _("Only ranked: too little is known yet")
        NOBODY = "nobody", _("No customer is known")
        TOO_MANY = "too_many", _("More than people can look at; the gravest go first")

    class Reason(models.TextChoices):
        USUAL = "usual", _("This is usual here")
        KNOWN = "known", _("Known already, somebody is at it")
        WRONG_DATA = "wrong_data", _("The shop told something wrong")
        AGREED = "agreed", _("Agreed with the customer")

    uid = models.BigIntegerField(unique=True)
    kind = models.CharField(max_length=12)
    process = models.CharField(max_length=40)
    step = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=State, default=State.RAISED)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="findings")
    order_number = models.CharField(max_length=60, blank=True)
    tx = models.BigIntegerField(default=0)
    lane = models.BigIntegerField(default=0)
    since = models.DateTimeField()
    found_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    promised_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=30)
    data = models.JSONField()
    amount = models.DecimalField(max_digits=18, decimal_places=3, default=0, help_text="Money at risk.")
    currency = models.CharField(max_length=3, blank=True)
    confidence = models.FloatField()
    rank = models.FloatField()
    #: The finding of the fault that explains it, by its uid.
    fault = models.BigIntegerField(null=True)
    case = models.ForeignKey(Case, models.SET_NULL, null=True, related_name="findings")
    incident = models.ForeignKey("makegood.Incident", models.SET_NULL, null=True, related_name="findings")
    acted = models.CharField(max_length=10, choices=Acted, default=Acted.NOT_YET, blank=True)
    acted_at = models.DateTimeField(null=True)
    #: What the case was last told of: '', 'raised', 'recovered'.
    told = models.CharField(max_length=10, blank=True)
    dismissed_because = models.CharField(max_length=12, choices=Reason, blank=True)
    dismissed_words = models.CharField(max_length=500, blank=True)
    dismissed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index("process", "state", models.F("rank").desc(), name="findings_of_process"),
            models.Index(
                models.F("rank").desc(),
                condition=Q(state="raised", acted__in=["", "too_many"]),
                name="findings_waiting",
            ),
            models.Index("fault", condition=Q(fault__isnull=False), name="findings_of_fault"),
            models.Index("shop", "order_number", name="findings_of_order"),
            models.Index("acted_at", name="findings_acted"),
            models.Index("step", "found_at", name="findings_of_step"),
        ]


class WatchSetting(models.Model):
    """What is wanted of one process: of all shops (no shop) or of one: on or off, and the false alarms that are accepted."""

    process = models.CharField(max_length=40)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="+")
    on = models.BooleanField(default=True)
    alpha = models.FloatField(
        null=True, help_text="False alarms per step; none: as the process says, of a shop as the house."
    )
    tell_first = models.BooleanField(default=False, help_text="The customer hears before they complain.")
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint("process", "shop", name="one_watch_setting", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(alpha__isnull=True) | Q(alpha__gte=0, alpha__lte=0.5), name="alpha_is_a_share"
            ),
        ]


class WatchMonth(models.Model):
    """What a promise of so many false alarms was worth: of the steps that were kept in a month, how many had been told."""

    step = models.CharField(max_length=60)
    month = models.DateField(help_text="Its first day, UTC.")
    kept = models.BigIntegerField()
    told = models.BigIntegerField(help_text="Kept, and told all the same; and what people dismissed.")
    counted_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("step", "month", name="one_watch_month")]
