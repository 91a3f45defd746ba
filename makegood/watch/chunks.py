"""What a chunk of the log holds: columns of numbers that the kernel takes as they are, and the texts that they stand for.

``keys``: the 64-bit names of the transactions, each once. ``data``: a head (JSON) and columns, an event a place, rising in time.
``texts``: the same transactions and attributes as they were written, and what the events are called; read only when a name is
asked for. Names are hashed when events come in, once for all that read them. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from makegood.watch.batch import Batch, natural_ids
from makegood.watch.keys import U64, name_key
from makegood.watch.log_events import OF_THE_STORE
from makegood.watch.plan import I64, Plan

FORM = 1
_HEAD = struct.Struct("<I")
_ZSTD = pa.Codec("zstd", 1)
_U64, _U16, _I64, _F64 = np.dtype("<u8"), np.dtype("<u2"), np.dtype("<i8"), np.dtype("<f8")
Coded = tuple[npt.NDArray[np.uint16], U64]


class BadChunk(ValueError):
    """The bytes are none that this version can read."""


@dataclass(frozen=True)
class Columns:
    """Events, rising in time. ``tx``, ``event`` and ``attributes`` are (place, each value once); an attribute's first value is none (0).

    ``written``: texts by name of their column, in the same order: 'tx', 'id', 'currency' (of each transaction), and 'a:' with attributes.
    """

    events: Sequence[str]
    event: npt.NDArray[np.uint16]
    tx: Coded
    at: I64
    id: U64
    amount: npt.NDArray[np.float64]
    attributes: Mapping[str, Coded]
    moments: Mapping[str, I64]
    written: Mapping[str, Sequence[str]]


def pack(columns: Columns) -> tuple[bytes, bytes, bytes]:
    """(keys, data, texts). Columns in which nothing stands are left out."""
    parts: dict[str, npt.NDArray[Any]] = {
        "event": columns.event.astype(_U16),
        "tx": columns.tx[0].astype(_U16),
        "at": columns.at.astype(_I64),
    }
    if columns.id.any():
        parts["id"] = columns.id.astype(_U64)
    if columns.amount.any():
        parts["amount"] = columns.amount.astype(_F64)
    for name, (place, keys) in columns.attributes.items():
        parts[f"a:{name}"], parts[f"k:{name}"] = place.astype(_U16), keys.astype(_U64)
    parts |= {f"m:{name}": values.astype(_I64) for name, values in columns.moments.items() if values.any()}
    parts = dict(sorted(parts.items(), key=lambda part: -part[1].itemsize))
    head = {
        "form": FORM, "size": len(columns.at), "events": list(columns.events),
        "columns": [[name, values.dtype.str, len(values)] for name, values in parts.items()],
    }  # fmt: skip
    texts = {name: "\0".join(values).encode() for name, values in columns.written.items()}
    lengths = {name: len(text) for name, text in texts.items()}
    plain = _headed(lengths) + b"".join(texts.values())
    packed = _HEAD.pack(len(plain)) + _ZSTD.compress(plain, asbytes=True)
    return (
        columns.tx[1].astype(_U64).tobytes(),
        _headed(head) + b"".join(v.tobytes() for v in parts.values()),
        packed,
    )


def _headed(head: Any) -> bytes:
    """The head and its length, filled up so that the columns behind it lie at whole words."""
    written = msgspec.json.encode(head)
    written += b" " * (-(_HEAD.size + len(written)) % 8)
    return _HEAD.pack(len(written)) + written


def written(texts: bytes) -> dict[str, list[str]]:
    """The texts of a chunk, by the name of their column. Raises BadChunk."""
    try:
        (size,) = _HEAD.unpack_from(texts)
        plain: bytes = _ZSTD.decompress(texts[_HEAD.size :], decompressed_size=size, asbytes=True)
        (length,) = _HEAD.unpack_from(plain)
        at, out = _HEAD.size + length, dict[str, list[str]]()
        for name, count in msgspec.json.decode(plain[_HEAD.size : at]).items():
            out[name] = plain[at : at + count].decode().split("\0")
            at += count
    except (struct.error, ValueError, OSError, msgspec.DecodeError) as error:
        raise BadChunk(f"no texts in {len(texts)} bytes: {error}") from error
    return out


@dataclass(frozen=True)
class Opened:
    """A chunk as a batch of a plan, its events rising in time. ``place``: by attribute, which of its texts stands at each event."""

    batch: Batch
    place: Mapping[str, npt.NDArray[np.uint16]]

    def behind(self, count: int) -> Opened:
        """Without its first events."""
        rest = slice(count, None)
        return Opened(self.batch.take(rest), {name: values[rest] for name, values in self.place.items()})


def transactions(keys: bytes) -> U64:
    """The names of the transactions of a chunk."""
    return np.frombuffer(keys, _U64)


def open_chunk(plan: Plan, keys: bytes, data: bytes, *, shop: int, store: int) -> Opened:
    """The events of a chunk; those that this plan does not know have the number -1. Raises BadChunk."""
    try:
        (length,) = _HEAD.unpack_from(data)
        head = msgspec.json.decode(data[_HEAD.size : _HEAD.size + length])
        if head["form"] != FORM:
            raise BadChunk(f"form {head['form']}, not {FORM}")
        size, at, found = head["size"], _HEAD.size + length, dict[str, npt.NDArray[Any]]()
        for name, kind, count in head["columns"]:
            found[name] = np.frombuffer(data, np.dtype(kind), count, at)
            at += count * found[name].itemsize
        number = {code: n for n, code in enumerate(plan.events)}
        event = np.array([number.get(code, -1) for code in head["events"]], np.int16)[found["event"]]
        tx = transactions(keys)[found["tx"]]
    except (struct.error, ValueError, KeyError, IndexError, TypeError, msgspec.DecodeError) as error:
        raise BadChunk(f"no chunk in {len(data)} bytes: {error}") from error
    blank = np.zeros(size, _I64)
    own = found.get("id", blank.view(_U64))
    ids = own if own.all() else np.where(own != 0, own, natural_ids(event, tx, found["at"]))
    return Opened(
        Batch(
            event, tx, found["at"], ids, found.get("amount", blank.view(_F64)),
            tuple(_attribute(name, found, size, shop, store) for name in plan.attributes),
            tuple(found.get(f"m:{name}", blank) for name in plan.moments),
        ),
        {name[2:]: values for name, values in found.items() if name.startswith("a:")},
    )  # fmt: skip


def _attribute(name: str, found: Mapping[str, npt.NDArray[Any]], size: int, shop: int, store: int) -> U64:
    if name == "shop":
        return np.full(size, name_key(str(shop)), np.uint64)
    other = np.uint64(name_key(f"store:{store}") if name in OF_THE_STORE else 0)
    if f"a:{name}" not in found:
        return np.full(size, other)
    keys = found[f"k:{name}"]
    return np.where(keys == 0, other, keys)[found[f"a:{name}"]]


def coded(texts: Sequence[str | None]) -> tuple[npt.NDArray[np.uint16], list[str]]:
    """(place, each text once): the first text is '' for none."""
    known = pa.array(texts, pa.string()).dictionary_encode()
    place = np.asarray(known.indices.fill_null(-1).to_numpy(zero_copy_only=False)) + 1
    return place.astype(np.uint16), ["", *known.dictionary.to_pylist()]


def hashed(texts: Sequence[str], before: bytes = b"") -> U64:
    """``keys.name_key`` of each text (with something ``before`` it), all at once; '' is 0."""
    digests = b"".join([blake2b(before + text.encode(), digest_size=8).digest() for text in texts])
    keys = np.frombuffer(digests, _U64)
    keys = np.where(keys == 0, np.uint64(1), keys)
    return np.where(np.array([not text for text in texts], bool), np.uint64(0), keys)
