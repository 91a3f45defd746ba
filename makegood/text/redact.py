"""Personal data replaced by tags such as [전화1], and put back: what leaves the house holds none of it.

The known names and addresses of a case first, by exact match; then what its form betrays (:mod:`makegood.text.personal`).
The tags stay with us: an answer that comes back with ``[전화1]`` in it gets the number again here, never elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from makegood.base.languages import EN, KO, ZH
from makegood.text import personal
from makegood.text.fold import Folded, normalise

#: What a tag is called in the language of the case, so that the words around it stay one language.
LABELS: Mapping[str, Mapping[str, str]] = {
    KO: {"name": "이름", "phone": "전화", "email": "이메일", "address": "주소",
         "id": "증명번호", "card": "카드", "account": "계좌", "secret": "비밀번호"},
    ZH: {"name": "姓名", "phone": "电话", "email": "邮箱", "address": "地址",
         "id": "证件", "card": "银行卡", "account": "账户", "secret": "密码"},
    EN: {"name": "NAME", "phone": "PHONE", "email": "EMAIL", "address": "ADDRESS",
         "id": "ID", "card": "CARD", "account": "ACCOUNT", "secret": "SECRET"},
}  # fmt: skip
#: Anything that looks like one of our tags, in any of the languages.
_NAMES = "|".join(label for labels in LABELS.values() for label in labels.values())
TAG = re.compile(rf"\[\s*(?:{_NAMES})\s*\d+\s*\]", re.IGNORECASE)
_SHORTEST_PHONE = 6


@dataclass(frozen=True)
class Known:
    """What is known of the people of a case. ``numbers`` are orders and parcels: no personal data, whatever they look like."""

    names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Redacted:
    """``tags`` leads from each tag in ``text`` to the words that stood there."""

    text: str
    tags: dict[str, str]


def redact(text: str, language: str, known: Known) -> Redacted:
    """``text`` without personal data; ``restore(r.text, r.tags)`` is ``text`` again, character by character."""
    (made,), tags = redact_all([text], language, known)
    return Redacted(made, tags)


def redact_all(texts: Sequence[str], language: str, known: Known) -> tuple[list[str], dict[str, str]]:
    """Several texts of one case with one set of tags: the same words get the same tag in all of them."""
    patterns = list(_known(known))
    numbers = [_exact(number) for number in known.numbers if normalise(number).text]
    said = {tag.upper() for text in texts for tag in TAG.findall(text)}
    tags: dict[tuple[str, str], str] = {}
    count: dict[str, int] = {}

    def tag(kind: str, words: str) -> str:
        while (kind, words) not in tags:
            count[kind] = count.get(kind, 0) + 1
            made = f"[{LABELS[language][kind]}{count[kind]}]"
            # A letter may hold the very characters of a tag; they must come back as themselves.
            if made.upper() not in said:
                tags[kind, words] = made
        return tags[kind, words]

    out = []
    for text in texts:
        at, pieces = 0, []
        for kind, start, end in _spans(text, patterns, numbers):
            pieces += [text[at:start], tag(kind, text[start:end])]
            at = end
        out.append("".join((*pieces, text[at:])))
    return out, {made: words for (_, words), made in tags.items()}


def restore(text: str, tags: Mapping[str, str]) -> str:
    """Put the words back; in one pass, for what comes back may itself look like a tag."""
    if not tags:
        return text
    return re.sub("|".join(map(re.escape, tags)), lambda match: tags[match.group()], text)


def _spans(
    text: str, patterns: Sequence[tuple[str, re.Pattern[str]]], numbers: Sequence[re.Pattern[str]]
) -> list[tuple[str, int, int]]:
    """(kind, start, end) in ``text``, none overlapping: pieces that touch become one, of the kind of the longest."""
    form = normalise(text)
    exempt = [m.span() for number in numbers for m in number.finditer(form.text)]
    found = [(kind, *m.span()) for kind, pattern in patterns for m in pattern.finditer(form.text)]
    found += [hit for hit in personal.hits(form) if not _is_exempt(hit, exempt)]
    spans = sorted((_original(form, hit) for hit in found), key=lambda s: (s[1], -s[2]))
    out: list[tuple[str, int, int]] = []
    longest = 0
    for kind, start, end in spans:
        if out and start < out[-1][2]:
            longer = end - start > longest
            longest = max(longest, end - start)
            out[-1] = (kind if longer else out[-1][0], out[-1][1], max(end, out[-1][2]))
        elif end > start:
            out.append((kind, start, end))
            longest = end - start
    return out


def _original(form: Folded, hit: tuple[str, int, int]) -> tuple[str, int, int]:
    return hit[0], *form.span(hit[1], hit[2])


def _is_exempt(hit: tuple[str, int, int], exempt: Sequence[tuple[int, int]]) -> bool:
    kind, start, end = hit
    return kind in personal.NUMBERS and any(first <= start and end <= last for first, last in exempt)


def _known(known: Known) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The known values as (kind, pattern over folded text), as they may be written."""
    for kind, values in (("email", known.emails), ("address", known.addresses), ("name", known.names)):
        for value in values:
            folded = normalise(value).text
            if len(folded) < 2:
                continue
            yield kind, _exact(value)
            if kind == "name":
                yield from ((kind, _exact(part)) for part in _parts(folded))
    for phone in known.phones:
        digits = re.sub(r"\D", "", normalise(phone).text)
        if len(digits) < _SHORTEST_PHONE:
            continue
        # 010-1234-5678 is +82 10 1234 5678 too: the number as the network knows it, with or without what stands before.
        core = re.sub(r"^(?:00)?(?:82|86|886|852|1(?=\d{10}$))?0?(?=\d{7})", "", digits)
        yield (
            "phone",
            re.compile(r"(?:\+?\d{1,3}[-. )(]{0,2})?0?" + r"[-. )(]{0,2}".join(core)),
        )


def _exact(value: str) -> re.Pattern[str]:
    """The value in folded text, however its blanks are written; a Latin word or a number only as a whole."""
    folded = normalise(value).text
    body = r"\s{0,3}".join(map(re.escape, folded.split()))
    before = r"(?<![a-z0-9])" if re.match(r"[a-z0-9]", folded) else ""
    after = r"(?![a-z0-9])" if re.search(r"[a-z0-9]$", folded) else ""
    return re.compile(before + body + after)


def _parts(name: str) -> Iterator[str]:
    """First and family name by themselves, the given name of a Korean or Chinese one: 김지우 is 지우 to her friends."""
    if re.fullmatch(r"[가-힣]{3,4}|[\u4e00-\u9fff]{3,4}", name):
        yield name[1:]
    elif " " in name:
        yield from (part for part in name.split() if len(part) >= (2 if part[0] > "\u3000" else 3))
