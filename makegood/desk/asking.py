"""Asking an outside party for something by a time, reminding them, taking it back. What they owe is a promise with a clock.

A party's answer is evidence and closes nothing (``party_answers.py``). Being late is not a broken promise of ours: it
raises no urgency by itself and is shown to no customer, but the owner hears of it at once and the lead soon after.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere, Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent, Fact
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk import notices, party_page
from makegood.desk.party_sendings import send
from makegood.desk.verb import verb
from makegood.packs import outside
from makegood.parties.models import Party, PartyAsk, PartySending
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.promises.hours import calendar_of, within_hours
from makegood.promises.models import PARTNER, Promise
from makegood.transactions.models import Shipment

#: So many open tasks one case may have: more is a slip, and each of them reminds somebody.
MOST = 30
_BY = actors.system("worker")
_What = PartySending.What


@verb("ask_party")
def ask_party(
    case: Case,
    *,
    by: Actor,
    seen: int | None,
    party: Party | None,
    what: str,
    due_at: datetime | None,
    shows: Sequence[str] = (),
    personal: bool = False,
) -> CaseEvent:
    """Ask a party of the case's shop for ``what`` by ``due_at``.

    ``shows`` are codes of what they may read beside it (order, shipment:<id>, fact:<id>). Without ``personal`` they read
    nothing that says who the customer is: facts are shown without it, and words that hold it are refused.
    """
    case = pen.hold(case.pk, seen=seen)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    if party is None or party.shop_id != case.shop_id or not party.active:
        raise Refusal("no_party", _("Say whom you ask."), field="party")
    words = clean(what, limit=3000, field="what")
    if due_at is None:
        raise Refusal("no_time", _("Say by when."), field="due_at")
    if not personal and party_page.holds_personal(case, words):
        raise Refusal(
            "personal",
            _("These words say who the customer is. Take it out, or tick that the party may read it."),
            field="what",
        )
    if PartyAsk.objects.filter(case=case, state=PartyAsk.State.OPEN).count() >= MOST:
        raise Refusal(
            "too_many", _("There are enough open tasks for outside parties on this case."), field="party"
        )
    promise = ledger.give(
        case,
        due_at=due_at,
        by=by.person,
        what="other",
        basis="promised",
        to=PARTNER,
        words=words,
        field="due_at",
    )
    now = clock.now()
    ask = PartyAsk.objects.create(
        case=case,
        party=party,
        promise=promise,
        by_id=by.person,
        at=now,
        what=words,
        personal=personal,
        shows=_known(case, shows),
        due_at=due_at,
        look_at=_first_reminder(case, now, due_at),
        link_ends_at=due_at + outside().link,
    )
    send(ask, _What.ASKED)
    data = {"ask": ask.pk, "party": party.pk, "promise": promise.pk, "until": due_at.isoformat()}
    return pen.write(case, "party_asked", by=by, data=data, due_at=ledger.next_due(case))


@verb("chase_party")
def chase_party(case: Case, ask_id: int, *, by: Actor) -> CaseEvent:
    """Remind them now, by hand or on schedule. Never collides."""
    case = pen.hold(case.pk)
    ask = standing(case, ask_id)
    if ask.sendings.filter(state=PartySending.State.WAITING).exists():
        raise Refusal("on_its_way", _("The last letter to them is still on its way."), field="ask")
    ask.reminded += 1
    ask.save(update_fields=["reminded"])
    send(ask, _What.REMINDED)
    data = {"ask": ask.pk, "party": ask.party_id, "nth": ask.reminded}
    return pen.write(case, "party_chased", by=by, data=data)


@verb("withdraw_party_ask")
def withdraw_party_ask(case: Case, ask_id: int, *, by: Actor, reason: str = "") -> CaseEvent:
    """It is needed no more. The party is told, and its link says so. ``reason`` stands as a note of ours; a person must give one."""
    case = pen.hold(case.pk)
    ask = standing(case, ask_id)
    words = clean(reason, limit=500, field="reason", required=by.user_id is not None)
    note = (
        messages.store(case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=words).pk
        if words
        else None
    )
    end(ask, PartyAsk.State.WITHDRAWN)
    send(ask, _What.WITHDRAWN)
    moves: dict[str, Any] = {"due_at": ledger.next_due(case) or case.due_at} if case.is_open else {}
    data = {"ask": ask.pk, "party": ask.party_id, "message": note}
    return pen.write(case, "party_ask_withdrawn", by=by, data=data, **moves)


def standing(case: Case, ask_id: int) -> PartyAsk:
    """An open task of this case; raises Refusal."""
    found = PartyAsk.objects.select_related("party", "promise").filter(case=case, pk=ask_id).first()
    if found is None or not found.is_open:
        raise Refusal("no_ask", _("There is no such open task on this case."), field="ask")
    return found


def end(ask: PartyAsk, state: str) -> None:
    """The task is over. Its promise is taken back, unless its time has passed: then it stays broken (or was kept before)."""
    ask.state, ask.ended_at, ask.look_at = state, clock.now(), None
    ask.save(update_fields=["state", "ended_at", "look_at"])
    ledger.withdraw(ask.promise)


def look(row: PartyAsk) -> None:
    """The moment of a reminder has come (jobs/sweep.py)."""
    if not row.is_open:
        return
    case = pen.hold(row.case_id)
    rules, now = outside(), clock.now()
    if not case.is_open:
        withdraw_party_ask(case, row.pk, by=_BY)
        return
    if row.says_by and row.says_by > now:
        # They said by when: until then nobody asks again.
        row.look_at = within_hours(row.says_by, calendar_of(case))
        row.save(update_fields=["look_at"])
        return
    late = now >= row.due_at
    if late:
        row.late += 1
    if late and row.late == rules.lead_after:
        data = {"until": row.due_at.isoformat(), "name": row.party.name}
        notices.notify(case, "party_silent", to=[*notices.owner_of(case), *notices.leads_of(case)], data=data)
    row.look_at = _next_reminder(case, row)
    row.set_back, row.trouble = 0, ""
    row.save(update_fields=["late", "look_at", "set_back", "trouble"])
    if not row.sendings.filter(state=PartySending.State.WAITING).exists():
        chase_party(case, row.pk, by=_BY)


def over(event: CaseEvent) -> None:
    """closed, ended: nobody outside need do anything for this case any more."""
    case = Case.objects.get(pk=event.case_id)
    for ask in PartyAsk.objects.filter(case=case, state=PartyAsk.State.OPEN).order_by("id"):
        withdraw_party_ask(case, ask.pk, by=actors.system())


def inherit(event: CaseEvent) -> None:
    """absorbed: what was asked for a merged case is owed to the one that it went into, with the promise that this inherited."""
    into = Case.objects.get(pk=event.case_id)
    mine = PartyAsk.objects.filter(state=PartyAsk.State.OPEN, case__ending__survivor=into).exclude(case=into)
    for ask in mine.select_related("promise").order_by("id"):
        heirs = Promise.objects.filter(case=into, to=PARTNER, state="open", party_ask__isnull=True)
        heir = heirs.filter(due_at=ask.due_at, words=ask.promise.words).order_by("id").first()
        ask.case, ask.promise = into, heir or ask.promise
        ask.save(update_fields=["case", "promise"])


def of_case(cases: Sequence[int]) -> list[PartyAsk]:
    """The tasks of a case (and of those merged into it), the open ones first, with their answers. Two queries."""
    asks = PartyAsk.objects.filter(case__in=cases).select_related("party", "promise", "by")
    found = list(asks.prefetch_related("answers__message", "sendings").order_by("due_at", "id")[:100])
    return sorted(found, key=lambda a: not a.is_open)


def _known(case: Case, shows: Sequence[str]) -> list[str]:
    """Of the codes those that are of this case; raises NotThere for others, so that no link shows a stranger's parcel."""
    wanted = list(dict.fromkeys(shows))[:60]
    ids = {
        kind: [c.partition(":")[2] for c in wanted if c.startswith(f"{kind}:")]
        for kind in ("shipment", "fact")
    }
    rows = {
        "shipment": Shipment.objects.filter(order_id=case.order_id or 0),
        "fact": Fact.objects.filter(case=case, struck_at__isnull=True),
    }
    known = {"order"} | {
        f"{kind}:{pk}"
        for kind, found in rows.items()
        if ids[kind]
        for pk in found.values_list("pk", flat=True)
    }
    if any(code not in known for code in wanted):
        raise NotThere("no_such_fact", _("This does not belong to the case."), field="shows")
    return wanted


def _first_reminder(case: Case, now: datetime, due_at: datetime) -> datetime:
    return within_hours(now + (due_at - now) * outside().remind_at, calendar_of(case))


def _next_reminder(case: Case, ask: PartyAsk) -> datetime | None:
    """The next one of the schedule ahead of now; None after the last: a person decides then."""
    now, rules = clock.now(), outside()
    if ask.late >= len(rules.late_after):
        return None
    after = rules.late_after[ask.late]
    # Counted from their own word where that is later; and never two at once after a worker that stood still for days.
    since = max(ask.due_at, ask.says_by or ask.due_at)
    gap = after - (rules.late_after[ask.late - 1] if ask.late else timedelta())
    return within_hours(max(since + after, now + gap), calendar_of(case))
