"""What an event of a stream may say: its names, and what each value must be. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from makegood.packs.watch_shapes import Process
from makegood.transactions.envelope import Bad
from makegood.watch.batch import AHEAD, EARLIEST, LATEST

#: Characters of a text: of a transaction, of an id, of an attribute.
TX, ID, ATTRIBUTE = 120, 200, 120
#: What lines were bought, as the shop writes it: longer than other attributes.
LONG = {"items": 2000}
_OWN = ("tx", "at", "event", "id", "amount", "currency")


@dataclass(frozen=True)
class Words:
    """The names that a stream may use: of events, attributes and moments, over every process of the site."""

    events: frozenset[str]
    attributes: tuple[str, ...]
    moments: tuple[str, ...]

    @classmethod
    def of(cls, processes: Iterable[Process]) -> Words:
        chosen = list(processes)
        attributes = dict.fromkeys(a for p in chosen for a in p.attributes)
        moments = dict.fromkeys(
            s.promise.field for p in chosen for s in p.steps.values() if s.promise and s.promise.field
        )
        # The shop is who signed: nobody tells of another's.
        own = {*_OWN, "shop"}
        return cls(
            frozenset(e for p in chosen for e in p.events),
            tuple(a for a in attributes if a not in own), tuple(m for m in moments if m not in own),
        )  # fmt: skip


@dataclass(frozen=True)
class Sender:
    """Whose stream it is. ``skew``: seconds that its clock is ahead; ``currencies``: those of the shop, none for all."""

    shop: int
    store: int
    skew: int = 0
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """How an event of these words is read: as a struct, a field for each name."""

    one: msgspec.json.Decoder[Any]
    many: msgspec.json.Decoder[list[Any]]
    kind: Any
    fields: Callable[[Any], tuple[Any, ...]]
    columns: tuple[Callable[[Any], Any], ...]
    attributes: tuple[str, ...]
    moments: tuple[str, ...]

    def all(self, body: bytes) -> list[Any]:
        return self.many.decode(body) if body.lstrip()[:1] == b"[" else self.one.decode_lines(body)


@lru_cache(maxsize=8)
def shape_of(attributes: tuple[str, ...], moments: tuple[str, ...]) -> Shape:
    text, when = str | int | None, str | int | float | None
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("tx", str | int), ("at", str | int | float), ("event", str),
        ("id", text, None), ("amount", float | str | None, None), ("currency", str | None, None),
    ]  # fmt: skip
    # By numbers: a process may call an attribute what Python does not take as a name.
    called = {f"a{n}": name for n, name in enumerate(attributes)} | {
        f"m{n}": name for n, name in enumerate(moments)
    }
    fields += [(f"a{n}", text, None) for n in range(len(attributes))]
    fields += [(f"m{n}", when, None) for n in range(len(moments))]
    kind = msgspec.defstruct(
        "Event", fields, rename=called, forbid_unknown_fields=True, omit_defaults=True, gc=False
    )
    return Shape(
        msgspec.json.Decoder(kind), msgspec.json.Decoder(list[kind]), kind,  # type: ignore[valid-type]
        attrgetter(*(name for name, *_ in fields)), tuple(attrgetter(name) for name, *_ in fields), attributes, moments,
    )  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What a column must be for all of it to be taken, and an event for it alone: the same, said twice."""

    words: Words
    sender: Sender
    now: int
    known_currency: Callable[[str], bool]

    def check(self, event: Any, shape: Shape) -> None:
        """One event by itself. Raises Bad."""
        tx, at, code, id_, amount, currency, *rest = shape.fields(event)
        if not str(tx).strip():
            raise Bad("no_tx", "tx must be there")
        if code not in self.words.events:
            raise Bad("unknown_event", code or "event must be there")
        self.moment(at)
        if amount is not None:
            number(amount)
        if currency and not self.currency(currency):
            raise Bad("currency", f"{currency[:10]} is not a currency of this store")
        own = rest[: len(shape.attributes)]
        limits = [
            ("tx", tx, TX),
            ("id", id_, ID),
            *((n, v, LONG.get(n, ATTRIBUTE)) for n, v in zip(shape.attributes, own, strict=True)),
        ]
        for name, value, most in limits:
            text = "" if value is None else str(value)
            if len(text) > most:
                raise Bad("too_long", f"{name} may have {most} characters")
            if "\0" in text:
                raise Bad("bad_text", f"{name} holds a NUL")
        for name, value in zip(shape.moments, rest[len(own) :], strict=True):
            if value not in (None, ""):
                try:
                    self.within(micros(value))
                except Bad as bad:
                    raise Bad("bad_time", f"{name}: {bad.detail}") from None

    def moment(self, at: Any) -> None:
        if at == "":
            raise Bad("no_time", "at must be there")
        when = micros(at) - self.sender.skew * 1_000_000
        self.within(when)
        if when > self.now + AHEAD:
            raise Bad("from_the_future", str(at)[:60])

    def within(self, when: int) -> None:
        if not EARLIEST < when < LATEST:
            raise Bad("bad_time", "no time of a transaction: whole numbers are seconds since 1970")

    def currency(self, code: str) -> bool:
        own = self.sender.currencies
        return code in own if own else self.known_currency(code)


def micros(value: Any) -> int:
    """A moment as µs: an ISO text (UTC where it names no zone, a day means its beginning), or seconds since 1970."""
    if not isinstance(value, str):
        if not abs(value) < 1e12:
            raise Bad("bad_time", "whole numbers are seconds since 1970")
        return round(value * 1_000_000)
    try:
        at = datetime.fromisoformat(value)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise Bad("bad_time", f"{value[:40]!r} is no time") from None


def number(value: float | str) -> float:
    try:
        found = float(value)
    except ValueError:
        raise Bad("bad_value", f"amount: {value[:40]!r} is no number") from None  # type: ignore[index]
    if not np.isfinite(found):
        raise Bad("bad_value", "amount: no number")
    return found
