"""64-bit names: strings to numbers, numbers mixed into keys; the same on every machine and in every run.

A state holds no strings: a transaction is the 64-bit hash of its id, a lane the mix of its step and its attributes. Two of
ten million ids share a hash with probability 3 in a million (birthday bound n²/2⁶⁵); then two transactions share a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GOLD = np.uint64(0x9E3779B97F4A7C15)
_R1, _R2, _R3 = np.uint64(30), np.uint64(27), np.uint64(31)
# Inverses of the two multipliers modulo 2**64: the mixer can be undone, so a row needs no copy of its transaction.
_I1, _I2 = np.uint64(pow(int(_M1), -1, 1 << 64)), np.uint64(pow(int(_M2), -1, 1 << 64))


def name_key(text: str) -> int:
    """A string as a number that is never 0 (0 means 'absent' everywhere in the watch)."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little") or 1


def name_keys(texts: Iterable[Any]) -> U64:
    """Strings as numbers; None and '' become 0."""
    seen: dict[str, int] = {}
    out = []
    for text in texts:
        if text is None or text == "":
            out.append(0)
            continue
        word = str(text)
        if word not in seen:
            seen[word] = name_key(word)
        out.append(seen[word])
    return np.array(out, dtype=np.uint64)


def mix(keys: U64) -> U64:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014): every bit of the input moves every bit of the output."""
    with np.errstate(over="ignore"):
        z = (keys ^ (keys >> _R1)) * _M1
        z = (z ^ (z >> _R2)) * _M2
        return z ^ (z >> _R3)


def unmix(keys: U64) -> U64:
    """The inverse of ``mix``."""
    with np.errstate(over="ignore"):
        z = keys ^ (keys >> _R3) ^ (keys >> np.uint64(62))
        z = z * _I2
        z = z ^ (z >> _R2) ^ (z >> np.uint64(54))
        z = z * _I1
        return z ^ (z >> _R1) ^ (z >> np.uint64(60))


def pair_keys(left: U64, right: U64) -> U64:
    """One key of two; the order counts."""
    with np.errstate(over="ignore"):
        return mix(mix(left + _GOLD) ^ (right * _M1 + _GOLD))


def pair_key(left: int, right: int) -> int:
    return int(pair_keys(np.array([left], np.uint64), np.array([right], np.uint64))[0])


def chain(first: int, columns: Iterable[U64], size: int) -> U64:
    """The key of ``first`` with one value of each column, for each of ``size`` rows."""
    out = np.full(size, first, dtype=np.uint64)
    for column in columns:
        out = pair_keys(out, column)
    return out
