"""What became of a step: done, refused or unknown, by the answer, by looking it up, by what the shop tells, or by a person's word.

Every way ends here, under the lock of the case; whoever comes second finds it settled.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean_line
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.connectors.ports import AGAIN, Outcome
from makegood.desk import notices, remedy_stores
from makegood.desk.remedy_nudge import nudge
from makegood.desk.verb import verb
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.remedies.models import Remedy, Step

_BY = actors.system("worker")
_P, _R = Step.State, Remedy.State
#: When an unknown one is looked up again, by how often it was.
LOOKS = tuple(timedelta(seconds=s) for s in (10, 30, 60, 120, 300, 600, 1800, 3600, 21600))
#: So many times the very same ask is sent where the other side says for certain that it never arrived.
MOST_SENDS = 5
#: After so many looks in vain people are told.
LOOKS_IN_VAIN = 5
#: When a result that is still on its way is looked at again: many a shop tells nothing by itself, and a webhook may never come.
FOLLOWS = tuple(timedelta(hours=h) for h in (1, 3, 6, 12, 24))
#: After so many looks it is for its promised day to speak up.
FOLLOWED = 45
#: action -> states of its result in which more is awaited of the other side.
_AWAITED: dict[str, frozenset[str]] = {
    "refund": frozenset({"asked", "approved", "sent"}),
    "return_open": frozenset({"asked", "approved", "on_its_way", "part_received"}),
    "invoice_correct": frozenset({"asked", "drafted", "correction_waiting"}),
}
#: What is given before the goods are back waits for these states of the return.
GOODS_BACK = frozenset({"received", "closed"})


def next_look(times: int) -> timedelta:
    """How long to wait before the next look (or the next sending of what never arrived), after so many."""
    return LOOKS[min(times, len(LOOKS) - 1)]


def next_follow(step: Step, there: str, now: datetime) -> datetime | None:
    """When to look at a done step again; None where it has arrived, cannot be found by our reference, or was followed long enough."""
    if step.by_hand or there not in _AWAITED.get(step.action, frozenset()) or step.looked >= FOLLOWED:
        return None
    return now + FOLLOWS[min(step.looked, len(FOLLOWS) - 1)]


def released(steps: list[Step], step: Step) -> bool:
    """Whether what comes before it is done; money after goods that are expected back waits until they are."""
    before = [s for s in steps if s.n < step.n]
    return all(s.state == _P.DONE and (s.action != "return_open" or s.there in GOODS_BACK) for s in before)


def left_behind(step: Step) -> None:
    """Sent, and nobody came back to say what became of it (the sweep): unknown, and looked up at once."""
    settle(step.pk, Outcome("unknown", "lost"))


def settle(step_id: int, outcome: Outcome) -> CaseEvent | None:
    """What the other side answered, or was found to have done. None where the row knew it already."""
    with transaction.atomic():
        case_id = Step.objects.values_list("case_id", flat=True).get(pk=step_id)
        case = pen.hold(case_id)
        step = Step.objects.select_for_update(of=("self",)).select_related("remedy").get(pk=step_id)
        if outcome.done and step.state in (*Step.ON_ITS_WAY, _P.REFUSED):
            return step_done(case, step, outcome.ref, outcome.state, outcome.at, by=_BY)
        if step.state not in Step.ON_ITS_WAY:
            return None  # a webhook was faster, or another look
        if outcome.refused:
            return step_refused(case, step, outcome.code, outcome.theirs, by=_BY)
        if step.state == _P.SENDING:
            return step_unknown(case, step, outcome.code, outcome.theirs, by=_BY)
        if step.looked == LOOKS_IN_VAIN:
            notices.notify(case, "step_unknown", to=[*notices.owner_of(case), *notices.leads_of(case)])
        return None


def looked_again(step_id: int, outcome: Outcome) -> CaseEvent | None:
    """What a look at a done step showed while its result was on its way; a refund that the bank turned down is 'refused' by now.

    A look says how it is at this moment; the late answer to the call itself does not, and changes nothing here (:func:`settle`).
    """
    with transaction.atomic():
        case = pen.hold(Step.objects.values_list("case_id", flat=True).get(pk=step_id))
        step = Step.objects.select_for_update(of=("self",)).select_related("remedy").get(pk=step_id)
        if step.state != _P.DONE or not outcome.state:
            return None
        return _moved(case, step, outcome.ref, outcome.state, clock.now())


def hear(step_id: int, ref: str, state: str, at: datetime) -> CaseEvent | None:
    """What the source tells of the result of a step, by our own reference: before the answer, after it, or weeks later.

    By the source's clock: what is older than what we know changes nothing.
    """
    with transaction.atomic():
        case = pen.hold(Step.objects.values_list("case_id", flat=True).get(pk=step_id))
        step = Step.objects.select_for_update(of=("self",)).select_related("remedy").get(pk=step_id)
        if step.state in (*Step.ON_ITS_WAY, _P.REFUSED):
            return step_done(case, step, ref, state, at, by=_BY)
        return _moved(case, step, ref, state, at) if step.state == _P.DONE else None


def _moved(case: Case, step: Step, ref: str, state: str, at: datetime) -> CaseEvent | None:
    """By the source's clock: what is older than what we know changes nothing, nor does what we know already."""
    if state == step.there or (step.there_at and at < step.there_at):
        return None
    return step_moved(case, step, ref, state, at, by=_BY)


