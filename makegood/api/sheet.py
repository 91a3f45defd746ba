"""A case as data. What a merchant may not read is null on their sheet; the customer's words are quoted as they stand."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q

from makegood.cases.closing import blockers
from makegood.cases.events import KINDS
from makegood.cases.models import Case, CaseEvent, Relation
from makegood.conversations import messages
from makegood.conversations.models import Message
from makegood.desk.closing import closing_facts
from makegood.people.actors import Actor

#: Events that a merchant may read beside those that the customer's page tells.
_MERCHANTS_OWN = frozenset({"merchant_said", "merchant_answered"})


def line(case: Case) -> dict[str, Any]:
    """One row of a list; ``case`` comes with shop, customer, owner and team."""
    return {
        **{name: getattr(case, name) for name in _PLAIN},
        "shop": case.shop.code,
        "customer": case.customer.name,
        "owner": {"id": case.owner.pk, "name": case.owner.name} if case.owner else None,
        "team": {"id": case.team.pk, "name": case.team.name} if case.team else None,
    }


_PLAIN = (
    "number",
    "version",
    "status",
    "ended_as",
    "type",
    "subject",
    "urgency",
    "language",
    "order_number",
    "waiting_for",
    "snoozed_until",
    "round",
    "opened_at",
    "due_at",
    "ended_at",
)


def whole(case: Case, actor: Actor) -> dict[str, Any]:
    """Everything about the case that this actor may read."""
    return {
        **line(case),
        "kind": case.kind,
        "second_type": case.second_type,
        "responsibility": case.responsibility,
        "asked_remedy": case.asked_remedy,
        "impact": {
            "money_lost": None if case.money_lost is None else str(case.money_lost),
            "currency": case.currency,
            "orders_blocked": case.orders_blocked,
            "campaign_at_risk": case.campaign_at_risk,
        },
        "urgency_floor": case.urgency_floor,
        "contact": {"name": case.customer.name, "email": case.customer.email, "phone": case.customer.phone},
        "touched_at": case.touched_at,
        "customer_wrote_at": case.customer_wrote_at,
        **around(case),
        "messages": said(case, actor),
        "promises": rows(
            case.promises if actor.is_staff else case.promises.filter(to__in=("customer", "merchant")),
            "id what basis to made_at due_at state settled_at words given_in",
        ),
        "tellings": rows(case.tellings, "id round verification message at"),
        "confirmations": rows(case.confirmations, "id round telling answer words channel written_by at"),
        **(of_desk(case) if actor.is_staff else dict.fromkeys(_DESK_ONLY)),
    }


_DESK_ONLY = ("blockers", "facts", "evidence", "lowerings", "ticks", "fixes", "verifications")


def of_desk(case: Case) -> dict[str, Any]:
    """What only staff read: how we work on it, and who said what to whom about it."""
    return {
        "blockers": [
            {"code": b.code, "reason": str(b.reason), "field": b.field} for b in blockers(closing_facts(case))
        ],
        "facts": rows(
            case.facts, "id text happened_at source detail by at struck_at struck_by struck_because"
        ),
        "evidence": rows(case.evidence, "seq level source quote message start end words by at"),
        "lowerings": rows(case.lowerings, "seq from_level to_level reason evidence by at"),
        "ticks": rows(case.ticks, "item answer by at"),
        "fixes": rows(case.fixes, "id round remedy cause done by at"),
        "verifications": rows(case.verifications, "id round fix proof reference seen by at"),
    }


def rows(related: Any, names: str) -> list[dict[str, Any]]:
    """The rows of a related manager by the named columns, oldest first; ids stand under the noun itself ('by', 'fix')."""
    return list(related.order_by("id").values(*names.split()))


def around(case: Case) -> dict[str, Any]:
    """The numbers of the cases above, below and beside it."""
    beside = Relation.objects.filter(Q(case=case) | Q(other=case)).values_list(
        "case__number", "other__number"
    )
    return {
        "parent": Case.objects.values_list("number", flat=True).get(pk=case.parent_id)
        if case.parent_id
        else None,
        "children": list(case.children.order_by("id").values_list("number", flat=True)),
        "related": sorted({number for pair in beside for number in pair} - {case.number}),
    }


def said(case: Case, actor: Actor) -> list[dict[str, Any]]:
    """The messages that the actor may read, oldest first, each with the names of its files."""
    return [
        {
            "id": message.pk,
            "author": message.author,
            "by": message.by_id,
            "audience": message.audience,
            "channel": message.channel,
            "language": message.language,
            "text": message.body,
            "at": message.at,
            "files": [
                {"id": file.pk, "name": file.name, "content_type": file.content_type, "size": file.size}
                for file in message.attachments.all()
            ],
            "letter": letter(message, actor),
        }
        for message in messages.readable_by(actor, case).prefetch_related("attachments", "deliveries")
    ]


def letter(message: Message, actor: Actor) -> dict[str, Any] | None:
    """The last letter that carried the message, and whether it arrived; null when there was none, or for a merchant."""
    last = max(message.deliveries.all(), key=lambda d: d.pk, default=None)
    if last is None or not actor.is_staff:
        return None
    return {
        "id": last.pk,
        "what": last.what,
        "state": last.state,
        "tries": last.tries,
        "sent_at": last.sent_at,
        "came_back_at": last.came_back_at,
        "error": last.error,
    }


def told(event: CaseEvent) -> dict[str, Any]:
    """One event: codes and data."""
    return {
        "seq": event.seq,
        "kind": event.kind,
        "data": event.data,
        "true_at": event.true_at.isoformat(),
        "written_at": event.written_at.isoformat(),
        "actor_role": event.actor_role,
        "actor": event.actor_id,
        "door": event.door,
    }


def history(case: Case, actor: Actor) -> list[dict[str, Any]]:
    """The events that the actor may read, in their order; a merchant reads what the customer reads, and their own."""
    events = [told(event) for event in case.events.order_by("seq")]
    if actor.is_staff:
        return events
    return [e for e in events if KINDS[e["kind"]].shown_to == "customer" or e["kind"] in _MERCHANTS_OWN]


def newest(cases: Any) -> Any:
    """With what :func:`line` needs, newest first."""
    return cases.select_related("shop", "customer", "owner", "team").order_by(F("id").desc())
