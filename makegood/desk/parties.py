"""Keeping the outside parties of the shops: who may, what is refused, the webhook's secret that is shown once. No verbs of a case."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.languages import CODES
from makegood.base.seal import seal, unseal
from makegood.base.words import clean_line
from makegood.cases.access import shops_for
from makegood.connectors.post import LONGEST_URL, checked_url
from makegood.desk.hooks import BAD_URL
from makegood.packs import taxonomy
from makegood.parties.models import Party
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.webhooks import signing

#: A merchant has pages of its own; all others of the taxonomy may be asked by letter or webhook.
KINDS = ("carrier", "warehouse", "payment_provider", "finance", "logistics", "technology", "security")


def every(by: Actor) -> list[Party]:
    """The parties of the shops that this person serves."""
    roles.check(by, "see_owed")
    shops = shops_for(by)
    found = Party.objects.select_related("shop").order_by("shop__name", "name", "id")
    return list(found if shops is None else found.filter(shop__in=shops))


def one(pk: int, by: Actor) -> Party:
    """One of them, to be changed; raises NotThere, NotAllowed."""
    roles.check(by, "keep_parties")
    found = next((party for party in every(by) if party.pk == pk), None)
    if found is None:
        raise NotThere("no_party", _("There is no such entry."))
    return found


def save(
    *,
    by: Actor,
    shop: Shop | None,
    name: str,
    kind: str,
    language: str,
    way: str,
    email: str = "",
    url: str = "",
    active: bool = True,
    party: Party | None = None,
) -> tuple[Party, str]:
    """A new party, or a changed one; and the secret of its webhook where one was made, which is shown only now.

    Raises Refusal with the field. The shop of a party never changes: its tasks are of cases of that shop.
    """
    roles.check(by, "keep_parties")
    shop = party.shop if party else shop
    shops = shops_for(by)
    if shop is None or (shops is not None and shop.pk not in shops):
        raise Refusal("no_shop", _("There is no such shop."), field="shop")
    for field, value, known in (
        ("kind", kind, KINDS),
        ("language", language, CODES),
        ("way", way, Party.Way.values),
    ):
        if value not in known or (field == "kind" and value not in taxonomy().parties):
            raise Refusal("unknown_code", _("This is not in the list."), field=field)
    values: dict[str, Any] = {
        "name": clean_line(name, limit=120, field="name"),
        "kind": kind,
        "language": language,
        "way": way,
        "email": _email(email, needed=way == Party.Way.LETTER),
        "url": _url(url, needed=way == Party.Way.WEBHOOK),
        "active": active,
    }
    secret = ""
    if way == Party.Way.WEBHOOK and not (party and party.sealed):
        secret = signing.new_secret()
        values["sealed"] = seal({"secret": secret})
    try:
        with transaction.atomic():
            if party is None:
                return Party.objects.create(shop=shop, made_at=clock.now(), **values), secret
            for field, value in values.items():
                setattr(party, field, value)
            party.save(update_fields=list(values))
    except IntegrityError:
        raise Refusal("twice", _("This shop has a party of this name already."), field="name") from None
    return party, secret


def key_of(party: Party) -> str:
    """The secret that signs what its webhook gets. Raises seal.Broken."""
    return unseal(party.sealed).get("secret", "")


def _email(raw: str, *, needed: bool) -> str:
    email = clean_line(raw, limit=254, field="email", required=needed)
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Refusal("bad_email", _("This is no email address."), field="email") from None
    return email


def _url(raw: str, *, needed: bool) -> str:
    url = clean_line(raw, limit=LONGEST_URL, field="url", required=needed)
    return checked_url(url, field="url", reason=BAD_URL) if url else ""
