"""The log of what was told (append-only, partitioned by day), what was set aside, and what waits to be read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.transactions.models.store import Store
from makegood.transactions.models.thing import AMOUNT


class StoreFact(models.Model):
    """One event that came, or one reading. Rows are only added; PostgreSQL refuses anything else (migration 0022).

    ``tx`` is the transaction that wrote it: a cursor over (tx, id) below the oldest one that still runs skips nothing
    (transactions/facts.py). The table is partitioned by the day of ``came_at``; a day is forgotten by dropping its part.
    """

    class Way(models.TextChoices):
        EVENT = "event", _("Event")
        NATIVE = "native", _("Event in the shop's own form")
        READING = "reading", _("Reading")
        FILE = "file", _("File")
        STREAM = "stream", _("Stream")

    tx = models.BigIntegerField()
    came_at = models.DateTimeField(default=clock.now, help_text="Our clock.")
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    way = models.CharField(max_length=8, choices=Way)
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=40)
    noun = models.CharField(max_length=10)
    ref = models.CharField(max_length=120)
    order_number = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(help_text="The source's clock, its known skew taken off.")
    sequence = models.BigIntegerField(null=True)
    state = models.CharField(max_length=20, blank=True)
    amount = models.DecimalField(**AMOUNT, null=True)
    currency = models.CharField(max_length=3, blank=True)
    more = models.JSONField(default=dict)
    raw = models.TextField(help_text="What came, as it came.")
    stale = models.BooleanField(
        default=False, help_text="A newer version was known already when it was applied."
    )


class StreamChunk(models.Model):
    """Events of a stream that came together: columns of them, in one row. For the watch alone; nothing here reaches our own tables.

    Kept and read by the laws of :class:`StoreFact` (append-only, a part a day, ``tx``). What the three columns of bytes hold
    says ``watch/chunks.py``: ``keys`` names the transactions, ``data`` is what the kernel reads, ``texts`` all that was written.
    """

    tx = models.BigIntegerField()
    came_at = models.DateTimeField(default=clock.now, help_text="Our clock.")
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    events = models.IntegerField()
    first_at = models.DateTimeField(help_text="The earliest of them, by the source's clock.")
    last_at = models.DateTimeField()
    keys = models.BinaryField()
    data = models.BinaryField()
    texts = models.BinaryField()


class FactKey(models.Model):
    """Which events a store has told already: a table of its own, since one key over all days cannot stand on a day's part."""

    pk = models.CompositePrimaryKey("store", "key")
    store = models.ForeignKey(Store, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    key = models.BinaryField(help_text="16 bytes of BLAKE2b over source and id.")
    content = models.BinaryField(
        help_text="8 bytes of BLAKE2b over what was told: the same id never tells something else."
    )
    came_at = models.DateTimeField()


class FactCursor(models.Model):
    """How far a reader of the log is; moved in the same transaction as what it made of the facts."""

    name = models.CharField(max_length=40, primary_key=True)
    tx = models.BigIntegerField(default=0)
    fact_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(default=clock.now)


class EventAside(models.Model):
    """What came and could not be taken: kept with its reason until somebody replays it or lets it go."""

    class State(models.TextChoices):
        ASIDE = "aside", _("Set aside")
        REPLAYED = "replayed", _("Replayed")
        LET_GO = "let_go", _("Let go")

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.ASIDE)
    way = models.CharField(max_length=8, choices=StoreFact.Way)
    reason = models.CharField(max_length=40)
    detail = models.CharField(max_length=300, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    digest = models.BinaryField(help_text="SHA-256 of the body: the same one sent again is the same row.")
    times = models.PositiveIntegerField(default=1)
    came_at = models.DateTimeField(default=clock.now)
    last_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("store", "digest", "reason", name="one_aside_per_body")]
        indexes = [models.Index("state", "reason", name="asides_by_reason")]


class ToRead(models.Model):
    """A thing that is to be read at its store, since an event nudged us or somebody asked."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="+", db_index=False)
    noun = models.CharField(max_length=10)
    ref = models.CharField(max_length=120)
    look_at = models.DateTimeField(null=True, help_text="None: not again by itself.")
    asked_at = models.DateTimeField(default=clock.now)
    tries = models.PositiveSmallIntegerField(default=0)
    read_at = models.DateTimeField(null=True, help_text="When it was last read.")
    trouble = models.CharField(max_length=60, blank=True, help_text="Why the last reading failed.")

    class Meta:
        constraints = [models.UniqueConstraint("store", "noun", "ref", name="one_to_read_per_thing")]
        indexes = [models.Index("look_at", condition=models.Q(look_at__isnull=False), name="to_read_due")]
