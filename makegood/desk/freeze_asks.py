"""Stopping use by the shop's own system: the row first, then one signed call, then what came of it. Unknown is looked up, never sent again.

It runs beside the task for people (``freezing.py``) and never instead of it: a machine that failed in silence would leave a stolen card in
use. Where the shop has stopped it, the task is done, and its record is the proof; where it cannot, refuses, or nobody knows, people go on.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import cast

from django.db import transaction
from django.utils.translation import gettext as spoken

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent, Freeze
from makegood.connectors.ports import AGAIN, Ask, Connector, Outcome
from makegood.desk import freezing, notices
from makegood.desk.remedy_nudge import nudge
from makegood.desk.verb import verb
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.remedies.freezes import FreezeAsk
from makegood.transactions import orders, sources
from makegood.transactions.models import Order, Payment, Store

_BY = actors.system("worker")
_S = FreezeAsk.State
#: A call takes a minute at most; who has not answered for so long has died. Shorter than a remedy's: somebody may be buying.
LEASE = timedelta(minutes=2)
LOOKS = tuple(timedelta(seconds=s) for s in (5, 10, 30, 60, 120, 300, 600, 1800))
MOST_SENDS = 5


def ask_of_event(event: CaseEvent) -> None:
    """freeze_asked: where the shop of the order is connected its own system is asked too, at once."""
    row = Freeze.objects.get(pk=event.data["freeze"])
    case = Case.objects.select_related("order").get(pk=event.case_id)
    order = orders.of_case(case.shop_id, case.order, case.order_number)
    payment = _payment(order, row)
    if row.what == Freeze.What.PAYMENT and payment is None:
        return  # nobody can name it to the shop: people find it
    store = _store(payment, order)
    if store is None:
        return
    FreezeAsk.objects.create(
        case=case,
        freeze=row,
        store=store,
        order=order,
        payment=payment,
        ours=f"mg{case.number}-{secrets.token_hex(8)}",
        look_at=clock.now(),
    )
    transaction.on_commit(nudge, robust=True)


def _payment(order: Order | None, row: Freeze) -> Payment | None:
    """The payment that was named, by the shop's own ref; of an account the newest of its order, which leads the shop to it."""
    if order is None:
        return None
    rows = Payment.objects.filter(order=order).select_related("store").order_by("-id")
    return rows.first() if row.what == Freeze.What.ACCOUNT else rows.filter(ref=row.which or "-").first()


def _store(payment: Payment | None, order: Order | None) -> Store | None:
    for thing in (payment, order):
        if thing is not None and thing.store is not None and thing.store.active:
            return thing.store
    return None


def ask_of(row: FreezeAsk) -> Ask:
    """The row as it is sent, and as it is looked up ever after. ``reason``: what is to be stopped, 'account' or 'payment'."""
    return Ask(
        "freeze",
        row.ours,
        order=row.order.number if row.order else "",
        payment=row.payment.ref if row.payment else "",
        reason=row.freeze.what,
        sent_at=row.sent_at,
        was=row.there,
    )


def connector_of(row: FreezeAsk) -> Connector:
    """Opened for this row; calls nobody yet. Raises what keeps it from being opened."""
    return cast(Connector, sources.opened(row.store))


def claim() -> FreezeAsk | None:
    """The next planned row, committed as 'sending': from here on it is not sent again. None when none is due."""
    now = clock.now()
    with transaction.atomic():
        row = _due(_S.PLANNED)
        if row is None:
            return None
        if row.freeze.state != "asked":  # people were faster, or it was allowed again
            FreezeAsk.objects.filter(pk=row.pk).update(state=_S.DROPPED, look_at=None, settled_at=now)
            return None
        row.state, row.look_at, row.sends = _S.SENDING, now + LEASE, row.sends + 1
        row.sent_at = row.sent_at or now
        ask = ask_of(row)
        row.ask = {"action": ask.action, "ours": ask.ours, "order": ask.order, "payment": ask.payment, "reason": ask.reason}  # fmt: skip
        row.save(update_fields=["state", "look_at", "sends", "sent_at", "ask"])
    return row


def claim_look_up() -> FreezeAsk | None:
    """The next unknown row that is due, set to its next look first."""
    with transaction.atomic():
        row = _due(_S.UNKNOWN)
        if row is not None:
            row.looked += 1
            row.look_at = clock.now() + LOOKS[min(row.looked, len(LOOKS) - 1)]
            row.save(update_fields=["looked", "look_at"])
    return row


