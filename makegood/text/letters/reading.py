"""``read``: the bytes of a letter to a :class:`Letter`. Pure: no database, no clock, no network, no file."""

from __future__ import annotations

import re
from email.message import Message
from types import MappingProxyType

from makegood.text.letters import bounces, machines, mime, walking
from makegood.text.letters.charsets import clean
from makegood.text.letters.folding import fold
from makegood.text.letters.headers import addresses, message_id, message_ids, when, words
from makegood.text.letters.safe import Shown, shown
from makegood.text.letters.shapes import MAX_HTML, MAX_TEXT, Address, Bounce, Letter, Part, Unreadable

# One of these makes bytes a letter; a mere 'Key: value' line may stand in any text.
_LETTERLY = frozenset(
    [
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "message-id",
        "received",
        "return-path",
        "mime-version",
        "content-type",
        "reply-to",
        "sender",
        "delivered-to",
        "in-reply-to",
        "references",
        "x-mailer",
        "resent-from",
        "bcc",
        "apparently-to",
    ]
)
_NOBODY = Address("", "")
_NOTHING_TO_SEE = re.compile(
    r"(?:your|this) (?:e-?mail|mail) (?:client|program|reader|software).{0,80}(?:html|mime)|view .{0,40}html",
    re.IGNORECASE,
)


def read(raw: bytes) -> Letter:
    """The letter in ``raw``. Raises :class:`Unreadable`, and nothing else, for any bytes."""
    try:
        return _read(raw)
    except Unreadable:
        raise
    except Exception as error:
        # One bad letter stops nobody: the intake sets it aside with this code, and the log of the tests must be free of it.
        raise Unreadable("defect", type(error).__name__) from error


def _read(raw: bytes) -> Letter:
    if not raw.strip(b"\x00\r\n\t \x0b\x0c"):
        raise Unreadable("empty")
    trouble: dict[str, None] = {}
    message = mime.parse(raw, trouble)
    if not any(name.lower() in _LETTERLY for name, _ in message.raw_items()):
        raise Unreadable("not_a_letter")
    found = walking.Found(trouble=trouble)
    walking.walk(message, found)
    hint = mime.parameter(message, "charset")
    html = _html(found)
    text = _text(found, html)
    subject = words(mime.first(message, "Subject"), hint)[:1000]
    parts = (*found.parts, *html.pictures)
    if not (text.strip() or subject or parts or found.set_aside or found.returned or found.reports):
        raise Unreadable("nothing_in_it")
    report = (
        bounces.read(message, found, text, raw) if _may_be_report(message, found, subject) else (None, False)
    )
    return _letter(message, found, html, text, subject, parts, hint, report)


def _letter(
    message: Message,
    found: walking.Found,
    html: Shown,
    text: str,
    subject: str,
    parts: tuple[Part, ...],
    hint: str,
    report: tuple[Bounce | None, bool],
) -> Letter:
    def people(name: str) -> tuple[Address, ...]:
        return addresses(mime.values(message, name), hint)

    sender = next((one for one in people("From") if one.email), None) or next(
        iter(people("From") + people("Sender")), _NOBODY
    )
    if not sender.email:
        found.trouble["no_sender"] = None
    date = when(words(mime.first(message, "Date")))
    if date is None:
        found.trouble["date"] = None
    automatic, because = machines.judged(message, found, subject, sender.email, text, report[1])
    folded = fold(text)
    return Letter(
        message_id=message_id(mime.values(message, "Message-ID")),
        in_reply_to=message_ids(mime.values(message, "In-Reply-To")),
        references=message_ids(mime.values(message, "References")),
        sender=sender,
        reply_to=people("Reply-To"),
        to=people("To"),
        cc=people("Cc"),
        delivered_to=_delivered(message),
        subject=subject,
        date=date,
        text=text,
        said=folded.said,
        quoted=folded.quoted,
        signature=folded.signature,
        html=html.html,
        language_hint=words(mime.first(message, "Content-Language"))[:35],
        parts=parts,
        set_aside=tuple(clean(name) for name in found.set_aside),
        automatic=automatic,
        automatic_because=because,
        bounce=report[0] if automatic == "bounce" else None,
        headers_own=_own(message),
        trouble=tuple(found.trouble),
    )


def _may_be_report(message: Message, found: walking.Found, subject: str) -> bool:
    """Whether it is worth looking for a report: most letters come from people, and the detectors take their time."""
    return bool(found.reports or mime.kind(message) == "multipart/report") or machines.may_be_bounce(
        message, subject
    )


def _html(found: walking.Found) -> Shown:
    whole = "\n<hr>\n".join(found.html)
    if len(whole) > MAX_HTML:
        whole, found.trouble["truncated"] = whole[:MAX_HTML], None
    if not whole.strip():
        return Shown("", "", (), False)
    made = shown(whole)
    if made.cut:
        found.trouble["html"] = None
    return made


def _text(found: walking.Found, html: Shown) -> str:
    plain = "\n".join(text.strip("\n") for text, _ in found.plain if text.strip())
    alternative = any(chosen for _, chosen in found.plain)
    if not plain.strip() or (alternative and _poorer(plain, html.text)):
        text = html.text or plain
    elif found.html and not alternative:
        # Text and HTML one after the other are two halves of a letter, not two forms of it.
        text = f"{plain}\n\n{html.text}".rstrip()
    else:
        text = plain
    text = text or _enclosed(found)
    if len(text) > MAX_TEXT:
        text, found.trouble["truncated"] = text[:MAX_TEXT], None
    return clean(text).strip("\n")


def _poorer(plain: str, rich: str) -> bool:
    """A plain form that only says that there is another one, or that its program left nearly empty."""
    short = len(plain.strip())
    return bool(rich.strip()) and (
        (short < 300 and bool(_NOTHING_TO_SEE.search(plain))) or short * 10 < len(rich)
    )


def _enclosed(found: walking.Found) -> str:
    """Somebody passed a letter on and wrote nothing: then that letter is what there is to read."""
    for inner in found.returned[:1]:
        within = walking.Found()
        walking.walk(inner, within, depth=5)
        plain = "\n".join(text for text, _ in within.plain)
        return plain if plain.strip() else _html(within).text
    return ""


def _delivered(message: Message) -> tuple[str, ...]:
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To", "X-Forwarded-To")
    return tuple(
        dict.fromkeys(
            one.email for name in names for one in addresses(mime.values(message, name)) if one.email
        )
    )


def _own(message: Message) -> MappingProxyType[str, str]:
    found: dict[str, str] = {}
    for name, value in message.raw_items():
        if name.lower().startswith("x-makegood-") and len(found) < 20:
            found.setdefault(clean(name)[:100], words(str(value))[:1000])
    return MappingProxyType(found)
