"""Personal data in a text, by the [pii] entries of all three packs and the check digits that those numbers carry.

Every pack is asked whatever the language: a Korean letter may hold a Chinese telephone number. Finding too much costs
a tag that is taken back afterwards; finding too little costs a person's data. Public numbers of firms stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from makegood.base.languages import CODES, EN, KO, ZH
from makegood.text.fold import Folded, normalise, simplify
from makegood.text.lexicon import pack

NAME, PHONE, EMAIL, ADDRESS = "name", "phone", "email", "address"
ID, CARD, ACCOUNT, SECRET = "id", "card", "account", "secret"
#: Kinds that are numbers: a known order or tracking number that looks like one of them is none.
NUMBERS = frozenset({PHONE, ID, CARD, ACCOUNT})

#: A bank's name stands at most so many characters away from the account.
NEAR = 12
_ENTRIES = {
    "phone": PHONE,
    "email": EMAIL,
    "address": ADDRESS,
    "rrn": ID,
    "passport": ID,
    "driver": ID,
    "customs": ID,
    "taiwan_id": ID,
    "hongkong_id": ID,
    "ssn": ID,
    "cvv": CARD,
    "secret": SECRET,
}
_AFTER_A_NAME = frozenset({"님", "씨", "고객님", "先生", "女士", "小姐"})
_CALLED = frozenset({"mr", "mrs", "ms", "dr", "my name is", "name:"})
_ACCOUNT = re.compile(r"(?<!\d)\d(?:[ -]?\d){7,19}(?!\d)")
_ID_WORD = re.compile(r"身份证|身分证|居民证|id card")
_IBAN = re.compile(r"(?<![a-z0-9])[a-z]{2}\d{2}(?: ?[a-z0-9]){11,30}")
#: How long an IBAN is, by country (SWIFT's registry); letters and digits of another length are none.
_IBAN_LENGTH = {
    "ad": 24, "ae": 23, "at": 20, "be": 16, "bg": 22, "ch": 21, "cy": 28, "cz": 24, "de": 22, "dk": 18, "ee": 20,
    "es": 24, "fi": 18, "fr": 27, "gb": 22, "gr": 27, "hr": 21, "hu": 28, "ie": 22, "il": 23, "is": 26, "it": 27,
    "lt": 20, "lu": 20, "lv": 21, "mt": 31, "nl": 18, "no": 15, "pl": 28, "pt": 25, "qa": 29, "ro": 24, "sa": 24,
    "se": 24, "si": 19, "sk": 24, "tr": 26, "ua": 29,
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One piece of personal data; offsets are those of the original."""

    kind: str
    start: int
    end: int


def find(text: str) -> list[Found]:
    """All personal data that its form betrays, in its order; pieces may overlap."""
    form = normalise(text)
    spans = [(kind, *form.span(start, end)) for kind, start, end in hits(form)]
    return [Found(*span) for span in sorted(set(spans), key=lambda s: (s[1], s[2]))]


def hits(form: Folded) -> Iterator[tuple[str, int, int]]:
    """The same as (kind, start, end) with offsets in the folded text."""
    for kind, pattern in _patterns():
        for match in pattern.finditer(form.text):
            yield kind, match.start(), match.end()
    yield from _residents(form.text)
    yield from _cards(form.text)
    yield from ibans(form.text)
    yield from _accounts(form.text)
    yield from _names(form)


