"""Verification from the transaction itself: what the shop tells of the result is the proof, recorded by the house, never by the fixer.

follows.py: a plan that is done is the fix; a result that has arrived verifies it; one that came back or got stuck raises.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as spoken

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent, Fix, Verification
from makegood.cases.states import Status, may_move
from makegood.cases.urgency import Evidence
from makegood.connectors.ports import MAKES
from makegood.desk import closing, handling, notices, remedying
from makegood.desk.verb import verb
from makegood.packs import names
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.remedies.models import Remedy, Step, TransactionProof

_BY = actors.system("worker")
#: action -> the states of its result that prove it to the customer's side.
ARRIVED: dict[str, frozenset[str]] = {
    "refund": frozenset({"paid_out"}),
    "cancel": frozenset({"cancelled"}),
    "return_open": frozenset({"received", "closed"}),
    "replace": frozenset({"delivered"}),
    "credit": frozenset({"granted", "used"}),
    "invoice_correct": frozenset({"issued", "filed", "corrected"}),
}
#: What means that it did not hold after all, and what only a person can move.
BACK = frozenset(
    {"reversed", "refused", "declined", "withdrawn", "revoked", "filing_failed", "coming_back", "came_back"}
)
STUCK = frozenset({"stuck", "exception"})
_PROOF = {"refund": "payment_record", "cancel": "payment_record", "credit": "customer_visible", "replace": "tracking_record",
          "return_open": "tracking_record", "invoice_correct": "document"}  # fmt: skip


def after_step(event: CaseEvent) -> None:
    """A step was done, or its result moved: the fix, the proof, or the alarm that follows from it."""
    case = Case.objects.get(pk=event.case_id)
    step = Step.objects.select_related("remedy").get(pk=event.data["step"])
    ready = case.is_open and case.owner_id and case.type and may_move(case.status, Status.FIXED)
    if event.data.get("whole") and ready:
        fix_by_remedy(case, step.remedy, by=_BY, cause=event)
        case.refresh_from_db()
    there = step.there
    if there in BACK:
        came_back(case, step, by=_BY, cause=event)
    elif there in STUCK:
        got_stuck(case, step, by=_BY, cause=event)
    elif there in ARRIVED.get(step.action, frozenset()):
        _note_proof(step)
        if _all_arrived(step.remedy):
            arrive(case, step, by=_BY, cause=event)


def _all_arrived(row: Remedy) -> bool:
    steps = list(Step.objects.filter(remedy=row).exclude(state="dropped"))
    return all(s.state == "done" and (s.there in ARRIVED.get(s.action, ()) or s.by_hand) for s in steps)


def _note_proof(step: Step) -> TransactionProof:
    found, _made = TransactionProof.objects.get_or_create(
        step=step,
        state=step.there,
        said_at=step.there_at or step.settled_at or clock.now(),
        defaults={"noun": MAKES[step.action], "ref": step.ref or step.ours, "how": "told"},
    )
    return found


@verb("fix")
def fix_by_remedy(case: Case, row: Remedy, *, by: Actor, cause: CaseEvent) -> CaseEvent:
    """What was carried out is what was done; its fixer is the person who decided it, so that only another one verifies by hand."""
    case = pen.hold(case.pk)
    with speaking(case.language):
        done = remedying.named(row)
        why = str(names("responsibility").get(case.responsibility, case.responsibility))
        words = spoken("Whose it was to put right: %(whose)s") % {"whose": why}
    fix = Fix.objects.create(
        case=case, round=case.round, remedy=row.kind, cause=words, done=done, by_id=row.by_id
    )
    data = {"fix": fix.pk, "remedy": row.kind}
    return pen.write(case, "fixed", by=by, data=data, cause=cause, status=Status.FIXED, waiting_for="")


@verb("settle_step")
def arrive(case: Case, step: Step, *, by: Actor, cause: CaseEvent) -> CaseEvent:
    """Everything of the remedy has arrived, as the transaction says. Keeps its promise; follows.py records the verification."""
    case = pen.hold(case.pk)
    row = step.remedy
    Remedy.objects.filter(pk=row.pk).update(state=Remedy.State.ARRIVED, settled_at=clock.now())
    data = {"remedy": row.kind, "remedy_id": row.pk, "step": step.pk, "there": step.there}
    event = pen.write(case, "remedy_arrived", by=by, data=data, cause=cause)
    if row.promise_id:
        ledger.keep([row.promise_id], proof_event=event)
    return event


def after_arrival(event: CaseEvent) -> None:
    """Verified by the record itself, where the case waits for just that."""
    case = Case.objects.get(pk=event.case_id)
    fix = Fix.objects.filter(case=case, round=case.round).order_by("-id").first()
    if case.status == Status.FIXED and fix is not None and fix.remedy == event.data["remedy"]:
        verify_by_record(case, fix, event.data["step"], by=_BY, cause=event)


@verb("verify_by_record")
def verify_by_record(case: Case, fix: Fix, step_id: int, *, by: Actor, cause: CaseEvent) -> CaseEvent:
    """The verification that no person wrote: its reference is the other side's record, its proof object what was told and when."""
    case = pen.hold(case.pk)
    step = Step.objects.get(pk=step_id)
    proof = _note_proof(step)
    with speaking(case.language):
        words = spoken("The transaction itself says so: %(record)s, %(state)s.") % {
            "record": proof.ref,
            "state": state_name(proof.noun, proof.state),
        }
    made = Verification.objects.create(
        case=case,
        round=case.round,
        fix=fix,
        fixed_by_id=fix.by_id,
        by=None,
        proof=_PROOF.get(step.action, "system_check"),
        reference=proof.ref,
        seen=words,
    )
    TransactionProof.objects.filter(step__remedy=step.remedy, verification__isnull=True).update(
        verification=made
    )
    data = {"verification": made.pk, "proof": made.proof}
    event = pen.write(case, "verified", by=by, data=data, cause=cause, status=Status.VERIFIED)
    promised = ledger.standing(case, "remedy").values_list("pk", flat=True)
    ledger.keep(list(promised), proof_event=event)
    notices.notify(case, "remedy_arrived", to=notices.owner_of(case))
    return event


