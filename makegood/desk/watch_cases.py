"""The case that the watch opens for what it found, and how the finding is said.

A case is always somebody's. Where the shop named no customer it is opened for somebody unknown rather than for nobody: it
stands in the queue of who can mend it, with a note that the shop is to be asked.
"""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as spoken

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.cases import links, pen
from makegood.cases.models import Case, CaseEvent
from makegood.cases.urgency import Impact
from makegood.conversations import messages, outbox
from makegood.conversations.models import Delivery, Message
from makegood.desk import handling, triaging
from makegood.desk.opening import Report, open_case
from makegood.desk.verb import verb
from makegood.packs.watch_shapes import Process
from makegood.packs.watching import processes
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.customers import find_or_add
from makegood.people.models import Customer, Shop, Team
from makegood.transactions.models import Order
from makegood.watch.models import Finding, WatchName, WatchSetting
from makegood.watch.words import all_names, sentence

_BY = actors.system("worker")
State = Finding.State


def opened(finding: Finding, name: WatchName | None = None) -> Case | None:
    """A new case for the order of the finding (or of ``name``), sorted and with who can mend it. Where nothing names a
    customer it is that of somebody unknown, and says so to the team. None: not even the shop is known."""
    shop_id, number = (name.shop_id, name.order_number) if name else (finding.shop_id, finding.order_number)
    shop = Shop.objects.filter(pk=shop_id or 0).first()
    if shop is None:
        return None
    customer = customer_of(shop.pk, number)
    known = customer is not None
    customer = customer or find_or_add(shop, "", "", "", shop.language)
    thing = number or _thing(finding, name)
    process = processes().get(finding.process)
    type_code = _type(process, finding)
    lost = finding.kind == "duplicate" and finding.amount
    with speaking(customer.language):
        report = Report(
            text=for_customer(finding, thing),
            subject=step_name(finding),
            order_number=number,
            language=customer.language,
            type=type_code,
            impact=Impact(money_lost=finding.amount, currency=finding.currency or shop.currency)
            if lost
            else Impact(),
            noticed=True,
        )
    case = open_case(shop, report, by=_BY, customer=customer).case
    if type_code:
        triaging.triage(case, triaging.Sorting(type=type_code), by=_BY, seen=None)
    if team := who_can_mend(finding, shop.pk):
        handling.assign(case, by=_BY, seen=None, team=team)
    if not known:
        with speaking(shop.language):
            note_unknown(
                case,
                by=_BY,
                text=spoken(
                    "No customer is known for this: neither the order nor the event names one. Please ask the shop who it is, and write the address down on the case."
                ),
            )
    elif WatchSetting.objects.filter(process=finding.process, shop=shop.pk, tell_first=True).exists():
        first = Message.objects.filter(case=case).order_by("id").first()
        outbox.letter(case, Delivery.What.REPLY, link=links.make(case), message=first)
    return Case.objects.select_related("shop", "customer").get(pk=case.pk)


@verb("notice")
def note_unknown(case: Case, *, by: Actor, text: str) -> CaseEvent:
    """A note of the watch to the team: whose case this is has to be found out."""
    case = pen.hold(case.pk)
    message = messages.store(
        case, by=by, author=messages.Author.SYSTEM, audience=messages.Audience.STAFF, body=text
    )
    return pen.write(case, "noted", by=by, data={"message": message.pk})


def customer_of(shop: int | None, number: str) -> Customer | None:
    """Who ordered, as far as the shop told; None: nobody that we know."""
    found = Order.objects.select_related("customer").filter(shop=shop, number=number or "-").first()
    return found.customer if found else None


def _thing(finding: Finding, name: WatchName | None) -> str:
    """What the case is about where there is no order: the shop's own name of the thing."""
    name = name or WatchName.objects.filter(pk=finding.tx).first()
    return name.ref.partition(":")[2] or name.ref if name else step_name(finding)


def _type(process: Process | None, finding: Finding) -> str:
    if finding.step in ("payment.twice", "payment.alike"):
        return "payment.double"
    return process.type if process else ""


def who_can_mend(finding: Finding, shop: int | None) -> Team | None:
    """The team with the skill of the step (the highest tier first): a queue that stands still is not mended at the front line."""
    process = processes().get(finding.process)
    step = process.steps.get(finding.step) if process else None
    if step is None or not step.skill:
        return None
    teams = Team.objects.filter(skill=step.skill).filter(Q(shops=None) | Q(shops=shop))
    return teams.order_by("-tier", "id").first()


def said(finding: Finding) -> str:
    """Its sentence, in the active language, with its age as it is now."""
    data = dict(finding.data)
    if finding.state == State.RAISED:
        data["age"] = max((clock.now() - finding.since).total_seconds(), float(data.get("age", 0)))
    return sentence(finding.code, data, all_names(processes()))


def step_name(finding: Finding) -> str:
    name = all_names(processes()).get(finding.step)
    return str(name) if name else finding.step


def for_customer(finding: Finding, order: str) -> str:
    """What the customer may read of it: no statistics, no promise that nobody gave."""
    words = {"order": order, "step": step_name(finding)}
    if finding.kind == "duplicate":
        return spoken("We noticed that something may have been recorded twice for your order %(order)s (%(step)s). We are checking it; you need not do anything.") % words  # fmt: skip
    return spoken("We noticed that something takes longer than it should for your order %(order)s (%(step)s). We are looking into it; you need not do anything.") % words  # fmt: skip
