"""Connecting the shops' systems: who may, what is refused, and secrets that go in and never come out again.

These are not verbs of a case: they write no case event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotThere, Refusal
from makegood.base.seal import Broken, seal, unseal
from makegood.base.webhooks import new_secret as fresh
from makegood.base.words import clean_line
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.transactions.models import Store


def make(
    code: str,
    *,
    by: Actor,
    shop: str,
    name: str = "",
    kind: str = "generic",
    readable: bool = False,
    believed: bool = True,
    binary: bool = False,
    skew: int = 0,
    read_after: int = 0,
    currencies: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> str:
    """Connect a system of the shop; the secret by which it signs, shown this once. Raises Refusal with the field."""
    roles.check(by, "keep_stores")
    if not code or slugify(code) != code or len(code) > 40:
        raise Refusal("bad_code", _("A code is up to 40 small letters, digits and hyphens."), field="code")
    owner = Shop.objects.filter(code=shop).first()
    if owner is None:
        raise Refusal("no_shop", _("There is no such shop."), field="shop")
    if Store.objects.filter(code=code).exists():
        raise Refusal("taken", _("There is a store with this code already."), field="code")
    if not (-86400 <= skew <= 86400 and 0 <= read_after <= 3600):
        raise Refusal("bad_seconds", _("So many seconds cannot be right."), field="skew")
    if any(not (len(one) == 3 and one.isascii() and one.isupper()) for one in currencies):
        raise Refusal(
            "bad_currency", _("A currency is three capital letters, for example KRW."), field="currencies"
        )
    secret = fresh()
    Store.objects.create(
        shop=owner,
        code=code,
        name=clean_line(name or owner.name, limit=120, field="name"),
        kind=clean_line(kind, limit=30, field="kind"),
        told_by=Store.ToldBy.READING if readable else Store.ToldBy.PUSH,
        believed=believed,
        binary=binary,
        skew=skew,
        read_after=read_after,
        currencies=list(currencies),
        settings=dict(settings or {}),
        secret=seal(dict(secrets)) if secrets else b"",
        hook_secret=seal({"now": secret}),
    )
    return secret


def new_secret(code: str, *, by: Actor) -> str:
    """A new secret; what the one before signs is still taken, until :func:`drop_old_secret`. Raises NotThere."""
    roles.check(by, "keep_stores")
    secret = fresh()
    with transaction.atomic():
        store = _store(code)
        try:
            before = unseal(store.hook_secret).get("now", "")
        except Broken:
            before = ""
        store.hook_secret = seal({"now": secret, "before": before} if before else {"now": secret})
        store.save(update_fields=["hook_secret"])
    return secret


def drop_old_secret(code: str, *, by: Actor) -> None:
    """Take only the newest secret from now on. Raises NotThere, Refusal."""
    roles.check(by, "keep_stores")
    with transaction.atomic():
        store = _store(code)
        try:
            now = unseal(store.hook_secret).get("now", "")
        except Broken:
            raise Refusal("broken", _("The stored secret cannot be opened. Make a new one.")) from None
        store.hook_secret = seal({"now": now})
        store.save(update_fields=["hook_secret"])


def _store(code: str) -> Store:
    store = Store.objects.select_for_update().filter(code=code).first()
    if store is None:
        raise NotThere("no_store", _("There is no such store."))
    return store
