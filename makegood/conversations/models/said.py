"""What was said: messages, their attachments, the search index over them, and drafts."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.languages import LANGUAGES
from makegood.cases.models import Case
from makegood.people.models import User


class Message(models.Model):
    """One thing said on a case. ``audience`` says who may read it: the customer, the merchant, or staff only."""

    class Author(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        STAFF = "staff", _("Staff")
        MERCHANT = "merchant", _("Merchant")
        SYSTEM = "system", _("Makegood")
        PARTY = "party", _("Outside party")

    class Audience(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        MERCHANT = "merchant", _("Merchant")
        STAFF = "staff", _("Staff only")

    case = models.ForeignKey(Case, models.CASCADE, related_name="messages", db_index=False)
    author = models.CharField(max_length=10, choices=Author)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    audience = models.CharField(max_length=10, choices=Audience)
    channel = models.CharField(max_length=12, default="page")
    language = models.CharField(max_length=10, choices=LANGUAGES)
    body = models.TextField()
    quoted = models.TextField(blank=True, help_text="What a letter quoted and signed; folded on the page.")
    html = models.TextField(
        blank=True, help_text="A letter's html, made safe when it came in; remote pictures off."
    )
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index("case", "at", "id", name="message_case")]


class Attachment(models.Model):
    """A file that came with a message. Its bytes stand in :class:`Blob`, so that a list of files never loads them."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    case = models.ForeignKey(Case, models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content_id = models.CharField(max_length=200, blank=True, help_text="By which a letter's html shows it.")
    at = models.DateTimeField(default=clock.now)


class Blob(models.Model):
    """The bytes of one attachment; all state is in PostgreSQL, so N web processes need no shared disk."""

    attachment = models.OneToOneField(Attachment, models.CASCADE, primary_key=True, related_name="blob")
    content = models.BinaryField()


class SearchEntry(models.Model):
    """What can be found: one row a message (and one for the head of the case), tokens made by ``text/search.py``."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="search_entries")
    message = models.ForeignKey(
        Message, models.CASCADE, null=True, related_name="search_entries", db_index=False
    )
    shop_id = models.BigIntegerField()
    staff_only = models.BooleanField(default=False)
    vector = SearchVectorField()

    class Meta:
        # fastupdate=off: with the pending list on, one insert in some thousands waits 0.2 to 1 s (shared/text.md 1.1).
        indexes = [GinIndex("vector", name="search_vector", fastupdate=False)]


class Draft(models.Model):
    """What somebody was writing; kept until it is sent, also when a verb was stale or refused."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="drafts")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    body = models.TextField()
    tab = models.CharField(max_length=16, blank=True, help_text="The page that wrote it last.")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("case", "user", name="one_draft_each")]
