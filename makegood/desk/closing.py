"""Ending a case. Made good only by verification, telling and the customer's own all-good; else by its own honest name."""

from __future__ import annotations

from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.languages import speaking
from makegood.base.words import clean
from makegood.cases import links, pen
from makegood.cases.closing import ClosingFacts, blockers
from makegood.cases.models import (
    Case,
    CaseEvent,
    Closure,
    Confirmation,
    ConfirmationAsk,
    Ending,
    Fix,
    Telling,
    Verification,
)
from makegood.cases.states import Status
from makegood.conversations import messages, outbox
from makegood.conversations.messages import Audience, Author
from makegood.desk import breaking, owing
from makegood.desk.verb import verb
from makegood.packs import policy
from makegood.people.actors import Actor
from makegood.promises import appointments, ledger
from makegood.promises.models import WORDS


def closing_facts(case: Case) -> ClosingFacts:
    """What is so in this round, read from the rows that closing stands on: the last fix, its proof, its telling, the word on it."""
    fix = Fix.objects.filter(case=case, round=case.round).order_by("-id").first()
    proof = Verification.objects.filter(fix=fix).order_by("-id").first() if fix else None
    telling = Telling.objects.filter(verification=proof).order_by("-id").first() if proof else None
    said = Confirmation.objects.filter(telling=telling).order_by("-id").first() if telling else None
    return ClosingFacts(
        ended=not case.is_open,
        sorted=bool(case.type),
        owned=case.owner_id is not None,
        fixed=fix is not None,
        verified=proof is not None,
        told=telling is not None,
        answer=said.answer if said else "",
        open_children=Case.objects.filter(parent=case).exclude(status=Status.ENDED).count(),
    )


@verb("close")
def close(case: Case, *, by: Actor, cause: CaseEvent | None = None) -> CaseEvent:
    """Close as made good. Refuses with the first of the blockers that the page shows."""
    case = pen.hold(case.pk)
    if standing := blockers(closing_facts(case)):
        raise Refusal(standing[0].code, standing[0].reason, field=standing[0].field)
    confirmation = Confirmation.objects.filter(case=case, round=case.round, answer="all_good").order_by(
        "-id"
    )[0]
    closure = Closure.objects.create(
        case=case,
        round=case.round,
        verification_id=confirmation.telling.verification_id,
        telling_id=confirmation.telling_id,
        confirmation=confirmation,
        at=clock.now(),
    )
    return _end(case, "closed", "made_good", by=by, data={"closure": closure.pk}, cause=cause)


@verb("end_unconfirmed")
def end_unconfirmed(case: Case, *, by: Actor, seen: int | None) -> CaseEvent:
    """The customer never answered, after as many documented asks, over as many days, as the policy demands. Not 'made good'.

    They are told so, and how to open it again.
    """
    case = pen.hold(case.pk, seen=seen)
    telling = Telling.objects.filter(case=case, round=case.round).order_by("-id").first()
    if case.status != Status.TOLD or telling is None:
        raise Refusal("not_told", _("The customer has not been told the verified outcome."))
    asks = list(ConfirmationAsk.objects.filter(case=case, round=case.round).order_by("at"))
    need, over = policy().confirmation.asks, policy().confirmation.over
    if len(asks) < need or clock.now() - asks[0].at < over:
        raise Refusal(
            "not_asked_enough",
            _("Only after %(need)s asks over %(days)s days; so far %(asks)s.")
            % {"need": need, "days": over.days, "asks": len(asks)},
        )
    with speaking(case.language):
        words = spoken(
            "We asked you several times whether it is made good and did not hear from you, so we ended the case without "
            "your word. If something is not right, please open it again on your page."
        )
    breaking.overdue(case)
    message = messages.store(
        case, by=by, author=Author.STAFF, audience=Audience.CUSTOMER, body=words, language=case.language
    )
    ledger.settle(case, proof_id=message.pk)
    outbox.letter(case, "ended", link=links.standing(case), message=message)
    return _other(case, "unconfirmed", by=by, telling=telling)


