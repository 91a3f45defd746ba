"""Carrying out: the row first, then the call, then what came of it. Unknown is looked up, and never sent again.

A worker claims a step (committed as 'sending'), calls the shop outside of every transaction, and settles it. Whoever dies in
between leaves a row that is 'sending' too long: that is unknown, and looked up. A webhook that comes before the answer finds the
row by our own reference and settles it; the answer then finds it settled.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean_line
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.desk import remedy_settling, remedy_stores
from makegood.desk.remedy_nudge import nudge
from makegood.desk.remedy_rows import in_words
from makegood.desk.remedy_settling import after_done, released
from makegood.desk.remedying import remedy_of
from makegood.desk.verb import verb
from makegood.packs.remedying import remedy_policy
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.remedies.models import Remedy, Step

_BY = actors.system("worker")
_P, _R = Step.State, Remedy.State
#: A call takes a minute at most; who has not answered for so long has died.
LEASE = timedelta(minutes=3)
USUAL: dict[str, tuple[str, ...]] = {
    "refund": ("refund",),
    "partial_refund": ("refund",),
    "exchange": ("return_open", "replace"),
    "resend": ("replace",),
    "repair": ("return_open",),
    "compensation": ("credit",),
    "credit": ("credit",),
    "cancel_order": ("cancel",),
    "reissue_invoice": ("invoice_correct",),
}


@verb("carry_out")
def carry_out(
    case: Case,
    remedy_id: int,
    *,
    by: Actor,
    seen: int | None,
    done_by_hand: str = "",
    cause: CaseEvent | None = None,
) -> CaseEvent:
    """Carry a decided remedy out: its steps are planned, and the worker sends them one after the other.

    ``done_by_hand``: the record in the shop's own system, where a person did the next step there. Refused while a step is on its
    way or unknown, without a connection and a record, and for what certainly failed and may not be sent again.
    """
    case = pen.hold(case.pk, seen=seen)
    row = remedy_of(case, remedy_id)
    if row.state not in Remedy.OPEN:
        raise Refusal(
            "not_decided", _("Only a remedy that is decided and not settled is carried out."), field="remedy"
        )
    record = clean_line(done_by_hand, limit=120, field="done_by_hand", required=False)
    steps = list(Step.objects.filter(remedy=row).order_by("n"))
    if any(s.state in Step.ON_ITS_WAY for s in steps):
        raise Refusal(
            "on_its_way", _("A step is on its way. What became of it is being looked up."), field="remedy"
        )
    if not steps:
        steps = _plan(case, row, by)
    step = next((s for s in steps if s.state in (_P.PLANNED, _P.REFUSED)), None)
    if step is None:
        raise Refusal("settled", _("Everything of it was done already."), field="remedy")
    if record:
        return _done_by_hand(case, row, step, record, by)
    if remedy_stores.store_of(row) is None:
        raise Refusal(
            "by_hand",
            _("This shop is not connected. Do it in the shop's own system, and name its record here."),
            field="done_by_hand",
        )
    if step.state == _P.PLANNED and step.look_at is not None:
        raise Refusal("on_its_way", _("It is on its way to be sent already."), field="remedy")
    if step.n > 1 and not released(steps, step):
        raise Refusal("goods", _("The goods are not back yet."), field="remedy")
    Step.objects.filter(pk=step.pk).update(state=_P.PLANNED, look_at=clock.now(), settled_at=None)
    Remedy.objects.filter(pk=row.pk).update(state=_R.CARRYING)
    transaction.on_commit(nudge, robust=True)
    data = {"remedy": row.kind, "remedy_id": row.pk, "step": step.pk, "action": step.action}
    return pen.write(case, "remedy_begun", by=by, data=data, cause=cause)


def _actions(row: Remedy) -> tuple[str, ...]:
    """What is asked of the shop: as the row of the policy says, else what is usual for it."""
    rule = remedy_policy().rules.get(row.rule)
    return tuple(rule.steps) if rule else USUAL.get(row.kind, ())


def _plan(case: Case, row: Remedy, by: Actor) -> list[Step]:
    if not _actions(row):
        raise Refusal(
            "no_steps",
            _("Nothing of this is asked of a shop. Do it, and record what was done."),
            field="remedy",
        )
    steps = as_planned(row)
    with in_words():
        for step in steps:
            step.by_id = by.user_id
            step.save(force_insert=True)
    return steps


def as_planned(row: Remedy) -> list[Step]:
    """The steps of a remedy as they would be planned; not stored."""
    money = {"refund", "credit"}
    return [
        Step(
            case_id=row.case_id,
            remedy=row,
            n=n,
            action=action,
            # Unlike any other of ours: two houses (a test's and the real one) may speak with one provider's account.
            ours=f"mg{row.case.number}-{secrets.token_hex(8)}",
            order=row.order,
            payment=row.payment,
            amount=row.amount if action in money else None,
            currency=row.currency if action in money else "",
        )
        for n, action in enumerate(_actions(row), 1)
    ]


def _done_by_hand(case: Case, row: Remedy, step: Step, record: str, by: Actor) -> CaseEvent:
    if step.state == _P.REFUSED:
        raise Refusal(
            "settled", _("This step was refused. Withdraw the remedy, and decide anew."), field="remedy"
        )
    now = clock.now()
    with in_words():
        Step.objects.filter(pk=step.pk).update(
            state=_P.DONE,
            by_hand=True,
            ref=record,
            sent_at=now,
            settled_at=now,
            look_at=None,
            by_id=by.user_id,
        )
        Remedy.objects.filter(pk=row.pk).update(state=_R.CARRYING)
    step.refresh_from_db()
    return after_done(case, step, by=by)


# ------------------------------------------------------------------------------------------------ the worker


def claim(only: int | None = None) -> Step | None:
    """The next planned step (``only``: just this one), committed as 'sending': from here on it is never sent again. None: none is due.

    A payment on which another ask is on its way makes it wait.
    """
    now, mine = clock.now(), {} if only is None else {"pk": only}
    with transaction.atomic():
        step = (
            Step.objects.filter(state=_P.PLANNED, look_at__lte=now, **mine)
            .order_by("look_at", "id")
            .select_for_update(skip_locked=True, of=("self",), no_key=True)
            .select_related("remedy", "payment", "order")
            .first()
        )
        if step is None:
            return None
        if step.payment is not None:
            step.expected_left = left_before(step)
        ask = remedy_stores.ask_of(step)
        step.ask, step.state, step.look_at = remedy_stores.as_data(ask), _P.SENDING, now + LEASE
        step.sent_at, step.sends = step.sent_at or now, step.sends + 1
        try:
            with transaction.atomic():
                step.save(update_fields=["ask", "state", "look_at", "sent_at", "sends", "expected_left"])
        except IntegrityError as error:
            name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
            if name not in ("one_ask_on_its_way_a_payment", "refunds_within_the_payment"):
                raise
            Step.objects.filter(pk=step.pk).update(look_at=now + timedelta(seconds=30), trouble=name)
            return None  # it waits for another on its payment
    return step


def left_before(step: Step) -> Decimal | None:
    """What we believe could go back before this ask; sent along, so that another balance refuses it."""
    payment = step.payment
    if payment is None:
        return None
    said = payment.left_to_refund
    return said if said is not None else (payment.amount or Decimal(0)) - payment.refunded


def claim_look_up() -> Step | None:
    """The next step to be looked up, set to its next look first: who dies looking only looks later.

    Unknown ones before those that are done and whose result has not arrived yet.
    """
    return _claim_look(_P.UNKNOWN) or _claim_look(_P.DONE)


def _claim_look(state: str) -> Step | None:
    now = clock.now()
    with transaction.atomic():
        step = (
            Step.objects.filter(state=state, look_at__lte=now)
            .order_by("look_at", "id")
            .select_for_update(skip_locked=True, of=("self",), no_key=True)
            .select_related("remedy", "payment", "order")
            .first()
        )
        if step is None:
            return None
        step.looked += 1
        if state == _P.DONE:
            step.look_at = remedy_settling.next_follow(step, step.there, now)
        else:
            step.look_at = now + remedy_settling.next_look(step.looked)
        step.save(update_fields=["looked", "look_at"])
    return step


def goes_by_itself(event: CaseEvent) -> None:
    """The customer has chosen: where the shop is connected it begins at once, for a person has offered it already."""
    case = Case.objects.get(pk=event.case_id)
    row = remedy_of(case, event.data["remedy_id"])
    if remedy_stores.store_of(row) is not None and _actions(row):
        carry_out(case, row.pk, by=_BY, seen=None, cause=event)
