"""A promise was broken: written down as of the moment when it became true, with all that follows from it.

Whoever comes first writes it down: the sweep, or a verb on the same case (a late answer must not hide that it is late).
The case is held by the caller, so a break is written once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from makegood.base import clock, rows
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.cases.urgency import Evidence
from makegood.desk import climbing_together, notices, owing
from makegood.desk.above import Above
from makegood.desk.climbing_together import Fall
from makegood.desk.notices import Ask
from makegood.packs import policy
from makegood.people import actors
from makegood.promises import account, appointments, ledger
from makegood.promises.account import Account
from makegood.promises.ledger import Undelivered, standing, undo_by
from makegood.promises.models import PARTNER, WORDS, Promise

SOURCE = "promise:broken"
_BREAK = """UPDATE makegood_promise SET state = 'broken', settled_at = due_at, look_at = NULL
  WHERE id = ANY($1) AND state = 'open' RETURNING id"""


@dataclass
class _Broken:
    """A promise that is broken already, and what else its event tells (``more``)."""

    case: Case
    promise: Promise
    at: datetime
    account: Account
    more: dict[str, Any] = field(default_factory=dict)
    cause: CaseEvent | None = None


def overdue(case: Case, *, renew: bool = False) -> list[CaseEvent]:
    """Break what fell due on a held case before anybody noticed. ``renew``: give the next word anew by our rule.

    An act that itself gives the next word, or ends the case, does not renew.
    """
    late = list(standing(case).filter(due_at__lt=clock.now()))
    return [event for promise in late for event in broken([(case, promise)], renew=renew)]


def broken(late: Sequence[tuple[Case, Promise]], *, renew: bool = True) -> list[CaseEvent]:
    """The time of open promises of as many cases passed; nothing for one that is open no more. Cases come from ``pen.hold``.

    Many in a few statements: ten thousand may fall due in a minute, and none may be late for the others.
    """
    open_ = {pk for (pk,) in rows.ask(_BREAK, [promise.pk for _case, promise in late])}
    mine = [(case, promise) for case, promise in late if promise.pk in open_]
    outside = [_late_outside(case, promise) for case, promise in mine if promise.to == PARTNER]
    accounts = account.read_all(case.pk for case, _promise in mine)
    ours = [
        _Broken(case, promise, promise.due_at, accounts[case.pk])
        for case, promise in mine
        if promise.to != PARTNER
    ]
    if renew:
        _renew(ours)
    return [*outside, *_written(ours)]


def _renew(breaks: Sequence[_Broken]) -> None:
    """Who has no open word from us any more is owed one: the next time by our rule."""
    given: list[tuple[_Broken, Promise]] = []
    for one in breaks:
        case, promise = one.case, one.promise
        ours = promise.what in WORDS and promise.to == "customer"
        if ours and case.is_open and not one.account.word_stands:
            level = policy().promises.broken_level(case.urgency)
            again = owing.again(case, level=level, unanswered=one.account.unanswered, store=False)
            given.append((one, again))
    Promise.objects.bulk_create(promise for _one, promise in given)
    for one, promise in given:
        one.account, one.more["renewed"] = one.account.gave(promise), promise.pk


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
        ledger_ = account.read(case.pk)
        _written([_Broken(case, promise, promise.settled_at, ledger_, {"undone": delivery.pk}, cause)])


def _written(breaks: Sequence[_Broken]) -> list[CaseEvent]:
    """The events, the urgency that they demand, and the rung above, told. One break a case."""
    rules, above = policy().promises, Above()
    _sooner([one for one in breaks if one.case.is_open])
    asks = []
    for one in breaks:
        managers = above.managers if one.account.broken >= rules.managers_at else []
        to = [one.case.owner_id, *above.leads_of(one.case), *managers]
        asks.append(Ask(one.case, "promise_broken", to, notices.about(one.promise)))
    told = notices.notify_all(asks)
    events = pen.write_all(
        [one.case for one in breaks],
        "promise_broken",
        by=actors.system(),
        at={one.case.pk: one.at for one in breaks},
        cause={one.case.pk: one.cause for one in breaks},
        data={
            one.case.pk: {
                "promise": one.promise.pk,
                "what": one.promise.what,
                "until": one.promise.due_at.isoformat(),
                "rung": "managers" if one.account.broken >= rules.managers_at else "lead",
                "told": heard,
                **one.more,
            }
            for one, heard in zip(breaks, told, strict=True)
        },
        evidence={
            one.case.pk: [Evidence(rules.broken_level(one.case.urgency), SOURCE)]
            for one in breaks
            if one.case.is_open
        },
        changes={one.case.pk: _changes(one) for one in breaks},
    )
    standing_ = [one.case for one in breaks if one.case.is_open]
    climbing_together.start_all(standing_)  # more urgent now: with the faster ladder
    falls = [Fall(one.case, heard, event) for one, heard, event in zip(breaks, told, events, strict=True)]
    climbing_together.by_promises(falls, "promise_broken")
    return events


def _changes(one: _Broken) -> dict[str, Any]:
    case = one.case
    if not case.is_open:
        return {}
    changes: dict[str, Any] = {"due_at": one.account.next_due or case.due_at}
    if case.snoozed_until:  # what was put aside does not sleep through a broken promise
        appointments.drop(case, appointments.What.WAKE)
        changes["snoozed_until"] = None
    return changes


def _sooner(breaks: Sequence[_Broken]) -> None:
    """More urgent now: standing decisions are replaced where the rule of the new level is sooner."""
    rules, later, given = policy().promises, list[int](), list[tuple[_Broken, Promise]]()
    for one in breaks:
        case, level = one.case, rules.broken_level(one.case.urgency)
        one.more["decision"] = None
        if ids := owing.decisions_later(case, one.account, level=level, type_code=case.type):
            later += ids
            one.account = one.account.without(ids)
            new = owing.by_rule(case, "decision", level=level, type_code=case.type, store=False)
            given.append((one, new))
    if later:
        ledger.supersede(Promise.objects.filter(pk__in=later))
    Promise.objects.bulk_create(promise for _one, promise in given)
    for one, promise in given:
        one.account, one.more["decision"] = one.account.gave(promise), promise.pk
