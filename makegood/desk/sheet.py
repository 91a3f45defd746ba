"""The case sheet: everything that one look must tell, read once. Reading only; each verb stands in its own file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from makegood.base.errors import Blocker
from makegood.cases.access import cases_for, is_restricted, whole
from makegood.cases.closing import ClosingFacts, blockers
from makegood.cases.models import (
    Case,
    Confirmation,
    ConfirmationAsk,
    Ending,
    Fact,
    Fix,
    Freeze,
    MaskedValue,
    Presence,
    UrgencyEvidence,
    UrgencyLowering,
    Verification,
)
from makegood.desk import (
    asking,
    drafting,
    incident_page,
    law,
    presence,
    remedy_page,
    revealing,
    room_page,
    timeline,
    watch_finding,
)
from makegood.desk.closing import closing_facts
from makegood.desk.law import Around as Known
from makegood.desk.law import Law
from makegood.desk.reasons import source_name
from makegood.desk.remedy_page import Remedies
from makegood.desk.sheet_around import Around, OrderSeen, around, order_seen
from makegood.desk.sheet_words import Said, conversation
from makegood.desk.sheet_work import Section, Step, Suggested, checklist, steps, suggested
from makegood.desk.timeline import Row
from makegood.escalation.models import Handover
from makegood.incidents.models import IncidentCase, Room
from makegood.packs import playbook, taxonomy
from makegood.packs.shapes import Kind, Playbook
from makegood.parties.models import PartyAsk
from makegood.people.actors import Actor
from makegood.promises.models import PARTNER, WORDS, Appointment, Promise
from makegood.watch.models import Finding

#: So many of each are drawn at first; a case of ten years must not make a page of ten megabytes.
LAST = 150


@dataclass(frozen=True)
class Why:
    """One piece of evidence for the urgency, or (``lowering``) the word of the lead who lowered it."""

    name: str
    evidence: UrgencyEvidence | None = None
    lowering: UrgencyLowering | None = None


@dataclass(frozen=True)
class Done:
    """What was done in this round: the last fix, its last proof, the asks after it, the customer's last word."""

    fix: Fix | None
    verification: Verification | None
    asks: list[ConfirmationAsk]
    confirmation: Confirmation | None


@dataclass(frozen=True)
class Sheet:
    """What the sheet of one case shows to one member of staff."""

    case: Case
    closing: ClosingFacts
    blockers: list[Blocker]
    steps: list[Step]
    why: list[Why]
    promises: list[Promise]
    past_promises: list[Promise]
    appointments: list[Appointment]
    law: Law
    order: OrderSeen | None
    around: Around
    conversation: list[Said]
    earlier_messages: bool
    facts: list[Fact]
    playbook: Playbook | None
    kind: Kind | None
    checklist: list[Section]
    suggested: Suggested | None
    done: Done
    ending: Ending | None
    timeline: list[Row]
    earlier_rows: bool
    others: list[Presence]
    draft: str
    offered: Handover | None
    rooms: list[Room]
    incidents: list[IncidentCase]
    alike: incident_page.Suggested | None
    remedies: Remedies
    restricted: bool
    asks: list[PartyAsk]
    freezes: list[Freeze]
    masked: list[MaskedValue]
    watched: list[tuple[Finding, str]]

    @property
    def next_word(self) -> datetime | None:
        """By when the customer hears from us, or since when they should have: the word that was broken and has not come."""
        owed = [p for p in self.past_promises if p.state == Promise.State.BROKEN and not p.answered]
        words = [p.due_at for p in self.promises + owed if p.what in WORDS and p.to == "customer"]
        return min(words, default=None)

    @property
    def broken(self) -> int:
        """How many promises on this case were broken."""
        return sum(p.state == Promise.State.BROKEN for p in self.past_promises)


