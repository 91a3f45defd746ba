"""Handling: who owns it, what it waits for, and how urgent it is."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotAllowed, Refusal
from makegood.base.moments import said
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent, UrgencyLowering
from makegood.cases.states import Status
from makegood.cases.urgency import LEVELS, Evidence
from makegood.conversations.models import Message
from makegood.desk import owing
from makegood.desk.verb import verb
from makegood.escalation import duty
from makegood.escalation.models import Handover
from makegood.parties.models import PartyAsk
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import STAFF, Team, User
from makegood.promises import ledger
from makegood.promises.models import Promise

_TO_WORK = (Status.REPORTED, Status.TRIAGED)
WAITING_FOR = {
    "customer": _("the customer"),
    "merchant": _("the merchant"),
    "carrier": _("the carrier"),
    "payment_provider": _("the payment provider"),
    "specialist": _("a specialist"),
}


#: Whom a case waits for that waits for an outside party of another kind.
PARTY_NAME = {"party": _("an outside party")}
_TASK = re.compile(r"ask-([0-9]{1,15})")


def task_of(case: Case, waiting_for: str) -> PartyAsk | None:
    """The task of an outside party that ``ask-<id>`` names; None where it names none of this case."""
    found = _TASK.fullmatch(waiting_for)
    rows = PartyAsk.objects.select_related("party").filter(case=case, pk=found[1] if found else 0)
    return rows.first() if found else None


def kind_of(task: PartyAsk) -> str:
    """The code by which others know whom the case waits for: the party's own kind where they know it."""
    return task.party.kind if task.party.kind in WAITING_FOR else "party"


def waits_for(task: PartyAsk) -> str:
    """'Northway Parcel: where is the parcel? By 24 November, 18:00', in the language that is active."""
    what = task.what if len(task.what) <= 60 else f"{task.what[:57].rstrip()}…"
    return spoken("%(party)s: %(what)s By %(time)s") % {
        "party": task.party.name,
        "what": what if what.endswith(("?", ".", "!", "？", "。", "！", "…")) else f"{what}.",
        "time": said(task.due_at),
    }


def party_said(event: CaseEvent) -> None:
    """party_answered, party_ask_withdrawn: a case that waited for just that goes on."""
    case = Case.objects.get(pk=event.case_id)
    over = event.kind == "party_ask_withdrawn" or event.data.get("said") in ("done", "cannot")
    if over and case.status == Status.WAITING and case.waiting_for == f"ask-{event.data['ask']}":
        wait(case, by=actors.system(), seen=None, waiting_for="")


@verb("take")
def take(case: Case, *, by: Actor, seen: int | None) -> CaseEvent:
    """Own the case oneself and begin to work on it."""
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    if case.owner_id == by.user_id:
        raise Refusal("already_yours", _("The case is yours already."), field="owner")
    _refuse_offered(case)
    if duty.is_away(by.user_id):
        raise Refusal("away", _("You are entered as away: end your absence first."), field="owner")
    team = Team.objects.filter(members=by.user_id).order_by("tier", "id").first()
    moves: dict[str, Any] = {"status": Status.WORKING} if case.status in _TO_WORK else {}
    return pen.write(
        case,
        "taken",
        by=by,
        data={"user": by.user_id, "team": case.team_id or (team.pk if team else None)},
        owner_id=by.user_id,
        team_id=case.team_id or (team.pk if team else None),
        **moves,
    )


@verb("assign")
def assign(
    case: Case, *, by: Actor, seen: int | None, owner: User | None = None, team: Team | None = None
) -> CaseEvent:
    """Give the case to a person, a team, or both. Its urgency, quotations and promises go with it; nothing is reset.

    Within a team, or while nobody owns it; from team to team a case goes by a hand-over with its card (``handing.py``).
    """
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    _refuse_offered(case)
    if owner is None and team is None:
        raise Refusal("nobody", _("Say to whom."), field="owner")
    if owner is not None and (owner.role not in STAFF or not owner.is_active):
        raise Refusal("not_staff", _("This person cannot own a case."), field="owner")
    if owner is not None and duty.is_away(owner.pk):
        raise Refusal("away", _("This person is away."), field="owner")
    if _leaves_its_team(case, owner, team):
        raise Refusal("hand_over", _("It goes to another team: hand it over with its card."), field="team")
    data = {
        "user": owner.pk if owner else None,
        "team": team.pk if team else None,
        "was_user": case.owner_id,
        "was_team": case.team_id,
    }
    moves: dict[str, Any] = {"status": Status.WORKING} if owner and case.status in _TO_WORK else {}
    return pen.write(
        case,
        "assigned",
        by=by,
        data=data,
        owner_id=owner.pk if owner else (None if team else case.owner_id),
        team_id=team.pk if team else case.team_id,
        # The new hands have not touched it yet, however busy the old ones were.
        touched_at=case.touched_at if owner and owner.pk == by.user_id else None,
        **moves,
    )


