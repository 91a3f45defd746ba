"""Finding the customer again, or adding them: by email within the shop, then by phone."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from makegood.base import clock, rows
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
        return _by_email(shop, name, email, phone, language)
    if phone and (known := Customer.objects.filter(shop=shop, phone=phone).order_by("id").first()):
        return known
    return Customer.objects.create(shop=shop, name=name, phone=phone, language=language)


_FIND_OR_ADD = """
WITH found AS (
  SELECT id, name, email, phone, language, made_at FROM makegood_customer
   WHERE shop_id = $1 AND lower(email) = $3 AND NOT email = ''
), added AS (
  INSERT INTO makegood_customer (shop_id, name, email, phone, language, made_at)
  SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT FROM found) ON CONFLICT DO NOTHING
  RETURNING id, name, email, phone, language, made_at
)
SELECT * FROM found UNION ALL SELECT * FROM added
"""


def _by_email(shop: Shop, name: str, email: str, phone: str, language: str) -> Customer:
    """By the unique index over lower(email), in one statement; the ORM's equality would read every customer of the shop."""
    values = (shop.pk, name, email, phone, language, clock.now())
    # Nothing comes back when somebody else adds the same address just now; their row is there at the second look.
    row = (rows.ask(_FIND_OR_ADD, *values) or rows.ask(_FIND_OR_ADD, *values))[0]
    return Customer(
        pk=row[0], shop=shop, name=row[1], email=row[2], phone=row[3], language=row[4], made_at=row[5]
    )


def mark_email(customer_id: int, email: str, *, why: str, at: datetime) -> None:
    """A letter to this address came back for good. Only while it is still the customer's: a late report marks no corrected one."""
    Customer.objects.filter(pk=customer_id, email__iexact=email).update(
        email_failed_at=at, email_failed_why=why[:500]
    )


def correct_email(customer: Customer, email: str) -> bool:
    """Try the customer's address again, or ``email`` in its place; returns whether it changed. Its mark is taken away.

    Raises Refusal beside 'to' when there is no address, it is none, or another customer of the shop has it.
    """
    email = clean_line(email, limit=254, field="to", required=False).lower() or customer.email
    try:
        validate_email(email)
    except ValidationError:
        raise Refusal("bad_email", _("This is not an email address."), field="to") from None
    others = Customer.objects.filter(shop=customer.shop_id, email__iexact=email).exclude(pk=customer.pk)
    if others.exists():
        raise Refusal("email_taken", _("Another customer of this shop has this address."), field="to")
    changed = email != customer.email.lower()
    if changed:
        customer.email = email
    customer.email_failed_at, customer.email_failed_why = None, ""
    customer.save(update_fields=["email", "email_failed_at", "email_failed_why"])
    return changed


def shy(name: str) -> str:
    """A name (or an address) as it may stand where two are only to be told apart: the first sign of each word, and the last
    of a name that is written in one word; the rest is masked.
    """
    local, at, host = name.strip().partition("@")
    if at:
        return f"{local[:1]}•••@{host[:1]}•••"
    words = local.split()
    if len(words) == 1 and len(local) > 2:
        return local[0] + "•" * (len(local) - 2) + local[-1]
    return " ".join(word[0] + "•" * max(1, len(word) - 1) for word in words)
