"""What a letter is once it has been read, and the bounds that keep a hostile one from holding the reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

# Bounds. Beyond each of them the letter is still read, cut there, and ``trouble`` says so.
MAX_RAW = 64 * 1024 * 1024  # bytes; the intake refuses larger ones long before, an mbox import may not
MAX_HEADER = 64 * 1024  # characters of one header that are looked at
MAX_DEPTH = 30  # multiparts and letters inside each other
MAX_PARTS = 500
MAX_TEXT = 1_000_000  # characters of the plain body
MAX_HTML = 2_000_000  # characters of the HTML body, before it is made safe
MAX_IDS = 100  # references
MAX_ADDRESSES = 200
# The parser asks, for each line, every multipart that is open: lines times boundaries is its work. Over this many,
# the letter is cut; a letter of 50 MB with 40 boundaries stays below it.
MAX_WORK = 40_000_000


@dataclass(frozen=True)
class Part:
    """An attachment or an inline picture, decoded. ``name`` may be '' (the sender gave none), never a path."""

    name: str
    content_type: str
    content: bytes
    content_id: str
    inline: bool


@dataclass(frozen=True)
class Address:
    """``email`` has its domain in lower case; '' when what stands there cannot be an address."""

    name: str
    email: str


@dataclass(frozen=True)
class Bounce:
    """A delivery report (RFC 3464, or one of the many older forms).

    ``for_good``: the letter will not arrive later either and the mailbox is not merely full: ``failed`` or ``5.x.x``.
    ``status`` is the enhanced code of RFC 3463 ('5.1.1'), '' when none is given. ``original_to`` is the To line of the
    letter that came back, as far as the report returned it; ``original_message_id`` with <>, else ''.
    """

    for_good: bool
    recipients: tuple[str, ...]
    status: str
    diagnostic: str
    original_message_id: str
    original_to: tuple[str, ...]


@dataclass(frozen=True)
class Letter:
    """A letter, read. No string in it holds a NUL or a lone surrogate: PostgreSQL could not store those.

    ``said`` is what this person says now; it is empty only when ``text`` is. ``text`` is the whole readable body.
    ``automatic`` is '' for a letter that a person wrote, else 'bounce', 'auto_reply', 'auto_generated', 'list', 'bulk'
    or 'own_loop', and ``automatic_because`` names the header or rule that said so.
    ``html`` was made safe; pictures from elsewhere have ``data-src`` instead of ``src``, enclosed ones ``src="cid:…"``.
    ``trouble`` holds codes: charset, base64, truncated, too_deep, too_many_parts, structure, html, no_sender, date.
    """

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sender: Address
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    delivered_to: tuple[str, ...]
    subject: str
    date: datetime | None
    text: str
    said: str
    quoted: str
    signature: str
    html: str
    language_hint: str
    parts: tuple[Part, ...]
    set_aside: tuple[str, ...]
    automatic: str
    automatic_because: str
    bounce: Bounce | None
    headers_own: Mapping[str, str]
    trouble: tuple[str, ...]


class Unreadable(Exception):
    """These bytes are no letter that could be shown to anybody: the intake sets them aside, visibly.

    ``code``: 'empty', 'not_a_letter' (no header of a letter in it), 'nothing_in_it' (no subject, no body, no part),
    'defect' (the reader itself failed: a bug to mend, and the letter is kept).
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
