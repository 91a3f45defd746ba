"""What nobody may read by the way: card numbers and the codes beside them, resident numbers, passports, bank accounts.

Pure. Found by form and by what stands before it, and masked sign by sign, so that places in the text stay what they were.
Measured (docs/mechanisms/security.md): Luhn alone takes every tenth order number, so a run of digits without gaps needs an
issuer's prefix too, and no word before it that says what else it is; a Korean resident number of after October 2020 need not
satisfy its check digit, so date and century decide, and the digit is only one more reason; the Chinese one must satisfy it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

from makegood.base import clock
from makegood.base.languages import KO, ZH
from makegood.text import personal
from makegood.text.fold import normalise, simplify
from makegood.text.lexicon import pack

CARD, CODE, RESIDENT, PASSPORT, ACCOUNT = "card", "code", "resident", "passport", "account"
KINDS = (CARD, CODE, RESIDENT, PASSPORT, ACCOUNT)
BULLET = "•"
#: The last digits of a card stay: they are on every receipt, and people speak of 'the one that ends in 1111'.
_LEFT = 4
#: So far before a number stands the word that says what it is.
_BEFORE = 16
_GAP = r"[ .-]"
_FREE = r"(?<![0-9a-z])(?<![a-z0-9]-)"
_GROUPED = re.compile(
    rf"{_FREE}(?:\d{{4}}({_GAP})\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{3}})?|3[47]\d{{2}}({_GAP})\d{{6}}\2\d{{5}}"
    rf"|3[0689]\d{{2}}({_GAP})\d{{6}}\3\d{{4}})(?![0-9])(?!-\d)"
)
_RUN = re.compile(rf"{_FREE}\d{{13,19}}(?![0-9a-z])(?!-\d)")
_CARD_WORD = r"card|카드|卡|visa|master|amex|银联|pan\b"
_OTHER_WORD = (
    r"order|주문|订单|訂單|track|운송장|송장|등기|택배|运单|快递|物流|单号|parcel|waybill|shipment|invoice|계산서|발행|发票|税号"
    r"|예약|booking|ref|접수|거래|승인|交易|流水|transaction|imei|serial|시리얼|일련|序列|바코드|条码|barcode|isbn|ean|sku|품번|모델|型号|번호판|id\b|no\.?\b"
)
_WORDS = re.compile(rf"(?P<card>{_CARD_WORD})|(?P<other>{_OTHER_WORD})")
_CODE_NAMED = re.compile(
    r"(?:cvv2?|cvc2?|cid|security code|보안 ?코드|카드 ?뒷면(?: ?(?:3자리|세 ?자리|숫자))?|안전 ?코드|安全码|校验码|验证码后三位)"
    r"[\s:=#는은가이是为]{0,4}(?:is )?(\d{3,4})(?!\d)"
)
_UNTIL = r"(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?\d{2}"
_CODE_BESIDE = re.compile(
    rf"[\s,;/|]{{0,3}}(?:(?:exp[a-z.]*|유효 ?기간|有效期)?[\s:]{{0,3}}{_UNTIL}[\s,;/|]{{1,4}}(\d{{3,4}})|[\s,;/|]{{1,3}}(\d{{3}}))"
    r"(?![\d.,])(?! ?(?:원|元|won|krw|usd|cny|개|件|번|호|일|day|month))"
)
_RRN = re.compile(
    rf"{_FREE}(\d{{2}})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])( ?- ?|)([1-8])(\d{{6}})(?![0-9a-z])(?!-\d)"
)
_RRN_WORD = re.compile(r"주민|외국인 ?등록|등록 ?번호|resident|rrn|身份|外国人登录")
_ID_WORD = re.compile(r"身份证|身分证|证件号|居民证|신분증|id card|chinese id")
_PASSPORT = re.compile(
    r"(?:여권|护照|passport)[\s\w:：.#]{0,14}?(?<![a-z0-9])([a-z]{1,2}\d{7,8}|[mspgd]\d{3}[a-z]\d{4}|\d{9})(?![a-z0-9])"
)
_ACCOUNT_WORD = (
    r"계좌(?: ?번호)?|예금주|开户行|银行(?:卡)?账[号户]|收款账[号户]|account (?:no\.?|number)|bank account"
)
_NUMBER = r"\d(?:[ -]?\d){8,18}"
#: Names of banks that are everyday words too (우리 'we', 하나 'one'): alone they say nothing.
_EVERYDAY = frozenset({"우리", "하나", "기업", "국민", "微信", "支付宝", "平安", "우체국"})
#: Weights of the check digit of a Korean resident number.
_RRN_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


@dataclass(frozen=True)
class Secret:
    """One value that is masked: what stood there, and what stands there now (as long as it was)."""

    kind: str
    value: str
    shown: str


@dataclass(frozen=True)
class Masked:
    """``text`` is as long as what it was made of."""

    text: str
    secrets: tuple[Secret, ...] = ()


def nothing_known(_digits: str) -> bool:
    return False


def mask(text: str, known: Callable[[str], bool] = nothing_known) -> Masked:
    """``text`` with what is secret masked; ``known`` says of a run of digits that it is an order's or a parcel's number.

    What was masked once is not found again: mask(mask(x)) changes nothing.
    """
    spans = find(text, known)
    if not spans:
        return Masked(text)
    pieces, secrets, at = [], [], 0
    for kind, start, end in spans:
        value = text[start:end]
        shown = covered(kind, value)
        pieces += [text[at:start], shown]
        secrets.append(Secret(kind, value, shown))
        at = end
    return Masked("".join((*pieces, text[at:])), tuple(secrets))


def covered(kind: str, value: str) -> str:
    """``value`` with bullets for its letters and digits; of a card the last four digits stay."""
    count = sum(c.isalnum() for c in value)
    left = _LEFT if kind == CARD and count > 2 * _LEFT else 0
    out, seen = [], 0
    for c in value:
        seen += c.isalnum()
        out.append(BULLET if c.isalnum() and seen <= count - left else c)
    return "".join(out)


def mask_markup(html: str, secrets: tuple[Secret, ...], known: Callable[[str], bool] = nothing_known) -> str:
    """The html of a letter: what its text masked is masked there too, also where tags or blanks of html stand between."""
    for secret in secrets:
        signs = [re.escape(c) for c in secret.value if c.isalnum()]
        pattern = r"(?:[\s.\-]|&nbsp;|&#160;|<[^<>]{0,300}>){0,4}".join(signs)
        if len(signs) > 4:  # three digits by themselves are anywhere
            html = re.sub(pattern, lambda m: _covered_markup(m.group()), html)
    return mask(html, known).text


def _covered_markup(found: str) -> str:
    parts = re.split(r"(<[^<>]*>|&nbsp;|&#160;)", found)
    return "".join(p if n % 2 else re.sub(r"[^\W_]", BULLET, p) for n, p in enumerate(parts))


def find(text: str, known: Callable[[str], bool] = nothing_known) -> list[tuple[str, int, int]]:
    """(kind, start, end) of every value, in order, none overlapping; offsets are those of ``text``."""
    if sum(c.isdigit() for c in text) < 3:
        return []
    form = normalise(text)
    taken: list[tuple[int, int, str]] = []
    for kind, start, end in _hits(form.text, known):
        if all(end <= a or start >= b for a, b, _ in taken):
            taken.append((start, end, kind))
    return [(kind, *form.span(start, end)) for start, end, kind in sorted(taken)]


def _hits(text: str, known: Callable[[str], bool]) -> Iterator[tuple[str, int, int]]:
    cards = list(_cards(text, known))
    yield from ((CARD, start, end) for start, end in cards)
    for _start, end in cards:
        if beside := _CODE_BESIDE.match(text, end):
            yield CODE, *beside.span(1 if beside[1] else 2)
    for match in _CODE_NAMED.finditer(text):
        yield CODE, *match.span(1)
    yield from ((RESIDENT, start, end) for start, end in _residents(text, known))
    for match in _PASSPORT.finditer(text):
        yield PASSPORT, *match.span(1)
    yield from ((ACCOUNT, start, end) for start, end in _accounts(text, known))


def _cards(text: str, known: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    for match in _GROUPED.finditer(text):
        start, end = match.span()
        digits = _digits(match.group())
        if len(digits) == 19 and not (digits.startswith("62") and personal.luhn(digits)):
            digits, end = digits[:16], end - 4  # the last three are the code beside it
        if personal.luhn(digits) and issued(digits, sure=True) and not known(digits):
            yield start, end
    for match in _RUN.finditer(text):
        digits, word = match.group(), said_before(text, match.start())
        if word == "other" or not personal.luhn(digits):
            continue
        if (issued(digits, sure=True) if word == "card" else _likely(digits)) and not known(digits):
            yield match.span()


def said_before(text: str, at: int) -> str:
    """'card', 'other' or '': what the nearest word before a number says that it is."""
    line = text[max(0, at - _BEFORE) : at].rpartition("\n")[2]
    last = None
    for match in _WORDS.finditer(line):
        last = match
    return last.lastgroup or "" if last else ""


def issued(digits: str, *, sure: bool) -> bool:
    """Whether a network issues cards with this beginning and length (ISO/IEC 7812); ``sure``: something else says card too."""
    size, two, three, four = len(digits), int(digits[:2]), int(digits[:3]), int(digits[:4])
    if digits[0] == "4":
        return size == 16 or (sure and size in (13, 19))
    if size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720 or 2200 <= four <= 2204):
        return True
    if size == 15:
        return two in (34, 37)
    if size == 14:
        return sure and (300 <= three <= 305 or two in (36, 38, 39))
    if 16 <= size <= 19 and (two == 62 or 3528 <= four <= 3589):
        return True
    if 16 <= size <= 19 and (four == 6011 or 644 <= three <= 649 or two in (65, 81)):
        return sure or size == 16
    # Cards that Korean issuers give out for use at home.
    return sure and size == 16 and digits[0] == "9"


def _likely(digits: str) -> bool:
    """A run that no word explains: an issuer's beginning, and none of the dates that order numbers begin with."""
    return issued(digits, sure=False) and not _dated(digits)


