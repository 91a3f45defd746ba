"""A letter to the customer as it leaves: whose name it carries, where answers and reports of it go, and its headers."""

from __future__ import annotations

import re
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from makegood.base.words import clean_line
from makegood.cases import links
from makegood.conversations import outbox, threads
from makegood.conversations.models import Delivery, Letter
from makegood.jobs import letter_files
from makegood.jobs.letter_words import Place, Written, write
from makegood.mail_settings import SMTP

#: Message-IDs in References: mail programs cut long ones themselves, and not always at the right end.
REFERENCES = 10
_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{1,250}")


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The letter of an outbox row. Raises ValueError for an address or subject that cannot stand in a header."""
    mailbox = delivery.mailbox
    brand = _name(mailbox.name if mailbox else delivery.case.shop.name)
    address = mailbox.address if mailbox else parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    with_plus = mailbox is not None and mailbox.plus
    files = letter_files.of(delivery)
    written = write(delivery, Place(brand=brand, answerable=mailbox is not None), files)
    headers = {
        "From": formataddr((brand, address)),
        "Message-ID": threads.message_id_for(delivery),
        **_thread(delivery, threads.domain_of(address)),
        "Content-Language": written.language,
        "X-Makegood-Loop": threads.site_id(),
        **_automatic(delivery),
        **_unsubscribe(delivery),
    }
    mail = EmailMultiAlternatives(
        subject=_subject(delivery, written),
        body=written.text,
        # The envelope's sender: a letter that comes back then names itself. A provider has its own, and tells us by webhook.
        from_email=threads.return_path(mailbox, delivery)
        if mailbox and with_plus and not _by_provider()
        else address,
        to=[delivery.to],
        reply_to=[formataddr((brand, threads.reply_address(mailbox, delivery.case)))]
        if mailbox and with_plus
        else None,
        headers=headers,
    )
    mail.attach_alternative(written.html, "text/html")
    for name, content, content_type in letter_files.contents(files):
        mail.attach(name, content, content_type)
    return mail


def is_automatic(delivery: Delivery) -> bool:
    """Whether no person wrote it: the confirmation of a report, and what the house asks by itself."""
    message = delivery.message
    return delivery.what == Delivery.What.RECEIVED or message is None or message.by_id is None


def _automatic(delivery: Delivery) -> dict[str, str]:
    """RFC 3834, so that no machine answers; Exchange's own header too, which must not suppress reports of failure (NDR)."""
    if not is_automatic(delivery):
        return {}
    return {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
    }


def _unsubscribe(delivery: Delivery) -> dict[str, str]:
    """RFC 2369 and 8058 (which wants https), only where there is something to decline: questions, never answers."""
    if delivery.what not in outbox.DECLINABLE:
        return {}
    address = links.quiet_address(delivery.link)
    one_click = (
        {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if address.startswith("https:") else {}
    )
    return {"List-Unsubscribe": f"<{address}>", **one_click}


def _thread(delivery: Delivery, domain: str) -> dict[str, str]:
    """In-Reply-To and References: the case's thread, our earlier letters, and the customer's own, oldest first."""
    case = delivery.case
    ours = Delivery.objects.filter(case=case, id__lt=delivery.pk, sent_at__isnull=False).exclude(header_id="")
    theirs = Letter.objects.filter(case=case).exclude(header_id="")
    moments = [
        *ours.order_by("-id").values_list("sent_at", "header_id")[:REFERENCES],
        *theirs.order_by("-id").values_list("came_at", "header_id")[:REFERENCES],
    ]
    earlier = [known for _at, raw in sorted(moments) if (known := _message_id(raw))]
    last = next(
        (_message_id(raw) for raw in theirs.order_by("-id").values_list("header_id", flat=True)[:1]), ""
    )
    thread = threads.thread_id_for(case, domain)
    named = list(dict.fromkeys([*earlier[-REFERENCES:], *([last] if last else [])]))
    return {"In-Reply-To": last or (named[-1] if named else thread), "References": " ".join([thread, *named])}


def _message_id(raw: str) -> str:
    """A Message-ID that may stand in a header of ours; '' for one that a stranger made to be none."""
    inner = raw.strip().removeprefix("<").removesuffix(">")
    return f"<{inner}>" if _ID.fullmatch(inner) else ""


def _subject(delivery: Delivery, written: Written) -> str:
    """The customer's own subject again where they wrote by letter, so that their program keeps the thread together."""
    if delivery.what != Delivery.What.RECEIVED:
        wrote = Letter.objects.filter(case=delivery.case, sender__iexact=delivery.to).exclude(subject="")
        first = wrote.order_by("id").values_list("subject", flat=True).first()
        if first and (own := clean_line(_plain(first), limit=400, field="subject", required=False)):
            return f"Re: {own[:150]} [{delivery.case.number}]"
    return f"[{delivery.case.number}] {written.subject}"


def _plain(subject: str) -> str:
    return re.sub(
        r"^(?:\s*(?:re|fwd?|회신|답장|回复|答复|转发)\s*[:：]\s*)+", "", subject, flags=re.IGNORECASE
    )


def _name(name: str) -> str:
    return clean_line(name, limit=10**4, field="name", required=False)[:120]


def _by_provider() -> bool:
    return settings.EMAIL_BACKEND != SMTP and settings.EMAIL_BACKEND.startswith("anymail.")
