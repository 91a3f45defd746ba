"""A letter to a person of the desk: plain text, from the site's own address, marked as written by a machine."""

from __future__ import annotations

import smtplib
import uuid

from django.conf import settings
from django.core.mail import EmailMessage

from makegood.base.words import clean_line
from makegood.connectors.errors import Later, Never
from makegood.conversations import threads
from makegood.conversations.outbox import can_send
from makegood.ways.models import Way


def send(way: Way, title: str, body: str, mark: str) -> None:
    """Send it. ``mark`` makes the Message-ID, the same when a packet leaves once more. Raises Later or Never. Slow."""
    if not can_send():
        raise Later("no_mail")
    if way.user is None:
        raise Never("bad_url")
    domain = threads.domain_of(settings.DEFAULT_FROM_EMAIL)
    mark = uuid.uuid4().hex if mark == "test" else mark
    headers = {
        "Message-ID": f"<notice-{mark}.{threads.site_id()}@{domain}>",
        # RFC 3834: no machine answers it; and our own mailboxes know their own site by the loop header.
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
        "X-Makegood-Loop": threads.site_id(),
    }
    subject = clean_line(title, limit=10_000, field="subject")[:200]
    try:
        EmailMessage(subject, body, to=[way.user.email], headers=headers).send()
    except smtplib.SMTPRecipientsRefused as error:
        refused = all(code >= 500 for code, _said in error.recipients.values())
        raise (Never("mail_refused") if refused else Later("mail")) from None
    except Exception:  # anymail's errors, a lost line, a wrong password: the code is all that may be shown
        raise Later("mail") from None