def _dated(digits: str) -> bool:
    return bool(re.match(r"(?:20)?[12]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", digits))


def _residents(text: str, known: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    for match in _RRN.finditer(text):
        digits = _digits(match.group())
        named = _RRN_WORD.search(text, max(0, match.start() - _BEFORE), match.start()) is not None
        if not born(digits) or known(digits):
            continue
        checked = rrn_checks(digits)
        other = said_before(text, match.start()) == "other"
        # With its hyphen the form is enough. Thirteen digits in a row are an order number as often as not.
        if named or (match[4] and not other) or (not match[4] and checked and not other):
            yield match.span()
    for match in _chinese().finditer(text):
        named = _ID_WORD.search(text, max(0, match.start() - _BEFORE), match.start()) is not None
        if named or (personal.resident_id(match.group()) and not known(match.group())):
            yield match.span()


def born(digits: str) -> bool:
    """Whether a Korean number names a day on which somebody alive now may have been born (its seventh digit says the century)."""
    century = 1900 if digits[6] in "1256" else 2000
    try:
        day = date(century + int(digits[:2]), int(digits[2:4]), int(digits[4:6]))
    except ValueError:
        return False
    today = clock.now().date()
    return day <= today and today.year - day.year <= 110


def rrn_checks(digits: str) -> bool:
    """The check digit of numbers given before October 2020; a later number satisfies it by chance only."""
    total = sum(w * int(d) for w, d in zip(_RRN_WEIGHTS, digits[:12], strict=True))
    return (11 - total % 11) % 10 == int(digits[12])


def _accounts(text: str, known: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    for match in _account_pattern().finditer(text):
        digits, start, end = _digits(match["n"]), *match.span("n")
        telephone = re.match(r"01[016789]\d{7,8}$|1[3-9]\d{9}$", digits)
        dated = _dated(digits) and "-" not in match["n"]
        everyday = simplify(match["bank"] or "") in _EVERYDAY and not match["says"]
        if (
            10 <= len(digits) <= 19
            and not (telephone or dated or known(digits))
            and not (everyday and "-" not in match["n"])
        ):
            yield start, end
    yield from ((start, end) for _kind, start, end in personal.ibans(text))


@cache
def _account_pattern() -> re.Pattern[str]:
    banks = sorted({simplify(b) for language in (KO, ZH) for b in pack(language).raw["pii"]["bank"]}, key=len)
    names = "|".join(map(re.escape, reversed(banks)))
    words = simplify(_ACCOUNT_WORD)
    return re.compile(
        rf"(?:(?P<bank>{names})(?P<says>은행|银行|뱅크| ?bank)?|(?P<word>{words}))"
        rf"[\s:：#()은는이가,]{{0,4}}(?:(?:{words}|{names})(?:은행|银行)?[\s:：#()은는이가,]{{0,4}})?"
        rf"(?<![0-9-])(?P<n>{_NUMBER})(?![0-9-])"
    )


@cache
def _chinese() -> re.Pattern[str]:
    return re.compile(pack(ZH).raw["pii"]["resident_id"])


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