def _due(state: str) -> FreezeAsk | None:
    return (
        FreezeAsk.objects.filter(state=state, look_at__lte=clock.now())
        .order_by("look_at", "id")
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("freeze", "order", "payment", "store")
        .first()
    )


def left_behind(row: FreezeAsk) -> None:
    """Sent, and nobody came back to say what became of it (the sweep): unknown, and looked up at once."""
    settle(row.pk, Outcome("unknown", "lost"))


def settle(pk: int, outcome: Outcome) -> CaseEvent | None:
    """What the shop answered, or was found to have done. None where the row knew it already."""
    with transaction.atomic():
        case = pen.hold(FreezeAsk.objects.values_list("case_id", flat=True).get(pk=pk))
        row = FreezeAsk.objects.select_for_update(of=("self",)).select_related("freeze", "store").get(pk=pk)
        if row.state not in FreezeAsk.ON_ITS_WAY:
            return None
        if outcome.done:
            return frozen_by_shop(case, row, outcome, by=_BY)
        if outcome.refused:
            return freeze_refused(case, row, outcome, by=_BY)
        if row.state == _S.SENDING:
            return freeze_unknown(case, row, outcome, by=_BY)
        return None


@verb("settle_freeze")
def frozen_by_shop(case: Case, row: FreezeAsk, outcome: Outcome, *, by: Actor) -> CaseEvent:
    """The shop has stopped it: its record is the proof, and the task of the people is done."""
    case, now = pen.hold(case.pk), clock.now()
    _write(row, _S.DONE, ref=outcome.ref, there=outcome.state, settled_at=now, look_at=None)
    if row.freeze.state != "asked":  # people had stopped it already: the row knows, and nothing else changes
        data = {"freeze": row.freeze_id, "frozen": row.freeze.what, "store": row.store_id}
        return pen.write(case, "freeze_known", by=by, data=data)
    with speaking(case.language):
        words = spoken("The shop's own system has stopped it. Its record: %(ref)s") % {"ref": outcome.ref}
    return freezing.stopped(case, row.freeze, words, by=by)


@verb("settle_freeze")
def freeze_refused(case: Case, row: FreezeAsk, outcome: Outcome, *, by: Actor) -> CaseEvent:
    """Certain: the shop's system has not stopped it. What never arrived is asked again; else people hear that it is theirs alone."""
    case, now = pen.hold(case.pk), clock.now()
    again = outcome.code in AGAIN and row.sends < MOST_SENDS
    _write(row, _S.REFUSED, code=outcome.code, theirs=outcome.theirs, settled_at=now, look_at=None)
    if again:
        _write(row, _S.PLANNED, settled_at=None, look_at=now + LOOKS[min(row.sends, len(LOOKS) - 1)])
    elif row.freeze.state == "asked":
        notices.notify(case, "freeze_by_hand", to=_people(case, row.freeze))
    data = {"freeze": row.freeze_id, "frozen": row.freeze.what, "refused": outcome.code, "again": again}
    return pen.write(case, "freeze_refused", by=by, data=data)


@verb("settle_freeze")
def freeze_unknown(case: Case, row: FreezeAsk, outcome: Outcome, *, by: Actor) -> CaseEvent:
    """Nobody knows whether the shop has stopped it: it is looked up, and people do not wait for that."""
    case = pen.hold(case.pk)
    _write(row, _S.UNKNOWN, code=outcome.code, theirs=outcome.theirs, look_at=clock.now() + LOOKS[0])
    notices.notify(case, "freeze_by_hand", to=_people(case, row.freeze))
    data = {"freeze": row.freeze_id, "frozen": row.freeze.what, "unknown": outcome.code}
    return pen.write(case, "freeze_unknown", by=by, data=data)


def _write(row: FreezeAsk, state: str, **fields: object) -> None:
    FreezeAsk.objects.filter(pk=row.pk).update(state=state, **fields)


def _people(case: Case, row: Freeze) -> set[int]:
    """Who was asked to stop it by hand, and who answers for the case."""
    asked = [row.promise.by_id] if row.promise and row.promise.by_id else []
    return {*asked, *notices.leads_of(case), *notices.owner_of(case)}
