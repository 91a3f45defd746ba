"""Sorting a case: its type and what follows from it, facts as facts, the playbook's ticks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean, clean_line
from makegood.cases import pen
from makegood.cases.access import hidden_from, is_restricted
from makegood.cases.models import Case, CaseEvent, Correction, Fact, Tick
from makegood.cases.states import Status
from makegood.cases.urgency import Impact, raised
from makegood.conversations.models import Message
from makegood.desk import demands, owing
from makegood.desk.verb import verb
from makegood.packs import playbook, sources, taxonomy
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.transactions.models import Order


@dataclass(frozen=True)
class Sorting:
    """What the one who sorts a case decides. ``kind`` and ``responsibility`` default to the type's usual ones."""

    type: str
    second_type: str = ""
    kind: str = ""
    responsibility: str = ""
    asked_remedy: str = ""
    order_number: str = ""
    impact: Impact | None = None
    suggested: str = ""


@verb("triage")
def triage(case: Case, sorting: Sorting, *, by: Actor, seen: int | None) -> CaseEvent:
    """Sort the case; may be done again. What type and impact demand raises the urgency; nothing here lowers it."""
    case = pen.hold(case.pk, seen=seen)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    found = taxonomy().types.get(sorting.type)
    if found is None:
        raise Refusal("unknown_type", _("Choose what kind of problem it is."), field="type")
    for field, value, known in (
        ("second_type", sorting.second_type, taxonomy().types),
        ("kind", sorting.kind, taxonomy().kinds),
        ("responsibility", sorting.responsibility, taxonomy().responsibilities),
        ("asked_remedy", sorting.asked_remedy, taxonomy().remedies),
    ):
        if value and value not in known:
            raise Refusal("unknown_code", _("This is not in the list."), field=field)
    kind = sorting.kind or found.kind
    if is_restricted(case) and kind != case.kind and hidden_from(by) is not None:
        raise Refusal(
            "restricted",
            _(
                "This case is restricted. Only a lead, a manager or somebody for security may open it to everybody."
            ),
            field="kind",
        )
    impact = sorting.impact or Impact(
        case.money_lost, case.currency, case.orders_blocked, case.campaign_at_risk
    )
    money = impact.money_lost
    if money is not None and not (money.is_finite() and 0 <= money < 10**13):
        raise Refusal("bad_amount", _("This amount cannot be."), field="money_lost")
    evidence = demands.of_type(found.code) + demands.of_impact(impact)
    raises = raised(case.urgency, case.urgency_floor, evidence) != (case.urgency, case.urgency_floor)
    number = (
        clean_line(sorting.order_number, limit=60, field="order_number", required=False) or case.order_number
    )
    order = Order.objects.filter(shop_id=case.shop_id, number=number).first() if number else None
    was = {"type": case.type, "responsibility": case.responsibility} if case.type else None
    learn(case, found.code, sorting.suggested, by)
    level = raised(case.urgency, case.urgency_floor, evidence)[0]
    decision = owing.decision(case, level=level, type_code=found.code)
    new: dict[str, Any] = {
        "type": found.code,
        "second_type": sorting.second_type,
        "kind": kind,
        "responsibility": sorting.responsibility or found.responsibility,
        "asked_remedy": sorting.asked_remedy or case.asked_remedy,
        "money_lost": money,
        "currency": impact.currency,
        "orders_blocked": impact.orders_blocked,
        "campaign_at_risk": impact.campaign_at_risk,
    }
    data = {
        **new,
        "money_lost": str(money) if money is not None else None,
        "suggested": sorting.suggested or None,
        "decision": decision,
    }
    return pen.write(
        case,
        "triaged",
        by=by,
        data={**data, "was": was},
        evidence=evidence if raises else (),
        order_number=number,
        order_id=order.pk if order else case.order_id,
        **new,
        status=Status.TRIAGED if case.status == Status.REPORTED else case.status,
        due_at=ledger.next_due(case) or case.due_at,
    )


def learn(case: Case, type_code: str, suggested: str, by: Actor) -> None:
    """A person's decision is what the model is retrained from; the system's own guess teaches nothing."""
    first = Message.objects.filter(case=case, author="customer").order_by("id").first()
    if by.is_staff and first is not None:
        Correction.objects.update_or_create(
            case=case,
            defaults={
                "text": first.body[:4000],
                "language": first.language,
                "type": type_code,
                "suggested": suggested,
                "at": clock.now(),
            },
        )


@verb("note_fact")
def note_fact(
    case: Case, *, by: Actor, text: str, source: str, happened_at: datetime | None = None, detail: str = ""
) -> CaseEvent:
    """Note a fact: what, when, and who says so. Never collides."""
    case = pen.hold(case.pk)
    if source not in sources().sources:
        raise Refusal("unknown_source", _("Say where this fact comes from."), field="source")
    if happened_at and happened_at > clock.now() + timedelta(minutes=5):
        raise Refusal("ahead_of_now", _("A fact lies behind us, not ahead."), field="happened_at")
    fact = Fact.objects.create(
        case=case,
        text=clean(text, limit=2000, field="text"),
        source=source,
        detail=clean_line(detail, limit=200, field="detail", required=False),
        happened_at=happened_at,
        by_id=by.user_id,
        at=clock.now(),
    )
    return pen.write(case, "fact_noted", by=by, data={"fact": fact.pk})


@verb("strike_fact")
def strike_fact(case: Case, fact_id: int, *, by: Actor, because: str) -> CaseEvent:
    """A fact was wrong: it stays, struck, with the reason beside it."""
    case = pen.hold(case.pk)
    because = clean(because, limit=1000, field="because")
    struck = Fact.objects.filter(case=case, pk=fact_id, struck_at__isnull=True).update(
        struck_at=clock.now(), struck_by_id=by.user_id, struck_because=because
    )
    if not struck:
        raise Refusal("no_fact", _("There is no such fact to strike."))
    return pen.write(case, "fact_struck", by=by, data={"fact": fact_id})


@verb("tick")
def tick(case: Case, item: str, *, by: Actor, done: bool = True, answer: str = "") -> CaseEvent:
    """Tick an item of the playbook (by its code), with the answer where it is a question; or take the tick back."""
    case = pen.hold(case.pk)
    if not case.type or item not in {i.code for i in playbook(case.type).items()}:
        raise Refusal("unknown_item", _("The playbook of this type has no such item."), field="item")
    if not done:
        Tick.objects.filter(case=case, item=item).delete()
        return pen.write(case, "unticked", by=by, data={"item": item})
    Tick.objects.update_or_create(
        case=case,
        item=item,
        defaults={
            "answer": clean(answer, limit=2000, field="answer", required=False),
            "by_id": by.user_id,
            "at": clock.now(),
        },
    )
    return pen.write(case, "ticked", by=by, data={"item": item})