def luhn(digits: str) -> bool:
    """Whether the last digit is right (ISO/IEC 7812-1, annex B). One random run of digits in ten is."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def resident_id(number: str) -> bool:
    """Whether the check character of a Chinese resident number is right (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum((2 ** (17 - i) % 11) * int(digit) for i, digit in enumerate(number[:17]))
    return "10x98765432"[total % 11] == number[17].lower()


def iban(written: str) -> bool:
    """Whether letters and digits without blanks are an IBAN (ISO 13616, MOD 97-10)."""
    written = written.lower()
    if len(written) != _IBAN_LENGTH.get(written[:2]):
        return False
    return int("".join(str(int(c, 36)) for c in written[4:] + written[:4])) % 97 == 1


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    out = []
    for language in CODES:
        entries = pack(language).raw["pii"]
        for key, kind in _ENTRIES.items():
            found = entries.get(key, [])
            out += [(kind, _compiled(source)) for source in ([found] if isinstance(found, str) else found)]
    return tuple(out)


def _compiled(source: str) -> re.Pattern[str]:
    # Two open runs of blanks side by side take quadratic time over a page of empty lines; nobody writes more than four.
    return re.compile(simplify(source).replace(r"\s*", r"\s{0,4}").replace(r"\s+", r"\s{1,4}"))


@cache
def _numbers() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Resident number, card, and the name of a bank."""
    zh, en, ko = (pack(language).raw["pii"] for language in (ZH, EN, KO))
    banks = sorted({simplify(bank) for book in (zh, ko) for bank in book["bank"]}, key=len, reverse=True)
    words = "|".join(
        (*map(re.escape, banks), r"account (?:no|number)", "iban", "계좌", "账号", "帐号", "卡号")
    )
    cards = f"(?:{en['card']})|(?:{zh['bank_card']})"
    return _compiled(zh["resident_id"]), _compiled(cards), re.compile(words)


def _residents(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _numbers()[0].finditer(text):
        # Mistyped by its owner it fails the check, and is personal all the same where it is called by its name.
        if resident_id(match.group()) or _ID_WORD.search(text[max(0, match.start() - NEAR) : match.start()]):
            yield ID, match.start(), match.end()


def _cards(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _numbers()[1].finditer(text):
        if luhn(re.sub(r"\D", "", match.group())):
            yield CARD, match.start(), match.end()


def ibans(text: str) -> Iterator[tuple[str, int, int]]:
    """International account numbers in folded text, as (ACCOUNT, start, end)."""
    for match in _IBAN.finditer(text):
        length, taken = _IBAN_LENGTH.get(match.group()[:2], 0), 0
        for end in range(match.start(), match.end()):
            taken += text[end] != " "
            if taken == length and iban(text[match.start() : end + 1].replace(" ", "")):
                yield ACCOUNT, match.start(), end + 1
                break


def _accounts(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _ACCOUNT.finditer(text):
        around = (
            text[max(0, match.start() - NEAR) : match.start()] + "\n" + text[match.end() : match.end() + NEAR]
        )
        if _numbers()[2].search(around):
            yield ACCOUNT, match.start(), match.end()


@cache
def _name_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """(how a hit is read, pattern with the name in its first group)."""
    ko, zh, en = (pack(language).raw["pii"] for language in (KO, ZH, EN))
    hangul = rf"[{ko['surnames']}][가-힣]{{1,2}}"
    doubles = "|".join(map(simplify, zh["surnames_double"]))
    han = rf"(?:{doubles}|[{simplify(zh['surnames'])}])"

    def words(book: dict[str, list[str]], after: bool) -> str:
        chosen = [simplify(t) for t in book["name_titles"] if (t in _AFTER_A_NAME) == after]
        return "|".join(re.escape(t) for t in sorted(chosen, key=len, reverse=True))

    ends = r"(?=[^가-힣]|[은는이가을를로의]|입니다|$)"
    called = "|".join(re.escape(t) for t in en["name_titles"] if t in _CALLED)
    labelled = "|".join(re.escape(t) for t in en["name_titles"] if t not in _CALLED)
    latin = r"([a-z][a-z'\-]{0,24}(?: [a-z][a-z'\-]{0,24}){0,2})"
    return tuple(
        (way, re.compile(source))
        for way, source in (
            ("ko", rf"(?<![가-힣])({hangul})\s?(?:{words(ko, True)})"),
            ("ko", rf"(?:{words(ko, False)})[\s:은는이가]{{0,3}}?({hangul}){ends}"),
            ("zh", rf"({han}[\u4e00-\u9fff]{{0,2}}?)(?:{words(zh, True)})"),
            ("zh", rf"(?:{words(zh, False)})[\s:是为]{{0,3}}({han}[\u4e00-\u9fff]{{1,2}})"),
            ("called", rf"(?<![a-z])(?:{called})[.:\s]{{1,3}}{latin}"),
            ("labelled", rf"(?<![a-z])(?:{labelled})[.:\s]{{1,3}}{latin}"),
        )
    )


def _names(form: Folded) -> Iterator[tuple[str, int, int]]:
    titles = frozenset(pack(KO).raw["pii"].get("not_names", ()))
    for way, pattern in _name_patterns():
        for match in pattern.finditer(form.text):
            start, end = match.span(1)
            if way in ("called", "labelled"):
                end = _capitals(form, start, end, needed=way == "labelled")
            elif way == "ko" and match.group(1) in titles:
                continue
            if end > start:
                yield NAME, start, end


def _capitals(form: Folded, start: int, end: int, *, needed: bool) -> int:
    """Where the name ends: a name in Latin letters goes on while its words begin with a capital."""
    last = start
    for word in re.finditer(r"[^ ]+", form.text[start:end]):
        first = form.quote(start + word.start(), start + word.start() + 1)
        if first[:1].isupper() or (last == start and not needed):
            last = start + word.end()
        else:
            break
    return last
