"""One written form for texts that mean the same: width, case, quotes, traditional characters, blanks.

Every matcher works on the folded text; :meth:`Folded.span` leads back, so that a quotation is always the
customer's own characters at their own place.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate

_QUOTES = {"’": "'", "‘": "'", "“": '"', "”": '"'}
_BLANKS = " \t\u00a0\u3000\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
# Invisible: they would stand between two characters of a word and hide it from every rule.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
# Characters that fold to exactly one character, whatever stands beside them: the usual message is nothing else.
# The letters of ㅋㅋ and ㅠㅠ stay as they are typed; NFKC would make conjoining letters of them, which no rule spells.
_SINGLE = "\n\r!-~가-힣\u4e00-\u9fff\u3400-\u4dbf、。〈-】！-～ㄱ-ㅎㅏ-ㅣ‘’“”–—₩€·\U0001f300-\U0001faff\u2600-\u27bf"
_PIECE = re.compile(
    rf"(?P<single>(?:[{_SINGLE}]|[{_BLANKS}](?![{_BLANKS}]))+)|(?P<blank>[{_BLANKS}]{{2,}})|(?P<odd>[^{_SINGLE}{_BLANKS}])"
)
# Characters of combining class 0 that NFKC may still join to the one before them (NFKC_Quick_Check=Maybe).
_JOINS = re.compile(
    "[\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e\u1161-\u1175\u11a8-\u11c2"
    "\u1b35\uff9e\uff9f\uffa0-\uffdc\U00011127\U000114b0\U000114ba\U000114bd\U000115af\U00011930\U0001133e\U00011357]"
)
# Python sorts combining marks in quadratic time: 200 000 of them on one letter would hold a worker for minutes.
_LONGEST_CLUSTER = 64


@dataclass(frozen=True, slots=True)
class Folded:
    """``text`` folded, and the way back to ``original``.

    Three parallel rows, one entry a piece: where the piece begins in ``text``, where it begins and ends in
    ``original``. A piece as long as its original maps character by character, any other one only as a whole.
    """

    text: str
    original: str
    at: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in ``original`` of ``text[start:end]``; an empty span stays empty."""
        if start >= end or not self.at:
            place = self._place(start, False) if self.at and start < len(self.text) else len(self.original)
            return place, place
        return self._place(start, False), self._place(end - 1, True)

    def quote(self, start: int, end: int) -> str:
        """The original characters behind ``text[start:end]``."""
        first, last = self.span(start, end)
        return self.original[first:last]

    def _place(self, index: int, after: bool) -> int:
        piece = bisect_right(self.at, index) - 1
        following = self.at[piece + 1] if piece + 1 < len(self.at) else len(self.text)
        if following - self.at[piece] == self.ends[piece] - self.starts[piece]:
            return self.starts[piece] + index - self.at[piece] + after
        return self.ends[piece] if after else self.starts[piece]


@cache
def table() -> dict[int, str]:
    """Traditional to simplified, one character to one (``packs/text/fold.txt``), as ``str.translate`` takes it."""
    lines = files("makegood.packs").joinpath("text/fold.txt").read_text("utf-8").splitlines()
    pairs = (pair for line in lines if not line.startswith("#") for pair in line.split())
    return {ord(pair[0]): pair[1] for pair in pairs}


@cache
def _single() -> dict[int, str]:
    mapped = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    mapped.update(dict.fromkeys(map(ord, _BLANKS), " "))
    mapped.update({ord(a): b for a, b in _QUOTES.items()})
    for code in range(ord("A"), ord("Z") + 1):
        mapped[code] = mapped[code + 0xFEE0] = chr(code + 32)
    return {**mapped, **table()}


def simplify(text: str) -> str:
    """Only the traditional characters folded; everything else as it is (for regular expressions)."""
    return text.translate(table())


def normalise(text: str) -> Folded:
    """``text`` in NFKC, lower case, straight quotes, simplified characters, single blanks, stripped.

    Time grows linearly with the length, whatever the characters are.
    """
    position, stop = len(text) - len(text.lstrip()), len(text.rstrip())
    single = _single()
    pieces: list[tuple[str, int, int]] = []
    while position < stop:
        found = _PIECE.match(text, position, stop)
        end = found.end() if found else position
        if end < stop and _joins(text, end):
            end -= 1  # the last character belongs to the mark that follows
        if found is None or found.lastgroup == "odd" or end <= position:
            end = _cluster_end(text, position, stop)
            folded = _fold_odd(text[position:end])
        else:
            folded = " " if found.lastgroup == "blank" else text[position:end].translate(single)
        if folded:
            pieces.append((folded, position, end))
        position = end
    at = tuple(accumulate((len(folded) for folded, _, _ in pieces), initial=0))[:-1]
    return Folded(
        "".join(folded for folded, _, _ in pieces),
        text,
        at,
        tuple(start for _, start, _ in pieces),
        tuple(end for _, _, end in pieces),
    )


def _joins(text: str, index: int) -> bool:
    return unicodedata.combining(text[index]) != 0 or _JOINS.match(text, index) is not None


def _cluster_end(text: str, position: int, stop: int) -> int:
    """Where the character at ``position`` ends together with the marks that join it."""
    end = position + 1
    limit = min(stop, position + _LONGEST_CLUSTER)
    while end < limit and _joins(text, end):
        end += 1
    return end


def _fold_odd(cluster: str) -> str:
    """Lower case may leave what NFKC would join again (İ), hence the form is taken before and the rest after."""
    return unicodedata.normalize("NFKC", cluster).lower().translate(_INVISIBLE).translate(_single())
