"""A body of a stream as a chunk: flat events by the names that ``watch replay`` takes, as NDJSON or as one JSON array.

What is good is taken together, in columns; what is not is named by its place and its reason. The usual body is decoded and checked
in columns (stream_columns.py), without a look at any single event; only where something is wrong each is looked at by itself. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from makegood.transactions.chunks import Chunk
from makegood.transactions.envelope import Bad, parsed
from makegood.watch.stream_columns import Doubt, chunk_of
from makegood.watch.stream_words import Rules, Sender, Shape, Words, shape_of

#: Bytes of a body, and events in it.
BODY, EVENTS = 4 * 2**20, 10_000


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


def take(body: bytes, words: Words, sender: Sender, now: int, known_currency: Callable[[str], bool]) -> Taken:
    """Read a body. ``now`` in µs. Raises Bad where nothing of it is an event, or it is too much."""
    if len(body) > BODY:
        raise Bad("too_large", f"at most {BODY} bytes")
    body = body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise Bad("not_json", "there is nothing in it")
    shape = shape_of(words.attributes, words.moments)
    rules = Rules(words, sender, now, known_currency)
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
        return Taken(chunk_of(events, shape, rules), [])
    except Doubt:
        raw = [msgspec.json.encode(event) for event in events]
        return _after_all(events, raw, list(range(len(events))), aside, shape, rules)


def _after_all(
    events: list[Any], raw: list[bytes], places: list[int], aside: list[Aside], shape: Shape, rules: Rules
) -> Taken:
    good = []
    for event, came, place in zip(events, raw, places, strict=True):
        try:
            rules.check(event, shape)
            good.append(event)
        except Bad as bad:
            aside.append(Aside(place, bad.code, bad.detail, came))
    aside.sort(key=lambda one: one.index)
    return Taken(chunk_of(good, shape, rules) if good else None, aside)


def _one_by_one(body: bytes, shape: Shape) -> tuple[list[Any], list[bytes], list[int], list[Aside]]:
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


def _apart(body: bytes, shape: Shape) -> list[tuple[bytes, Callable[[], Any]]]:
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


def told_apart(asides: Iterable[Aside]) -> Mapping[str, list[Aside]]:
    """By reason: what is wrong in one way is kept together."""
    found: dict[str, list[Aside]] = {}
    for one in asides:
        found.setdefault(one.reason, []).append(one)
    return found
