"""What stands around a reply: reasons that were typed for it, what a team checks, ready-made ones, and those that are held."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.cases.models import Case
from makegood.conversations.models.said import Message
from makegood.people.models import Team, User


class ReplyOverride(models.Model):
    """A reply went out although a rule wanted a reason: here it is, in the writer's words."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="overrides")
    rule = models.CharField(max_length=40)
    reason = models.TextField()
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index("rule", "at", name="override_rule")]


class RuleLevel(models.Model):
    """How grave a check is for one team, where a lead switched it (``packs/checks.toml`` says what it is at first)."""

    class Level(models.TextChoices):
        OFF = "off", _("Off")
        ADVISE = "advise", _("Advise")
        WARN = "warn", _("Warn")
        JUSTIFY = "justify", _("Needs a reason")

    team = models.ForeignKey(Team, models.CASCADE, related_name="rule_levels", db_index=False)
    rule = models.CharField(max_length=40)
    level = models.CharField(max_length=8, choices=Level)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("team", "rule", name="one_level_a_team_and_rule")]


class CannedReply(models.Model):
    """A ready-made reply of a team (none: of all); one with the code of a shipped one stands in its place.

    ``names`` and ``texts`` are by language code; ``off`` hides what is shipped under this code.
    """

    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="canned", db_index=False)
    code = models.CharField(max_length=40)
    names = models.JSONField(default=dict)
    texts = models.JSONField(default=dict)
    off = models.BooleanField(default=False)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "code"], name="one_canned_reply_a_code", nulls_distinct=False
            )
        ]


class HeldReply(models.Model):
    """A reply in the seconds in which it can be taken back. It is sent once, by the page's own call or by the worker."""

    class State(models.TextChoices):
        HELD = "held", _("About to go out")
        SENT = "sent", _("Sent")
        UNDONE = "undone", _("Taken back")
        RETURNED = "returned", _("Not sent")

    case = models.ForeignKey(Case, models.CASCADE, related_name="held", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    verb = models.CharField(max_length=10, help_text="reply or tell")
    text = models.TextField()
    payload = models.JSONField(default=dict, help_text="What else the verb takes, as the desk wrote it.")
    seen = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.HELD)
    why = models.CharField(max_length=40, blank=True, help_text="The code of the refusal that returned it.")
    at = models.DateTimeField(default=clock.now)
    # As of promises.models.Swept (a sibling, so not inherited): the sweep sends what no page has sent.
    look_at = models.DateTimeField(null=True, help_text="When it goes out; none: it is settled.")
    set_back = models.PositiveSmallIntegerField(default=0)
    trouble = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index("look_at", "id", name="held_due", condition=models.Q(look_at__isnull=False)),
            models.Index("case", "id", name="held_case"),
        ]
        constraints = [
            models.UniqueConstraint(
                "case", "user", name="one_held_reply_each", condition=models.Q(state="held")
            ),
            models.CheckConstraint(
                name="held_has_its_moment",
                condition=models.Q(state="held", look_at__isnull=False)
                | (~models.Q(state="held") & models.Q(look_at__isnull=True)),
            ),
        ]

    @property
    def left(self) -> int:
        """Milliseconds until it goes out."""
        return max(0, round((self.look_at - clock.now()).total_seconds() * 1000)) if self.look_at else 0


class HeldFile(models.Model):
    """A file that waits with its reply."""

    held = models.ForeignKey(HeldReply, models.CASCADE, related_name="files")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()


class DraftVersion(models.Model):
    """Words that a newer draft would have covered: from another tab, or those that came back after an undo."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="draft_versions", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    body = models.TextField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index("case", "user", "id", name="draft_version")]
