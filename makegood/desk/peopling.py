"""Keeping people, teams and shops, and the links by which people sign in the first time.

These are not verbs of a case: they write no case event. Each checks the role, refuses beside the field, and saves in
one transaction. The secret of a sign-in link is returned once and stored only as a digest.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email, validate_slug
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.base.languages import CODES
from makegood.base.words import clean_line
from makegood.desk import absence, span
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.calendars import Calendar
from makegood.people.models import STAFF, Role, Shop, SignInLink, Team, Tier, User, digest

LINK_LIVES = timedelta(days=7)


def save_user(
    user: User | None,
    *,
    by: Actor,
    name: str,
    email: str,
    role: str,
    language: str,
    zone: str,
    active: bool = True,
) -> User:
    """Add (``user`` None) or change a person. Raises Refusal with the field, NotAllowed for an administrator's rights."""
    roles.check(by, "keep_people")
    if role not in Role.values:
        raise Refusal("unknown_code", _("This is not in the list."), field="role")
    with transaction.atomic():
        # All administrators are locked: two of them could otherwise switch each other off in the same moment.
        admins = list(User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).order_by("pk"))
        if user is not None:
            user = User.objects.select_for_update().get(pk=user.pk)
            _refuse_losing_rights(user, by, role, active, last=[a.pk for a in admins] == [user.pk])
        if by.role != Role.ADMIN and (role == Role.ADMIN or (user is not None and user.role == Role.ADMIN)):
            raise NotAllowed("admins_only", _("Only an administrator changes administrators."), field="role")
        was_here = user is not None and user.is_active and user.role in STAFF
        before = _led_with(user)
        user = user or User(password="")
        user.email = _email(email, user.pk)
        user.name = clean_line(name, limit=80, field="name")
        user.role, user.is_active = role, active
        user.language, user.zone = _language(language), _zone(zone)
        if user.pk is None:
            user.set_unusable_password()
            user.save()
        else:
            user.save(update_fields=["email", "name", "role", "is_active", "language", "zone"])
        span.refuse_too_many(before, field="active")
        here = user.is_active and user.role in STAFF
        if was_here and not here:
            absence.leave_for_good(user, by=by)
        elif here and not was_here:
            absence.return_for_good(user)
    return user


def _led_with(user: User | None) -> dict[int, int]:
    """The leads of this person's teams, locked, and how many each leads before the change."""
    if user is None:
        return {}
    return span.hold_leads(Team.objects.filter(members=user).values_list("lead_id", flat=True))


def _refuse_losing_rights(user: User, by: Actor, role: str, active: bool, *, last: bool) -> None:
    if user.pk == by.user_id and (role != user.role or not active):
        raise Refusal("own_rights", _("Nobody changes their own rights; ask a colleague."), field="role")
    if last and (role != Role.ADMIN or not active):
        raise Refusal("last_admin", _("This is the last administrator who may sign in."), field="role")


def save_me(*, by: Actor, name: str, language: str, zone: str) -> None:
    """Change one's own name, language and time zone."""
    User.objects.filter(pk=by.user_id or 0).update(
        name=clean_line(name, limit=80, field="name"), language=_language(language), zone=_zone(zone)
    )


def speak(*, by: Actor, language: str) -> None:
    """Change only one's own language."""
    User.objects.filter(pk=by.user_id or 0).update(language=_language(language))


def save_team(
    team: Team | None,
    *,
    by: Actor,
    name: str,
    tier: int,
    skill: str,
    lead: User | None,
    members: Iterable[User],
    shops: Iterable[Shop],
    calendar: Calendar | None = None,
) -> Team:
    """Add (``team`` None) or change a team. Only people of the desk can be in it. Raises Refusal with the field."""
    roles.check(by, "keep_people")
    team = team or Team()
    team.name = clean_line(name, limit=80, field="name")
    if Team.objects.filter(name=team.name).exclude(pk=team.pk).exists():
        raise Refusal("taken", _("This name is taken."), field="name")
    if tier not in Tier.values:
        raise Refusal("unknown_code", _("This is not in the list."), field="tier")
    team.tier, team.skill, team.lead = tier, _slug(skill, "skill") if skill else "", lead
    team.calendar = calendar
    people = list(members)
    if any(person.role not in STAFF for person in [*people, *([lead] if lead else [])]):
        raise Refusal("not_staff", _("A merchant cannot be in a team."), field="members")
    with transaction.atomic():
        before = span.hold_leads([lead.pk if lead else None])
        team.save()
        team.members.set(people)
        team.shops.set(shops)
        span.refuse_too_many(before, field="members")
    return team


