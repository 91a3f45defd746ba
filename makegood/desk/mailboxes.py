"""Keeping the mailboxes of the shops: who may, what is refused, the secret that goes in and never comes out, and the trial.

These are not verbs of a case: they write no case event.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.base.seal import Broken, seal, unseal
from makegood.base.words import clean_line
from makegood.conversations.models import Mailbox
from makegood.conversations.reaching import OAUTH2, PASSWORD, Unreached, reached, safe_token_url
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop

#: What is wrong with a mailbox, by the code before the colon of its ``trouble``.
TROUBLE = {
    "unreachable": _("The server does not answer. Are its name, port and security right?"),
    "certificate": _("The server's certificate cannot be trusted, so we did not sign in."),
    "sign_in": _("The server refuses this user or password."),
    "token": _("The provider gives no access: it may have been withdrawn, or the OAuth2 settings are wrong."),
    "secret": _("The stored secret cannot be opened, since the site's key has changed. Type it in again."),
    "folder": _("There is no such folder in this mailbox."),
    "cut": _("The connection was cut. We try again by ourselves."),
    "protocol": _("The server answered in a way that we do not understand."),
    "letter": _("The server does not give out some letters; the others are fetched. We keep trying."),
}


def told(trouble: str) -> tuple[str, str]:
    """What is wrong as a sentence, and what the server said; ('', '') when nothing is."""
    code, _colon, detail = trouble.partition(":")
    if not trouble:
        return "", ""
    return str(TROUBLE.get(code, _("Something went wrong on our side."))), detail.strip()


def save_mailbox(
    mailbox: Mailbox | None,
    *,
    by: Actor,
    shop: Shop,
    address: str,
    name: str,
    way: str,
    active: bool,
    first: bool,
    plus: bool = False,
    host: str = "",
    port: int | None = 993,
    security: str = "tls",
    user: str = "",
    auth: str = "password",
    folder: str = "INBOX",
    **secrets: str,
) -> Mailbox:
    """Add (``mailbox`` None) or change one. Empty ``secrets`` keep what is stored. Raises Refusal with the field."""
    roles.check(by, "keep_mailboxes")
    values: dict[str, Any] = {
        "address": _address(address, mailbox),
        "name": clean_line(name, limit=120, field="name"),
        "way": _one_of(way, Mailbox.Way.values, "way"),
        "active": active,
        "first": first,
        "plus": plus,
    }
    if way == Mailbox.Way.IMAP:
        values |= {
            "host": _host(host),
            "port": _port(port),
            "security": _one_of(security, ("tls", "starttls", "none"), "security"),
            "user": clean_line(user or address, limit=200, field="user"),
            "auth": _one_of(auth, ("password", "oauth2"), "auth"),
            "folder": clean_line(folder or "INBOX", limit=200, field="folder"),
        }
        values["secret"] = _secret(mailbox, values, secrets)
    return _write(mailbox, shop, values)


def _write(mailbox: Mailbox | None, shop: Shop, values: dict[str, Any]) -> Mailbox:
    with transaction.atomic():
        Shop.objects.select_for_update().get(pk=shop.pk)
        others = Mailbox.objects.filter(shop=shop).exclude(pk=mailbox.pk if mailbox else 0)
        if values["first"]:
            others.update(first=False)
        elif not others.filter(first=True).exists():
            values["first"] = True  # a shop with mailboxes has one that its letters leave by
        if mailbox is None:
            return Mailbox.objects.create(shop=shop, **values)
        if mailbox.shop_id != shop.pk:
            # Its letters and threads are that shop's; here they would lead into another shop's cases.
            raise Refusal("other_shop", _("A mailbox stays with its shop. Make a new one."), field="shop")
        moved = any(
            values.get(n, getattr(mailbox, n)) != getattr(mailbox, n) for n in ("host", "user", "folder")
        )
        if moved:
            values |= {"uidvalidity": None, "last_uid": 0}  # another folder: its numbers are others
        for field, value in values.items():
            setattr(mailbox, field, value)
        mailbox.save(update_fields=[*values])
    return mailbox


def try_mailbox(mailbox: Mailbox, *, by: Actor) -> str:
    """Sign in now; '' when all is well, else the trouble as it is stored. Slow: outside every transaction."""
    roles.check(by, "keep_mailboxes")
    try:
        with reached(mailbox, timeout=10):
            return ""
    except Unreached as error:
        return str(error)


def _secret(mailbox: Mailbox | None, values: dict[str, Any], given: dict[str, str]) -> bytes:
    names = OAUTH2 if values["auth"] == "oauth2" else PASSWORD
    old: dict[str, str] = {}
    # To another server or user the stored secret is never sent: whoever may change the form could read it there.
    same = mailbox is not None and all(
        values[n] == getattr(mailbox, n) for n in ("host", "port", "user", "auth", "security")
    )
    if mailbox is not None and same:
        try:
            old = unseal(mailbox.secret)
        except Broken:
            old = {}
    if old and given.get("token_url") and given["token_url"] != old.get("token_url"):
        old = {}
    kept = {n: given.get(n, "").strip() or old.get(n, "") for n in names}
    for name in names:
        if not kept[name] and name not in ("scope", "client_secret"):
            raise Refusal("empty", _("This must not be empty."), field=name)
        if len(kept[name]) > 8000:
            raise Refusal("too_long", _("This is too long."), field=name)
    if "token_url" in kept and not safe_token_url(kept["token_url"]):
        raise Refusal("not_https", _("This must be an address that begins with https."), field="token_url")
    return seal(kept)


def _address(raw: str, mailbox: Mailbox | None) -> str:
    address = clean_line(raw, limit=254, field="address").lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal("bad_email", _("This is not an email address."), field="address") from None
    if "+" in address.partition("@")[0]:
        raise Refusal("plus", _("The plus is ours: by it answers find their case."), field="address")
    if Mailbox.objects.filter(address__iexact=address).exclude(pk=mailbox.pk if mailbox else 0).exists():
        raise Refusal("taken", _("There is a mailbox with this address already."), field="address")
    return address


def _one_of(value: str, known: Any, field: str) -> str:
    if value not in known:
        raise Refusal("unknown_code", _("This is not in the list."), field=field)
    return value


def _host(raw: str) -> str:
    host = clean_line(raw, limit=200, field="host").lower()
    if any(letter in host for letter in " /@?#"):
        raise Refusal("bad_host", _("Only the server's name, for example imap.example.com."), field="host")
    return host


def _port(port: int | None) -> int:
    if port is None or not 1 <= port <= 65535:
        raise Refusal("bad_port", _("A port is a number from 1 to 65535."), field="port")
    return port
