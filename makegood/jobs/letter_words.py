"""What a letter says, in the recipient's language: plain text and html, made of the same pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.base.marker import marker
from makegood.base.moments import said, zone_said
from makegood.cases import links
from makegood.cases.access import whole
from makegood.cases.models import Case
from makegood.conversations import outbox
from makegood.conversations.models import Delivery, Message
from makegood.jobs.letter_files import Files
from makegood.people.signatures import signature_for
from makegood.promises.ledger import next_word_due

What = Delivery.What
#: Letters that quote what the customer wrote last: those in which a person answers them.
QUOTES = frozenset({What.REPLY, What.TOLD, What.QUESTION, What.ENDED})
_QUOTED, _QUOTED_LINES = 2000, 40


@dataclass(frozen=True)
class Place:
    """In whose name the letter goes; ``answerable``: answers to it reach us."""

    brand: str
    answerable: bool


@dataclass(frozen=True)
class Written:
    language: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Quote:
    """What the customer wrote last, and 'On … you wrote:' over it."""

    over: str
    lines: tuple[str, ...]


def write(delivery: Delivery, place: Place, files: Files) -> Written:
    """The words of an outbox row.

    'We have it' goes to an address that a stranger may have typed: it never carries the words of the report, so that
    nobody can send their own words to somebody else in our name.
    """
    case = delivery.case
    with speaking(delivery.language) as language, timezone.override(ZoneInfo(case.shop.zone)):
        message = delivery.message if delivery.what != What.RECEIVED else None
        context: dict[str, Any] = {
            "language": language,
            "brand": place.brand,
            "number": case.number,
            "what": delivery.what,
            "marker": marker(language) if place.answerable else "",
            "answerable": place.answerable,
            "body": message.body if message else "",
            "signature": signature_for(case.shop_id, case.team_id, message.by if message else None, language),
            "promise": promise(case),
            "address": links.address(delivery.link),
            "quiet": links.quiet_address(delivery.link) if delivery.what in outbox.DECLINABLE else "",
            "left": files.left,
            "quote": quote(delivery) if delivery.what in QUOTES else None,
            **asked(delivery.what),
        }
        return Written(
            language=language,
            subject=subject(delivery.what, place.brand),
            text=render_to_string("letters/letter.txt", context).strip() + "\n",
            html=render_to_string("letters/letter.html", context),
        )


def promise(case: Case) -> str:
    """By when the customer hears from us, in words and with the zone; '' when nothing is promised."""
    due_at = next_word_due(case) if case.is_open else None
    if due_at is None:
        return ""
    words = {"time": said(due_at), "zone": zone_said(due_at)}
    if due_at < clock.now():
        return _("We promised you word by %(time)s (%(zone)s) and are late. We are sorry.") % words
    return _("You hear from us by %(time)s (%(zone)s) at the latest.") % words


def quote(delivery: Delivery) -> Quote | None:
    """The customer's last words before this letter, shortened; they know what they wrote, and see what is answered."""
    theirs = Message.objects.filter(
        case__in=whole(delivery.case), author=Message.Author.CUSTOMER, audience=Message.Audience.CUSTOMER
    ).exclude(body="")
    if delivery.message_id:
        theirs = theirs.filter(id__lt=delivery.message_id)
    last = theirs.order_by("-id").first()
    if last is None:
        return None
    lines = last.body[:_QUOTED].split("\n")
    cut = len(last.body) > _QUOTED or len(lines) > _QUOTED_LINES
    shown = (*lines[:_QUOTED_LINES], *(["…"] if cut else []))
    return Quote(_("On %(time)s you wrote:") % {"time": said(last.at)}, shown)


def asked(what: str) -> dict[str, str]:
    """What the letter asks for, and the button that leads to the page where it is answered. Opening it answers nothing."""
    question, button, at = {
        "told": (
            _("Is it made good? Please tell us on your page: all good, partly, or not good. Only your own word closes it."),
            _("Say whether it is made good"),
            "#confirm",
        ),
        "ask": ("", _("Say whether it is made good"), "#confirm"),
        "question": (_("While we wait for your answer, what was promised to you stands."), _("Answer the question"), "#say"),
        "follow_up": ("", _("Say whether it held"), ""),
        "ended": (_("If it is not solved, tell us on your page, and we open it again."), _("It is not solved"), "#reopen"),
    }.get(what, ("", _("Open your page"), ""))  # fmt: skip
    return {"question": question, "button": button, "at": at}


def subject(what: str, brand: str) -> str:
    """The subject without the number, in the active language."""
    return {
        "received": _("%(shop)s: we have your report"),
        "reply": _("%(shop)s: an answer for you"),
        "told": _("%(shop)s: please tell us whether it is made good"),
        "ask": _("%(shop)s: has it been made good?"),
        "question": _("%(shop)s: we still need your answer"),
        "follow_up": _("%(shop)s: does it still hold?"),
        "moved": _("%(shop)s: who has your report now"),
        "ended": _("%(shop)s: how your report ended"),
    }[what] % {"shop": brand}
