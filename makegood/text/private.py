"""Personal data in a text that is to leave the house: addresses, telephones, cards and papers that are not the reader's own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from makegood.base.languages import CODES, EN, KO, ZH
from makegood.text import entities
from makegood.text.lexicon import folded, pack

_PLAIN = re.compile(r"[^0-9a-z@가-힣\u4e00-\u9fff]+")
#: What each pack names under [pii]; the account number only behind the name of a bank, since dates look like one.
_KINDS = ("phone", "email", "ssn", "card", "iban", "cvv", "secret", "address", "rrn", "passport", "driver", "customs",
          "resident_id", "taiwan_id", "hongkong_id", "bank_card")  # fmt: skip
#: Lines of a company, not of a person: 1588-0000, 080, 400-000-0000, 800.
_PUBLIC = re.compile(r"1[568]\d{6}|0[68]0\d{7,8}|400\d{7}|1?800\d{7}")
_LATIN = re.compile(r"[a-z]+")
_GREETING = {
    KO: re.compile(r"(?:^|\n|안녕하세요[,.! ]*|안녕하십니까[,.! ]*)\s*([가-힣]{2,4}) ?(?:고객님|님)"),
    ZH: re.compile(r"(?:^|\n)\s*(?:尊敬的|亲爱的|您好[,!]?)?\s*([\u4e00-\u9fff]{1,4}?)(?:先生|女士|小姐)"),
    EN: re.compile(
        r"(?:^|\n)\s*(?:dear|hi|hello)\s+(?:(?:mr|mrs|ms|dr)\.?\s+)?([a-z]+(?: [a-z]+)?)\s*[,!:\n]"
    ),
}
_NOBODY = {
    KO: ("소중한", "귀하신", "고객", "안녕하", "이용", "주문"),
    ZH: ("这位", "各位", "那位"),
    EN: ("customer", "sir", "madam", "there", "valued", "friend", "all", "team", "everyone", "again"),
}


def plain(value: str) -> str:
    """Letters and digits alone, small: '+82 10-1234-5678' and '821012345678' are one."""
    return _PLAIN.sub("", unicodedata.normalize("NFKC", value).lower())


class Own:
    """What a reader may be told: what belongs to them (``own``), and what they wrote themselves (``said``)."""

    def __init__(self, own: Iterable[str], said: str) -> None:
        self._own = {bare for value in own if (bare := plain(value))}
        self._ends = {digits[-8:] for value in self._own if len(digits := re.sub(r"\D", "", value)) >= 8}
        self._said = plain(said)

    def knows(self, value: str) -> bool:
        bare = plain(value)
        if not bare or bare in self._own or bare in self._said:
            return True
        # A telephone number is written with and without its country: the last eight digits tell it apart enough.
        digits = re.sub(r"\D", "", bare)
        return len(digits) >= 8 and digits[-8:] in self._ends


def of_others(text: str, own: Own, named: Sequence[entities.Entity], most: int) -> list[tuple[int, int]]:
    """Where ``text`` holds personal data of somebody else, at most ``most`` places, none inside another.

    ``named`` are the entities that the text names: a parcel's number may look like a telephone or a card.
    """
    form = folded(text)
    found: list[tuple[int, int]] = []
    for kind, pattern in _patterns():
        for match in pattern.finditer(form.text):
            start, end = form.span(*match.span())
            if any(start < b and end > a for a, b in found) or not _real(kind, match.group()):
                continue
            inside = any(start >= e.start and end <= e.end for e in named if e.kind != entities.AMOUNT)
            if (inside and kind in ("phone", "card", "bank_card")) or own.knows(text[start:end]):
                continue
            found.append((start, end))
            if len(found) == most:
                return sorted(found)
    return sorted(found)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    out = []
    for language in CODES:
        rules = pack(language).raw["pii"]
        for kind in _KINDS:
            sources = rules.get(kind, ())
            for source in (sources,) if isinstance(sources, str) else sources:
                out.append((kind, re.compile(source)))
        if "bank_account" in rules:
            banks = "|".join(map(re.escape, rules["bank"]))
            out.append(("bank_account", re.compile(rf"(?:{banks})[가-힣]*\s*{rules['bank_account']}")))
    return tuple(out)


def _real(kind: str, found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    if kind in ("card", "bank_card"):
        return luhn(digits)
    if kind == "resident_id":
        return chinese_id(found)
    return not (kind == "phone" and _PUBLIC.fullmatch(digits))


def luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    doubled = [int(d) for d in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(d * 2 - 9 * (d > 4) for d in doubled)) % 10 == 0


def chinese_id(number: str) -> bool:
    """The check character of a Chinese resident number (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(d) * pow(2, 17 - place, 11) for place, d in enumerate(number[:17]))
    return "10x98765432"[total % 11] == number[17].lower()


def other_name(text: str, language: str, name: str) -> Iterator[tuple[int, int]]:
    """Where a greeting calls the reader by another name; nothing when their name is unknown or in another script."""
    form, known = folded(text), folded(name).text
    surnames = str(pack(KO).raw["pii"]["surnames"])
    for match in _GREETING[language].finditer(form.text):
        called = match.group(1)
        if called.startswith(_NOBODY[language]) or not _same_script(called, known):
            continue
        if language == KO and called[0] not in surnames:
            continue  # 어제 주문하신 님: no name
        if not _is_name(called, known, language):
            yield form.span(*match.span(1))


def _same_script(called: str, known: str) -> bool:
    return bool(known) and bool(_LATIN.match(called)) == bool(_LATIN.match(known)) and (
        bool(_LATIN.match(called)) or ("가" <= called[0] <= "힣") == ("가" <= known[0] <= "힣")
    )  # fmt: skip


def _is_name(called: str, known: str, language: str) -> bool:
    if language == EN:
        return any(part in known.split() for part in called.split())
    bare = known.replace(" ", "")
    return called in bare or bare in called
