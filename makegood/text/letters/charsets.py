"""Bytes to text, whatever their label says: wrong names, lying labels, none at all, cut characters.

Mailers of Korea, China and Japan name a small old set and use its big successor (GB2312 for GBK, KS C 5601 for CP949),
name Latin-1 or ASCII and send something else, or name nothing. The label is believed as long as the bytes agree.
"""

from __future__ import annotations

import codecs
import re
from functools import cache

_SUCCESSORS = {
    "cp949": "ks_c_5601-1987 ks_c_5601-1989 ks_c_5601_1987 ks_c_5601 ksc_5601 ksc5601 ks_c-5601-1987 euc-kr euckr euc_kr korean "
    "windows-949 ms949 ms-949 uhc x-windows-949 iso-ir-149 cseuckr cp949",
    "gb18030": "gb2312 gb_2312-80 gb_2312 gb2312-80 gb-2312 gbk x-gbk cp936 ms936 windows-936 euc-cn euccn gb18030 chinese "
    "csgb2312 iso-ir-58 gb",
    "big5hkscs": "big5 big-5 big5-hkscs cn-big5 x-x-big5 csbig5 big5hkscs",
    "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji csshiftjis windows-31j cp932 ms932",
    "iso2022_jp_ext": "iso-2022-jp iso-2022-jp-1 iso-2022-jp-ms csiso2022jp cp50220 cp50221 iso2022jp",
    "iso2022_kr": "iso-2022-kr csiso2022kr iso2022kr",
    "cp1252": "iso-8859-1 iso8859-1 iso_8859-1 latin1 latin-1 windows-1252 cp1252 ansi iso-8859-1-windows-3.1-latin-1 8859_1",
    "utf-8": "utf-8 utf8 utf_8 utf8mb4 unicode-1-1-utf-8 x-utf-8 cp65001 utf-8n",
    "utf-7": "utf-7 unicode-1-1-utf-7 x-unicode-1-1-utf-7",
    "iso8859-8": "iso-8859-8-i iso-8859-8-e iso-8859-8",
    "cp874": "tis-620 windows-874 iso-8859-11",
    "euc_jp": "euc-jp eucjp x-euc-jp",
}
_BY_LABEL = {label: codec for codec, labels in _SUCCESSORS.items() for label in labels.split()}
# Labels that say nothing about bytes over 127.
_EMPTY_LABELS = frozenset(
    [
        "us-ascii",
        "ascii",
        "ansi_x3.4-1968",
        "646",
        "unknown-8bit",
        "x-unknown",
        "unknown",
        "default",
        "none",
        "7bit",
        "8bit",
        "binary",
    ]
)
# Every byte means something in these, so that decoding never objects to a wrong label.
_TAKES_ANYTHING = frozenset(("cp1252", "iso8859-1", "latin-1", "cp437", "cp850", "iso8859-15"))
_CJK = ("cp949", "gb18030", "big5hkscs", "cp932", "euc_jp")
_STATEFUL = re.compile(rb"\x1b\$[@B]|\x1b\$\([DC]|\x1b\(J")
_KOREAN_SHIFT = re.compile(rb"\x1b\$\)C")
_STATEFUL_WITHIN = 200_000  # bytes
_BEYOND = re.compile(rb"[\x80-\xff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f]")
_SAMPLE = 3000  # bytes that are weighed under each reading
_COMMON = "的一是不了在有我他这中来上个国到说们为子和你地出道也时要就下得可以生会着去之过家学对里后小么心多天而能好都然没日于起还发成事只作当想看文无开手用主行方又如前所本见经头面公同三已老从动两长知款单货退订快递收没请问谢客服商品付钱邮件"
_COMMON_SET = frozenset(_COMMON + "の は を に が で と た し て い す ま 様 件")
# A third of all syllables written; Japanese bytes read as Korean give the rare ones.
_SYLLABLES = frozenset(
    "이다는에의을가고하지도로한은를기사나서자아일시어인리대해그있정부수보전게구장과제들만라스상요까주여안니습문송품불택배환매결반입금확연락세드마바무신했었겠"
    "계속된될되어님분번호물건격취소교받았못왔없같때문좀더저제발빨리급감합당처오늘내월화목토"
)


def clean(text: str) -> str:
    """``text`` without what a database or a page cannot hold: NUL goes, a lone surrogate becomes U+FFFD."""
    if not _UNSTORABLE.search(text):
        return text
    return _UNSTORABLE.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text)


@cache
def codec(label: str) -> str:
    """The Python codec that reads what mailers send under ``label``; '' when the label says nothing."""
    # The label comes from outside: without a bound the cache would keep whatever somebody sends.
    name = re.sub(r"[\s\"'<>;]", "", label).lower()
    if not name or name in _EMPTY_LABELS:
        return ""
    if name in _BY_LABEL:
        return _BY_LABEL[name]
    try:
        found = codecs.lookup(
            name.replace("cp-", "cp").replace("windows-", "cp")
            if name.startswith(("cp-", "windows-"))
            else name
        )
    except (LookupError, ValueError, UnicodeError):
        return ""
    # base64, rot13 and zlib are codecs of Python too, and a way to make much out of little.
    return (
        found.name
        if found._is_text_encoding and found.name not in ("idna", "punycode", "unicode_escape", "undefined")
        else ""
    )


