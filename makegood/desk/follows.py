"""What an event causes: the one table, run in the transaction of the event (no Django signals).

customer_wrote   -> a case that was put aside wakes; nobody asks again; urgency rises by the words and by the number of
                    contacts without an answer
triaged          -> legal clocks whose event is known start (those that were read, or switched on for the shop)
reopened         -> legal clocks that the ending had withdrawn run on
waiting          -> the question that was sent is asked again on schedule
fixed, work_went_on -> it is not
told, asked      -> the next ask for the customer's word is an appointment
confirmed        -> nobody asks again; all good closes; partly and not good open a new round
opened, reopened, triaged, urgency_raised -> the case begins on its ladder, or goes on with the faster one of its new level
customer_wrote, handover_accepted, assigned, urgency_raised -> it climbs at once for contacts without an answer, for going
                    round between teams, and for threats and losses
closed           -> some days later the customer is asked whether it held
held             -> 'no' opens the case again, more urgent
room_card_changed -> progress, blocker and next word reach those whose matter it is
climbed          -> a rung that says so opens a war room
incident_opened, incident_joined -> a case that rose by its incident goes on with the faster ladder
absorbed         -> it takes the other's place in an incident along
remedy_chosen    -> what a connected shop can do begins at once
remedy_step_done, remedy_step_moved -> the fix when the plan is done; its arrival; what came back or got stuck
remedy_arrived   -> the verification by the record itself
remedy_countered -> as customer_wrote
opened, triaged  -> the few who see a restricted case hear of it; an order that nobody has told of is asked for at its store
party_answered, party_ask_withdrawn -> a case that waited for just that goes on
freeze_asked     -> where the shop is connected its own system is asked to stop it too
leak_confirmed   -> the clocks of the law for telling the authority start
closed, ended    -> whether a case of security is still secure is looked at again; outside parties need do nothing more
security_checked -> 'not secure' opens the case again
absorbed         -> what outside parties owe is owed to the case that stays
customer_named   -> where the shop wants it, they hear of what was noticed before they complain
closed, ended    -> a parent that only waited for this child closes; an offer to another team is taken back
"""

from __future__ import annotations

from typing import Any

from makegood.cases.closing import blockers
from makegood.cases.models import Case, CaseEvent, Confirmation, UrgencyEvidence
from makegood.cases.urgency import Evidence, raised
from makegood.conversations.models import Message
from makegood.desk import (
    appointing,
    asking,
    climbing,
    clocks,
    closing,
    demands,
    freeze_asks,
    handing,
    handling,
    incidents,
    order_seen,
    remedy_proof,
    remedy_steps,
    room_by_rung,
    room_card,
    securing,
    snoozing,
    watch_customers,
)
from makegood.desk.verb import FOLLOWERS
from makegood.people import actors
from makegood.text import signals

#: Signals in the words beside 'all good' that say otherwise: then a person reads before anything is closed.
DOUBTS = ("outcome.not_fixed", "outcome.partial")


def raise_by_words(event: CaseEvent) -> None:
    """The ratchet hears every word of the customer, and counts contacts that nobody answered."""
    message = Message.objects.get(pk=event.data["message"])
    case = Case.objects.get(pk=event.case_id)
    answered = Message.objects.filter(case=case, author="staff", audience="customer").order_by("-id").first()
    unanswered = Message.objects.filter(
        case=case, author="customer", id__gt=answered.pk if answered else 0
    ).count()
    evidence = demands.of_words(message.body, message.language) + demands.of_contact(unanswered)
    _raise(case, evidence, cause=event, message_id=message.pk)


def hear_the_answer(event: CaseEvent) -> None:
    """All good closes, unless the words beside it say otherwise; anything less opens a new round, more urgent."""
    case = Case.objects.get(pk=event.case_id)
    said = Confirmation.objects.get(pk=event.data["confirmation"])
    if said.answer == "all_good":
        if not doubted(said, case.language):
            _close_if_nothing_blocks(case, event)
        return
    # Announced as made good, and it was not: that weighs more than the problem did at first.
    level = 4 if said.answer == "not_good" else 3
    evidence = [
        Evidence(level, f"answer:{said.answer}", quote=said.words[:500]),
        *demands.of_words(said.words, case.language),
    ]
    closing.reopen(case, by=actors.system(), cause=event)
    case.refresh_from_db()
    _raise(case, evidence, cause=event, message_id=None)


def doubted(said: Confirmation, language: str) -> bool:
    """Whether the customer's words beside an 'all good' say that it is not."""
    return any(s.id in DOUBTS for s in signals.find(said.words, language))


