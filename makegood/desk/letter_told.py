"""What a letter's row says to people: why it is where it is, what did not fit, and a look into it. Reading only."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from makegood.cases import vault
from makegood.conversations.models import Letter, LetterSource
from makegood.desk.letter_place import writer_of
from makegood.text import letters
from makegood.text.letters import Unreadable

#: So much of a letter is looked at for the preview, in bytes and in characters.
_LOOKED, _SHOWN = 2**20, 4000


@dataclass(frozen=True)
class Preview:
    """Who wrote and what, as far as it can be read."""

    name: str
    email: str
    subject: str
    text: str
    cut: bool


def because(letter: Letter) -> str:
    """Why the letter is where it is, as a sentence; the detail of a code we do not know stands as it is."""
    head, _colon, detail = letter.because.partition(":")
    sentences = {
        "too_large": _(
            "It is too large: only its beginning is here. The whole letter is still in the mailbox."
        ),
        "gave_up": _("Reading it ended without an answer each time."),
        "no_sender": _("It names no sender whom we could answer."),
        "from_ourselves": _(
            "It comes from one of our own addresses, and no other address to answer is named."
        ),
        "from_the_house": _("It comes from somebody of the desk or a merchant, and belongs to no case."),
        "sender_limit": _("This sender has opened too many cases in a short time."),
        "same_letter": _("The same letter came before, by another way."),
        "own_loop": _("It is a letter of our own that came back in a circle."),
        "stranger": _("It names a case, but its sender does not belong to it: staff read it there."),
        "signed": _("It answers a letter of ours."),
        "thread": _("It answers a letter that we know."),
        "subject": _("The case number stands in its subject, and its sender belongs to the case."),
        "new": _("It belongs to no case yet."),
        "by_hand": _("A person decided."),
        "filter": _("The mail server's filter marked it."),
        "unreadable": _("It cannot be read as a letter."),
        "refused": _("The desk refused what it holds."),
        "auto_reply": _("It is an automatic answer."),
        "auto_generated": _("A program wrote it."),
        "list": _("It comes from a mailing list."),
        "bulk": _("It was sent to many at once."),
    }
    if head not in sentences:
        return letter.because
    shown = detail if head in ("by_hand", "filter") else ""
    return f"{sentences[head]} {shown}".strip()


def left_out(letter: Letter) -> list[str]:
    """What of the letter stands in its source only, a sentence each."""
    sentences = {
        "too_large": _("%(name)s is too large to be kept with the message."),
        "too_many": _("%(name)s is beyond the number of files that are kept with a message."),
        "cut": _("The text is very long: all of it is in the file %(name)s."),
        "html": _("Its formatted form is too large to be shown."),
        "set_aside": _("%(name)s cannot be opened here."),
        "unreadable": _("A part of it could not be read."),
    }
    return [sentences[code] % {"name": name} for code, name in letter.kept_apart if code in sentences]


def _masked(letter: Letter, text: str) -> str:
    """A look into a letter shows no card number either; which order numbers are the shop's own is known by its mailbox."""
    return vault.masked(text, letter.mailbox.shop_id if letter.mailbox else 0).text


def preview(letter: Letter) -> Preview:
    """A look into the letter; empty where it cannot be read."""
    raw = bytes(LetterSource.objects.values_list("content", flat=True).get(pk=letter.pk)[:_LOOKED])
    try:
        read = letters.read(raw)
    except Unreadable:
        text = raw[:_SHOWN].decode("utf-8", "replace").replace("\x00", "")
        return Preview("", letter.sender, letter.subject, _masked(letter, text), len(raw) > _SHOWN)
    person = writer_of(read)
    text = _masked(letter, (read.said or read.text)[: 2 * _SHOWN])
    return Preview(
        person.name, person.email, _masked(letter, read.subject), text[:_SHOWN], len(text) > _SHOWN
    )
