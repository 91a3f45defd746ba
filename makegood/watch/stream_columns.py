"""Events of a stream as columns, and these as a chunk: checked as columns, without a look at any single event. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from makegood.transactions.chunks import Chunk
from makegood.transactions.envelope import Bad
from makegood.watch.batch import AHEAD, EARLIEST, LATEST
from makegood.watch.chunks import Columns, coded, hashed, pack
from makegood.watch.plan import I64
from makegood.watch.stream_words import ATTRIBUTE, ID, LONG, TX, Rules, Shape, micros, number


class Doubt(Exception):
    """Something in these columns is wrong: each event is to be looked at."""


def chunk_of(events: list[Any], shape: Shape, rules: Rules) -> Chunk:
    """Columns of events; raises Doubt where one of them may be wrong."""
    tx, at, code, id_, amount, currency, *rest = (list(map(column, events)) for column in shape.columns)
    own, when = rest[: len(shape.attributes)], rest[len(shape.attributes) :]
    times = _times(at) - rules.sender.skew * 1_000_000
    if times.min() <= EARLIEST or times.max() >= min(LATEST, rules.now + AHEAD + 1):
        raise Doubt
    order = np.argsort(times, kind="stable")
    kind, codes = _coded(code, ID)
    if not rules.words.events.issuperset(codes[1:]) or not kind.all():
        raise Doubt
    who, names = _coded(tx, TX)
    if not who.all() or not all(map(str.strip, names[1:])):
        raise Doubt
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
                raise Doubt
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
        raise Doubt
    return place, texts


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _text(value: Any, most: int) -> str:
    text = _plain(value)
    if len(text) > most or "\0" in text:
        raise Doubt
    return text


def _times(values: Sequence[Any]) -> I64:
    """Moments as µs, 0 for none. Raises Doubt."""
    try:
        array = pa.array([value or None for value in values], pa.string())
        whole = pc.cast(pc.cast(array, pa.timestamp("us", "UTC")), pa.int64())
        return np.asarray(whole.fill_null(0).to_numpy(zero_copy_only=False))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
        pass  # seconds, times without a zone, more places than six: rarer, and read one by one
    try:
        return np.array([micros(value) if value not in (None, "") else 0 for value in values], np.int64)
    except (Bad, OverflowError):
        raise Doubt from None


def _amounts(values: Sequence[Any]) -> Any:
    """Amounts, 0 for none. Raises Doubt."""
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
        return np.array([number(value or 0) for value in values])
    except (Bad, OverflowError):
        raise Doubt from None


def _currencies(values: Sequence[Any], who: Any, count: int, rules: Rules) -> list[str]:
    """The currency of each transaction: the first that was told of it."""
    if not all(rules.currency(code) for code in set(values) if code):
        raise Doubt
    place, codes = coded(values)
    of = np.zeros(count + 1, np.int64)
    told = np.flatnonzero(place)[::-1]  # written from the last to the first, so that the first stays
    of[who[told]] = place[told]
    return [codes[n] for n in of[1:].tolist()]