@verb("end_disagreed")
def end_disagreed(case: Case, *, by: Actor, seen: int | None, text: str, outside_route: str) -> CaseEvent:
    """We and the customer disagree: they are told so, with the outside route that is open to them."""
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    route = clean(outside_route, limit=2000, field="outside_route")
    body = clean(text, limit=20_000, field="text") + "\n\n" + route
    breaking.overdue(case)
    message = messages.store(
        case, by=by, author=Author.STAFF, audience=Audience.CUSTOMER, body=body, language=case.language
    )
    ledger.settle(case, proof_id=message.pk)
    decided = ledger.standing(case, "decision").filter(to="customer").values_list("pk", flat=True)
    ledger.keep(list(decided), proof_id=message.pk)
    outbox.letter(case, "ended", link=links.standing(case), message=message)
    return _other(case, "disagreed", by=by, message=message, outside_route=route)


@verb("withdraw")
def withdraw(case: Case, *, by: Actor, seen: int | None, words: str) -> CaseEvent:
    """The customer takes it back, in their own words (written by them, or written down by staff)."""
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    words = clean(words, limit=5000, field="words")
    message = messages.store(case, by=by, author=Author.CUSTOMER, audience=Audience.CUSTOMER, body=words)
    return _other(case, "withdrawn", by=by, message=message, words=words)


@verb("reopen")
def reopen(case: Case, *, by: Actor, why: str = "", cause: CaseEvent | None = None) -> CaseEvent:
    """Open again: a new round that needs its own fix, verification, telling and confirmation. First clock and history stay."""
    case = pen.hold(case.pk)
    if case.ended_as == "merged":
        raise Refusal("merged", _("The case was merged; go on in the other one."))
    if case.is_open and cause is None:
        raise Refusal("open", _("The case is open."))
    if case.parent_id and Case.objects.filter(pk=case.parent_id, status=Status.ENDED).exists():
        raise Refusal("parent_ended", _("The case above it has ended. Open that one first."))
    was = case.ended_as or case.status
    if cause is None:
        author = Author.CUSTOMER if by.role == "customer" else Author.STAFF
        audience = Audience.CUSTOMER if by.role == "customer" else Audience.STAFF
        messages.store(case, by=by, author=author, audience=audience, body=why)
    Closure.objects.filter(case=case).delete()
    Ending.objects.filter(case=case).delete()
    # A round that opens on an open case ('not good') replaces the word alone: what else was promised still stands.
    breaking.overdue(case)
    ledger.supersede(ledger.standing(case, *WORDS).filter(to="customer"))
    appointments.drop(case)
    promise = owing.by_rule(case, "next_word", level=case.urgency, type_code=case.type)
    decides = case.type and not ledger.standing(case, "decision").filter(basis="policy").exists()
    decision = owing.by_rule(case, "decision", level=case.urgency, type_code=case.type) if decides else None
    return pen.write(
        case,
        "reopened",
        by=by,
        cause=cause,
        data={
            "round": case.round + 1,
            "was": was,
            "promise": promise.pk,
            "until": promise.due_at.isoformat(),
            "decision": decision.pk if decision else None,
        },
        round=case.round + 1,
        status=Status.WORKING,
        ended_as="",
        ended_at=None,
        waiting_for="",
        snoozed_until=None,
        due_at=ledger.next_due(case),
        # Who left does not get it back: it goes to the team, where somebody sees it.
        owner_id=case.owner_id if case.owner and case.owner.is_active else None,
        # Nobody has looked at the new round yet, unless the one who opened it again is of the desk.
        touched_at=clock.now() if by.is_staff else None,
    )


def _other(case: Case, kind: str, *, by: Actor, **evidence: object) -> CaseEvent:
    if closing_facts(case).open_children:
        raise Refusal("open_children", _("A case below this one is still open."), field="children")
    ending = Ending.objects.create(
        case=case, round=case.round, kind=kind, by_id=by.user_id, at=clock.now(), **evidence
    )
    return _end(case, "ended", kind, by=by, data={"ending": ending.pk, "ended_as": kind})


def _end(
    case: Case,
    kind: str,
    ended_as: str,
    *,
    by: Actor,
    data: dict[str, object],
    cause: CaseEvent | None = None,
) -> CaseEvent:
    breaking.overdue(case)
    ledger.release(case, "withdrawn")
    appointments.drop(case)
    event = pen.write(
        case,
        kind,
        by=by,
        data=data,
        cause=cause,
        status=Status.ENDED,
        ended_as=ended_as,
        ended_at=clock.now(),
        due_at=None,
        waiting_for="",
        snoozed_until=None,
    )
    ledger.answer(case, proof_event=event)  # no word is owed any more, also when it is opened again
    return event


def _refuse_ended(case: Case) -> None:
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