@verb("settle_step")
def step_done(case: Case, step: Step, ref: str, there: str, at: datetime | None, *, by: Actor) -> CaseEvent:
    """The other side has taken it; ``there`` says how far it is with it."""
    return _write_done(pen.hold(case.pk), step, ref, there, at, by=by)


def _write_done(case: Case, step: Step, ref: str, there: str, at: datetime | None, *, by: Actor) -> CaseEvent:
    now, step.looked = clock.now(), 0  # from here on its looks are those at a result on its way
    follow = next_follow(step, there, now)
    Step.objects.filter(pk=step.pk).update(
        state=_P.DONE, code="", ref=ref, there=there, there_at=at, settled_at=now, looked=0, look_at=follow
    )
    step.refresh_from_db()
    remedy_stores.ask_to_read(step)
    return after_done(case, step, by=by)


def after_done(case: Case, step: Step, *, by: Actor) -> CaseEvent:
    """The next step goes, or the plan is done."""
    row, now = step.remedy, clock.now()
    steps = list(Step.objects.filter(remedy=row).order_by("n"))
    following = next((s for s in steps if s.state == _P.PLANNED), None)
    done = following is None and all(s.state in (_P.DONE, _P.DROPPED) for s in steps)
    if following is not None and released(steps, following) and not step.by_hand:
        Step.objects.filter(pk=following.pk).update(look_at=now)
        transaction.on_commit(nudge, robust=True)
    if done and row.state in (*Remedy.OPEN, _R.FAILED):
        Remedy.objects.filter(pk=row.pk).update(state=_R.DONE, settled_at=now)
    data = {
        "remedy": row.kind,
        "remedy_id": row.pk,
        "step": step.pk,
        "action": step.action,
        "there": step.there or None,
        "whole": done,
    }
    return pen.write(case, "remedy_step_done", by=by, data=data)


@verb("settle_step")
def step_moved(case: Case, step: Step, ref: str, there: str, at: datetime, *, by: Actor) -> CaseEvent:
    """The result of a step that was done is in another state now."""
    case = pen.hold(case.pk)
    was = step.there
    Step.objects.filter(pk=step.pk).update(
        there=there, there_at=at, ref=ref or step.ref, look_at=next_follow(step, there, clock.now())
    )
    remedy_stores.ask_to_read(step)
    if step.action == "return_open" and there in GOODS_BACK:
        Step.objects.filter(remedy=step.remedy, state=_P.PLANNED, look_at__isnull=True, n=step.n + 1).update(
            look_at=clock.now()
        )
        transaction.on_commit(nudge, robust=True)
    data = {
        "remedy": step.remedy.kind,
        "remedy_id": step.remedy_id,
        "step": step.pk,
        "action": step.action,
        "there": there,
        "was": was or None,
    }
    return pen.write(case, "remedy_step_moved", by=by, data=data, at=min(at, clock.now()))


