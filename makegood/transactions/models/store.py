"""A store: one connection to one shop's system or one provider's account, and how it is spoken with."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.people.models import Shop


class Store(models.Model):
    """``secret`` and ``hook_secret`` are sealed (base/seal.py); neither ever leaves the house."""

    class ToldBy(models.TextChoices):
        PUSH = "push", _("It tells us by itself")
        READING = "reading", _("We can read it")

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="stores")
    code = models.SlugField(_("Code"), max_length=40, unique=True, help_text=_("Part of its address here."))
    name = models.CharField(_("Name"), max_length=120)
    kind = models.SlugField(_("Connector"), max_length=30, default="generic")
    settings = models.JSONField(default=dict)
    secret = models.BinaryField(default=bytes)
    #: {"now": secret, "before": secret}: while a key is changed, what either signed is taken.
    hook_secret = models.BinaryField(default=bytes)
    told_by = models.CharField(max_length=8, choices=ToldBy, default=ToldBy.PUSH)
    #: Whether CloudEvents in binary mode are taken, whose attributes no signature covers.
    binary = models.BooleanField(default=False)
    #: False: what it pushes is not signed, so each event only nudges us to read.
    believed = models.BooleanField(_("Its events are signed"), default=True)
    #: Seconds by which the source's clock is ahead of ours (negative: behind), as people measured it.
    skew = models.IntegerField(default=0)
    #: Seconds to wait between an event and the reading (Youzan asks for 30: its own state follows its notices).
    read_after = models.PositiveSmallIntegerField(default=0)
    currencies = models.JSONField(default=list, help_text="ISO 4217; empty: any.")
    active = models.BooleanField(_("In use"), default=True)
    #: What it said that it can do when it was asked last (connectors/ports.py: Capabilities), and why it could not be asked.
    able = models.JSONField(default=dict)
    tried_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=60, blank=True)
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name
