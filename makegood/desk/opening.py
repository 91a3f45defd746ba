"""Opening a case: from a customer, a merchant, staff, the API or a file; always this one verb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from makegood.base import clock, rows
from makegood.base.errors import Refusal
from makegood.base.languages import closest
from makegood.base.words import clean, clean_line
from makegood.cases import links, pen, vault
from makegood.cases.access import RESTRICTED
from makegood.cases.models import Case, CaseEvent, CaseLink, Reference
from makegood.cases.urgency import Impact
from makegood.conversations import messages, outbox
from makegood.conversations.messages import Upload
from makegood.conversations.models import Message
from makegood.desk import demands, owing
from makegood.desk.verb import verb
from makegood.packs import policy, taxonomy
from makegood.people.actors import Actor
from makegood.people.customers import find_or_add
from makegood.people.models import Customer, Shop
from makegood.promises.models import Promise
from makegood.text import entities
from makegood.text import language as languages
from makegood.transactions import orders


@dataclass(frozen=True)
class Report:
    """What is known when a problem is reported. Only ``text`` must be there, and a customer who can be found again."""

    text: str
    subject: str = ""
    customer_name: str = ""
    customer_email: str = ""
    customer_phone: str = ""
    language: str = ""
    order_number: str = ""
    type: str = ""
    asked_remedy: str = ""
    impact: Impact = field(default_factory=Impact)
    answers: tuple[tuple[str, str], ...] = ()  # (playbook item, answer)
    files: Sequence[Upload] = ()
    channel: str = ""
    happened_at: datetime | None = None
    quoted: str = ""
    html: str = ""
    silent: bool = False  # no 'we have it': what a machine wrote is never answered
    noticed: bool = False  # by the house, before the customer complained: the words are ours


@verb("open")
def open_case(shop: Shop, report: Report, *, by: Actor, customer: Customer | None = None) -> CaseEvent:
    """Open a case: case, first message, urgency with its evidence, first promised word, link and letter in one act.

    Raises Refusal with the field for what is empty, too long or unknown. Returns the 'opened' event; ``event.case``
    is the new case. ``true_at`` of the event is ``report.happened_at`` where the reporter names it.
    """
    check_codes(report)
    now = clock.now()
    words = vault.masked(clean(report.text, limit=settings.MESSAGE_CHARACTERS, field="text"), shop.pk)
    text = words.text
    language = languages.detect(text, default=closest(report.language or shop.language))
    customer = customer or find_or_add(
        shop,
        report.customer_name,
        report.customer_email,
        report.customer_phone,
        closest(report.language or language),
    )
    title = vault.masked(clean_line(report.subject or first_line(text), limit=200, field="subject"), shop.pk)
    subject = title.text
    found = entities.find(text, language)
    order_number, order_id = which_order(shop, report.order_number, found)
    impact = report.impact
    # Our own words are no evidence of what the customer feels.
    evidence = demands.at_opening("" if report.noticed else text, language, impact, report.type)

    case = Case(
        shop=shop,
        customer=customer,
        order_id=order_id,
        order_number=order_number,
        subject=subject,
        language=language,
        opened_at=now,
        kind=_kind_at_once(report.type),
        asked_remedy=report.asked_remedy,
        money_lost=impact.money_lost,
        currency=impact.currency or (shop.currency if impact.money_lost is not None else ""),
        orders_blocked=impact.orders_blocked,
        campaign_at_risk=impact.campaign_at_risk,
        customer_wrote_at=None if report.noticed else now,
        due_at=now,
    )
    level = max(e.level for e in evidence)
    case.due_at = now + policy().times(level, report.type).first_word
    with rows.together(Case, Message, Promise, CaseLink, CaseEvent):
        pen.begin(case, evidence=evidence)
        vault.keep(case, (*words.secrets, *title.secrets), by=by)
        message = messages.store(
            case,
            by=by,
            author=messages.Author.SYSTEM if report.noticed else author_of(by),
            audience=messages.Audience.CUSTOMER,
            body=text,
            language=language,
            channel=report.channel,
            files=report.files,
            quoted=report.quoted,
            html=vault.taken_markup(case, report.html, words.secrets),
            head=[str(case.number), subject, customer.name, customer.email, customer.phone, order_number],
        )
        promise = owing.by_rule(case, "first_word", level=level, type_code=report.type, since=now)
        remember(case, message.pk, found, _masked_answers(case, report, by))
        if not (report.silent or report.noticed):
            outbox.letter(case, "received", link=links.make(case), message=message)
        return pen.opened(
            case,
            by=by,
            at=report.happened_at,
            data={
                "message": message.pk,
                "level": case.urgency,
                "promise": promise.pk,
                "until": promise.due_at.isoformat(),
                "type": report.type or None,
                "noticed": report.noticed or None,
            },
            evidence=evidence,
            evidence_message=message.pk,
        )


def _kind_at_once(type_code: str) -> str:
    """What is reported as a matter of security is restricted from the first moment; any other kind waits to be sorted."""
    kind = taxonomy().types[type_code].kind if type_code else ""
    return kind if kind == RESTRICTED else ""


def _masked_answers(case: Case, report: Report, by: Actor) -> tuple[tuple[str, str], ...]:
    return tuple((item, vault.taken(case, answer, by=by)) for item, answer in report.answers)


def check_codes(report: Report) -> None:
    """Refuse codes that the taxonomy does not know, and amounts that cannot be."""
    if report.type and report.type not in taxonomy().types:
        raise Refusal("unknown_type", _("There is no such type of problem."), field="type")
    if report.asked_remedy and report.asked_remedy not in taxonomy().remedies:
        raise Refusal("unknown_remedy", _("There is no such remedy."), field="asked_remedy")
    money = report.impact.money_lost
    if money is not None and not (money.is_finite() and 0 <= money < 10**13):
        raise Refusal("bad_amount", _("This amount cannot be."), field="money_lost")
    if report.happened_at and report.happened_at > clock.now() + timedelta(minutes=5):
        raise Refusal("ahead_of_now", _("This lies ahead of now."), field="happened_at")


def first_line(text: str) -> str:
    """A subject for a report that has none: its first line, at most 80 characters."""
    line = " ".join(text.split("\n", 1)[0].split())
    return line if len(line) <= 80 else line[:79] + "…"


def which_order(shop: Shop, given: str, found: list[entities.Entity]) -> tuple[str, int | None]:
    """The order number as told, else as found in the words; and the id of the shop's order where it is known.

    What was told on purpose stands, also when the shop does not know it: another number in the words may be any order.
    """
    told = clean_line(given, limit=60, field="order_number", required=False)
    numbers = [told] if told else [e.value[:60] for e in found if e.kind == "order_no"]
    if not numbers:
        return "", None
    if order := orders.known(shop, numbers):
        return order[1], order[0]
    return numbers[0], None


def author_of(by: Actor) -> str:
    """Whose words a report is: staff and the system write down what the customer said."""
    return messages.Author.MERCHANT if by.role == "merchant" else messages.Author.CUSTOMER


def remember(
    case: Case, message_id: int, found: list[entities.Entity], answers: tuple[tuple[str, str], ...]
) -> None:
    """Keep what was found in the words, and what the customer answered to the playbook's questions."""
    rows.add_all(
        Reference(
            case=case, message_id=message_id, kind=e.kind, value=e.value[:120], start=e.start, end=e.end
        )
        for e in found[:50]
    )
    case.ticks.bulk_create(
        [
            case.ticks.model(case=case, item=item[:80], answer=clean(answer, limit=2000, field="answers"))
            for item, answer in dict(answers).items()
            if answer.strip()
        ]
    )
