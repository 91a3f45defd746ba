"""The files of an answer, as far as a mailbox takes them; the others are named in the letter, with their address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from makegood.cases import links
from makegood.conversations.models import Attachment, Blob, Delivery, Message

#: Mailboxes take about 25 MB, and base64 makes four bytes of three: so much of files, and the words still fit.
MOST = 18 * 1024 * 1024
_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,90}")


@dataclass(frozen=True)
class Left:
    """A file that is too large for the letter; ``address`` is where the customer gets it."""

    name: str
    address: str


@dataclass(frozen=True)
class Files:
    attached: tuple[Attachment, ...] = ()
    left: tuple[Left, ...] = ()


def of(delivery: Delivery) -> Files:
    """What goes along with this letter: the files of our own message, in their order, up to MOST bytes in all."""
    message = delivery.message
    if message is None or message.author != Message.Author.STAFF or delivery.what == Delivery.What.RECEIVED:
        return Files()
    attached: list[Attachment] = []
    left: list[Left] = []
    room = MOST
    for file in message.attachments.order_by("id"):
        if file.size <= room:
            attached.append(file)
            room -= file.size
        else:
            left.append(Left(file.name, f"{links.address(delivery.link)}files/{file.pk}/"))
    return Files(tuple(attached), tuple(left))


def contents(files: Files) -> Iterator[tuple[str, bytes, str]]:
    """Name, bytes and type of each attached file, one after the other."""
    for file in files.attached:
        content = bytes(Blob.objects.get(attachment=file).content)
        kind = file.content_type.lower()
        yield file.name, content, kind if _TYPE.fullmatch(kind) else "application/octet-stream"
