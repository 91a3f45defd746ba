"""A promise is a row with a clock; an appointment is a moment at which the house itself must look again (law 5)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from makegood.base.clock import now
from makegood.base.swept import Swept
from makegood.cases.models import Case, CaseEvent
from makegood.people.calendars import CalendarVersion
from makegood.people.models import User

#: What only a message that reached the customer keeps; a note keeps none of them.
WORDS = ("first_word", "next_word")
#: To whom: an outside party owes it to us.
PARTNER = "partner"


class Promise(Swept):
    """A time that was given to somebody. ``due_at`` never moves; a new promise supersedes an old one.

    ``basis`` keeps apart what must never merge: a date of the law, of a card scheme, of the platform, of our own
    policy, and of a person's words. A break is dated by ``due_at``, when it became true, not by when it was noticed.
    """

    class What(models.TextChoices):
        FIRST_WORD = "first_word", _("First answer")
        NEXT_WORD = "next_word", _("Next word")
        DECISION = "decision", _("Decision")
        REMEDY = "remedy", _("Remedy done")
        CALL_BACK = "call_back", _("Call back")
        LEGAL = "legal", _("A date that the law sets")
        OTHER = "other", _("Something else")

    class Basis(models.TextChoices):
        STATUTORY = "statutory", _("By law")
        SCHEME = "scheme", _("By the card scheme")
        PLATFORM = "platform", _("By the platform's rule")
        POLICY = "policy", _("By our own rule")
        PROMISED = "promised", _("Promised by a person")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        KEPT = "kept", _("Kept")
        BROKEN = "broken", _("Broken")
        SUPERSEDED = "superseded", _("Replaced by a newer one")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    case = models.ForeignKey(Case, models.CASCADE, related_name="promises", db_index=False)
    what = models.CharField(max_length=12, choices=What)
    basis = models.CharField(max_length=10, choices=Basis)
    to = models.CharField(
        max_length=10,
        default="customer",
        help_text="customer, merchant, staff, authority; partner: an outside party owes it to us",
    )
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField()
    words = models.TextField(blank=True, help_text="The words in which it was given.")
    given_in = models.ForeignKey(
        "makegood.Message", models.PROTECT, null=True, related_name="+", db_index=False
    )
    policy = models.JSONField(default=dict, help_text="The rule as it stood when the promise was made.")
    calendar = models.ForeignKey(CalendarVersion, models.PROTECT, null=True, related_name="+", db_index=False)
    climb_at = models.DateTimeField(
        null=True, help_text="A date of the law: when the case climbs for it. None: it did, or never does."
    )
    rule = models.CharField(max_length=40, blank=True, help_text="Code of the legal clock (packs/clocks).")
    trigger_at = models.DateTimeField(null=True, help_text="When the event was that started the clock.")
    warned = models.PositiveSmallIntegerField(default=0, help_text="0 nobody, 1 the owner, 2 the lead.")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    settled_at = models.DateTimeField(
        null=True, help_text="When it was kept or replaced; a break is dated by due_at."
    )
    proof = models.ForeignKey("makegood.Message", models.PROTECT, null=True, related_name="+", db_index=False)
    proof_event = models.ForeignKey(CaseEvent, models.PROTECT, null=True, related_name="+", db_index=False)
    undone_by = models.ForeignKey(
        "makegood.Delivery",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The letter that did not arrive: what it had kept is broken after all.",
    )

    @property
    def answered(self) -> bool:
        """Whether something stands beside it: what kept it, or the word that came after it was broken."""
        return self.proof_id is not None or self.proof_event_id is not None

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="open_promise_is_unsettled",
                condition=Q(state="open", settled_at__isnull=True, look_at__isnull=False)
                | (~Q(state="open") & Q(settled_at__isnull=False, look_at__isnull=True)),
            ),
            models.CheckConstraint(name="promise_looks_ahead", condition=Q(due_at__gt=F("made_at"))),
            models.CheckConstraint(
                name="only_a_message_keeps_a_word",
                condition=~Q(state="kept")
                | Q(proof__isnull=False)
                | (~Q(what__in=WORDS) & Q(proof_event__isnull=False)),
            ),
            models.CheckConstraint(
                name="a_legal_clock_names_its_rule_and_trigger",
                condition=~Q(basis="statutory") | (~Q(rule="") & Q(trigger_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index("case", "due_at", name="promise_case"),
            models.Index("look_at", "id", name="promise_look", condition=Q(state="open")),
        ]


class Appointment(Swept):
    """A moment at which the house itself acts on a case: it asks again, wakes a snoozed case, asks whether it held."""

    class What(models.TextChoices):
        CHASE = "chase", _("Ask again for confirmation")
        ASK_AGAIN = "ask_again", _("Ask the open question again")
        WAKE = "wake", _("Wake the snoozed case")
        FOLLOW_UP = "follow_up", _("Ask whether it held")
        SECURE = "secure", _("Look whether it is still secure")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        DROPPED = "dropped", _("Dropped")

    case = models.ForeignKey(Case, models.CASCADE, related_name="appointments")
    what = models.CharField(max_length=10, choices=What)
    round = models.PositiveSmallIntegerField()
    nth = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    made_at = models.DateTimeField(default=now)
    done_at = models.DateTimeField(null=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    message = models.ForeignKey(
        "makegood.Message",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The question that was sent.",
    )
    words = models.TextField(blank=True, help_text="Why, as the person who made it wrote.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "case", "what", name="one_open_appointment_a_kind", condition=Q(state="open")
            ),
            models.CheckConstraint(
                name="open_appointment_has_a_moment",
                condition=Q(state="open", look_at__isnull=False, done_at__isnull=True)
                | (~Q(state="open") & Q(look_at__isnull=True, done_at__isnull=False)),
            ),
        ]
        indexes = [models.Index("look_at", "id", name="appointment_look", condition=Q(state="open"))]
