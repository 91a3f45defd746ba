"""Search tokens, cut in the application because PostgreSQL's own parser has no Korean or Chinese.

Runs of Hangul or Han become overlapping pairs of characters plus the last character alone, so that a word is found
inside a longer one (불량 in 불량품) and with any particle behind it (환불 in 환불을). Latin words and numbers stay whole;
``ord-123456`` is stored as ``ord123456`` and as its parts.

A token holds only ``[a-z0-9]``, Hangul and Han, so no input can break out of the literals built here.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice

from makegood.text.fold import normalise

MOST_TOKENS = 2000
# Read at most this much of a text: more cannot hold a token that is kept, and a pasted log costs nothing.
_MOST_CHARACTERS = 40_000
_MOST_QUERY_TERMS = 64
_LONGEST_WORD = (
    64  # longer "words" are pasted blobs; cut alike in texts and queries they still find each other
)
_MOST_POSITIONS = 255  # what PostgreSQL keeps of one word

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f"
_RUN = re.compile(rf"[가-힣]+|[{_HAN}]+|[a-z0-9]+(?:[-_]+[a-z0-9]+)*")
_PART = re.compile(r"[a-z0-9]+")
_CODE = re.compile(r"([a-z]{1,5})(\d{4,})")  # ord123456: people search for the digits alone
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]+")


def tokens(text: str) -> list[str]:
    """What ``text`` is found by, in its order; at most 2 000."""
    return [token for token, _ in islice(_placed(text), MOST_TOKENS)]


def vector(parts: Iterable[tuple[str, str]]) -> str:
    """A literal to be cast, ``%s::tsvector``, from pairs of (text, weight 'A' to 'D'); '' when nothing is searchable.

    Keeps the first 2 000 tokens over all parts. Raises ValueError on another weight.
    """
    places: defaultdict[str, list[str]] = defaultdict(list)
    room, shift = MOST_TOKENS, 0
    for text, weight in parts:
        if weight not in ("A", "B", "C", "D"):
            raise ValueError(f"a weight is A, B, C or D, not {weight!r}")
        last = shift
        for token, place in islice(_placed(text), room):
            room -= 1
            last = shift + place
            if len(places[token]) < _MOST_POSITIONS:
                places[token].append(f"{last}{weight}")
        shift = last + 1  # a gap, so that no phrase reaches from one part into the next
    return " ".join(f"'{token}':{','.join(at)}" for token, at in places.items())


def query(text: str) -> str:
    """A literal to be cast, ``%s::tsquery``: all words must be there; '' when nothing is searchable.

    A run of two or more CJK characters is a phrase of pairs, a single one finds every word that begins with it or
    holds it, and the last Latin word may be unfinished.
    """
    runs = _RUN.findall(_prepared(text))
    latin = [index for index, run in enumerate(runs) if run[0].isascii()]
    terms: list[str] = []
    room = _MOST_QUERY_TERMS
    for index, run in enumerate(runs):
        if room <= 0:
            break
        if run[0].isascii():
            terms.append(_word_query(run, ":*" if index == latin[-1] else ""))
            room -= 1
        elif len(run) == 1:
            terms.append(f"'{run}':*")
            room -= 1
        else:
            pairs = _pairs(run)[:room]
            terms.append(" <-> ".join(f"'{pair}'" for pair in pairs))
            room -= len(pairs)
    return " & ".join(dict.fromkeys(terms))


def _prepared(text: str) -> str:
    """Folded, without accents and without the commas inside numbers."""
    folded = _ACCENTED.sub(_plain, normalise(text[:_MOST_CHARACTERS]).text)
    return _THOUSANDS.sub("", folded)


def _plain(found: re.Match[str]) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", found.group()) if not unicodedata.combining(c))


def _placed(text: str) -> Iterator[tuple[str, int]]:
    """Tokens with their places, counted from 1; the parts of a word stand where the word stands and after."""
    place = 1
    for run in _RUN.findall(_prepared(text)):
        if not run[0].isascii():
            for token in (*_pairs(run), run[-1]):
                yield token, place
                place += 1
            continue
        whole, parts = _word(run)
        yield whole, place
        for offset, part in enumerate(parts):
            yield part, place + offset
        place += max(1, len(parts))


def _pairs(run: str) -> list[str]:
    return [run[index : index + 2] for index in range(len(run) - 1)]


def _word(run: str) -> tuple[str, list[str]]:
    """A Latin word joined to one, and its parts (none when it is plain)."""
    parts: list[str] = []
    for piece in _PART.findall(run):
        code = _CODE.fullmatch(piece)
        parts += code.groups() if code else (piece,)
    cut = [part[:_LONGEST_WORD] for part in parts]
    return "".join(_PART.findall(run))[:_LONGEST_WORD], cut if len(cut) > 1 else []


def _word_query(run: str, prefix: str) -> str:
    """Joined, or its parts side by side: ``ord-123456`` finds ORD_123456, ORD123456 and ORD 123456."""
    whole, parts = _word(run)
    if not parts:
        return f"'{whole}'{prefix}"
    shown = parts[:8]
    ending = prefix if len(shown) == len(parts) else ""
    beside = " <-> ".join(f"'{part}'" for part in shown)
    return f"('{whole}'{prefix} | {beside}{ending})"
