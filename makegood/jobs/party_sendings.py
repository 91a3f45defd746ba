"""Sending what is asked of outside parties, one row at a time; nothing slow happens inside a transaction (law 6)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from email.utils import formataddr, parseaddr
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.translation import gettext as _

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.base.moments import said, zone_said
from makegood.base.seal import Broken
from makegood.base.words import clean_line
from makegood.connectors.errors import OutsideError
from makegood.connectors.post import post
from makegood.conversations import outbox, threads
from makegood.desk import parties, party_page, party_sendings
from makegood.jobs.refusals import judge
from makegood.parties.models import Party, PartySending
from makegood.people import actors
from makegood.webhooks import signing

log = logging.getLogger("makegood.jobs")
_BY = actors.system("worker")


def send_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due until nothing is or ``stop()`` says so; returns how many were tried."""
    tried = 0
    while not stop():
        row = party_sendings.claim()
        if row is None:
            break
        send(row)
        tried += 1
    return tried


def send(row: PartySending) -> None:
    """Send one claimed row and write down how it went. One bad address stops nobody."""
    try:
        call(row) if row.way == Party.Way.WEBHOOK else compose(row).send()
    except (OutsideError, Broken) as error:
        code = error.code if isinstance(error, OutsideError) else "secret"
        log.warning("party sending %s not sent: %s", row.pk, code)
        party_sendings.unsent(row, code, by=_BY)
    except Exception as error:
        verdict = judge(error)
        log.warning("party letter %s not sent: %s", row.pk, type(error).__name__)
        party_sendings.unsent(row, f"{type(error).__name__}: {error}", by=_BY, for_good=verdict.for_good)
    else:
        party_sendings.sent(row)


def compose(row: PartySending) -> EmailMessage:
    """The letter, in the party's language: what is asked, by when, and the link. What the page shows is not in it."""
    ask, case = row.ask, row.ask.case
    mailbox = outbox.mailbox_for(case)
    brand = clean_line(
        mailbox.name if mailbox else case.shop.name, limit=10**4, field="name", required=False
    )[:120]
    address = mailbox.address if mailbox else parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    domain = threads.domain_of(address)
    first = ask.sendings.order_by("id").values_list("pk", flat=True).first() or row.pk
    headers = {
        "Message-ID": threads.ask_message_id(row.pk, ask.pk, domain),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
        "X-Makegood-Loop": threads.site_id(),
        **({} if first == row.pk else {"References": threads.ask_message_id(first, ask.pk, domain)}),
    }
    with speaking(ask.party.language), timezone.override(ZoneInfo(case.shop.zone)):
        subject, body = written(row, answerable=mailbox is not None)
    answer_to = threads.ask_address(mailbox, ask.pk) if mailbox and mailbox.plus else ""
    return EmailMessage(
        f"[{case.number}] {subject}",
        body,
        from_email=formataddr((brand, address)),
        to=[row.to],
        reply_to=[formataddr((brand, answer_to))] if answer_to else None,
        headers=headers,
    )


def written(row: PartySending, *, answerable: bool) -> tuple[str, str]:
    """Subject and text, in the active language and zone."""
    ask, shop = row.ask, row.ask.case.shop.name
    when = {"time": said(ask.due_at), "zone": zone_said(ask.due_at), "shop": shop}
    if row.what == PartySending.What.WITHDRAWN:
        return (
            _("%(shop)s: no longer needed") % when,
            "\n\n".join([_("What we asked of you is no longer needed. Thank you."), ask.what]),
        )
    if row.what == PartySending.What.REMINDED:
        subject = _("%(shop)s: we still wait for your answer") % when
        first = _("We still wait for your answer. We asked you, by %(time)s (%(zone)s):") % when
    else:
        subject = _("%(shop)s: we need something from you") % when
        first = _("We ask you to do this by %(time)s (%(zone)s):") % when
    how = [_("Answer on this page; you need no account. It also shows the details:"), party_page.address(ask)]
    if answerable:
        how.append(_("You can also answer this letter."))
    return subject, "\n\n".join([first, ask.what, "\n".join(how), f"-- \n{shop}"])


def call(row: PartySending) -> None:
    """The same as a signed webhook (Standard Webhooks). Raises OutsideError, or Broken; any answer but 2xx is tried again."""
    ask = row.ask
    with speaking(ask.party.language):
        lines = [{"name": line.name, "text": line.text} for line in party_page.read(ask).lines]
    body = json.dumps(
        {
            "type": f"makegood.ask.{row.what}",
            "timestamp": row.made_at.isoformat(),
            "data": {
                "ask": ask.pk,
                "case": ask.case.number,
                "shop": ask.case.shop.code,
                "what": ask.what,
                "due_at": ask.due_at.isoformat(),
                "facts": lines,
                "answer_at": party_page.address(ask),
            },
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    signed = signing.headers(f"ask_{row.pk}", int(clock.now().timestamp()), body, [parties.key_of(ask.party)])
    headers = {"Content-Type": "application/json", "User-Agent": "Makegood-Webhooks/1", **signed}
    answer = post(row.to, body, headers)
    if not 200 <= answer.status < 300:
        raise Refused(f"http_{answer.status}")


class Refused(OutsideError):
    """Their server answered, but not that it has it."""
