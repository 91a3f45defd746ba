"""Asking a store: its connector, opened with its settings and its unsealed secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol

from makegood.base.seal import Broken, unseal
from makegood.connectors.canon import Told
from makegood.connectors.errors import Never
from makegood.transactions.models import Store


class Source(Protocol):
    """What the intake needs of a connector (``connectors/ports.py`` holds the whole contract)."""

    def read(self, noun: str, ref: str) -> list[Told]:
        """The thing as it is now, and what hangs on it. Empty: not there. Raises Later or Never. Outside of transactions."""

    def told(self, headers: Mapping[str, str], body: bytes) -> list[Told]:
        """A native webhook, verified and translated. Raises Never('forged' …) or Later."""


Opener = Callable[[str, Mapping[str, Any], Mapping[str, str]], Source]


def opened(store: Store) -> Source:
    """The connector of a store. Raises Never: 'secret' (its seal cannot be opened), 'no_connector' (its kind is not installed)."""
    try:
        secrets = unseal(store.secret)
    except Broken:
        raise Never("secret") from None
    return opener()(store.kind, store.settings, secrets)


def opener() -> Opener:
    """What opens connectors. By name and late: their clients are optional extras, and the door must start without them."""
    try:
        found: Opener = import_module("makegood.connectors.registry").open
    except ModuleNotFoundError:
        raise Never("no_connector") from None
    return found
