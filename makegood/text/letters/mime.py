"""The parts of a letter: which are the body, which are enclosed, which are not opened. Bounded, whatever comes.

The standard library splits the letter; its policy here hands every header through as it stood, so that nothing in it
raises and no byte is lost. What a part's headers mean is read here.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import BytesParser
from io import BytesIO
from typing import Any, cast

from makegood.text.letters.charsets import clean, decode
from makegood.text.letters.folding import unflow
from makegood.text.letters.headers import as_bytes, unbase64, words
from makegood.text.letters.shapes import MAX_DEPTH, MAX_PARTS, MAX_RAW, MAX_WORK, Part

_REPORTS = ("message/delivery-status", "message/global-delivery-status", "message/disposition-notification", "message/feedback-report")
_HEADERS_ONLY = ("text/rfc822-headers", "message/global-headers", "text/rfc822-header")
_LETTERS = ("message/rfc822", "message/global", "message/news")
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_SEALED = ("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted", "message/partial", "message/external-body")
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")
_LOOKS = re.compile(rb"\A(?:[ \t\r\n]|From [^\n]*\n)*[!-9;-~]{1,80}[ \t]*:", re.ASCII)


class _AsItStood(policy.Compat32):
    """Compat32 wraps 8-bit headers in an object that turns their bytes into U+FFFD; here they stay."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return value


_POLICY = _AsItStood()


@dataclass
class Found:
    """What walking the parts brought together."""

    plain: list[tuple[str, bool]] = field(default_factory=list)  # text, from an alternative
    html: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    reports: list[Message] = field(default_factory=list)
    returned: list[Message] = field(default_factory=list)  # enclosed letters, or their headers
    trouble: dict[str, None] = field(default_factory=dict)
    seen: int = 0


