"""What a merchant reads: the cases of their own shops, and one case with the same honesty that we owe the customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from makegood.base import clock
from makegood.cases.access import cases_for
from makegood.cases.models import Case, CaseEvent, UrgencyEvidence
from makegood.cases.states import OPEN_STATUSES, Status
from makegood.desk.customer_page import Said, conversation
from makegood.desk.promised import MERCHANT, Word, ended, next_word, standing
from makegood.desk.reasons import source_name
from makegood.people.actors import Actor

PAGE = 25
STATES = ("open", "ended", "all")
ORDERS = ("urgent", "activity")
_LAST = Greatest(
    "opened_at",
    Coalesce("customer_wrote_at", "opened_at"),
    Coalesce("touched_at", "opened_at"),
    Coalesce("ended_at", "opened_at"),
)
_signer = signing.Signer(salt="makegood.merchant-page", sep="~")


@dataclass(frozen=True)
class Wish:
    """What a merchant wants to see; odd values fall back to the first of their list."""

    state: str = "open"
    order: str = "urgent"
    shop: str = ""
    after: str = ""


@dataclass(frozen=True)
class Listed:
    cases: tuple[Case, ...]
    after: str  # the cursor of the next page; '' when this is the last


@dataclass(frozen=True)
class Counts:
    open: int
    overdue: int
    waiting_for_customer: int
    made_good_30_days: int


@dataclass(frozen=True)
class Reason:
    """Why a case is as urgent as it is, with the words that it was read from."""

    name: str
    quote: str


@dataclass(frozen=True)
class Happened:
    at: datetime
    name: str


@dataclass(frozen=True)
class MerchantPage:
    next_word: Word | None
    promises: tuple[Word, ...]
    earlier: tuple[Word, ...]
    said: tuple[Said, ...]
    reasons: tuple[Reason, ...]
    happened: tuple[Happened, ...]


def listed(by: Actor, wish: Wish) -> Listed:
    """One page of the cases of the merchant's shops, by keyset: a page does not shift while new cases come."""
    cases = cases_for(by).select_related("shop", "customer", "owner", "team").exclude(ended_as="merged")
    if wish.state != "all":
        cases = cases.filter(status=Status.ENDED) if wish.state == "ended" else cases.filter(_open())
    if wish.shop:
        cases = cases.filter(shop__code=wish.shop)
    # What has ended has no next moment: there only the last activity orders.
    urgent = wish.order == "urgent" and wish.state == "open"
    rows = list((_by_urgency if urgent else _by_activity)(cases, wish.after)[: PAGE + 1])
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Listed(tuple(rows[:PAGE]), _cursor(last, urgent) if last else "")


def counts(by: Actor) -> Counts:
    """How the merchant's shops stand."""
    now = clock.now()
    return Counts(
        **cases_for(by).aggregate(
            open=Count("pk", filter=_open()),
            overdue=Count("pk", filter=_open() & Q(due_at__lt=now)),
            waiting_for_customer=Count("pk", filter=Q(status=Status.TOLD)),
            made_good_30_days=Count(
                "pk", filter=Q(ended_as="made_good", ended_at__gte=now - timedelta(days=30))
            ),
        )
    )


def read(case: Case, by: Actor) -> MerchantPage:
    """One case as its merchant reads it; nothing that was said among staff, and no address of the customer."""
    return MerchantPage(
        next_word=next_word(case),
        promises=standing(case, MERCHANT),
        earlier=ended(case, MERCHANT),
        said=conversation(case, by),
        reasons=reasons(case),
        happened=happened(case),
    )


def reasons(case: Case) -> tuple[Reason, ...]:
    """The strongest evidence of the present urgency, each source once; a quotation only from words the merchant may read."""
    found: dict[str, Reason] = {}
    for row in UrgencyEvidence.objects.filter(case=case).select_related("message").order_by("-level", "id"):
        readable = row.message is not None and row.message.audience != "staff"
        # A case number behind 'inherited' may be one of another shop's: the merchant needs only that it came along.
        source = "opening" if row.source.startswith("inherited") else row.source
        if source != "opening" and source not in found:
            found[source] = Reason(source_name(source), row.quote if readable else "")
    return tuple(found.values())[:5]


def happened(case: Case) -> tuple[Happened, ...]:
    """The short history: the turns of the case, oldest first."""
    names = turns()
    events = CaseEvent.objects.filter(case=case, kind__in=names).order_by("seq")
    return tuple(Happened(e.true_at, names[e.kind]) for e in events)


def turns() -> dict[str, str]:
    """The kinds of events that turn a case, as somebody outside the desk says them."""
    return {
        "opened": _("The problem was reported."),
        "triaged": _("We sorted it."),
        "taken": _("Somebody took it on."),
        "replied": _("We answered the customer."),
        "fixed": _("Something was done to put it right."),
        "not_verified": _("We looked, and it does not hold."),
        "verified": _("It was checked by proof."),
        "told": _("The customer was told."),
        "asked": _("We asked the customer again."),
        "confirmed": _("The customer gave their word on it."),
        "closed": _("Made good, in the customer's own word."),
        "ended": _("It ended in another way."),
        "reopened": _("It was opened again."),
        "promised": _("A promise was given."),
        "promise_broken": _("A promise was broken."),
        "followed_up": _("The customer was asked whether it held."),
        "letter_failed": _("A letter could not be delivered."),
    }


def _open() -> Q:
    return Q(status__in=OPEN_STATUSES)


def _by_urgency(cases: QuerySet[Case], after: str) -> QuerySet[Case]:
    cases = cases.order_by("calm", "due_at", "id")
    if at := _read_cursor(after, "u"):
        calm, due_at, pk = int(at[0]), datetime.fromisoformat(at[1]), int(at[2])
        later = Q(due_at__gt=due_at) | Q(due_at=due_at, pk__gt=pk)
        cases = cases.filter(Q(calm__gt=calm) | Q(calm=calm) & later)
    return cases


def _by_activity(cases: QuerySet[Case], after: str) -> QuerySet[Case]:
    cases = cases.annotate(last=_LAST).order_by(F("last").desc(), "-id")
    if at := _read_cursor(after, "a"):
        last, pk = datetime.fromisoformat(at[0]), int(at[1])
        cases = cases.filter(Q(last__lt=last) | Q(last=last, pk__lt=pk))
    return cases


def _cursor(case: Any, urgent: bool) -> str:
    if urgent:
        return _signer.sign(f"u,{case.calm},{case.due_at.isoformat()},{case.pk}")
    return _signer.sign(f"a,{case.last.isoformat()},{case.pk}")


def _read_cursor(after: str, kind: str) -> list[str] | None:
    # Signed, so that only cursors of ours are read; anything else begins at the first page.
    try:
        head, *rest = _signer.unsign(after).split(",")
    except signing.BadSignature:
        return None
    return rest if head == kind else None