@verb("settle_step")
def step_refused(case: Case, step: Step, code: str, theirs: str, *, by: Actor) -> CaseEvent:
    """Certain: nothing moved. Where it never arrived the very same ask goes again; else the remedy has failed, and a person decides."""
    return _write_refused(pen.hold(case.pk), step, code, theirs, by=by)


def _write_refused(case: Case, step: Step, code: str, theirs: str, *, by: Actor) -> CaseEvent:
    now = clock.now()
    again = code in AGAIN and step.sends < MOST_SENDS
    rows = Step.objects.filter(pk=step.pk)
    rows.update(state=_P.REFUSED, code=code, theirs=theirs, settled_at=now, look_at=None)
    if again:
        rows.update(state=_P.PLANNED, settled_at=None, look_at=now + next_look(step.sends))
    else:
        _fail(step, now)
        notices.notify(case, "remedy_failed", to=notices.owner_of(case))
    data = {
        "remedy": step.remedy.kind,
        "remedy_id": step.remedy_id,
        "step": step.pk,
        "action": step.action,
        "refused": code,
        "again": again,
    }
    return pen.write(case, "remedy_step_refused", by=by, data=data, due_at=ledger.next_due(case))


def _fail(step: Step, now: datetime) -> None:
    """The rest of the plan is dropped. What was promised stays promised: the customer was told, and somebody has to answer it."""
    Step.objects.filter(remedy=step.remedy, state=_P.PLANNED).update(
        state=_P.DROPPED, look_at=None, settled_at=now
    )
    Remedy.objects.filter(pk=step.remedy_id, state__in=Remedy.OPEN).update(state=_R.FAILED, settled_at=now)


@verb("settle_step")
def step_unknown(case: Case, step: Step, code: str, theirs: str, *, by: Actor) -> CaseEvent:
    """Nobody knows. It is looked up, with longer and longer pauses; until then nothing else is asked on this payment."""
    case, now = pen.hold(case.pk), clock.now()
    Step.objects.filter(pk=step.pk).update(
        state=_P.UNKNOWN, code=code, theirs=theirs, unknown_since=now, look_at=now + LOOKS[0]
    )
    data = {
        "remedy": step.remedy.kind,
        "remedy_id": step.remedy_id,
        "step": step.pk,
        "action": step.action,
        "unknown": code,
    }
    return pen.write(case, "remedy_step_unknown", by=by, data=data)


@verb("settle_by_hand")
def say_what_became(
    case: Case, step_id: int, *, by: Actor, seen: int | None, happened: bool, record: str
) -> CaseEvent:
    """A person looked in the shop's or the provider's own system, for nothing else can tell: it happened, or it did not.

    ``record`` says which record shows it. Only for what has been looked up in vain: a guess would be the second refund.
    """
    case = pen.hold(case.pk, seen=seen)
    step = Step.objects.select_related("remedy").filter(case=case, pk=step_id, state=_P.UNKNOWN).first()
    if step is None:
        raise Refusal("not_unknown", _("Nothing is unknown about this step."), field="step")
    if step.looked < LOOKS_IN_VAIN and step.code != "behind":
        raise Refusal("being_looked_up", _("It is still being looked up. Wait for that first."), field="step")
    shown = clean_line(record, limit=120, field="record")
    if happened:
        Step.objects.filter(pk=step.pk).update(by_hand=True)
        return _write_done(case, step, shown, "", None, by=by)
    return _write_refused(case, step, "declined", shown[:80], by=by)