def read(case: Case, *, by: Actor, everything: bool = False) -> Sheet:
    """The sheet of a case that came from ``access.case_for``, in the active language.

    The number of queries does not grow with the case. ``everything`` draws the whole conversation and history instead
    of the newest ``LAST`` of each.
    """
    last = 0 if everything else LAST
    found = closing_facts(case)
    every = whole(case)
    evidence = list(_with_merged(UrgencyEvidence, every).select_related("by"))
    said, earlier = conversation(case, by, evidence, last)
    rows = timeline.of_case(case, last=last)
    everything_promised = list(
        Promise.objects.filter(case=case)
        .select_related("by", "calendar", "proof_event")
        .order_by("due_at", "id")
    )
    promises = [p for p in everything_promised if p.what != Promise.What.LEGAL and p.to != PARTNER]
    order = order_seen(case)
    types = taxonomy().types
    near = around(case, cases_for(by))
    found_law = of_law(case, everything_promised, order)
    return Sheet(
        case=case,
        closing=found,
        blockers=blockers(found),
        steps=steps(case, found),
        why=_why(case, evidence),
        promises=[p for p in promises if p.state == Promise.State.OPEN],
        past_promises=[p for p in promises if p.state != Promise.State.OPEN][::-1],
        appointments=list(
            Appointment.objects.filter(case=case, state=Appointment.State.OPEN).order_by("look_at")
        ),
        law=found_law,
        order=order,
        around=near,
        conversation=said,
        earlier_messages=earlier,
        facts=list(_with_merged(Fact, every).select_related("by", "struck_by").order_by("happened_at", "id")),
        playbook=playbook(case.type) if case.type in types else None,
        kind=taxonomy().kinds.get(case.kind),
        checklist=checklist(case),
        suggested=suggested(case),
        done=_done(case),
        ending=Ending.objects.filter(case=case).select_related("by").first() if not case.is_open else None,
        timeline=rows,
        earlier_rows=bool(rows) and rows[0].seq > 1,
        others=list(presence.others(case, by.user_id or 0)),
        draft=drafting.of(case, by.user_id or 0),
        offered=_offered(case),
        rooms=room_page.of_case(case, near.merged),
        incidents=incident_page.of_case(case, near.merged),
        alike=incident_page.suggestion_of(case) if case.is_open else None,
        remedies=remedy_page.of_case(
            case, by=by, around=_known(order), known=found_law, promises=everything_promised
        ),
        restricted=is_restricted(case),
        asks=asking.of_case(every),
        freezes=list(
            Freeze.objects.filter(case__in=every).select_related("promise", "frozen_by", "ask").order_by("id")
        )
        if is_restricted(case)
        else [],
        masked=revealing.of_case(every),
        watched=watch_finding.of_case(case.pk),
    )


def of_law(case: Case, promises: list[Promise], order: OrderSeen | None) -> Law:
    """What the law says, from what was read already."""
    return law.of_case(case, promises, _known(order))


def _known(order: OrderSeen | None) -> Known:
    return Known(order.order, order.payments, order.shipments) if order else Known(None, [], [])


def _with_merged(model: type, cases: list[int]):  # type: ignore[no-untyped-def]
    """The rows of the case and of those merged into it: nothing that was known is lost by a merge."""
    return model.objects.filter(case__in=cases).order_by("id")  # type: ignore[attr-defined]


def _why(case: Case, evidence: list[UrgencyEvidence]) -> list[Why]:
    """The newest first of what raised it, and every lowering for good; what came twice is said once."""
    seen: set[tuple[str, str, str, int]] = set()
    found: list[tuple[datetime, Why]] = []
    for e in evidence:
        key = (e.source, e.quote, e.words, e.level)
        if key not in seen and e.level > 1:
            seen.add(key)
            found.append((e.at, Why(source_name(e.source), evidence=e)))
    for low in UrgencyLowering.objects.filter(case=case).select_related("by"):
        found.append((low.at, Why("", lowering=low)))
    return [why for _at, why in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _offered(case: Case) -> Handover | None:
    """The hand-over that waits to be accepted."""
    offers = Handover.objects.filter(case=case, state=Handover.State.OFFERED)
    return offers.select_related("giver", "to", "to_team", "from_team").first()


def _done(case: Case) -> Done:
    fix = Fix.objects.filter(case=case, round=case.round).select_related("by").order_by("-id").first()
    proofs = Verification.objects.filter(fix=fix).select_related("by").order_by("-id")
    proof = proofs.first() if fix else None
    asks = ConfirmationAsk.objects.filter(case=case, round=case.round).select_related("by").order_by("at")
    word = Confirmation.objects.filter(case=case).select_related("written_by").order_by("-id").first()
    return Done(fix, proof, list(asks) if proof else [], word)
