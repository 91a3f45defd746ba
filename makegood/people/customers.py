"""Finding the customer again, or adding them: by email within the shop, then by phone."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean_line
from makegood.people.models import Customer, Shop


def find_or_add(shop: Shop, name: str, email: str, phone: str, language: str) -> Customer:
    """The shop's customer with this email (else this phone), or a new one. Raises Refusal beside 'email' or 'phone'."""
    name = clean_line(name, limit=120, field="name", required=False)
    email = clean_line(email, limit=254, field="email", required=False).lower()
    phone = clean_line(phone, limit=40, field="phone", required=False)
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Refusal("bad_email", _("This is not an email address."), field="email") from None
        known = Customer.objects.filter(shop=shop, email=email).first()
        return known or _add(shop, name, email, phone, language)
    if phone and (known := Customer.objects.filter(shop=shop, phone=phone).order_by("id").first()):
        return known
    return Customer.objects.create(shop=shop, name=name, phone=phone, language=language)


def _add(shop: Shop, name: str, email: str, phone: str, language: str) -> Customer:
    """A new customer; when somebody else added them a moment ago, theirs. One statement, where get_or_create takes three."""
    made_at = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO makegood_customer (shop_id, name, email, phone, language, made_at)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id",
            [shop.pk, name, email, phone, language, made_at],
        )
        row = cursor.fetchone()
    if row is None:
        return Customer.objects.get(shop=shop, email__iexact=email)
    return Customer(
        pk=row[0], shop=shop, name=name, email=email, phone=phone, language=language, made_at=made_at
    )
