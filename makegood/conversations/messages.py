"""Storing what was said: cleaned, with its files, and findable in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock, rows
from makegood.base.errors import Refusal
from makegood.base.words import clean, file_name
from makegood.cases import vault
from makegood.cases.access import whole
from makegood.cases.models import Case
from makegood.conversations.models import Attachment, Blob, Message, SearchEntry
from makegood.people.actors import Actor
from makegood.text import language as languages
from makegood.text import search

Author, Audience = Message.Author, Message.Audience
#: What a page may show by itself; everything else is only given out to be saved (an SVG or an HTML file may hold a script).
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True)
class Upload:
    """A file as a door received it."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""


def store(
    case: Case,
    *,
    by: Actor,
    author: str,
    audience: str,
    body: str,
    language: str = "",
    channel: str = "",
    files: Sequence[Upload] = (),
    head: Iterable[str] = (),
    quoted: str = "",
    html: str = "",
) -> Message:
    """Store one message with its files and make it findable; ``head`` is text that finds the case first.

    ``quoted`` and ``html`` are a letter's: what it quoted and signed, and its html, made safe already.

    Raises Refusal (field 'text' or 'files') when it is empty, too long, or a file is too large. The language is
    read from the words; the case's language stands in where the words do not tell ('ok', an emoji).
    """
    body = clean(body, limit=settings.MESSAGE_CHARACTERS, field="text", required=not files)
    # Before anything reads the words: neither search nor signals nor letters may ever see a card number.
    found, below = vault.masked(body, case.shop_id), vault.masked(quoted, case.shop_id)
    secrets = (*found.secrets, *below.secrets)
    vault.keep(case, secrets, by=by)
    body, quoted, html = found.text, below.text, vault.taken_markup(case, html, secrets)
    message = Message(
        case=case,
        author=author,
        by_id=by.user_id,
        audience=audience,
        channel=channel or by.door,
        language=language or languages.detect(body, default=case.language),
        body=body,
        quoted=quoted,
        html=html,
        at=clock.now(),
    )
    rows.add(message)
    for file in files:
        attach(message, file)
    index(
        case,
        message,
        [(vault.masked(text, case.shop_id).text, "A") for text in head] + [(body, "D")],
        staff_only=audience != Audience.CUSTOMER,
    )
    return message


def store_all(cases: Sequence[Case], bodies: Mapping[str, str], *, by: Actor) -> dict[int, Message]:
    """One word of staff to many customers, each in the language of their case (``bodies``); the messages by the case's id.

    The words come clean from the act that they belong to; what they are found by is cut once a language, not once a case.
    """
    now = clock.now()
    made = Message.objects.bulk_create(
        Message(
            case=case,
            author=Author.STAFF,
            by_id=by.user_id,
            audience=Audience.CUSTOMER,
            channel=by.door,
            language=case.language,
            body=bodies[case.language],
            at=now,
        )
        for case in cases
    )
    vectors = {language: search.vector([(body, "D")]) for language, body in bodies.items()}
    SearchEntry.objects.bulk_create(
        SearchEntry(case=case, message=message, shop_id=case.shop_id, vector=vectors[case.language])
        for case, message in zip(cases, made, strict=True)
    )
    return {message.case_id: message for message in made}


def attach(message: Message, file: Upload) -> Attachment:
    """Keep a file with its message; raises Refusal beside 'files' when it is larger than the limit."""
    if len(file.content) > settings.ATTACHMENT_BYTES:
        raise Refusal(
            "file_too_large",
            _("%(name)s is too large: at most %(limit)s MB a file.")
            % {"name": file_name(file.name), "limit": settings.ATTACHMENT_BYTES // 2**20},
            field="files",
        )
    kept = Attachment.objects.create(
        message=message,
        case_id=message.case_id,
        name=file_name(file.name),
        content_type=file.content_type[:100],
        size=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
        content_id=file.content_id[:200],
        at=message.at,
    )
    Blob.objects.create(attachment=kept, content=file.content)
    return kept


def index(case: Case, message: Message | None, parts: Iterable[tuple[str, str]], *, staff_only: bool) -> None:
    """Write the search row. The literal is cut by us, since PostgreSQL's parser does not cut Chinese or Korean."""
    rows.add(
        SearchEntry(
            case=case,
            message=message,
            shop_id=case.shop_id,
            staff_only=staff_only,
            vector=search.vector(parts),
        )
    )


def readable_by(actor: Actor, case: Case) -> QuerySet[Message]:
    """The messages of the case (and of those merged into it) that this actor may read, oldest first."""
    # A letter's html may be a megabyte and stands on no list; who shows it asks for it.
    messages = Message.objects.filter(case__in=whole(case)).defer("html").order_by("at", "id")
    if actor.role == "customer":
        return messages.filter(audience=Audience.CUSTOMER)
    if actor.role == "merchant":
        return messages.filter(audience__in=(Audience.CUSTOMER, Audience.MERCHANT))
    return messages