def parse(raw: bytes, trouble: dict[str, None]) -> Message:
    """The letter split into its parts. Never raises; what had to be given up stands in ``trouble``."""
    if len(raw) > MAX_RAW:
        raw = raw[:MAX_RAW]
        trouble["truncated"] = None
    raw = raw.lstrip(b"\r\n \t\x00\xef\xbb\xbf")
    if raw[:5] == b"From ":
        raw = raw[raw.find(b"\n") + 1 :]
    elif raw[:6] == b">From ":
        raw = raw[raw.find(b"\n") + 1 :]
    work = raw.count(b"\n") * min(raw.lower().count(b"boundary") + 1, 2000)
    if work > MAX_WORK:
        raw = raw[: max(1_000_000, len(raw) * MAX_WORK // work)]
        trouble["truncated"] = None
    try:
        return _split(raw, headers_only=False)
    except Exception:
        # RecursionError from multiparts in multiparts, ValueError from parameters: its headers and its bytes remain.
        trouble["structure"] = None
        return _split(raw, headers_only=True)


def _split(raw: bytes, headers_only: bool) -> Message:
    # Typed as EmailMessage by the stubs for any policy; Compat32 makes plain Messages.
    parser = BytesParser(_class=Message, policy=_POLICY)
    return cast(Message, parser.parse(BytesIO(raw), headersonly=headers_only))


def looks_like_headers(raw: bytes) -> bool:
    return bool(_LOOKS.match(raw[:20_000]))


def values(message: Message, name: str) -> list[str]:
    """All values of a header as they stood, unfolded, the bytes above 127 as surrogate escapes."""
    wanted = name.lower()
    return [value.replace("\r", "").replace("\n", " ") for key, value in _raw_items(message) if key.lower() == wanted]


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
    return words(str(value or ""), _charset(message))


def _charset(message: Message) -> str:
    try:
        value = message.get_param("charset", "")
    except (ValueError, IndexError, TypeError, LookupError, OverflowError):
        return ""
    return str(value[2] if isinstance(value, tuple) else value or "")[:60]


def name_of(message: Message) -> str:
    """The file name, never a path, without what a file system or a page would stumble on."""
    found = parameter(message, "filename", "content-disposition") or parameter(message, "name")
    found = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", found).replace("\\", "/").rpartition("/")[2].strip(" .")
    return clean(found)[:200]


def content(message: Message, trouble: dict[str, None]) -> bytes:
    """A leaf decoded. Wrong base64 gives what can be had, an unknown encoding the bytes as they came."""
    payload = message.get_payload()
    data = as_bytes(payload) if isinstance(payload, str) else b""
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


def text_of(message: Message, found: Found) -> str:
    data = content(message, found.trouble)
    text, repaired = decode(data, _charset(message))
    if repaired:
        found.trouble["charset"] = None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def walk(message: Message, found: Found, depth: int = 0, alternative: bool = False) -> None:
    """Sort ``message`` and what is in it into ``found``."""
    found.seen += 1
    if depth > MAX_DEPTH or found.seen > MAX_PARTS:
        found.trouble["too_deep" if depth > MAX_DEPTH else "too_many_parts"] = None
        return
    said, children = kind(message), message.get_payload()
    if depth and message["message-id"] and message["from"]:
        # Old mail systems put the letter that came back into a part with the letter's own headers.
        found.returned.append(message)
    if said in _REPORTS:
        found.reports.append(message)
    elif said in _LETTERS:
        _enclosed(message, children, found)
    elif isinstance(children, list):
        _branch(message, said, children, found, depth, alternative)
    else:
        _leaf(message, said, found, alternative)


def _branch(message: Message, said: str, children: list[Any], found: Found, depth: int, alternative: bool) -> None:
    if said == "multipart/encrypted":
        found.set_aside.append(name_of(message) or "encrypted")
        return
    for child in children:
        if found.seen > MAX_PARTS:
            found.trouble["too_many_parts"] = None
            return
        walk(child, found, depth + 1, alternative or said == "multipart/alternative")


def _enclosed(message: Message, children: Any, found: Found) -> None:
    """A letter in the letter: kept whole as an enclosure, and remembered for a report to find its original in."""
    inner = children[0] if isinstance(children, list) and children else None
    if inner is not None:
        found.returned.append(inner)
    data = b""
    try:
        data = inner.as_bytes(policy=_POLICY) if inner is not None else content(message, found.trouble)
    except Exception:
        # The generator of the standard library raises on some nested letters; the raw source keeps it all.
        found.set_aside.append(name_of(message) or "message.eml")
        return
    subject = words(first(inner, "subject"))[:80] if inner is not None else ""
    name = name_of(message) or (re.sub(r"[\\/:*?\"<>|]", "_", subject) or "message") + ".eml"
    found.parts.append(Part(name, "message/rfc822", data, "", False))


def _leaf(message: Message, said: str, found: Found, alternative: bool) -> None:
    name, aside = name_of(message), first(message, "content-disposition").lower().startswith("attachment")
    if said in _TNEF or name.lower() == "winmail.dat":
        found.set_aside.append(name or "winmail.dat")
    elif said in _SEALED or said in _SIGNATURES:
        found.set_aside.append(name or said)
    elif said in _HEADERS_ONLY:
        found.returned.append(_split(content(message, found.trouble), headers_only=True))
    elif said.startswith("multipart/"):
        # Its boundary is missing or never comes: all that is left is what stands there.
        found.trouble["structure"] = None
        found.plain.append((text_of(message, found), alternative))
    elif said == "text/plain" and not aside and (not name or not (found.plain or found.html)):
        found.plain.append((_plain(message, found), alternative))
    elif said in ("text/html", "text/enriched", "text/richtext", "application/xhtml+xml") and not aside and not (name and found.html):
        found.html.append(text_of(message, found))
    else:
        found.parts.append(_part(message, said, name, aside, found))


def _plain(message: Message, found: Found) -> str:
    text = text_of(message, found)
    if parameter(message, "format").lower() == "flowed":
        return unflow(text, parameter(message, "delsp").lower() == "yes")
    return text


def _part(message: Message, said: str, name: str, aside: bool, found: Found) -> Part:
    content_id = words(first(message, "content-id")).strip("<> ")[:300]
    data = content(message, found.trouble)
    return Part(name, said, data, content_id, not aside and (bool(content_id) or said.startswith("image/")))
