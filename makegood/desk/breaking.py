"""A promise was broken: written down as of the moment when it became true, with all that follows from it.

Whoever comes first writes it down: the sweep, or a verb on the same case (a late answer must not hide that it is late).
The case is held by the caller, so a break is written once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from makegood.base import clock, rows
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.cases.urgency import Evidence
from makegood.desk import climbing, notices, owing
from makegood.packs import policy
from makegood.people import actors
from makegood.promises import account, appointments
from makegood.promises.ledger import Undelivered, standing, undo_by
from makegood.promises.models import PARTNER, WORDS, Promise

SOURCE = "promise:broken"
_BREAK = """UPDATE makegood_promise SET state = 'broken', settled_at = due_at, look_at = NULL
  WHERE id = $1 AND state = 'open' RETURNING id"""


def overdue(case: Case, *, renew: bool = False) -> list[CaseEvent]:
    """Break what fell due on a held case before anybody noticed. ``renew``: give the next word anew by our rule.

    An act that itself gives the next word, or ends the case, does not renew.
    """
    late = list(standing(case).filter(due_at__lt=clock.now()))
    return [event for event in (broken(case, promise, renew=renew) for promise in late) if event]


def broken(case: Case, promise: Promise, *, renew: bool = True) -> CaseEvent | None:
    """The time of an open promise passed; None when it is open no more. ``case`` comes from ``pen.hold``."""
    if not rows.ask(_BREAK, promise.pk):
        return None
    if promise.to == PARTNER:
        return _late_outside(case, promise)
    ledger = account.read(case.pk)
    more: dict[str, Any] = {}
    if (
        renew
        and promise.what in WORDS
        and promise.to == "customer"
        and case.is_open
        and not ledger.word_stands
    ):
        level = policy().promises.broken_level(case.urgency)
        given = owing.again(case, level=level, unanswered=ledger.unanswered)
        ledger, more["renewed"] = ledger.gave(given), given.pk
    return _written(case, promise, promise.due_at, ledger, more)


def _late_outside(case: Case, promise: Promise) -> CaseEvent:
    """An outside party is late: its owner hears of it. It is no broken word of ours, and raises nothing by itself."""
    ask = promise.party_ask
    until = promise.due_at.isoformat()
    notices.notify(
        case, "party_late", to=notices.owner_of(case), data={"until": until, "name": ask.party.name}
    )
    data = {"ask": ask.pk, "party": ask.party_id, "promise": promise.pk, "until": until}
    changes: dict[str, Any] = (
        {"due_at": account.read(case.pk).next_due or case.due_at} if case.is_open else {}
    )
    return pen.write(case, "party_late", by=actors.system(), at=promise.due_at, data=data, **changes)


def undone(case: Case, delivery: Undelivered, at: datetime, *, cause: CaseEvent | None = None) -> None:
    """A letter failed or came back (its row says so already): what its message had kept is broken after all, visibly."""
    for promise in undo_by(delivery, at):
        assert promise.settled_at is not None
        _written(
            case,
            promise,
            promise.settled_at,
            account.read(case.pk),
            {"undone": delivery.pk},
            cause=cause,
        )


def _written(
    case: Case,
    promise: Promise,
    at: datetime,
    ledger: account.Account,
    more: dict[str, Any],
    *,
    cause: CaseEvent | None = None,
) -> CaseEvent:
    """The event, the urgency that it demands, and the rung above, told."""
    rules = policy().promises
    changes: dict[str, Any] = {}
    if case.is_open:
        level = rules.broken_level(case.urgency)
        decision = owing.sooner(case, level=level, type_code=case.type, account=ledger)
        more["decision"] = decision.pk if decision else None
        due = (account.read(case.pk) if decision else ledger).next_due
        changes = {"evidence": [Evidence(level, SOURCE)], "due_at": due or case.due_at}
        if case.snoozed_until:  # what was put aside does not sleep through a broken promise
            appointments.drop(case, appointments.What.WAKE)
            changes["snoozed_until"] = None
    times = ledger.broken
    above = notices.leads_of(case) + (notices.managers() if times >= rules.managers_at else [])
    told = notices.notify(case, "promise_broken", to=[case.owner_id, *above], data=notices.about(promise))
    data = {
        "promise": promise.pk,
        "what": promise.what,
        "until": promise.due_at.isoformat(),
        "rung": "managers" if times >= rules.managers_at else "lead",
        "told": told,
        **more,
    }
    event = pen.write(case, "promise_broken", by=actors.system(), at=at, data=data, cause=cause, **changes)
    if case.is_open:
        climbing.start(event)  # more urgent now: with the faster ladder
        climbing.by_promise(case, "promise_broken", told=told, cause=event)
    return event
