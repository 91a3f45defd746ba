"""What a message is made of, for the learned model: hashed pieces of its folded text with their places.

Hangul and Han give runs of one to three characters; Latin words give themselves, pairs of neighbours, and pieces of
four characters. Hashing is arithmetic over the code points, so that it is the same on every machine and every run.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 16
SEEN_BITS = 1 << 20
"""Whether a piece was seen in training is kept in a finer table than its weight: 2^16 would call too much known."""

_MOST_CHARACTERS = 4_000
_HAS_CJK = re.compile("[가-힣\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"[a-zà-ɏ]+(?:'[a-z]+)?|\d+")
_MULTIPLY = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Pieces:
    """One row a piece in its place: its hash, and where it begins and ends in the folded text."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def pieces(text: str) -> Pieces:
    """The pieces of a folded text (of its first 4 000 characters)."""
    text = text[:_MOST_CHARACTERS]
    rows = [*(_characters(text) if _HAS_CJK.search(text) else ()), *_words(text)]
    if not rows:
        nothing = np.zeros(0, np.int64)
        return Pieces(np.zeros(0, np.uint64), nothing, nothing)
    return Pieces(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def weigh(hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Distinct buckets and their weights: 1 + log(times), the whole of length one."""
    buckets, times = np.unique((hashes & np.uint64(BUCKETS - 1)).astype(np.int64), return_counts=True)
    values = 1.0 + np.log(times)
    return buckets, (values / np.sqrt((values * values).sum() or 1.0)).astype(np.float32)


_Row = tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(31))) * _MULTIPLY
    return values ^ (values >> np.uint64(29))


def _characters(text: str) -> list[_Row]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    inside = ((codes >= 0xAC00) & (codes <= 0xD7A3)) | ((codes >= 0x3400) & (codes <= 0x9FFF))
    hashed = codes.astype(np.uint64)
    out: list[_Row] = []
    state, alive = np.zeros(len(codes), np.uint64), np.ones(len(codes), bool)
    for size in (1, 2, 3):
        if len(codes) < size:
            break
        count = len(codes) - size + 1
        alive = alive[:count] & inside[size - 1 :]
        state = _mixed(state[:count] + hashed[size - 1 :] + np.uint64(size))
        starts = np.flatnonzero(alive)
        out.append((state[starts], starts, starts + size))
    return out


def _words(text: str) -> list[_Row]:
    hashes: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    before: tuple[int, int] | None = None

    def add(piece: str, start: int, end: int) -> None:
        # crc32 keeps too little apart in its low bits for neighbours such as "item1" and "item2"; _mixed spreads it.
        hashes.append(zlib.crc32(piece.encode("utf-8")))
        starts.append(start)
        ends.append(end)

    for match in _WORD.finditer(text):
        word, (start, end) = match.group(), match.span()
        if word[0].isdigit():
            word = "0" * min(
                len(word), 6
            )  # which number it is says nothing about the type; that there is one does
        add(word, start, end)
        if before is not None:
            add(text[before[0] : before[1]] + " " + word, before[0], end)
        before = (start, end) if not word[0].isdigit() else None
        if len(word) > 4 and not word[0].isdigit():
            for index in range(-1, len(word) - 2):
                piece = f" {word} "[index + 1 : index + 5]
                add("~" + piece, start + max(0, index), min(end, start + index + 4))
    if not hashes:
        return []
    return [
        (_mixed(np.array(hashes, np.uint64)), np.array(starts, np.int64), np.array(ends, np.int64)),
    ]
