"""Whose a case is, that the watch opened for somebody unknown: once the shop names them, it becomes theirs.

Only while nobody has spoken as its customer: no page was given out, no letter sent, nothing written. Else the case may be of
whoever that was, and people decide. Nothing of the one who stood there goes over; a row that only held the place goes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.cases import links, pen
from makegood.cases.models import Case, CaseEvent
from makegood.cases.states import OPEN_STATUSES
from makegood.conversations import messages, outbox
from makegood.conversations.models import Delivery, Message
from makegood.desk import watch_cases
from makegood.desk.verb import verb
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import Customer
from makegood.transactions.models import Order
from makegood.watch.models import Finding, WatchSetting

_BY = actors.system("worker")
#: How long after a case was opened the shop may still name its customer by itself, and how many are taken in one go.
LONGEST, AT_ONCE = timedelta(days=60), 50
_NOBODY = {"customer__name": "", "customer__email": "", "customer__phone": ""}


def take_over(stop: Callable[[], bool] = lambda: False) -> int:
    """Give the cases of somebody unknown to the customer that their order has by now; how many."""
    named = Order.objects.filter(
        shop=OuterRef("case__shop"), number=OuterRef("case__order_number"), customer__isnull=False
    )
    opened = Finding.objects.filter(
        acted__in=[Finding.Acted.OPENED, Finding.Acted.INCIDENT], acted_at__gte=clock.now() - LONGEST,
        case__status__in=OPEN_STATUSES, **{f"case__{name}": value for name, value in _NOBODY.items()},
    ).exclude(case__order_number="")  # fmt: skip
    found = opened.filter(Exists(named)).order_by("case").values_list("case", "pk").distinct("case")[:AT_ONCE]
    done = 0
    for case_id, finding_id in list(found):
        if stop():
            break
        done += _take(case_id, finding_id)
    return done


def _take(case_id: int, finding_id: int) -> int:
    """1 when the case was given over; 0 when somebody spoke for it meanwhile."""
    with transaction.atomic():
        case = pen.hold(case_id)
        customer = watch_cases.customer_of(case.shop_id, case.order_number)
        if customer is None or not _nobodys(case):
            return 0
        name_customer(case, customer, finding_id, by=_BY)
    return 1


def _nobodys(case: Case) -> bool:
    still = Case.objects.filter(pk=case.pk, status__in=OPEN_STATUSES, **_NOBODY).exists()
    wrote = Message.objects.filter(case=case, author=Message.Author.CUSTOMER).exists()
    return still and not wrote and not case.links.exists() and not Delivery.objects.filter(case=case).exists()


@verb("notice")
def name_customer(case: Case, customer: Customer, finding: int, *, by: Actor) -> CaseEvent:
    """The shop named whose order it is: the case is theirs, in their language, and is found by their name."""
    case = pen.hold(case.pk)
    before = case.customer_id
    event = pen.write(
        case, "customer_named", by=by, data={"finding": finding}, customer_id=customer.pk, language=customer.language
    )  # fmt: skip
    messages.index(
        case, None, [(text, "A") for text in (customer.name, customer.email, customer.phone) if text], staff_only=False
    )  # fmt: skip
    if (
        not Case.objects.filter(customer=before).exists()
        and not Order.objects.filter(customer=before).exists()
    ):
        Customer.objects.filter(pk=before).delete()
    return event


def tell_first(event: CaseEvent) -> None:
    """customer_named: they hear of it before they complain, where the shop wants that of this process."""
    finding = Finding.objects.filter(pk=event.data["finding"]).first()
    case = Case.objects.select_related("customer", "shop").get(pk=event.case_id)
    wanted = WatchSetting.objects.filter(shop=case.shop_id, tell_first=True)
    if finding is None or not wanted.filter(process=finding.process).exists():
        return
    first = Message.objects.filter(case=case, audience=Message.Audience.CUSTOMER).order_by("id").first()
    if first is None or first.language != case.language:
        with speaking(case.language):
            body = watch_cases.for_customer(finding, case.order_number)
        first = messages.store(
            case, by=_BY, author=messages.Author.SYSTEM, audience=messages.Audience.CUSTOMER, body=body,
            language=case.language,
        )  # fmt: skip
    outbox.letter(case, Delivery.What.REPLY, link=links.make(case), message=first)