def decode(data: bytes, label: str = "", hint: str = "") -> tuple[str, bool]:
    """``data`` as text, and whether something had to be repaired (the label was wrong, or bytes were lost).

    ``hint`` is a label seen elsewhere in the letter, asked when this one says nothing.
    """
    named = codec(label[:60])
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return _with_mark(data), False
    if data.isascii() and not (
        b"\x1b" in data or named in ("utf-7", "iso2022_kr") or named.startswith(("utf-16", "utf-32"))
    ):
        return clean(data.decode("ascii")), False
    if _STATEFUL.search(data[:_STATEFUL_WITHIN]) and not named.startswith("iso2022"):
        named = named if _strict(data, named) and b"\x1b" not in data else "iso2022_jp_ext"
    elif _KOREAN_SHIFT.search(data[:_STATEFUL_WITHIN]):
        named = "iso2022_kr"
    best = _best(data, named, codec(hint[:60]))
    text = _strict(data, best)
    if text is not None:
        return clean(text), bool(label) and best != named and not data.isascii()
    return clean(data.decode(best, "replace")), True


def _with_mark(data: bytes) -> str:
    name = "utf-8-sig" if data.startswith(b"\xef") else "utf-16"
    return clean(data.decode(name, "replace"))


def _best(data: bytes, named: str, hinted: str) -> str:
    """The codec under which ``data`` reads best; the named one wins a tie, then UTF-8, then the hint."""
    # From the first byte that says anything: a page of styles may stand before the first word.
    begins = _BEYOND.search(data)
    sample = data[begins.start() :][:_SAMPLE] if begins else data[:_SAMPLE]
    believable = named and named not in _TAKES_ANYTHING
    if believable and named.startswith(("iso2022", "utf-16", "utf-32", "utf-7")):
        return named
    if named == "utf-8" and _strict(data, "utf-8") is not None:
        return named
    if _looks_utf8(data):
        return "utf-8"
    order = [name for name in (named if believable else "", hinted, *_CJK, named, "cp1252") if name]
    marks = {name: _score(sample, name) for name in dict.fromkeys(order)}
    if believable and named != "utf-8":
        # A label that reads without loss is believed unless another reads far better.
        marks[named] = marks[named] + 0.25
    return max(marks, key=lambda name: marks[name])


def _looks_utf8(data: bytes) -> bool:
    """Valid UTF-8 beyond ASCII. A character cut at the very end is forgiven: previews and gateways cut there."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(data) - 3 and error.start > 8 and _looks_utf8(data[: error.start])
    return not data.isascii()


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name) if name else None
    except (UnicodeError, LookupError, ValueError):
        return None


def _score(sample: bytes, name: str) -> float:
    """How much ``sample`` reads like somebody's language under ``name``, from about -1 to 1."""
    try:
        text = sample.decode(name, "replace")
    except (UnicodeError, LookupError, ValueError):
        return -9.0
    beyond = [letter for letter in text if letter > "\x7f"]
    if not beyond:
        return -1.0
    total = sum(_worth(letter, name) for letter in beyond[:1000])
    return total / min(len(beyond), 1000) - (0.3 if _CONTROL.search(text) else 0.0)


def _worth(letter: str, name: str) -> float:
    """One character: 1 for one that people write every day, below 0 for one that betrays a wrong reading."""
    point = ord(letter)
    if letter == "\ufffd":
        return -3.0
    if 0xAC00 <= point <= 0xD7A3:
        return 1.2 if letter in _SYLLABLES else 0.6 if _in(letter, "euc_kr") else -0.6
    if 0x3040 <= point <= 0x30FF:
        return 0.9
    if 0x4E00 <= point <= 0x9FFF:
        if letter in _COMMON_SET:
            return 1.4
        # The first level of GB2312 (rows 16 to 55) holds the 3,755 characters in daily use.
        return 0.55 if _daily(letter, name) else -0.2
    if 0x3000 <= point <= 0x303F or 0xFF01 <= point <= 0xFF5E or 0x2010 <= point <= 0x2030:
        return 0.5
    if 0xFF61 <= point <= 0xFF9F or 0xE000 <= point <= 0xF8FF or point < 0xA0:
        return -1.0
    if point < 0x250:
        # Letters of Western Europe stand alone among ASCII; in a row they are somebody else's bytes.
        return 0.3 if letter.isalpha() and point >= 0xC0 else 0.0
    return -0.3 if point >= 0x3400 else 0.0


@cache
def _in(letter: str, name: str) -> bool:
    return _strict_encode(letter, name) is not None


@cache
def _daily(letter: str, name: str) -> bool:
    book = {
        "gb18030": "gb2312",
        "big5hkscs": "big5",
        "cp932": "shift_jis",
        "euc_jp": "shift_jis",
        "cp949": "euc_kr",
    }.get(name)
    coded = _strict_encode(letter, book) if book else None
    if coded is None or len(coded) != 2:
        return False
    last = {"gb2312": 0xD7, "big5": 0xC6, "shift_jis": 0x98, "euc_kr": 0x00}[book or ""]
    return coded[0] <= last


def _strict_encode(letter: str, name: str) -> bytes | None:
    try:
        return letter.encode(name)
    except UnicodeError:
        return None