@verb("wait")
def wait(case: Case, *, by: Actor, seen: int | None, waiting_for: str) -> CaseEvent:
    """Wait for somebody, or ('' ) go on. No clock stops: the promised next word stays where it is.

    Waiting for the customer needs the question that was sent: our last word to them must be newer than theirs. ``ask-<id>`` waits for
    what an outside party was asked, by when it owes that; their answer ends the wait.
    """
    case = pen.hold(case.pk, seen=seen)
    if not waiting_for:
        if case.status != Status.WAITING:
            raise Refusal("not_waiting", _("The case is not waiting for anybody."))
        return pen.write(case, "work_went_on", by=by, status=Status.WORKING, waiting_for="")
    task = task_of(case, waiting_for)
    if waiting_for not in WAITING_FOR and (task is None or not task.is_open):
        raise Refusal("unknown_code", _("This is not in the list."), field="waiting_for")
    question: int | None = None
    if waiting_for == "customer":
        last = Message.objects.filter(case=case, audience="customer").order_by("-at", "-id").first()
        if last is None or last.author != "staff":
            raise Refusal(
                "nothing_asked",
                _("Nothing was asked: send the question first, then wait."),
                field="waiting_for",
            )
        question = last.pk
    return pen.write(
        case,
        "waiting",
        by=by,
        data={
            "waiting_for": kind_of(task) if task else waiting_for,
            "message": question,
            "ask": task.pk if task else None,
        },
        status=Status.WAITING,
        waiting_for=waiting_for,
    )


@verb("raise_urgency")
def raise_urgency(case: Case, *, by: Actor, level: int, reason: str) -> CaseEvent:
    """Anybody on the desk may raise it, with a reason. Never collides: a rise must not wait for a fresh form."""
    case = pen.hold(case.pk)
    _refuse_ended(case)
    if level not in LEVELS:
        raise Refusal("unknown_level", _("There are five levels of urgency."), field="level")
    if level <= case.urgency:
        raise Refusal("not_higher", _("The case is that urgent already."), field="level")
    evidence = Evidence(level, "hand", words=clean(reason, limit=2000, field="reason"))
    return _raised(case, [evidence], by=by)


@verb("raise_by_evidence")
def raise_by_evidence(
    case: Case,
    evidence: list[Evidence],
    *,
    by: Actor,
    cause: CaseEvent | None = None,
    message_id: int | None = None,
) -> CaseEvent:
    """The ratchet turned by what was found (words, contacts, impact), with the quotation that it came with."""
    case = pen.hold(case.pk)
    return _raised(case, evidence, by=by, cause=cause, message_id=message_id)


@verb("raise_by_evidence")
def hear(
    case: Case, evidence: list[Evidence], *, by: Actor, cause: CaseEvent | None, message_id: int | None
) -> CaseEvent:
    """What the customer said that weighs on a case which is as urgent already: kept with the quotation.

    Without it the words would be lost to whoever the case is handed to, for they alone carry why it burns (B2).
    """
    case = pen.hold(case.pk)
    data = {"sources": [e.source for e in evidence]}
    return pen.write(
        case, "voice_heard", by=by, data=data, evidence=evidence, evidence_message=message_id, cause=cause
    )


@verb("lower_urgency")
def lower_urgency(
    case: Case, *, by: Actor, seen: int | None, level: int, reason: str, evidence: str
) -> CaseEvent:
    """Only a lead or above who does not own the case, in writing, with the evidence; it stays on the sheet for good."""
    case = pen.hold(case.pk, seen=seen)
    _refuse_ended(case)
    if case.owner_id == by.user_id:
        raise NotAllowed("own_case", _("Who owns the case does not lower its urgency; ask another lead."))
    if Promise.objects.filter(case=case, basis=Promise.Basis.STATUTORY, state=Promise.State.OPEN).exists():
        raise Refusal("legal_clock", _("A legal clock runs on this case; until it is met, nobody lowers it."))
    if level not in LEVELS or level >= case.urgency:
        raise Refusal("not_lower", _("Choose a level below the present one."), field="level")
    lowering = UrgencyLowering(
        from_level=case.urgency,
        to_level=level,
        reason=clean(reason, limit=2000, field="reason"),
        evidence=clean(evidence, limit=2000, field="evidence"),
        by_id=by.person,
    )
    data = {"from_level": case.urgency, "to_level": level}
    return pen.write(case, "urgency_lowered", by=by, data=data, lowering=lowering)


def _raised(
    case: Case,
    evidence: list[Evidence],
    *,
    by: Actor,
    cause: CaseEvent | None = None,
    message_id: int | None = None,
) -> CaseEvent:
    level = max(case.urgency, *(e.level for e in evidence))
    decision = owing.sooner(case, level=level, type_code=case.type)
    data = {
        "from_level": case.urgency,
        "to_level": level,
        "sources": [e.source for e in evidence],
        "decision": decision.pk if decision else None,
    }
    return pen.write(
        case,
        "urgency_raised",
        by=by,
        data=data,
        evidence=evidence,
        evidence_message=message_id,
        cause=cause,
        due_at=ledger.next_due(case) or case.due_at,
    )


def _refuse_ended(case: Case) -> None:
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))


def _refuse_offered(case: Case) -> None:
    if Handover.objects.filter(case=case, state=Handover.State.OFFERED).exists():
        raise Refusal(
            "offered",
            _("The case is offered to a team with its card: accept it there, or take the offer back."),
        )


def _leaves_its_team(case: Case, owner: User | None, team: Team | None) -> bool:
    """Whether an owned case would go to another team without a word about it."""
    if case.owner_id is None or case.team_id is None:
        return False
    if team is not None:
        return team.pk != case.team_id
    return owner is not None and not owner.teams.filter(pk=case.team_id).exists()
