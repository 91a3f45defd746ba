"""What of a letter is stored on the case: its words, its html, its files; and what did not fit, so that it is told."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from django.conf import settings

from makegood.conversations.messages import Upload
from makegood.text.letters import Letter

#: So many files of one letter are kept with the message; the others stand in the source.
MOST_FILES = 50
MOST_HTML, MOST_QUOTED = 1_000_000, 200_000


@dataclass(frozen=True)
class Words:
    """``apart``: [code, name] of what stands in the source only: too_large, too_many, cut, html, set_aside, unreadable."""

    text: str
    quoted: str
    html: str
    files: tuple[Upload, ...]
    apart: list[list[str]] = field(default_factory=list)


def words_of(letter: Letter) -> Words:
    """What a message holds of the letter. Never empty, within every limit of a message, and nothing left out in silence."""
    apart = [["set_aside", name[:100]] for name in letter.set_aside[:20]]
    apart += [["unreadable", code] for code in letter.trouble if code in _CUT]
    files = _files(letter, apart)
    text = letter.said.strip() or letter.text.strip() or letter.subject.strip() or "—"
    if len(text) > settings.MESSAGE_CHARACTERS:
        files = (*files, Upload("letter.txt", "text/plain", text.encode()))
        text = text[: settings.MESSAGE_CHARACTERS - 1] + "…"
        apart.append(["cut", "letter.txt"])
    html = letter.html
    if len(html) > MOST_HTML:
        html = ""
        apart.append(["html", ""])
    quoted = "\n\n".join(part for part in (letter.signature.strip(), letter.quoted.strip()) if part)
    return Words(text, quoted[:MOST_QUOTED], html, files, apart)


_CUT = ("truncated", "too_deep", "too_many_parts", "structure")


def _files(letter: Letter, apart: list[list[str]]) -> tuple[Upload, ...]:
    kept: list[Upload] = []
    for number, part in enumerate(letter.parts, 1):
        name = part.name or _name(part.content_type, number)
        if len(part.content) > settings.ATTACHMENT_BYTES:
            apart.append(["too_large", name[:100]])
        elif len(kept) >= MOST_FILES:
            apart.append(["too_many", name[:100]])
        else:
            kept.append(Upload(name, part.content_type, part.content, part.content_id))
    del apart[60:]
    return tuple(kept)


def _name(content_type: str, number: int) -> str:
    kind = content_type.rpartition("/")[2].partition("+")[0]
    return f"{'picture' if content_type.startswith('image/') else 'file'}-{number}.{kind or 'bin'}"


def digest_of(letter: Letter) -> str:
    """SHA-256 of what the letter says, the same on every way that it takes: by it a letter to two mailboxes is known.

    The Message-ID alone is not enough: some programs give every letter the same.
    """
    made = hashlib.sha256()
    date = letter.date.isoformat() if letter.date else ""
    for piece in (letter.subject, date, " ".join(letter.text.split())):
        made.update(piece.encode("utf-8", "surrogatepass") + b"\x00")
    for part in letter.parts:
        made.update(hashlib.sha256(part.content).digest())
    return made.hexdigest()
