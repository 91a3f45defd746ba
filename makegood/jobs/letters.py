"""A letter to the customer: in their language, plain text and simple html, with the link to their own page."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.base.moments import said
from makegood.cases import links
from makegood.conversations.models import Delivery
from makegood.promises.ledger import next_word_due


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """The letter of an outbox row. Raises ValueError for an address or subject that cannot stand in a header.

    'We have it' goes to an address that a stranger may have typed: it never carries the words of the report, so that
    nobody can send their own words to somebody else in our name.
    """
    case = delivery.case
    with speaking(delivery.language) as language, timezone.override(ZoneInfo(case.shop.zone)):
        due_at = next_word_due(case) if case.is_open else None
        context = {
            "shop": case.shop.name,
            "number": case.number,
            "language": language,
            "body": delivery.message.body if delivery.message and delivery.what != "received" else "",
            "address": links.address(delivery.link),
            "due_at": due_at,
            "time": said(due_at) if due_at else "",
            "late": due_at is not None and due_at < clock.now(),
            "zone": case.shop.zone,
        }
        text = render_to_string(f"letters/{delivery.what}.txt", context).strip() + "\n"
        subject = f"[{case.number}] {_subject(delivery.what, case.shop.name)}"
        html = render_to_string("letters/letter.html", {"text": text, "language": language})
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ")
    thread = f"<case-{case.number}@{domain}>"
    headers = {
        "Message-ID": f"<letter-{delivery.pk}@{domain}>",
        "In-Reply-To": thread,
        "References": thread,
        "Content-Language": language,
    }
    if delivery.what == Delivery.What.RECEIVED:
        headers["Auto-Submitted"] = "auto-generated"
    mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [delivery.to], headers=headers)
    mail.attach_alternative(html, "text/html")
    return mail


def _subject(what: str, shop: str) -> str:
    shop = " ".join(shop.split())
    return {
        "received": _("%(shop)s: we have your report") % {"shop": shop},
        "reply": _("%(shop)s: an answer for you") % {"shop": shop},
        "told": _("%(shop)s: please tell us whether it is made good") % {"shop": shop},
        "ask": _("%(shop)s: has it been made good?") % {"shop": shop},
        "question": _("%(shop)s: we still need your answer") % {"shop": shop},
        "follow_up": _("%(shop)s: is it still good?") % {"shop": shop},
        "ended": _("%(shop)s: how your report ended") % {"shop": shop},
    }[what]
