"""Letters: the mailboxes that they come by, those that came in (raw first, then read), and those on their way out."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.languages import LANGUAGES
from makegood.cases.models import Case, CaseLink
from makegood.conversations.models.said import Message
from makegood.people.models import Shop, User


class Mailbox(models.Model):
    """An address of a shop or of one of its brands: letters come in by it and leave in its name."""

    class Way(models.TextChoices):
        IMAP = "imap", _("Fetched by IMAP")
        PIPE = "pipe", _("Piped in by the mail server")
        WEBHOOK = "webhook", _("Pushed by a mail provider")

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="mailboxes")
    address = models.CharField(_("Address"), max_length=254)
    name = models.CharField(_("Sender's name"), max_length=120, help_text=_("The brand that customers see."))
    way = models.CharField(_("How letters come in"), max_length=8, choices=Way, default=Way.PIPE)
    active = models.BooleanField(_("In use"), default=True)
    first = models.BooleanField(_("First address of the shop"), default=False)
    plus = models.BooleanField(
        _("Letters to name+anything@ arrive here"),
        default=False,
        help_text=_(
            "Then answers and letters that come back name their case. Try it before: where they do not arrive, "
            "customers' answers would be lost."
        ),
    )
    host = models.CharField(_("IMAP server"), max_length=200, blank=True)
    port = models.PositiveIntegerField(_("Port"), default=993)
    security = models.CharField(
        _("Security"),
        max_length=8,
        default="tls",
        choices=[("tls", "TLS"), ("starttls", "STARTTLS"), ("none", _("none"))],
    )
    user = models.CharField(_("User"), max_length=200, blank=True)
    auth = models.CharField(
        _("Sign-in"),
        max_length=8,
        default="password",
        choices=[("password", _("Password")), ("oauth2", "OAuth2")],
    )
    secret = models.BinaryField(blank=True, default=b"", editable=False, help_text="Sealed by base/seal.py.")
    folder = models.CharField(_("Folder"), max_length=200, default="INBOX")
    uidvalidity = models.BigIntegerField(null=True, editable=False)
    last_uid = models.BigIntegerField(default=0, editable=False)
    seen_at = models.DateTimeField(null=True, editable=False, help_text="When it was last reached.")
    trouble = models.TextField(blank=True, editable=False)
    made_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("address"), name="one_mailbox_per_address"),
            models.UniqueConstraint("shop", name="one_first_address_a_shop", condition=Q(first=True)),
        ]

    def __str__(self) -> str:
        return self.address


class Letter(models.Model):
    """A letter that came in. Its raw source is stored before anything is marked seen; what became of it is its state."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Not read yet")
        DONE = "done", _("Done")
        SET_ASIDE = "set_aside", _("Set aside")

    class Outcome(models.TextChoices):
        OPENED = "opened", _("Opened a case")
        JOINED = "joined", _("Joined a case")
        BOUNCE = "bounce", _("A letter of ours came back")
        AUTOMATIC = "automatic", _("Automatic: no case, no answer")
        TWICE = "twice", _("Came twice")
        LIMITED = "limited", _("Too many from this sender")
        DROPPED = "dropped", _("Put away by a person")

    mailbox = models.ForeignKey(Mailbox, models.PROTECT, null=True, related_name="letters")
    way = models.CharField(max_length=8, choices=Mailbox.Way)
    sha256 = models.CharField(max_length=64)
    came_at = models.DateTimeField(default=clock.now)
    header_id = models.CharField(max_length=400, blank=True)
    sender = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    envelope_to = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    because = models.CharField(
        max_length=500, blank=True, help_text="Why this outcome, as a code or an error."
    )
    tries = models.PositiveSmallIntegerField(default=0)
    look_at = models.DateTimeField(null=True, default=clock.now)
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="letters")
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="letters")
    twin = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, help_text="Who decided by hand."
    )
    said_sha256 = models.CharField(
        max_length=64,
        blank=True,
        help_text="Of what it says, by which the same letter is known on another way.",
    )
    kept_apart = models.JSONField(
        default=list, help_text="What did not fit on the message and stands in the source: [[code, name], …]."
    )
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_waiting_letter_is_looked_at_and_a_done_one_has_an_outcome",
                condition=Q(state="waiting", look_at__isnull=False, outcome="")
                | Q(state="set_aside", look_at__isnull=True, outcome="")
                | (Q(state="done", look_at__isnull=True, done_at__isnull=False) & ~Q(outcome="")),
            ),
            models.CheckConstraint(
                name="a_letter_on_a_case_names_case_and_message",
                condition=~Q(outcome__in=("opened", "joined")) | Q(case__isnull=False, message__isnull=False),
            ),
            models.CheckConstraint(
                name="a_letter_that_came_twice_names_the_first",
                condition=~Q(outcome="twice") | Q(twin__isnull=False),
            ),
            # The same bytes in the same mailbox are the same letter: fetched again after a crash, or under a new UIDVALIDITY.
            models.UniqueConstraint("mailbox", "sha256", name="one_row_a_letter_and_mailbox"),
        ]
        indexes = [
            models.Index("look_at", "id", name="letter_due", condition=Q(state="waiting")),
            models.Index("came_at", "id", name="letter_set_aside", condition=Q(state="set_aside")),
            models.Index("header_id", name="letter_header_id", condition=~Q(header_id="")),
            models.Index("sender", "came_at", name="letter_sender"),
            models.Index("mailbox", "came_at", "id", name="letter_recent"),
        ]


