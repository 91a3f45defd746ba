"""The war room: its people, its one card (versioned field by field), its chat, its tasks, decisions and thanks."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.swept import Swept
from makegood.cases.models import Case
from makegood.people.models import User


class Room(Swept):
    """A war room on a case. It has no name and no urgency of its own: both are made from its cases when it is read.

    ``version`` counts every change in the room, so that a poll costs one row. ``look_at`` is the moment of the review
    once the room is closed.
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="rooms")
    version = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, help_text="None: the ladder."
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    review_at = models.DateTimeField(null=True, help_text="When it is looked back at; set when it is closed.")

    class Meta:
        constraints = [
            models.UniqueConstraint("case", name="one_open_room_a_case", condition=Q(closed_at__isnull=True)),
            models.CheckConstraint(
                name="a_closed_room_has_its_review",
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, review_at__isnull=True)
                | Q(closed_at__isnull=False, closed_by__isnull=False, review_at__gt=F("closed_at")),
            ),
            models.CheckConstraint(
                name="only_a_closed_room_waits_for_its_review",
                condition=Q(look_at__isnull=True) | Q(closed_at__isnull=False),
            ),
        ]
        indexes = [models.Index("look_at", "id", name="room_look", condition=Q(look_at__isnull=False))]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class CardField(models.Model):
    """One version of one field of the card. Rows are only added (the database refuses the rest): nothing is overwritten.

    ``n`` counts from 1; a field that nobody wrote yet stands at 0. Two who write on the same ``n`` cannot both be stored.
    """

    class Field(models.TextChoices):
        BACKGROUND = "background", _("Background")
        ASK = "ask", _("Ask")
        PROGRESS = "progress", _("Progress")
        BLOCKER = "blocker", _("Blocker")
        HELP = "help", _("Help needed")
        HANDLERS = "handlers", _("Who handles what")
        NEXT_WORD = "next_word", _("Next word, and to whom")

    room = models.ForeignKey(Room, models.CASCADE, related_name="card", db_index=False)
    field = models.CharField(max_length=10, choices=Field)
    n = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint("room", "field", "n", name="one_text_a_version"),
            models.CheckConstraint(name="versions_count_from_1", condition=Q(n__gte=1)),
        ]


class RoomMember(models.Model):
    """Somebody in the room, with a role. ``left_at`` is set when they leave; the row stays, for they may have helped.

    A visit is a stretch of looking; ``seen_at`` is when they looked last, ``before`` when the visit before this one ended.
    """

    class Role(models.TextChoices):
        LEAD = "lead", _("Lead of the room")
        SCRIBE = "scribe", _("Scribe")
        VOICE = "voice", _("Customer's voice")
        HANDLER = "handler", _("Handler")
        BUSINESS = "business", _("Business lead")
        TECHNICAL = "technical", _("Technical lead")
        MEMBER = "member", _("In the room")

    room = models.ForeignKey(Room, models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="rooms")
    role = models.CharField(max_length=10, choices=Role, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=clock.now)
    left_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    before = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("room", "user", name="once_in_a_room"),
            models.UniqueConstraint("room", name="one_lead_a_room", condition=Q(role="lead")),
            models.CheckConstraint(
                name="the_lead_is_in_the_room", condition=~Q(role="lead") | Q(left_at__isnull=True)
            ),
        ]


class RoomMessage(models.Model):
    """A line of the chat. It changes nothing of the case: what counts goes onto the card, or is a task or a decision."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages", db_index=False)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    body = models.TextField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(name="a_line_says_something", condition=~Q(body=""))]
        indexes = [models.Index(fields=["room", "-id"], name="room_chat")]


class Task(models.Model):
    """Who does what; by when stands in its promise, which the sweep watches. Neither can be missing."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="tasks")
    owner = models.ForeignKey(User, models.PROTECT, related_name="tasks", db_index=False)
    what = models.TextField()
    promise = models.OneToOneField("makegood.Promise", models.PROTECT, related_name="task")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    done_words = models.TextField(blank=True, help_text="What was done.")

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_task_says_what", condition=~Q(what="")),
            models.CheckConstraint(
                name="done_is_said_in_words",
                condition=Q(done_at__isnull=True, done_by__isnull=True, done_words="")
                | (Q(done_at__isnull=False, done_by__isnull=False) & ~Q(done_words="")),
            ),
        ]


class Decision(models.Model):
    """What was decided, by whom and why, apart from the chat in which it would be lost."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="decisions")
    who = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    what = models.TextField()
    why = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_decision_says_what_and_why", condition=~Q(what="") & ~Q(why=""))
        ]


class Thanks(models.Model):
    """Somebody who helped is thanked, by name and in words."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="thanks")
    to = models.ForeignKey(User, models.PROTECT, related_name="thanked", db_index=False)
    words = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(name="thanks_are_said_in_words", condition=~Q(words="")),
            models.CheckConstraint(name="nobody_thanks_themselves", condition=~Q(to=F("by"))),
        ]