def hear_whether_it_held(event: CaseEvent) -> None:
    """It was made good and did not hold: open again, more urgent than it was, with the customer's words as evidence."""
    if event.data["held"] != "no":
        return
    case = Case.objects.get(pk=event.case_id)
    said = Message.objects.filter(pk=event.data.get("message") or 0).first()
    words = demands.of_words(said.body, said.language) if said else []
    closing.reopen(case, by=actors.system(), cause=event)
    case.refresh_from_db()
    again = Evidence(min(case.urgency + 1, 5), "answer:not_held")
    _raise(case, [again, *words], cause=event, message_id=said.pk if said else None)


def awaken(event: CaseEvent) -> None:
    """A case that was put aside wakes when the customer speaks."""
    case = Case.objects.get(pk=event.case_id)
    if case.is_open and case.snoozed_until is not None:
        snoozing.wake(case, by=actors.system(), cause=event)


def close_parent(event: CaseEvent) -> None:
    """A parent whose customer has confirmed closes when its last child has ended."""
    parent = Case.objects.get(pk=event.case_id).parent
    if parent is not None and parent.is_open:
        said = Confirmation.objects.filter(case=parent, round=parent.round).order_by("-id").first()
        if said and not doubted(said, parent.language):
            _close_if_nothing_blocks(parent, event)


def drop_the_offer(event: CaseEvent) -> None:
    """An ended case is handed to nobody."""
    handing.drop(event.case)


def _close_if_nothing_blocks(case: Case, cause: CaseEvent) -> None:
    if not blockers(closing.closing_facts(case)):
        closing.close(case, by=actors.system(), cause=cause)


def _raise(case: Case, evidence: list[Evidence], *, cause: CaseEvent, message_id: int | None) -> None:
    if not case.is_open or not evidence:
        return
    how: dict[str, Any] = {"by": actors.system(), "cause": cause, "message_id": message_id}
    if raised(case.urgency, case.urgency_floor, evidence) != (case.urgency, case.urgency_floor):
        handling.raise_by_evidence(case, evidence, **how)
        return
    # Each kind of signal once: the tenth 'urgent!' of an angry letter adds nothing.
    known = set(UrgencyEvidence.objects.filter(case=case).exclude(quote="").values_list("source", flat=True))
    if new := [e for e in evidence if e.quote and e.source not in known]:
        handling.hear(case, new, **how)


FOLLOWERS.update(
    {
        "opened": (climbing.start, securing.tell_the_few, order_seen.seek_order),
        "reopened": (climbing.start, clocks.start_again),
        "triaged": (
            clocks.start_known,
            climbing.start_typed,
            securing.tell_the_few,
            order_seen.seek_order,
        ),
        "freeze_asked": (freeze_asks.ask_of_event,),
        "leak_confirmed": (securing.start_clocks,),
        "security_checked": (securing.open_again,),
        "absorbed": (asking.inherit, incidents.follow_merge),
        "climbed": (room_by_rung.open_by_rung,),
        "urgency_raised": (climbing.start, climbing.by_signals),
        "voice_heard": (climbing.by_signals,),
        "assigned": (climbing.by_bounces,),
        "handover_accepted": (climbing.by_bounces,),
        "customer_wrote": (awaken, appointing.question_over, raise_by_words, climbing.by_contacts),
        "waiting": (appointing.question_later,),
        "work_went_on": (appointing.question_over,),
        "fixed": (appointing.question_over,),
        "told": (appointing.chase_later,),
        "asked": (appointing.chase_later,),
        "confirmed": (awaken, appointing.chase_over, hear_the_answer),
        "party_answered": (handling.party_said,),
        "party_ask_withdrawn": (handling.party_said,),
        "remedy_chosen": (awaken, appointing.question_over, remedy_steps.goes_by_itself),
        "remedy_countered": (awaken, appointing.question_over, raise_by_words, climbing.by_contacts),
        "remedy_step_done": (remedy_proof.after_step,),
        "remedy_step_moved": (remedy_proof.after_step,),
        "remedy_arrived": (remedy_proof.after_arrival,),
        "remedy_came_back": (remedy_proof.raise_for_it,),
        "remedy_stuck": (remedy_proof.raise_for_it,),
        "customer_named": (watch_customers.tell_first,),
        "incident_opened": (climbing.start,),
        "incident_joined": (climbing.start,),
        "closed": (
            climbing.over,
            drop_the_offer,
            close_parent,
            appointing.follow_up_later,
            securing.check_later,
            asking.over,
        ),
        "held": (hear_whether_it_held,),
        "room_card_changed": (room_card.tell_stakeholders,),
        "ended": (climbing.over, drop_the_offer, close_parent, securing.check_later, asking.over),
    }
)
