"""Header lines: RFC 2047 words as mailers really write them, addresses, message ids, dates.

The standard library's header classes raise on some real letters (28 of 7,160) and lose raw 8-bit bytes; here each
value comes as it stood, with the bytes above 127 as surrogate escapes, and is read forgivingly.
"""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from makegood.text.letters.charsets import clean, codec, decode
from makegood.text.letters.shapes import MAX_ADDRESSES, MAX_HEADER, MAX_IDS, Address

_WORD = re.compile(r"=\?([A-Za-z0-9_.:+\-]{1,60})(?:\*[A-Za-z0-9\-]{1,20})?\?([bBqQ])\?([^?]{0,20000})\?=")
_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_BETWEEN = re.compile(r"\s*\Z")
_SPACES = re.compile(r"\s+")
_ID = re.compile(r"<([^<>\s]{1,900})>")
_BARE_ID = re.compile(r"[^<>\s,;\"()]{1,400}@[^<>\s,;\"()]{1,400}")
_EMAIL = re.compile(r"[^\s@<>(),;:\"\[\]\\\x00-\x20\x7f]{1,100}@[^\s@<>(),;:\"\\\x00-\x20\x7f]{1,200}")
_QUOTED_LOCAL = re.compile(r"\"[^\"\\\x00-\x1f]{1,64}\"@[^\s@<>(),;:\"\\]{1,200}")
_PIECES = re.compile(r"\"(?:[^\"\\]|\\.){0,500}+\"|\([^()]*\)|<[^<>]*>|[,;]|[^\",;<>()]++|.", re.DOTALL)


def as_bytes(value: str) -> bytes:
    """The bytes that a parsed string stood for."""
    return value.encode("utf-8", "surrogateescape") if value.isascii() else _escaped(value)


def _escaped(value: str) -> bytes:
    try:
        return value.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def words(value: str, hint: str = "") -> str:
    """A header's value as text on one line: encoded words joined and decoded, raw bytes guessed with ``hint``."""
    value = value[:MAX_HEADER]
    out: list[str] = []
    run: list[tuple[str, bytes]] = []
    at = 0
    for found in _WORD.finditer(value):
        gap = value[at : found.start()]
        # Blanks between two encoded words are only folding, they are not part of the text.
        if not (run and _BETWEEN.match(gap)):
            out += [_joined(run), _raw(gap, hint)]
            run = []
        run.append((found[1], _word_bytes(found[2], found[3])))
        at = found.end()
    out += [_joined(run), _raw(value[at:], hint)]
    return _SPACES.sub(" ", clean("".join(out))).strip()


def _raw(text: str, hint: str) -> str:
    return text if text.isascii() else decode(as_bytes(text), "", hint)[0]


def _word_bytes(kind: str, coded: str) -> bytes:
    data = as_bytes(coded)
    if kind in "qQ":
        return binascii.a2b_qp(data.replace(b"_", b" "), header=False)
    return unbase64(data)[0]


def _joined(run: list[tuple[str, bytes]]) -> str:
    """Encoded words in a row, joined by their bytes first: many mailers cut in the middle of a character."""
    out: list[str] = []
    at = 0
    while at < len(run):
        end = at + 1
        while end < len(run) and codec(run[end][0]) == codec(run[at][0]):
            end += 1
        out.append(_read([data for _, data in run[at:end]], run[at][0]))
        at = end
    return "".join(out)


def _read(pieces: list[bytes], label: str) -> str:
    if codec(label).startswith("iso2022"):
        # Each word begins anew in ASCII; joined, a word that forgot to return to it would swallow the next.
        return "".join(decode(piece, label)[0] for piece in pieces)
    return decode(b"".join(pieces), label)[0]


def unbase64(data: bytes) -> tuple[bytes, bool]:
    """Base64, and whether it had to be repaired: foreign characters are skipped, a cut end is padded or dropped."""
    kept = data.translate(None, _NOT_BASE64 + b"=")
    repaired = bool(re.search(rb"[^A-Za-z0-9+/=\s]", data[:100_000])) or len(kept) % 4 == 1
    if b"=" in data.rstrip(b"= \t\r\n\x00"):
        return _glued(data), True
    kept = kept[: len(kept) - 1] if len(kept) % 4 == 1 else kept
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4)), repaired


