"""What the parts of a letter are: its body, enclosures, what is not opened, reports. Bounded, whatever comes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from makegood.text.letters import mime
from makegood.text.letters.charsets import decode
from makegood.text.letters.folding import unflow
from makegood.text.letters.headers import unbase64, words
from makegood.text.letters.shapes import MAX_DEPTH, MAX_PARTS, Part

_REPORTS = (
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
)
_HEADERS_ONLY = ("text/rfc822-headers", "message/global-headers", "text/rfc822-header")
_LETTERS = ("message/rfc822", "message/global", "message/news")
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_SEALED = (
    "application/pkcs7-mime",
    "application/x-pkcs7-mime",
    "application/pgp-encrypted",
    "message/partial",
    "message/external-body",
)
_TNEF = ("application/ms-tnef", "application/vnd.ms-tnef")


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


def text_of(message: Message, found: Found) -> str:
    data = mime.content(message, found.trouble)
    text, repaired = decode(data, mime.charset(message))
    if repaired:
        found.trouble["charset"] = None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def walk(message: Message, found: Found, depth: int = 0, alternative: bool = False) -> None:
    """Sort ``message`` and what is in it into ``found``."""
    found.seen += 1
    if depth > MAX_DEPTH or found.seen > MAX_PARTS:
        found.trouble["too_deep" if depth > MAX_DEPTH else "too_many_parts"] = None
        return
    said, children = mime.kind(message), mime.inside(message)
    if depth and message["message-id"] and message["from"]:
        # Old mail systems put the letter that came back into a part with the letter's own headers.
        found.returned.append(message)
    if said in _REPORTS:
        found.reports.append(message)
    elif said in _LETTERS:
        _enclosed(message, children, found)
    elif children is not None and said not in _SEALED:
        _branch(message, said, children, found, depth, alternative)
    else:
        _leaf(message, said, found, alternative)


def _branch(
    message: Message, said: str, children: list[Any], found: Found, depth: int, alternative: bool
) -> None:
    if said == "multipart/encrypted":
        found.set_aside.append(mime.name_of(message) or "encrypted")
        return
    for child in children:
        if found.seen > MAX_PARTS:
            found.trouble["too_many_parts"] = None
            return
        walk(child, found, depth + 1, alternative or said == "multipart/alternative")


def _enclosed(message: Message, children: list[Any] | None, found: Found) -> None:
    """A letter in the letter: kept whole as an enclosure, and remembered for a report to find its original in."""
    inner = children[0] if children else None
    if inner is not None and mime.first(message, "content-transfer-encoding").lower().startswith("base64"):
        # RFC 2046 forbids it, some send it: the library has split the coded text as if it were the letter.
        coded = inner.source() if isinstance(inner, mime.Piece) else b""
        inner = mime.split(unbase64(coded)[0], headers_only=False) if coded else inner
    if inner is not None:
        found.returned.append(inner)
    data = b""
    try:
        data = (
            inner.as_bytes(policy=mime.POLICY) if inner is not None else mime.content(message, found.trouble)
        )
    except Exception:
        # The generator of the standard library raises on some nested letters; the raw source keeps it all.
        found.set_aside.append(mime.name_of(message) or "message.eml")
        return
    subject = words(mime.first(inner, "subject"))[:80] if inner is not None else ""
    name = mime.name_of(message) or (re.sub(r"[\\/:*?\"<>|]", "_", subject) or "message") + ".eml"
    found.parts.append(Part(name, "message/rfc822", data, "", False))


def _leaf(message: Message, said: str, found: Found, alternative: bool) -> None:
    name, aside = (
        mime.name_of(message),
        mime.first(message, "content-disposition").lower().startswith("attachment"),
    )
    if said in _TNEF or name.lower() == "winmail.dat":
        found.set_aside.append(name or "winmail.dat")
    elif said in _SEALED or said in _SIGNATURES:
        found.set_aside.append(name or said)
    elif said in _HEADERS_ONLY:
        found.returned.append(mime.split(mime.content(message, found.trouble), headers_only=True))
    elif said.startswith("multipart/"):
        # Its boundary is missing or never comes: all that is left is what stands there.
        found.trouble["structure"] = None
        found.plain.append((text_of(message, found), alternative))
    elif said == "text/plain" and not aside and (not name or not (found.plain or found.html)):
        found.plain.append((_plain(message, found), alternative))
    elif (
        said in ("text/html", "text/enriched", "text/richtext", "application/xhtml+xml")
        and not aside
        and not (name and found.html)
    ):
        found.html.append(text_of(message, found))
    else:
        found.parts.append(_part(message, said, name, aside, found))


def _plain(message: Message, found: Found) -> str:
    text = text_of(message, found)
    if mime.parameter(message, "format").lower() == "flowed":
        return unflow(text, mime.parameter(message, "delsp").lower() == "yes")
    return text


def _part(message: Message, said: str, name: str, aside: bool, found: Found) -> Part:
    content_id = words(mime.first(message, "content-id")).strip("<> ")[:300]
    data = mime.content(message, found.trouble)
    return Part(name, said, data, content_id, not aside and (bool(content_id) or said.startswith("image/")))
