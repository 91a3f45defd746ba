"""Fixing and verifying: what was done, and the proof that it holds. Nothing is announced from a fix alone (mission B5)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.base.words import clean, clean_line
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent, Fix, Verification
from makegood.cases.states import Status
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk.verb import verb
from makegood.packs import sources, taxonomy
from makegood.people.actors import Actor
from makegood.promises import ledger


@verb("fix")
def record_fix(
    case: Case, *, by: Actor, seen: int | None, done: str, cause: str, remedy: str = ""
) -> CaseEvent:
    """Record what was done to make it good, and why it went wrong. The case must be sorted and owned."""
    case = pen.hold(case.pk, seen=seen)
    if not case.type:
        raise Refusal("not_sorted", _("Sort the case first: say what kind of problem it is."), field="type")
    if case.owner_id is None:
        raise Refusal("not_owned", _("Somebody must own the case first."), field="owner")
    if remedy and remedy not in taxonomy().remedies:
        raise Refusal("unknown_code", _("This is not in the list."), field="remedy")
    done = clean(done, limit=5000, field="done")
    cause = clean(cause, limit=5000, field="cause")
    fix = Fix.objects.create(
        case=case, round=case.round, remedy=remedy, cause=cause, done=done, by_id=by.person
    )
    return pen.write(
        case,
        "fixed",
        by=by,
        data={"fix": fix.pk, "remedy": remedy or None},
        status=Status.FIXED,
        waiting_for="",
    )


@verb("verify")
def verify(
    case: Case, *, by: Actor, seen: int | None, proof: str, what_was_seen: str, reference: str = ""
) -> CaseEvent:
    """Verify the last fix: somebody else looks, or the fixer names the record that proves it (refund id, tracking number)."""
    case = pen.hold(case.pk, seen=seen)
    fix = Fix.objects.filter(case=case, round=case.round).order_by("-id").first()
    if case.status != Status.FIXED or fix is None:
        raise Refusal("not_fixed", _("There is no fix to verify yet."))
    if proof not in sources().proofs:
        raise Refusal("unknown_proof", _("Say what kind of proof it is."), field="proof")
    reference = clean_line(reference, limit=200, field="reference", required=False)
    if fix.by_id == by.user_id and not reference:
        raise Refusal(
            "fixer_alone",
            _("You fixed it: name the record that proves it, or let somebody else verify."),
            field="reference",
        )
    verification = Verification.objects.create(
        case=case,
        round=case.round,
        fix=fix,
        fixed_by_id=fix.by_id,
        by_id=by.person,
        proof=proof,
        reference=reference,
        seen=clean(what_was_seen, limit=5000, field="what_was_seen"),
    )
    data = {"verification": verification.pk, "proof": proof}
    event = pen.write(case, "verified", by=by, data=data, status=Status.VERIFIED)
    promised = ledger.standing(case, "remedy").values_list("pk", flat=True)
    ledger.keep(list(promised), proof_event=event)
    return event


@verb("verify")
def find_wanting(case: Case, *, by: Actor, seen: int | None, what_was_seen: str) -> CaseEvent:
    """Somebody looked, and the fix does not hold: the case goes back to work, with what was seen as a note."""
    case = pen.hold(case.pk, seen=seen)
    if case.status not in (Status.FIXED, Status.VERIFIED):
        raise Refusal("not_fixed", _("There is no fix to verify yet."))
    message = messages.store(case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=what_was_seen)
    return pen.write(case, "not_verified", by=by, data={"message": message.pk}, status=Status.WORKING)