def _glued(data: bytes) -> bytes:
    """Several base64 runs one after the other, each with its own padding, as some gateways join them."""
    out = []
    runs = data.translate(None, _NOT_BASE64).split(b"=", 10_000)
    runs[-1] = runs[-1].replace(b"=", b"")
    for run in runs:
        run = run[: len(run) - 1] if len(run) % 4 == 1 else run
        out.append(binascii.a2b_base64(run + b"=" * (-len(run) % 4)))
    return b"".join(out)


def message_ids(values: list[str]) -> tuple[str, ...]:
    """Every id of these headers with <>, each once, oldest first; of a huge list the first and the newest ones."""
    found: dict[str, None] = {}
    for value in values:
        if len(value) > MAX_HEADER:
            tail = value[-MAX_HEADER:]
            value = value[:1000].rpartition(">")[0] + "> " + tail[tail.find("<") :]
        ids = [re.sub(r"\s+", "", hit) for hit in _ID.findall(value)] or (
            [] if "<" in value else _BARE_ID.findall(value)
        )
        # An id names a letter again when it is repeated later; the first place is its age.
        found.update(dict.fromkeys(f"<{clean(hit)}>" for hit in ids if hit.isprintable() and hit.isascii()))
    kept = list(found)
    return tuple(kept if len(kept) <= MAX_IDS else [kept[0], *kept[-(MAX_IDS - 1) :]])


def message_id(values: list[str]) -> str:
    """The letter's own id with <>; '' when it has none that another letter could name."""
    ids = message_ids(values[:1])
    return ids[0] if ids and "@" in ids[0] else ""


def addresses(values: list[str], hint: str = "") -> tuple[Address, ...]:
    """The people in these headers, in order, groups opened; a piece without a readable address keeps its name."""
    out: list[Address] = []
    for value in values:
        for piece in _split(value[:MAX_HEADER]):
            if len(out) >= MAX_ADDRESSES:
                return tuple(out)
            found = _address(piece, hint)
            if found.name or found.email:
                out.append(found)
    return tuple(out)


def _split(value: str) -> list[list[str]]:
    """``value`` at its commas and semicolons, those inside quotes, comments and angles left alone; linear."""
    out: list[list[str]] = [[]]
    for found in _PIECES.finditer(value):
        if found[0] in (",", ";"):
            out.append([])
        else:
            out[-1].append(found[0])
    return [piece for piece in out if "".join(piece).strip()]


def _address(piece: list[str], hint: str) -> Address:
    angles = [part for part in piece if part[0] == "<" and len(part) > 2]
    # A group ('Friends: a@x, b@y;') names its members' list before the first one.
    rest = [part for part in piece if not (part[0] == "<" and part[-1] == ">")]
    if angles:
        email = _email(angles[-1].strip("<>"))
        name = "".join(_plain(part) for part in rest)
    else:
        whole = "".join(part for part in rest if part[0] != "(")
        email = _email(whole.partition(":")[2].strip() or whole)
        name = "".join(part[1:-1] for part in rest if part[0] == "(") if email else "".join(map(_plain, rest))
    shown = words(name, hint).strip(" '\"")
    return Address(shown.rstrip(":")[:200], email)


def _plain(part: str) -> str:
    if part[0] == '"' and len(part) > 1:
        return re.sub(r"\\(.)", r"\1", part[1:-1])
    return part


def _email(text: str) -> str:
    """The address in ``text``, its domain in lower case; '' when there is none or more than one way to read it."""
    text = words(text).strip().removeprefix("mailto:").strip(" '`")
    if not (_EMAIL.fullmatch(text) or _QUOTED_LOCAL.fullmatch(text)) or len(text) > 254:
        return ""
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"


def when(value: str) -> datetime | None:
    """The Date header, aware; None when it is none or no letter can be that old or that new."""
    try:
        found = parsedate_to_datetime(value.strip()[:200])
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return found if 1980 <= found.astimezone(UTC).year <= 2100 else None
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
