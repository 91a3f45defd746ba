"""What a machine wrote, judged before anybody sees it: its form, its language, and what it may not say in a draft.

A machine gives no promise, no remedy and no money (law of this house, whatever a letter told it to do): sentences of a
draft that do are struck out, for a person to write them in their own name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makegood.text import language as languages
from makegood.text import personal, timewords
from makegood.text.fold import Folded, normalise
from makegood.text.grammar import sentences
from makegood.text.lexicon import folded, pack
from makegood.text.matching import hits
from makegood.text.redact import TAG

LONGEST = 3_000
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL | re.IGNORECASE)
_ENDINGS = "com|net|org|info|biz|io|co|me|app|dev|site|shop|store|online|xyz|top|club|vip|link|ly|gl|kr|cn|tw|hk|jp|us|uk|de|eu|ru"
_ADDRESS = re.compile(
    rf"[a-z][a-z0-9+.\-]{{1,20}}://\S+|www\.\S+|(?<![a-z0-9@.\-])(?:[a-z0-9\-]{{1,63}}\.){{1,6}}(?:{_ENDINGS})(?![a-z0-9\-])(?:/\S*)?"
)
_TAIL = ".,;:!?)]}>'\"。，、；：！？）」』”’"
#: Kinds that a machine cannot know: in what it was given each of them is a tag.
_INVENTED = frozenset({personal.PHONE, personal.EMAIL, personal.CARD, personal.ACCOUNT, personal.ID})
_ASKED = ("refund", "reship", "deliver", "pickup", "fix")


class Unfit(Exception):
    """The answer is dropped; ``code`` says why: odd_form, empty, too_long, other_language, unknown_tag, unknown_address, invented."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Struck:
    """A draft without the sentences that a machine may not say, and how many those were."""

    text: str
    count: int


def read(content: str) -> str:
    """The words in ``{"text": …}``, which is all that was asked for; whatever else stands there is not read. Raises Unfit."""
    fenced = _FENCE.match(content)
    try:
        whole: Any = json.loads(fenced[1] if fenced else content)
    except (ValueError, RecursionError):
        raise Unfit("odd_form") from None
    text = whole.get("text") if isinstance(whole, dict) else None
    if not isinstance(text, str):
        raise Unfit("odd_form")
    return text.replace("\r\n", "\n").strip()


def check(text: str, language: str, *, given: str, tags: Mapping[str, str]) -> None:
    """Raise Unfit unless ``text`` may be shown: ``given`` is all that the machine was told, with ``tags`` for what it was not."""
    if not text:
        raise Unfit("empty")
    if len(text) > LONGEST:
        raise Unfit("too_long")
    if any(tag not in tags for tag in TAG.findall(text)):
        raise Unfit("unknown_tag")
    bare = TAG.sub(" ", text)
    if languages.detect(bare, default=language) != language:
        raise Unfit("other_language")
    said, told = normalise(bare).text, normalise(given).text
    if any(address.rstrip(_TAIL) not in told for address in _ADDRESS.findall(said)):
        raise Unfit("unknown_address")
    for found in personal.find(bare):
        if found.kind in _INVENTED and normalise(bare[found.start : found.end]).text not in told:
            raise Unfit("invented")


def strike(text: str, language: str) -> Struck:
    """``text`` without the sentences that promise, name a time or money, or grant a remedy."""
    form = folded(text)
    bad = [span for span in sentences(form.text) if _may_not(form.text[span[0] : span[1]], language)]
    # A sentence may be cut in two to hide what it is; what is found across sentences takes all of them along.
    for start, end in _found(form, language):
        bad += [s for s in sentences(form.text) if s[0] < end and s[1] > start and s not in bad]
    kept, at = [], 0
    for start, end in sorted(bad):
        first, last = form.span(start, end)
        kept.append(text[at:first])
        at = last
    whole = "".join((*kept, text[at:]))
    whole = re.sub(r"[ \t]+(?=\n|$)", "", re.sub(r"\n{3,}", "\n\n", whole)).strip()
    return Struck(whole, len(bad))


def _may_not(sentence: str, language: str) -> bool:
    return bool(_found(folded(sentence), language))


def _found(form: Folded, language: str) -> list[tuple[int, int]]:
    """Where a folded text says what a machine may not; offsets in the folded text."""
    book = pack(language)
    rules = (*book.strikes, *(rule for rule in book.rules if rule.raw.get("check") == "promise"))
    out = [hit for rule in rules for hit in hits(book, rule, form.text)]
    for start, end, kind, named in timewords.committed(book, form.text):
        if named or kind in _ASKED:
            out.append((start, end))
    out += [(start, end) for start, end, due in timewords.named(book, form.text) if due != timewords.VAGUE]
    return out
