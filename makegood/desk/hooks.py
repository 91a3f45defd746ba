"""Keeping the endpoints of webhooks: who may, what is refused, the secret that is shown once, and the trial. No verbs of a case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.seal import seal, unseal
from makegood.base.words import clean_line
from makegood.cases import events
from makegood.connectors.post import LONGEST_URL, checked_url
from makegood.desk import hook_calls
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.webhooks import signing
from makegood.webhooks.models import Hook, HookCall

#: So long both secrets of a rotation sign; so far back events are sent again; so many endpoints a site may have.
OVERLAP, FARTHEST, MOST = timedelta(hours=24), timedelta(days=30), 100
BAD_URL = _("This must be an address that begins with https, without a name or a password in it.")
ONE_OF = _("Either a moment or one call, not both and not neither.")
#: Why no answer came, by the code of an attempt.
TROUBLE = {
    "private": _("The address leads into a private network, where we do not send."),
    "unknown_host": _("There is no server of this name."),
    "unreachable": _("The server did not answer, or not in time."),
    "slow": _("The server took longer than 15 seconds."),
    "certificate": _("The server's certificate cannot be trusted."),
    "secret": _("The stored secret cannot be opened, since the site's key has changed. Make a new one."),
}


def keys_of(hook: Hook) -> list[str]:
    """The secrets that sign now: the present one, and while a rotation lasts the one before. Raises Broken."""
    keys = [unseal(hook.sealed)["secret"]]
    if hook.old_until is not None and hook.old_until > clock.now():
        keys.append(unseal(hook.sealed_old)["secret"])
    return keys


def every(by: Actor) -> list[Hook]:
    roles.check(by, "keep_webhooks")
    return list(Hook.objects.select_related("shop").order_by("name", "id"))


def one(pk: int, by: Actor) -> Hook:
    """The endpoint; raises NotThere, NotAllowed."""
    roles.check(by, "keep_webhooks")
    found = Hook.objects.select_related("shop").filter(pk=pk if 0 < pk < 2**63 else 0).first()
    if found is None:
        raise NotThere("no_hook", _("There is no such entry."))
    return found


def make(
    *, by: Actor, name: str, url: str, shop: Shop | None = None, kinds: Iterable[str] = ()
) -> tuple[Hook, str]:
    """A new endpoint and its secret, which is shown only now. Raises Refusal with the field."""
    roles.check(by, "keep_webhooks")
    values = _values(name, url, kinds)
    secret = signing.new_secret()
    with transaction.atomic():
        if Hook.objects.count() >= MOST:
            raise Refusal("too_many", _("There are enough webhooks already. Remove one first."), field="url")
        hook = Hook.objects.create(
            **values, shop=shop, sealed=seal({"secret": secret}), made_by_id=by.user_id, made_at=clock.now()
        )
    return hook, secret


def change(
    pk: int, *, by: Actor, name: str, url: str, shop: Shop | None = None, kinds: Iterable[str] = ()
) -> Hook:
    """Change what it hears and where; the secret stays. Raises Refusal with the field."""
    hook = one(pk, by)
    values = _values(name, url, kinds)
    for field, value in values.items():
        setattr(hook, field, value)
    hook.shop = shop
    hook.save(update_fields=[*values, "shop"])
    return hook


def _values(name: str, url: str, kinds: Iterable[str]) -> dict[str, object]:
    wanted = sorted(set(kinds))
    if unknown := [kind for kind in wanted if kind not in events.KINDS]:
        raise Refusal(
            "unknown_code", _("There is no event %(kind)s.") % {"kind": str(unknown[0])[:60]}, field="kinds"
        )
    return {
        "name": clean_line(name, limit=80, field="name"),
        "url": checked_url(clean_line(url, limit=LONGEST_URL, field="url"), field="url", reason=BAD_URL),
        "kinds": wanted,
    }


def rotate(pk: int, *, by: Actor) -> str:
    """A new secret, shown only now; for a day both sign, so that the receiver can change over without a gap."""
    roles.check(by, "keep_webhooks")
    now = clock.now()
    with transaction.atomic():
        one(pk, by)
        hook = Hook.objects.select_for_update().get(pk=pk)
        if hook.old_until is not None and hook.old_until > now:
            # A third would silence the one that the receiver still knows.
            raise Refusal("rotating", _("A change of the secret is still under way."))
        secret = signing.new_secret()
        hook.sealed, hook.sealed_old, hook.old_until = (
            seal({"secret": secret}),
            bytes(hook.sealed),
            now + OVERLAP,
        )
        hook.save(update_fields=["sealed", "sealed_old", "old_until"])
    return secret


def switch(pk: int, *, by: Actor, on: bool) -> Hook:
    """Off: it hears of nothing more, and what waits stays. On: it begins afresh, with what waited."""
    hook = one(pk, by)
    if on:
        fresh = {"off": "", "off_at": None, "failures": 0, "failing_since": None, "rest_until": None}
        Hook.objects.filter(pk=hook.pk).update(**fresh)
    else:
        Hook.objects.filter(pk=hook.pk, off_at__isnull=True).update(off=Hook.Off.PERSON, off_at=clock.now())
    return one(pk, by)


def remove(pk: int, *, by: Actor) -> None:
    """It is gone, and its log with it."""
    one(pk, by).delete()


def replay(pk: int, *, by: Actor, since: datetime) -> int:
    """Send all its events since a moment again; how many. Raises Refusal for one too far back or in the future."""
    hook, now = one(pk, by), clock.now()
    if not now - FARTHEST <= since <= now:
        raise Refusal("bad_moment", _("From a moment of the last 30 days."), field="since")
    return hook_calls.replay(hook, hook_calls.Range(since))


def once_more(pk: int, call_id: int, *, by: Actor) -> None:
    """Send one call again. Raises NotThere when it is not this endpoint's."""
    if not hook_calls.once_more(one(pk, by), call_id):
        raise NotThere("no_call", _("There is no such entry."), field="call")


def ask_for_test(pk: int, *, by: Actor) -> HookCall:
    """Put a test event on its way, as any other: signed, tried again, written down."""
    return HookCall.objects.create(hook=one(pk, by), look_at=clock.now(), made_at=clock.now())
