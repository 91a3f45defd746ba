"""A letter split into its parts, and what the headers of a part mean. Bounded, whatever comes.

The standard library splits the letter; its policy here hands every header through as it stood, so that nothing in it
raises and no byte is lost.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from email import policy
from email.message import Message
from email.parser import BytesParser
from io import BytesIO
from typing import Any

from makegood.text.letters.charsets import clean, decode
from makegood.text.letters.headers import as_bytes, unbase64, words
from makegood.text.letters.shapes import MAX_RAW, MAX_WORK

_MAX_CONTENT = 8000  # characters of a Content-* header

# 'Subject :' of RFC 822; the library takes it for the beginning of the body.
_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\r\r")
_OBSOLETE = re.compile(rb"^([!-9;-~]{1,60})[ \t]{1,20}:", re.MULTILINE)


class _AsItStood(policy.Compat32):
    """Compat32 wraps 8-bit headers in an object that turns their bytes into U+FFFD; here they stay."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        if name[:8].lower() == "content-":
            # The library takes minutes over 100,000 parameters, and keeps the line break in a folded boundary.
            value = value[:_MAX_CONTENT].replace("\r", "").replace("\n", "")
        return name, value

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return value


POLICY = _AsItStood()


class Piece(Message):
    """A part that gives its body as it stood.

    ``get_payload`` turns 8-bit text into U+FFFD under a wrong charset name, and raises when that name holds a NUL.
    """

    def source(self) -> bytes:
        payload = getattr(self, "_payload", "")
        return as_bytes(payload) if isinstance(payload, str) else b""

    def inside(self) -> list[Any] | None:
        """The parts of a part that has some."""
        payload = getattr(self, "_payload", None)
        return payload if isinstance(payload, list) else None


def parse(raw: bytes, trouble: dict[str, None]) -> Message:
    """The letter split into its parts. Never raises; what had to be given up stands in ``trouble``."""
    if len(raw) > MAX_RAW:
        raw = raw[:MAX_RAW]
        trouble["truncated"] = None
    raw = raw.lstrip(b"\r\n \t\x00\xef\xbb\xbf")
    if raw.startswith((b"From ", b">From ")):
        raw = raw[raw.find(b"\n") + 1 :]
    ends = _BLANK_LINE.search(raw)
    if ends and ends.start() < 200_000 and _OBSOLETE.search(raw, 0, ends.start()):
        raw = _OBSOLETE.sub(rb"\1:", raw[: ends.start()]) + raw[ends.start() :]
    work = raw.count(b"\n") * min(raw.lower().count(b"boundary") + 1, 2000)
    if work > MAX_WORK:
        raw = raw[: max(1_000_000, len(raw) * MAX_WORK // work)]
        trouble["truncated"] = None
    try:
        return split(raw, headers_only=False)
    except Exception:
        # RecursionError from multiparts in multiparts, ValueError from parameters: its headers and its bytes remain.
        trouble["structure"] = None
        return split(raw, headers_only=True)


def split(raw: bytes, headers_only: bool) -> Message:
    return BytesParser(_class=Piece, policy=POLICY).parse(BytesIO(raw), headersonly=headers_only)


def values(message: Message, name: str) -> list[str]:
    """All values of a header as they stood, unfolded, the bytes above 127 as surrogate escapes."""
    wanted = name.lower()
    return [
        value.replace("\r", "").replace("\n", " ")
        for key, value in _raw_items(message)
        if key.lower() == wanted
    ]


def first(message: Message, name: str) -> str:
    found = values(message, name)
    return found[0].strip() if found else ""


def _raw_items(message: Message) -> Iterator[tuple[str, str]]:
    for key, value in message.raw_items():
        yield key, str(value)


def kind(message: Message) -> str:
    """The content type in lower case; a missing or malformed one is text/plain, as in RFC 2045."""
    said = message.get_content_type()
    return said if re.fullmatch(r"[\w.+-]{1,80}/[\w.+-]{1,120}", said) else "text/plain"


def parameter(message: Message, name: str, header: str = "content-type") -> str:
    """A parameter, RFC 2231 and RFC 2047 both read, '' when missing or beyond reading."""
    try:
        value = message.get_param(name, "", header)
    except (ValueError, IndexError, TypeError, LookupError, OverflowError):
        return ""
    if isinstance(value, tuple):
        # A charset, a language, and bytes that unquoting put into Latin-1.
        label, _, coded = value
        return decode(str(coded).encode("latin-1", "replace"), label or "")[0]
    return words(str(value or ""), charset(message))


def charset(message: Message) -> str:
    try:
        value = message.get_param("charset", "")
    except (ValueError, IndexError, TypeError, LookupError, OverflowError):
        return ""
    return str(value[2] if isinstance(value, tuple) else value or "")[:60]


def inside(message: Message) -> list[Any] | None:
    return message.inside() if isinstance(message, Piece) else None


def name_of(message: Message) -> str:
    """The file name, never a path, without what a file system or a page would stumble on."""
    found = parameter(message, "filename", "content-disposition") or parameter(message, "name")
    found = (
        re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", found)
        .replace("\\", "/")
        .rpartition("/")[2]
        .strip(" .")
    )
    return clean(found)[:200]


def content(message: Message, trouble: dict[str, None]) -> bytes:
    """A leaf decoded. Wrong base64 gives what can be had, an unknown encoding the bytes as they came."""
    data = message.source() if isinstance(message, Piece) else b""
    how = first(message, "content-transfer-encoding").lower().strip(" ;\"'")
    if how.startswith("base64"):
        out, repaired = unbase64(data)
        if repaired:
            trouble["base64"] = None
        return out
    if how.startswith("quoted-printable"):
        return quopri.decodestring(data)
    if how in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return _uudecoded(data, trouble)
    return data


def _uudecoded(data: bytes, trouble: dict[str, None]) -> bytes:
    out = []
    body = re.search(rb"^begin [0-7]{3,4} [^\n]*\n(.*?)(?:^end\s*$|\Z)", data, re.DOTALL | re.MULTILINE)
    for line in (body[1] if body else data).splitlines():
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            trouble["base64"] = None
    return b"".join(out)
