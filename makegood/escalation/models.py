"""Who is on duty, hand-overs (a case changes hands by a contract, not by a change of a field), and climbs of the ladder."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.swept import Swept
from makegood.cases.models import Case
from makegood.people.models import Team, User


class Shift(models.Model):
    """Somebody is on duty for a team from one moment to another."""

    user = models.ForeignKey(User, models.CASCADE, related_name="shifts", db_index=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="shifts", db_index=False)
    starts_at = models.DateTimeField(_("From"))
    ends_at = models.DateTimeField(_("Until"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="shift_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.UniqueConstraint("user", "team", "starts_at", name="one_shift_at_a_time"),
        ]
        indexes = [models.Index("team", "ends_at", name="shift_team")]


class Absence(Swept):
    """Somebody is away: on no duty, and what they own is handed back to their team when it begins.

    ``ends_at`` None: they left for good. While it lasts the sweep looks again and again (``look_at``), so that nothing
    that came back to them meanwhile lies with nobody. It is never deleted once it began: it is ended.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="absences")
    starts_at = models.DateTimeField(_("From"))
    ends_at = models.DateTimeField(_("Until"), null=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="absence_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.UniqueConstraint("user", name="leaves_once", condition=Q(ends_at__isnull=True)),
        ]
        indexes = [models.Index("look_at", "id", name="absence_look", condition=Q(look_at__isnull=False))]


class Handover(Swept):
    """A case offered to another team with its card. Until the receiver has restated it, the giver owns the case.

    ``look_at`` is the moment by which it must be accepted; then it goes to the next on duty. ``carried`` says what
    travelled with it (level, quotations, impact), so that a loss on the way can be counted.
    """

    class State(models.TextChoices):
        OFFERED = "offered", _("Offered")
        ACCEPTED = "accepted", _("Accepted")
        REFUSED = "refused", _("Refused")
        WITHDRAWN = "withdrawn", _("Taken back")

    case = models.ForeignKey(Case, models.CASCADE, related_name="handovers")
    giver = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    from_team = models.ForeignKey(Team, models.PROTECT, null=True, related_name="+", db_index=False)
    to_team = models.ForeignKey(Team, models.PROTECT, related_name="handovers")
    to = models.ForeignKey(User, models.PROTECT, null=True, related_name="offered", db_index=False)
    customer_asks = models.TextField(help_text="What the customer asks for.")
    tried = models.TextField(help_text="What was tried so far.")
    asked = models.TextField(help_text="What is asked of the receiver.")
    by_when = models.DateTimeField(help_text="By when the receiver is asked to have it done.")
    next_word_at = models.DateTimeField(
        null=True, help_text="The word that the customer was promised when it was given."
    )
    carried = models.JSONField(default=dict)
    given_at = models.DateTimeField(default=clock.now)
    passes = models.PositiveSmallIntegerField(default=0, help_text="How often nobody accepted in time.")
    state = models.CharField(max_length=10, choices=State, default=State.OFFERED)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    answered_at = models.DateTimeField(null=True)
    restated = models.TextField(blank=True, help_text="Ask and next word in the receiver's own line.")
    reason = models.TextField(blank=True, help_text="Why it was refused.")

    class Meta:
        constraints = [
            models.UniqueConstraint("case", name="one_open_handover_a_case", condition=Q(state="offered")),
            models.CheckConstraint(
                name="the_card_is_complete", condition=~Q(customer_asks="") & ~Q(tried="") & ~Q(asked="")
            ),
            models.CheckConstraint(
                name="an_offer_has_a_moment",
                condition=Q(state="offered", look_at__isnull=False, answered_at__isnull=True)
                | (~Q(state="offered") & Q(look_at__isnull=True, answered_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="accepted_is_restated", condition=~Q(state="accepted") | ~Q(restated="")
            ),
            models.CheckConstraint(name="refused_says_why", condition=~Q(state="refused") | ~Q(reason="")),
        ]
        indexes = [models.Index("look_at", "id", name="handover_look", condition=Q(state="offered"))]


class Climb(Swept):
    """Where a case stands on its ladder. ``rungs`` is the ladder as it was when the case started on it.

    ``since`` is when somebody last touched the case, as far as the sweep has seen; ``fired`` how many rungs were reached
    since. Acknowledging is only noted: it stops no clock.
    """

    case = models.OneToOneField(Case, models.CASCADE, related_name="climb")
    level = models.PositiveSmallIntegerField()
    rungs = models.JSONField(help_text="[[seconds, who], ...]")
    since = models.DateTimeField(default=clock.now)
    fired = models.PositiveSmallIntegerField(default=0)
    highest = models.PositiveSmallIntegerField(default=0, help_text="The highest rung ever reached, from 1.")
    acknowledged_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("look_at", "id", name="climb_look", condition=Q(look_at__isnull=False))]
