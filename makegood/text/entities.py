"""Order numbers, amounts, tracking numbers and dates that a message names, each in one written form."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from makegood.base.languages import EN, KO, ZH
from makegood.text.lexicon import folded, pack

ORDER, AMOUNT, TRACKING, DATE = "order_no", "amount", "tracking", "date"


@dataclass(frozen=True)
class Entity:
    """Something named in a message; offsets and quote are those of the original.

    ``value`` by kind: ``order_no`` and ``tracking`` in capitals without blanks; ``amount`` a decimal number and, when
    it is certain, an ISO 4217 code ("35000 KRW", "128.5 CNY", "20"); ``date`` as "2026-03-21", "--03-21" without a year
    (ISO 8601), or as it is said ("지난주 금요일", "yesterday"), to be read against the day of the message.
    """

    kind: str
    value: str
    start: int
    end: int
    quote: str


def find(text: str, language: str) -> list[Entity]:
    """Every entity in ``text``, in its order, none inside another: the longer one wins, then the parcel's number."""
    book, form = pack(language), folded(text)
    found: list[tuple[int, int, str, str]] = []
    for rule in book.entities:
        for match in rule.found.finditer(form.text) if rule.found else ():
            inner = next((group for group in match.groups() if group), match.group())
            found.append((*match.span(), rule.id, inner))
    # 快递单号 also ends in 单号, and a bare 单号 means the parcel to most customers: hence the order of a draw.
    rank = (TRACKING, ORDER, AMOUNT, DATE)
    found.sort(key=lambda hit: (hit[0] - hit[1], rank.index(hit[2]) if hit[2] in rank else len(rank)))
    kept: list[tuple[int, int, str, str]] = []
    for hit in found:
        if all(hit[1] <= start or hit[0] >= end for start, end, _, _ in kept):
            kept.append(hit)
    out = []
    for start, end, kind, inner in sorted(kept):
        first, last = form.span(start, end)
        out.append(Entity(kind, value(kind, inner, language), first, last, text[first:last]))
    return out


def value(kind: str, words: str, language: str) -> str:
    """The one written form of folded ``words``; the words themselves where there is none."""
    normal: Callable[[str, str], str] | None = {
        ORDER: _number,
        TRACKING: _parcel,
        AMOUNT: _amount,
        DATE: _date,
    }.get(kind)
    return normal(words, language) if normal else words


def _number(words: str, language: str) -> str:
    return re.sub(r"\s+", "", words).strip("#:-").upper()


def _parcel(words: str, language: str) -> str:
    return re.sub(r"[\s-]+", "", words).upper()


_SIGNS = {
    "₩": "KRW", "krw": "KRW", "원": "KRW", "¥": "", "元": "", "块": "", "圆": "", "人民币": "CNY", "rmb": "CNY", "cny": "CNY",
    "nt$": "TWD", "twd": "TWD", "台币": "TWD", "hk$": "HKD", "hkd": "HKD", "港币": "HKD", "us$": "USD", "usd": "USD",
    "dollar": "", "bucks": "USD", "ca$": "CAD", "cad": "CAD", "au$": "AUD", "aud": "AUD", "nz$": "NZD", "sg$": "SGD",
    "€": "EUR", "eur": "EUR", "£": "GBP", "gbp": "GBP", "pound": "GBP", "$": "",
}  # fmt: skip
# 元 and ¥ are Chinese money in a Chinese message (yen elsewhere), while a bare $ is left open in every language.
_AT_HOME = {ZH: {"¥": "CNY", "元": "CNY", "块": "CNY", "圆": "CNY"}, EN: {}, KO: {}}
_TIMES = {"만": 10_000, "천": 1_000, "백": 100, "万": 10_000, "千": 1_000, "百": 100}
_KOREAN_TENS = {word: number for number, word in enumerate("일이삼사오육칠팔구십", start=1)}


def _amount(words: str, language: str) -> str:
    signs = {**_SIGNS, **_AT_HOME.get(language, {})}
    code = next((signs[sign] for sign in sorted(signs, key=len, reverse=True) if sign in words), "")
    total = Decimal(0)
    parts = re.findall(r"(\d[\d,]*(?:\.\d+)?)\s*([만천백万千百]*)", words)
    if not parts and words[:1] in _KOREAN_TENS:
        parts = [(str(_KOREAN_TENS[words[0]]), "만")]
    for digits, scale in parts:
        try:
            part = Decimal(digits.replace(",", ""))
        except InvalidOperation:
            return words
        for letter in scale:
            part *= _TIMES[letter]
        total += part
    number = f"{total:f}"
    number = number.rstrip("0").rstrip(".") if "." in number else number
    return f"{number} {code}".strip()


_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
)}  # fmt: skip


def _date(words: str, language: str) -> str:
    if full := re.fullmatch(r"(20\d{2})[-./](\d{1,2})[-./](\d{1,2})", words):
        return _iso(full[1], int(full[2]), int(full[3])) or words
    if asian := re.fullmatch(r"(?:(20\d{2})\s*[년年]\s*)?(\d{1,2})\s*[월月]\s*(\d{1,2})\s*[일日号]", words):
        return _iso(asian[1], int(asian[2]), int(asian[3])) or words
    month = next((number for name, number in _MONTHS.items() if re.search(rf"\b{name}", words)), 0)
    day = re.search(r"(?<!\d)\d{1,2}(?!\d)", words)
    year = re.search(r"20\d{2}", words)
    if month and day and "ago" not in words:
        return _iso(year[0] if year else None, month, int(day[0])) or words
    return words


def _iso(year: str | None, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{year or '-'}-{month:02d}-{day:02d}"
