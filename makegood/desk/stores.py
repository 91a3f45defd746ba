"""Connecting the shops' systems: who may, what is refused, and secrets that go in and never come out again.

These are not verbs of a case: they write no case event.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import cast

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.seal import Broken, seal, unseal
from makegood.base.webhooks import new_secret as fresh
from makegood.base.words import clean_line
from makegood.connectors.errors import OutsideError
from makegood.connectors.ports import Connector
from makegood.connectors.registry import KINDS
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.transactions import sources
from makegood.transactions.models import Store

log = logging.getLogger("makegood.stores")


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
    _checked(skew, read_after, currencies)
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


def change(
    code: str,
    *,
    by: Actor,
    name: str,
    readable: bool,
    believed: bool,
    active: bool,
    skew: int,
    read_after: int,
    currencies: Sequence[str],
    settings: Mapping[str, str],
    secrets: Mapping[str, str],
) -> None:
    """Change a connected store. Empty ``secrets`` keep what is stored; another address needs them typed in again.

    Whoever may change the address must not learn the key by having it sent to a machine of their own.
    """
    roles.check(by, "keep_stores")
    _checked(skew, read_after, currencies)
    with transaction.atomic():
        store = _store(code)
        known = _settings(store.kind, settings)
        moved = known.get("address", "") != store.settings.get("address", "")
        given = {key: value for key, value in secrets.items() if value}
        if moved and store.secret and not given:
            raise Refusal(
                "secret_again",
                _("With another address, what is secret must be typed in again."),
                field="address",
            )
        try:
            kept = {} if moved else unseal(store.secret)
        except Broken:
            kept = {}
        sealed = {**kept, **given}
        Store.objects.filter(pk=store.pk).update(
            name=clean_line(name, limit=120, field="name"),
            told_by=Store.ToldBy.READING if readable else Store.ToldBy.PUSH,
            believed=believed,
            active=active,
            skew=skew,
            read_after=read_after,
            currencies=list(currencies),
            settings=known,
            secret=seal(sealed) if sealed else b"",
            able={},
            tried_at=None,
            trouble="",
        )


def _settings(kind: str, given: Mapping[str, str]) -> dict[str, str]:
    """The settings of a kind that are no secret; raises Refusal beside the one that is missing."""
    known = KINDS.get(kind)
    if known is None:
        raise Refusal("no_kind", _("There is no such connector."), field="kind")
    found = {s.name: given.get(s.name, "").strip() for s in known.settings if not s.secret}
    for setting in known.settings:
        if setting.needed and not setting.secret and not found[setting.name]:
            raise Refusal("needed", _("This is needed."), field=setting.name)
    return {name: value for name, value in found.items() if value}


def _checked(skew: int, read_after: int, currencies: Sequence[str]) -> None:
    if not (-86400 <= skew <= 86400 and 0 <= read_after <= 3600):
        raise Refusal("bad_seconds", _("So many seconds cannot be right."), field="skew")
    if any(not (len(one) == 3 and one.isascii() and one.isupper()) for one in currencies):
        raise Refusal(
            "bad_currency", _("A currency is three capital letters, for example KRW."), field="currencies"
        )


#: Why a store cannot be asked, by the code of what the connector raised (connectors/errors.py, wire.py, registry.py).
TROUBLE = {
    "not_allowed": _("The shop does not let us in: its key, password or secret is wrong."),
    "secret": _("What is secret cannot be used: type it in again."),
    "missing": _("A setting is missing that this connector needs."),
    "no_such_setting": _("There is a setting that this connector does not have."),
    "extra_missing": _("The connector is not installed here."),
    "no_connector": _("The connector is not installed here."),
    "inside": _("This address lies inside the house, where no shop is asked unless the site names it."),
    "address": _("This is no address that can be asked: it begins with https:// and names a host."),
    "garbage": _("Something answers at this address, but not as such a shop does."),
    "broken": _("The shop answers with trouble of its own."),
    "resting": _("The shop did not answer several times, so we leave it alone for some minutes."),
}
_FLAGS = ("partial", "without_return", "slow_refunds", "finds_ours", "proves_absence", "checks_left", "tells_reversal")  # fmt: skip


def try_store(code: str, *, by: Actor) -> Store:
    """Ask the store what it can do, now; its answer, or why there was none, stands with it. Outside of transactions. Raises NotThere."""
    roles.check(by, "keep_stores")
    store = of(code)
    store.able, store.trouble, store.tried_at = {}, "", clock.now()
    try:
        able = cast(Connector, sources.opened(store)).capabilities()
        store.able = {
            "actions": sorted(able.actions),
            **{name: getattr(able, name) for name in _FLAGS},
            "nouns": list(able.nouns),
            "pushes": able.pushes,
            "keys_hours": able.keeps_keys_hours,
            "read": able.read_at is not None,
        }
    except OutsideError as error:
        store.trouble = error.code[:60]
    except (
        Exception
    ) as error:  # a client that is not there, an answer that nobody expected: said, not thrown at Hana
        log.warning("store %s cannot be asked: %s", store.code, error)
        store.trouble = type(error).__name__[:60]
    store.save(update_fields=["able", "trouble", "tried_at"])
    return store


def of(code: str) -> Store:
    """A store by its code. Raises NotThere."""
    store = Store.objects.select_related("shop").filter(code=code).first()
    if store is None:
        raise NotThere("no_store", _("There is no such store."))
    return store


def told(store: Store) -> str:
    """Why it could not be asked, as a sentence; '' when it could."""
    if not store.trouble:
        return ""
    return str(TROUBLE.get(store.trouble, _("The shop does not answer. Is its address right?")))


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