class LetterSource(models.Model):
    """The raw bytes of a letter, as they came; apart, so that a list of letters never loads them."""

    letter = models.OneToOneField(Letter, models.CASCADE, primary_key=True, related_name="source")
    content = models.BinaryField()


class OnCopy(models.Model):
    """Somebody whom the customer put on copy: what they answer belongs to the case too."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="on_copy")
    email = models.CharField(max_length=254, help_text="In small letters.")
    letter = models.ForeignKey(Letter, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint("case", "email", name="on_copy_once_a_case")]


class Delivery(models.Model):
    """A letter that must leave: written with the event (law 6), sent by the worker, retried, and visible until it arrived."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to be sent")
        SENT = "sent", _("Sent")
        BOUNCED = "bounced", _("Came back")
        FAILED = "failed", _("Not delivered")

    class What(models.TextChoices):
        RECEIVED = "received", _("We have it")
        REPLY = "reply", _("Reply")
        TOLD = "told", _("Told the outcome")
        ASK = "ask", _("Asked for confirmation")
        QUESTION = "question", _("Asked the question again")
        FOLLOW_UP = "follow_up", _("Asked whether it held")
        ENDED = "ended", _("Ended")
        MOVED = "moved", _("Who has it now")

    case = models.ForeignKey(Case, models.CASCADE, related_name="deliveries")
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="deliveries")
    link = models.ForeignKey(CaseLink, models.PROTECT, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, models.PROTECT, null=True, related_name="+", db_index=False)
    what = models.CharField(max_length=10, choices=What)
    to = models.CharField(max_length=254)
    language = models.CharField(max_length=10, choices=LANGUAGES)
    header_id = models.CharField(
        max_length=200, blank=True, help_text="Ours, signed; stands from the first try on."
    )
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    look_at = models.DateTimeField(default=clock.now)
    error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)
    came_back_at = models.DateTimeField(null=True)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="+", db_index=False, help_text="Who sent it again."
    )
    again_of = models.OneToOneField(
        "self", models.CASCADE, null=True, related_name="again", help_text="The letter that did not arrive."
    )

    class Meta:
        indexes = [
            models.Index("look_at", "id", name="delivery_due", condition=Q(state="waiting")),
            models.Index("case", "id", name="delivery_in_order", condition=Q(state="waiting")),
            models.Index("id", name="delivery_not_arrived", condition=Q(state__in=("failed", "bounced"))),
            models.Index("header_id", name="delivery_header_id", condition=~Q(header_id="")),
        ]


class AsksDeclined(models.Model):
    """The customer wants to be asked no more in this round of the case. What was promised is said all the same."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="+")
    round = models.PositiveSmallIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("case", "round", name="asks_declined_once_a_round")]
