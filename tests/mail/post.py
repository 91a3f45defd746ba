"""Letters as people and programs write them, and the short way from raw bytes to what became of them."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import make_msgid

from makegood.conversations.models import Letter, Mailbox
from makegood.desk import receiving
from makegood.jobs.receive import read_due
from makegood.people.models import Shop
from tests import cast as stages

WORDS = "주문번호 HN-20261101 환불이 아직 입금되지 않았습니다. 언제 처리되나요?"


def box(shop: Shop, address: str = "help@haneul.example", **more: object) -> Mailbox:
    """A mailbox of the shop; the first one unless told otherwise."""
    first = not shop.mailboxes.filter(first=True).exists()
    return Mailbox.objects.create(
        **{"shop": shop, "address": address, "name": shop.name, "first": first, **more}
    )


def letter(
    sender: str = "지우 <jiwoo@customer.example>",
    to: str = "help@haneul.example",
    subject: str = "환불이 안 됩니다",
    text: str = WORDS,
    *,
    html: str = "",
    files: tuple[tuple[str, str, bytes], ...] = (),
    **headers: str,
) -> bytes:
    """A raw letter. ``headers`` by their names with _ for -; an empty one leaves the header out."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, subject
    for name, value in {
        "Message_ID": make_msgid(domain="customer.example"),
        "Date": "Sun, 22 Nov 2026 10:00:00 +0900",
        **headers,
    }.items():
        if value:
            made[name.replace("_", "-")] = value
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    for name, kind, content in files:
        made.add_attachment(content, *kind.split("/"), filename=name)
    return made.as_bytes()


def sent(mailbox: Mailbox, raw: bytes, **more: str) -> Letter:
    """The letter taken in and read; its row afterwards."""
    row = receiving.take_in(raw, way="pipe", mailbox=mailbox, **more)
    read_due()
    return Letter.objects.select_related("case", "message", "twin").get(pk=row.pk)


def header_of(raw: bytes, name: str) -> str:
    from email import message_from_bytes, policy

    return str(message_from_bytes(raw, policy=policy.default)[name])


__all__ = ["WORDS", "box", "header_of", "letter", "sent", "stages"]
