"""Ways out of the page: by letter, by a chat tool; one's quiet hours; and each notice on its way."""

from __future__ import annotations

from datetime import datetime, time

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.languages import EN, LANGUAGES
from makegood.cases.models import Notice
from makegood.people.models import Team, User

MORNING = time(9)


class Quiet(models.Model):
    """A person's quiet hours and the time of their daily letter, as the clock on their wall says (their own zone)."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="quiet")
    starts = models.TimeField(null=True)
    ends = models.TimeField(null=True)
    digest_at = models.TimeField(default=MORNING)


class Way(models.Model):
    """One way to one person or one team. ``urgent``, ``mine`` and ``others`` say when notices of each group leave by it."""

    class Kind(models.TextChoices):
        LETTER = "letter", _("Letter")
        CHAT = "chat", _("Chat")

    class When(models.TextChoices):
        NOW = "now", _("At once")
        DIGEST = "digest", _("Collected, once a day")
        NEVER = "never", _("Never")

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="ways")
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="ways")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=80, blank=True)
    sealed = models.BinaryField(default=bytes, help_text="The address of the chat, sealed (base/seal.py).")
    tool = models.CharField(max_length=40, blank=True)
    service = models.CharField(
        max_length=300, blank=True, help_text="What may be down: the tool, or its own server."
    )
    shown = models.CharField(max_length=200, blank=True, help_text="The address without its secrets.")
    language = models.CharField(max_length=10, choices=LANGUAGES, default=EN, help_text="Of a team's way.")
    urgent = models.CharField(max_length=8, choices=When, default=When.NOW)
    mine = models.CharField(max_length=8, choices=When, default=When.NEVER)
    others = models.CharField(max_length=8, choices=When, default=When.NEVER)
    look_at = models.DateTimeField(
        default=clock.now, help_text="Not before: claimed, or resting after a failure."
    )
    failures = models.PositiveSmallIntegerField(default=0, help_text="In a row; 0: the last one arrived.")
    trouble = models.CharField(max_length=300, blank=True)
    failed_at = models.DateTimeField(null=True)
    sent: ArrayField[list[datetime], list[datetime]] = ArrayField(models.DateTimeField(), default=list)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="way_of_one",
                condition=Q(user__isnull=False, team__isnull=True) | Q(user__isnull=True, team__isnull=False),
            ),
            models.UniqueConstraint(fields=["user"], name="one_letter_way", condition=Q(kind="letter")),
        ]


class NoticeOut(models.Model):
    """One notice on its way to one place. ``packet``: the message in which it left last; many notices may share one."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Being sent")
        SENT = "sent", _("Delivered")
        SEEN = "seen", _("Seen in the page before")
        DEAD = "dead", _("Not delivered")

    way = models.ForeignKey(Way, models.CASCADE, related_name="rows", db_index=False)
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="out")
    urgent = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    look_at = models.DateTimeField()
    made_at = models.DateTimeField(default=clock.now)
    packet = models.UUIDField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["way", "notice"], name="one_notice_a_way")]
        indexes = [
            models.Index(fields=["way", "look_at"], name="notice_out_due", condition=Q(state="waiting")),
            models.Index(fields=["way", "-id"], name="notice_out_dead", condition=Q(state="dead")),
        ]
