"""Who: users and their roles, teams and tiers, shops, customers, tokens and one-time sign-in links."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.languages import EN, LANGUAGES


class Role(models.TextChoices):
    AGENT = "agent", _("Agent")
    LEAD = "lead", _("Lead")
    SPECIALIST = "specialist", _("Specialist")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Administrator")
    MERCHANT = "merchant", _("Merchant")


STAFF = (Role.AGENT, Role.LEAD, Role.SPECIALIST, Role.MANAGER, Role.ADMIN)


class Tier(models.IntegerChoices):
    """How far a team stands from the customer; a case that moves up never comes with less than it had."""

    FRONT_LINE = 1, _("Front line")
    LEADS = 2, _("Leads")
    SPECIALISTS = 3, _("Specialists")
    MANAGERS = 4, _("Managers")


class Shop(models.Model):
    """One shop of a merchant; a merchant may have many."""

    name = models.CharField(_("Name"), max_length=120)
    code = models.SlugField(_("Short code"), max_length=40, unique=True)
    language = models.CharField(_("Language"), max_length=10, choices=LANGUAGES, default=EN)
    zone = models.CharField(_("Time zone"), max_length=40, default="Asia/Seoul")
    currency = models.CharField(_("Currency"), max_length=3, default="KRW")
    merchants: models.ManyToManyField[User, Any] = models.ManyToManyField(
        "makegood.User", blank=True, related_name="shops", verbose_name=_("Merchants")
    )
    calendar = models.ForeignKey(
        "makegood.Calendar",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="shops",
        verbose_name=_("Calendar"),
    )
    made_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        return self.name


class Users(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save()
        return user

    def get_by_natural_key(self, email: str | None) -> User:
        return self.get(email__iexact=email)


class User(AbstractBaseUser):
    """Somebody who signs in: staff or merchant. A customer needs no account."""

    email = models.EmailField(_("Email"), max_length=254)
    name = models.CharField(_("Name"), max_length=80)
    role = models.CharField(_("Role"), max_length=12, choices=Role, default=Role.AGENT)
    language = models.CharField(_("Language"), max_length=10, choices=LANGUAGES, default=EN)
    zone = models.CharField(_("Time zone"), max_length=40, default="Asia/Seoul")
    is_active = models.BooleanField(_("May sign in"), default=True)
    made_at = models.DateTimeField(default=clock.now, editable=False)

    objects: ClassVar[Users] = Users()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_staff_here(self) -> bool:
        return self.role in STAFF


class Team(models.Model):
    """People who answer together. A team without shops serves them all."""

    name = models.CharField(_("Name"), max_length=80, unique=True)
    tier = models.PositiveSmallIntegerField(_("Tier"), choices=Tier, default=Tier.FRONT_LINE)
    skill = models.SlugField(
        _("Skill"), max_length=40, blank=True, help_text=_("technology, finance, logistics …")
    )
    lead = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="leads", verbose_name=_("Lead")
    )
    members: models.ManyToManyField[User, Any] = models.ManyToManyField(
        User, blank=True, related_name="teams", verbose_name=_("Members")
    )
    shops: models.ManyToManyField[Shop, Any] = models.ManyToManyField(
        Shop, blank=True, related_name="teams", verbose_name=_("Shops")
    )
    calendar = models.ForeignKey(
        "makegood.Calendar",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="teams",
        verbose_name=_("Calendar"),
    )

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """Who bought. Personal data stands here and in messages, never in events, so that it can be erased."""

    shop = models.ForeignKey(Shop, models.PROTECT, related_name="customers", db_index=False)
    name = models.CharField(_("Name"), max_length=120, blank=True)
    email = models.CharField(_("Email"), max_length=254, blank=True)
    email_failed_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When a letter to this address came back for good; none: it works.",
    )
    email_failed_why = models.CharField(max_length=500, blank=True, editable=False, db_default="")
    phone = models.CharField(_("Phone"), max_length=40, blank=True)
    language = models.CharField(_("Language"), max_length=10, choices=LANGUAGES, default=EN)
    made_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "shop", Lower("email"), name="one_customer_per_shop_and_email", condition=~models.Q(email="")
            )
        ]
        indexes = [
            models.Index(fields=["shop", "phone"], name="customer_phone", condition=~models.Q(phone=""))
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.phone or "—"


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256 in hex. The secret itself is shown once and never stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class ApiToken(models.Model):
    """A key to the API: acts as its user, within its scopes, until it ends or is revoked."""

    class Scope(models.TextChoices):
        READ = "cases:read", _("Read cases")
        OPEN = "cases:open", _("Open cases")
        WORK = "cases:work", _("Work on cases")
        HOOKS = "webhooks:keep", _("Keep webhooks")

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("Name"), max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), default=list)
    made_at = models.DateTimeField(default=clock.now, editable=False)
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    @classmethod
    def issue(cls, user: User, name: str, scopes: list[str]) -> tuple[ApiToken, str]:
        """A new token and its secret, which is shown only now."""
        secret = "mg_" + secrets.token_urlsafe(32)
        return cls.objects.create(user=user, name=name, scopes=scopes, digest=digest(secret)), secret


class SignInLink(models.Model):
    """A link that signs its user in once: for the first administrator and for people who were invited."""

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_links")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
