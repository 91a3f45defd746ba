"""A body of a stream as a chunk: flat events by the names that ``watch replay`` takes, as NDJSON or as one JSON array.

What is good is taken together, in columns; what is not is named by its place and its reason. The usual body is decoded and checked
in columns, without a look at any single event; only where something is wrong each is looked at by itself. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from makegood.packs.watch_shapes import Process
from makegood.transactions.chunks import Chunk
from makegood.transactions.envelope import Bad, parsed
from makegood.watch.batch import AHEAD, EARLIEST, LATEST
from makegood.watch.chunks import Columns, coded, hashed, pack
from makegood.watch.plan import I64

#: Bytes of a body, events in it, and characters of a text: of a transaction, of an id, of an attribute.
BODY, EVENTS = 4 * 2**20, 10_000
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
class Aside:
    """One that cannot be taken: its place in the body, why, and itself as it came."""

    index: int
    reason: str
    detail: str
    body: bytes


@dataclass(frozen=True)
class Taken:
    """``chunk`` is None where nothing was good."""

    chunk: Chunk | None
    aside: list[Aside]


class _Doubt(Exception):
    """Something in these columns is wrong: each event is to be looked at."""


def take(body: bytes, words: Words, sender: Sender, now: int, known_currency: Callable[[str], bool]) -> Taken:
    """Read a body. ``now`` in µs. Raises Bad where nothing of it is an event, or it is too much."""
    if len(body) > BODY:
        raise Bad("too_large", f"at most {BODY} bytes")
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise Bad("not_json", "there is nothing in it")
    shape = _shape(words.attributes, words.moments)
    rules = _Rules(words, sender, now, known_currency)
    aside: list[Aside] = []
    try:
        events = shape.all(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        events, raw, places, aside = _one_by_one(body, shape)
        if not events and all(one.reason == "not_json" for one in aside):
            raise Bad("not_json", aside[0].detail if aside else "no events") from None
        return _after_all(events, raw, places, aside, shape, rules)
    if len(events) > EVENTS:
        raise Bad("too_many", f"at most {EVENTS} events at once")
    if not events:
        return Taken(None, [])
    try:
        return Taken(_chunk(events, shape, rules), [])
    except _Doubt:
        raw = [msgspec.json.encode(event) for event in events]
        return _after_all(events, raw, list(range(len(events))), aside, shape, rules)


def _after_all(
    events: list[Any], raw: list[bytes], places: list[int], aside: list[Aside], shape: _Shape, rules: _Rules
) -> Taken:
    good = []
    for event, came, place in zip(events, raw, places, strict=True):
        try:
            rules.check(event, shape)
            good.append(event)
        except Bad as bad:
            aside.append(Aside(place, bad.code, bad.detail, came))
    aside.sort(key=lambda one: one.index)
    return Taken(_chunk(good, shape, rules) if good else None, aside)


@dataclass(frozen=True)
class _Shape:
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
def _shape(attributes: tuple[str, ...], moments: tuple[str, ...]) -> _Shape:
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
    return _Shape(
        msgspec.json.Decoder(kind), msgspec.json.Decoder(list[kind]), kind,  # type: ignore[valid-type]
        attrgetter(*(name for name, *_ in fields)), tuple(attrgetter(name) for name, *_ in fields), attributes, moments,
    )  # fmt: skip


def _one_by_one(body: bytes, shape: _Shape) -> tuple[list[Any], list[bytes], list[int], list[Aside]]:
    """(events, as they came, their places, what is none)."""
    events, raw, places, aside = list[Any](), list[bytes](), list[int](), list[Aside]()
    for place, (came, read) in enumerate(_apart(body, shape)):
        try:
            events.append(read())
            raw.append(came)
            places.append(place)
        except msgspec.ValidationError as error:
            aside.append(Aside(place, _reason(str(error)), str(error), came))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            aside.append(Aside(place, "bad_text" if _readable(came) else "not_json", str(error), came))
    return events, raw, places, aside


def _apart(body: bytes, shape: _Shape) -> list[tuple[bytes, Callable[[], Any]]]:
    if body.lstrip()[:1] != b"[":
        lines = [line for line in body.splitlines() if line.strip()]
        _not_too_many(lines)
        return [(line, lambda line=line: shape.one.decode(line)) for line in lines]  # type: ignore[misc]
    values = parsed(body.decode("utf-8", "replace"))
    _not_too_many(values)
    # Written again in ASCII: half a character stays what it was, and is refused by the strict reader.
    texts = [_ascii(value) for value in values]
    return [(text, lambda text=text: shape.one.decode(text)) for text in texts]  # type: ignore[misc]


def _readable(came: bytes) -> bool:
    """Whether it is JSON all the same: then it holds half a character, which no text may."""
    try:
        json.loads(came)
    except (ValueError, RecursionError):
        return False
    return True


def _ascii(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _not_too_many(events: Sequence[Any]) -> None:
    if len(events) > EVENTS:
        raise Bad("too_many", f"at most {EVENTS} events at once")


def _reason(said: str) -> str:
    """What msgspec refused, by our codes."""
    if "required field `tx`" in said:
        return "no_tx"
    if "required field `at`" in said:
        return "no_time"
    if "required field `event`" in said:
        return "no_type"
    if "unknown field" in said:
        return "unknown_field"
    return "bad_value" if "$." in said else "no_object"


@dataclass(frozen=True)
class _Rules:
    """What a column must be for all of it to be taken, and an event for it alone: the same, said twice."""

    words: Words
    sender: Sender
    now: int
    known_currency: Callable[[str], bool]

    def check(self, event: Any, shape: _Shape) -> None:
        """One event by itself. Raises Bad."""
        tx, at, code, id_, amount, currency, *rest = shape.fields(event)
        if not str(tx).strip():
            raise Bad("no_tx", "tx must be there")
        if code not in self.words.events:
            raise Bad("unknown_event", code or "event must be there")
        self.moment(at)
        if amount is not None:
            _number(amount)
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
                    self.within(_micros(value))
                except Bad as bad:
                    raise Bad("bad_time", f"{name}: {bad.detail}") from None

    def moment(self, at: Any) -> None:
        if at == "":
            raise Bad("no_time", "at must be there")
        when = _micros(at) - self.sender.skew * 1_000_000
        self.within(when)
        if when > self.now + AHEAD:
            raise Bad("from_the_future", str(at)[:60])

    def within(self, when: int) -> None:
        if not EARLIEST < when < LATEST:
            raise Bad("bad_time", "no time of a transaction: whole numbers are seconds since 1970")

    def currency(self, code: str) -> bool:
        own = self.sender.currencies
        return code in own if own else self.known_currency(code)


def _micros(value: Any) -> int:
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


def _number(value: float | str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise Bad("bad_value", f"amount: {value[:40]!r} is no number") from None  # type: ignore[index]
    if not np.isfinite(number):
        raise Bad("bad_value", "amount: no number")
    return number


def _chunk(events: list[Any], shape: _Shape, rules: _Rules) -> Chunk:
    """Columns of events; raises _Doubt where one of them may be wrong."""
    tx, at, code, id_, amount, currency, *rest = (list(map(column, events)) for column in shape.columns)
    own, when = rest[: len(shape.attributes)], rest[len(shape.attributes) :]
    times = _times(at) - rules.sender.skew * 1_000_000
    if times.min() <= EARLIEST or times.max() >= min(LATEST, rules.now + AHEAD + 1):
        raise _Doubt
    order = np.argsort(times, kind="stable")
    kind, codes = _coded(code, ID)
    if not rules.words.events.issuperset(codes[1:]) or not kind.all():
        raise _Doubt
    who, names = _coded(tx, TX)
    if not who.all() or not all(map(str.strip, names[1:])):
        raise _Doubt
    written: dict[str, Sequence[str]] = {"tx": names[1:]}
    attributes = {}
    for name, column in zip(shape.attributes, own, strict=True):
        if _said(column):
            place, texts = _coded(column, LONG.get(name, ATTRIBUTE))
            attributes[name], written[f"a:{name}"] = (place[order], hashed(texts)), texts
    ids = np.zeros(len(events), np.uint64)
    if _said(id_):
        named = [_text(value, ID) for value in id_]
        # A thing told as a fact has the same name, so that what comes on both ways is one event (log_events.py).
        store = rules.sender.store
        full = [f"{store}/{value}/{event}" if value else "" for value, event in zip(named, code, strict=True)]
        ids = hashed(full)
        written["id"] = [named[n] for n in order.tolist()]
    if _said(currency):
        written["currency"] = _currencies(currency, who, len(names) - 1, rules)
    moments = {}
    for name, column in zip(shape.moments, when, strict=True):
        if _said(column):
            values = _times(column)
            if ((values != 0) & ((values <= EARLIEST) | (values >= LATEST))).any():
                raise _Doubt
            moments[name] = values[order]
    keys, data, texts_of = pack(Columns(
        codes[1:], kind[order] - 1, (who[order] - 1, hashed(names[1:], f"{rules.sender.shop}/".encode())),
        times[order], ids[order], _amounts(amount)[order], attributes, moments, written,
    ))  # fmt: skip
    first, last = (datetime.fromtimestamp(int(v) / 1e6, UTC) for v in (times[order[0]], times[order[-1]]))
    return Chunk(len(events), first, last, keys, data, texts_of)


def _said(column: Sequence[Any]) -> bool:
    return column.count(None) < len(column)


def _coded(values: Sequence[Any], most: int) -> tuple[Any, list[str]]:
    try:
        place, texts = coded(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError):  # numbers among them
        place, texts = coded([None if value is None else str(value) for value in values])
    if "" in texts[1:]:  # an empty text is none
        place, texts = coded([value or None for value in map(_plain, values)])
    if max(map(len, texts)) > most or "\0" in "".join(texts):
        raise _Doubt
    return place, texts


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _text(value: Any, most: int) -> str:
    text = _plain(value)
    if len(text) > most or "\0" in text:
        raise _Doubt
    return text


def _times(values: Sequence[Any]) -> I64:
    """Moments as µs, 0 for none. Raises _Doubt."""
    try:
        array = pa.array([value or None for value in values], pa.string())
        micros = pc.cast(pc.cast(array, pa.timestamp("us", "UTC")), pa.int64())
        return np.asarray(micros.fill_null(0).to_numpy(zero_copy_only=False))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
        pass  # seconds, times without a zone, more places than six: rarer, and read one by one
    try:
        return np.array([_micros(value) if value not in (None, "") else 0 for value in values], np.int64)
    except (Bad, OverflowError):
        raise _Doubt from None


def _amounts(values: Sequence[Any]) -> Any:
    """Amounts, 0 for none. Raises _Doubt."""
    try:
        if not _said(values):
            return np.zeros(len(values))
        texts = any(isinstance(value, str) for value in values)
        amounts = (
            pc.cast(pa.array(values, pa.string()), pa.float64()) if texts else pa.array(values, pa.float64())
        )
        numbers = amounts.fill_null(0.0).to_numpy(zero_copy_only=False)
        if np.isfinite(numbers).all():
            return numbers
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError):
        pass  # some as numbers and some as texts, or written with blanks
    try:
        return np.array([_number(value or 0) for value in values])
    except (Bad, OverflowError):
        raise _Doubt from None


def _currencies(values: Sequence[Any], who: Any, count: int, rules: _Rules) -> list[str]:
    """The currency of each transaction: the first that was told of it."""
    if not all(rules.currency(code) for code in set(values) if code):
        raise _Doubt
    place, codes = coded(values)
    of = np.zeros(count + 1, np.int64)
    told = np.flatnonzero(place)[::-1]  # written from the last to the first, so that the first stays
    of[who[told]] = place[told]
    return [codes[n] for n in of[1:].tolist()]


def told_apart(asides: Iterable[Aside]) -> Mapping[str, list[Aside]]:
    """By reason: what is wrong in one way is kept together."""
    found: dict[str, list[Aside]] = {}
    for one in asides:
        found.setdefault(one.reason, []).append(one)
    return found
