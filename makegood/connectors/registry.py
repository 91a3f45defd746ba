"""Every kind of shop that can be connected, by name: what it must be told, and the connector made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from makegood.connectors.ports import Connector


class Unopened(ValueError):
    """No connector can be made of this. ``code``: no_such_kind, no_such_setting, missing, extra_missing; ``name``: which."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(f"{code}: {name}")
        self.code, self.name = code, name


@dataclass(frozen=True)
class Setting:
    """One field of the form. ``secret``: sealed where it is kept, never shown again."""

    name: str
    needed: bool = True
    secret: bool = False


@dataclass(frozen=True)
class Kind:
    """``extra``: the optional extra of the package that it needs ('' for none)."""

    name: str
    title: str
    place: str
    settings: tuple[Setting, ...]
    extra: str = ""


_ADDRESS = Setting("address")
_KEY = Setting("key", secret=True)
_SECRET = Setting("secret", needed=False, secret=True)
_SAID = Setting("address", needed=False)

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("generic", "Any shop", "generic.Generic", (_ADDRESS, Setting("secret", secret=True))),
        Kind(
            "stripe",
            "Stripe",
            "stripe.Stripe",
            (_KEY, _SECRET, Setting("account_id", False), _SAID),
            "stripe",
        ),
        Kind(
            "vendure",
            "Vendure",
            "vendure.Vendure",
            (
                _ADDRESS,
                Setting("key", needed=False, secret=True),
                Setting("user", needed=False),
                Setting("password", needed=False, secret=True),
                _SECRET,
            ),
        ),
        Kind("medusa", "Medusa", "medusa.Medusa", (_ADDRESS, _KEY, _SECRET)),
        Kind("toss", "Toss Payments", "toss.Toss", (_KEY, _SAID)),
        Kind("portone", "PortOne", "portone.PortOne", (_KEY, _SECRET, Setting("store", False), _SAID)),
    )
}


def open(kind: str, settings: Mapping[str, str], *, seconds: float = 60.0) -> Connector:
    """The connector of one store. Calls nobody yet. Raises Unopened, and Never for an address that may not be asked when it is."""
    known = KINDS.get(kind)
    if known is None:
        raise Unopened("no_such_kind", kind)
    names = {setting.name for setting in known.settings}
    if odd := sorted(set(settings) - names):
        raise Unopened("no_such_setting", odd[0])
    given = {name: value.strip() for name, value in settings.items() if value.strip()}
    for setting in known.settings:
        if setting.needed and setting.name not in given:
            raise Unopened("missing", setting.name)
    if kind == "vendure" and "key" not in given and not {"user", "password"} <= set(given):
        raise Unopened("missing", "key")
    module, _, name = known.place.partition(".")
    try:
        made = getattr(import_module(f"makegood.connectors.{module}"), name)
    except ModuleNotFoundError as error:
        if known.extra and error.name and error.name.partition(".")[0] == known.extra:
            raise Unopened("extra_missing", known.extra) from None
        raise
    connector: Connector = made(**given, seconds=seconds)
    return connector