def save_shop(
    shop: Shop | None,
    *,
    by: Actor,
    name: str,
    code: str,
    language: str,
    zone: str,
    currency: str,
    merchants: Iterable[User],
    calendar: Calendar | None = None,
) -> Shop:
    """Add (``shop`` None) or change a shop. Raises Refusal with the field."""
    roles.check(by, "keep_people")
    shop = shop or Shop()
    shop.name, shop.code = clean_line(name, limit=120, field="name"), _slug(code, "code")
    if Shop.objects.filter(code=shop.code).exclude(pk=shop.pk).exists():
        raise Refusal("taken", _("This short code is taken."), field="code")
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise Refusal("bad_currency", _("A currency is three letters, for example KRW."), field="currency")
    shop.language, shop.zone, shop.currency = _language(language), _zone(zone), currency.upper()
    shop.calendar = calendar
    people = list(merchants)
    if any(person.role != Role.MERCHANT for person in people):
        raise Refusal("not_merchant", _("Only merchants have shops."), field="merchants")
    with transaction.atomic():
        shop.save()
        shop.merchants.set(people)
    return shop


def link_for(user: User, *, by: Actor) -> str:
    """The secret of a new one-time link for this person; links that stood before are void. Raises NotAllowed."""
    roles.check(by, "keep_people")
    if user.role == Role.ADMIN and by.role != Role.ADMIN:
        raise NotAllowed("admins_only", _("Only an administrator changes administrators."))
    if not user.is_active:
        raise Refusal("inactive", _("This person may not sign in."))
    return _new_link(user)


def link_stands(secret: str) -> bool:
    """Whether this secret would sign somebody in now."""
    return _standing(secret).exists()


def use_link(secret: str) -> User:
    """Use a one-time link up and return its person, whose password is void from now on. Raises NotThere.

    The old password goes because the link is also how somebody who lost it comes back: what was stolen must end here.
    """
    gone = NotThere("link_gone", _("This link is no longer valid. Please ask for a new one."))
    with transaction.atomic():
        link = _standing(secret).select_for_update().select_related("user").first()
        if link is None:
            raise gone
        SignInLink.objects.filter(pk=link.pk).update(used_at=clock.now())
        link.user.set_unusable_password()
        link.user.save(update_fields=["password"])
    return link.user


def first_admin(email: str) -> tuple[User, str] | None:
    """The administrator who begins, with the secret of their link; None when nothing is to be done.

    Made when there is no active administrator; a new link when none ever had a password and no link stands.
    """
    with transaction.atomic():
        admins = list(User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True))
        if not admins:
            admin = User.objects.filter(email__iexact=email).first() or User(
                email=email.lower(), name="Admin"
            )
            admin.role, admin.is_active = Role.ADMIN, True
            if admin.pk is None:
                admin.set_unusable_password()
            admin.save()
            return admin, _new_link(admin)
        if any(a.has_usable_password() or _waiting(a) for a in admins):
            return None
        return admins[0], _new_link(admins[0])


def _waiting(user: User) -> bool:
    return SignInLink.objects.filter(user=user, used_at__isnull=True, ends_at__gt=clock.now()).exists()


def _standing(secret: str) -> QuerySet[SignInLink]:
    return SignInLink.objects.filter(
        digest=digest(secret), used_at__isnull=True, ends_at__gt=clock.now(), user__is_active=True
    )


def _new_link(user: User) -> str:
    secret, now = secrets.token_urlsafe(32), clock.now()
    SignInLink.objects.filter(user=user, used_at__isnull=True, ends_at__gt=now).update(ends_at=now)
    SignInLink.objects.create(user=user, digest=digest(secret), made_at=now, ends_at=now + LINK_LIVES)
    return secret


def _email(raw: str, own: int | None) -> str:
    email = clean_line(raw, limit=254, field="email").lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Refusal("bad_email", _("This is not an email address."), field="email") from None
    if User.objects.filter(email__iexact=email).exclude(pk=own or 0).exists():
        raise Refusal("taken", _("Somebody has this email address already."), field="email")
    return email


def _language(code: str) -> str:
    if code not in CODES:
        raise Refusal("unknown_code", _("This is not in the list."), field="language")
    return code


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise Refusal("unknown_zone", _("There is no such time zone."), field="zone")
    return name


def _slug(raw: str, field: str) -> str:
    code = clean_line(raw, limit=40, field=field).lower()
    try:
        validate_slug(code)
    except ValidationError:
        raise Refusal("bad_code", _("Only letters, digits and hyphens."), field=field) from None
    return code