@verb("settle_step")
def came_back(case: Case, step: Step, *, by: Actor, cause: CaseEvent) -> CaseEvent:
    """It had been done, and did not hold: money that came back, a parcel that turned round. The case is more urgent than before."""
    case = pen.hold(case.pk)
    Remedy.objects.filter(pk=step.remedy_id).update(state=Remedy.State.CAME_BACK, settled_at=clock.now())
    notices.notify(case, "remedy_came_back", to=[*notices.owner_of(case), *notices.leads_of(case)])
    return pen.write(case, "remedy_came_back", by=by, data=_of(step), cause=cause, **_again(case))


@verb("settle_step")
def got_stuck(case: Case, step: Step, *, by: Actor, cause: CaseEvent) -> CaseEvent:
    """Only a person can move it on: the owner and the lead hear of it."""
    case = pen.hold(case.pk)
    notices.notify(case, "remedy_stuck", to=[*notices.owner_of(case), *notices.leads_of(case)])
    return pen.write(case, "remedy_stuck", by=by, data=_of(step), cause=cause)


def _again(case: Case) -> dict[str, Any]:
    """A case that was fixed, verified or told goes back to work; it was not so after all."""
    told = case.status in (Status.FIXED, Status.VERIFIED, Status.TOLD)
    return {"status": Status.WORKING} if told else {}


def raise_for_it(event: CaseEvent) -> None:
    """Promised, done, and not so: that weighs more than the problem did at first. A case that had ended opens again."""
    case = Case.objects.get(pk=event.case_id)
    back = event.kind == "remedy_came_back"
    if not case.is_open and back and case.ended_as != "merged":
        closing.reopen(case, by=_BY, cause=event)
        case.refresh_from_db()
    level = 4 if back else 3
    if case.is_open and (case.urgency < level or case.urgency_floor < level):
        source = "remedy:came_back" if back else "remedy:stuck"
        handling.raise_by_evidence(case, [Evidence(level, source)], by=_BY, cause=event, message_id=None)


def _of(step: Step) -> dict[str, Any]:
    return {"remedy": step.remedy.kind, "remedy_id": step.remedy_id, "step": step.pk, "there": step.there}


def state_name(noun: str, state: str) -> str:
    """The state of a thing of the transaction in words, in the language that is active."""
    from django.apps import apps

    try:
        model = apps.get_model("makegood", {"return": "Return"}.get(noun, noun.capitalize()))
        return str(dict(model._meta.get_field("state").flatchoices).get(state, state))
    except LookupError:
        return state
