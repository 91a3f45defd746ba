"""The register of event kinds: which data each may hold, and its sentence in three languages.

Events hold codes and data, never sentences and never personal data: names, words and files stand in the rows that
the data refers to (message, fact, fix …), where they can be erased while the history stays (law 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Kind:
    """``holds`` maps a data key to the type of its value; ``optional`` keys may be absent or None.

    ``sentence`` may name any key that ``desk/timeline.py`` knows how to say. ``shown_to`` is 'customer' when the
    customer's page tells it too. ``quiet``: nobody's form is the staler for it (what the house did by itself, what goes on in the
    war room); a promise that breaks while Minji writes her answer must not throw her answer back.
    """

    code: str
    sentence: Any
    holds: dict[str, type] = field(default_factory=dict)
    optional: dict[str, type] = field(default_factory=dict)
    shown_to: str = "staff"
    quiet: bool = False


KINDS: dict[str, Kind] = {}


def _kind(
    code: str,
    sentence: Any,
    *,
    to_customer: bool = False,
    quiet: bool = False,
    optional: dict[str, type] | None = None,
    **holds: type,
) -> None:
    KINDS[code] = Kind(code, sentence, holds, optional or {}, "customer" if to_customer else "staff", quiet)


_kind(
    "opened",
    _("The problem was reported."),
    to_customer=True,
    message=int,
    level=int,
    optional={"promise": int, "until": str, "type": str, "noticed": bool},
)
_kind("customer_wrote", _("The customer wrote."), to_customer=True, message=int)
_kind(
    "replied",
    _("Answered the customer. Next word by %(until)s."),
    to_customer=True,
    message=int,
    promise=int,
    until=str,
    optional={"times": list, "justified": list, "act": int},
)
_kind("noted", _("Wrote a note."), message=int)
_kind("letter_noted", _("A letter was kept as a note: %(why)s."), message=int, why=str)
_kind("merchant_said", _("The merchant wrote."), message=int)
_kind("merchant_answered", _("Wrote to the merchant."), message=int)
_kind("helper_asked", _("Asked the machine helper for a suggestion."), task=int, what=str)

_kind(
    "triaged",
    _("Sorted as %(type)s; responsibility: %(responsibility)s."),
    to_customer=True,
    type=str,
    kind=str,
    responsibility=str,
    optional={
        "second_type": str,
        "asked_remedy": str,
        "suggested": str,
        "orders_blocked": int,
        "campaign_at_risk": bool,
        "money_lost": str,
        "currency": str,
        "order": str,
        "was": dict,
        "decision": int,
    },
)
_kind("fact_noted", _("Noted a fact."), fact=int)
_kind("fact_struck", _("Struck a fact."), fact=int)
_kind("ticked", _("Ticked off an item of the playbook."), item=str)
_kind("unticked", _("Took back a tick on the playbook."), item=str)

_kind("taken", _("Took the case."), to_customer=True, user=int, optional={"team": int})
_kind(
    "assigned",
    _("Given to %(user)s %(team)s."),
    to_customer=True,
    optional={"user": int, "team": int, "was_user": int, "was_team": int},
)
_kind(
    "climbed",
    _("Reached rung %(rung)s of the ladder: %(why)s."),
    quiet=True,
    rung=int,
    why=str,
    told=list,
    optional={"room": bool},
)
# Quiet: that its owner went home must not throw back what a colleague writes on the case at this moment.
_kind(
    "handed_back",
    _("%(was_user)s is not there: handed back to %(team)s %(user)s."),
    quiet=True,
    was_user=int,
    optional={"user": int, "team": int},
)
_kind("acknowledged", _("%(user)s has seen it."), user=int)
_kind("expedited", _("Hurried up: %(user)s does it by %(until)s."), user=int, promise=int, until=str)
_kind(
    "handed_over",
    _("Offered to %(team)s with its card, to be accepted by %(until)s."),
    handover=int,
    team=int,
    until=str,
    optional={"user": int},
)
_kind(
    "handover_accepted",
    _("Accepted from %(was_user)s: %(user)s of %(team)s has it now."),
    to_customer=True,
    handover=int,
    user=int,
    team=int,
    message=int,
    was_user=int,
    optional={"was_team": int},
)
_kind("handover_refused", _("Refused the case; the lead decides."), handover=int, team=int)
_kind("handover_withdrawn", _("Took the offer back."), handover=int)
_kind(
    "handover_passed_on",
    _("Nobody accepted in time: offered to %(user)s, to be accepted by %(until)s."),
    handover=int,
    user=int,
    until=str,
)
# The war room. Quiet: ten who edit its card must not throw back the answer that somebody writes to the customer.
_kind("room_opened", _("Opened a war room, led by %(user)s."), quiet=True, room=int, user=int)
_kind(
    "room_withheld",
    _("No war room of its own: %(withheld)s."),
    quiet=True,
    withheld=str,
    optional={"room": int, "incident": int},
)
_kind(
    "room_passed_on",
    _("%(was_user)s is not there: %(user)s leads the war room now."),
    quiet=True,
    room=int,
    was_user=int,
    user=int,
)
_kind(
    "room_lead_away",
    _("%(was_user)s, who leads the war room, is not there, and no other lead has a hand free."),
    quiet=True,
    room=int,
    was_user=int,
)
_kind("room_joined", _("In the war room: %(user)s (%(role)s)."), quiet=True, room=int, user=int, role=str)
_kind("room_left", _("Left the war room: %(user)s."), quiet=True, room=int, user=int)
_kind(
    "room_role_given",
    _("Role in the war room: %(user)s (%(role)s)."),
    quiet=True,
    room=int,
    user=int,
    role=str,
)
_kind(
    "room_card_changed",
    _("Changed the card of the war room: %(field)s."),
    quiet=True,
    room=int,
    field=str,
    n=int,
    optional={"message": int},
)
_kind(
    "room_task_given",
    _("Task in the war room: %(user)s, by %(until)s."),
    quiet=True,
    room=int,
    task=int,
    user=int,
    promise=int,
    until=str,
)
_kind("room_task_done", _("A task of the war room is done."), quiet=True, room=int, task=int)
_kind("room_decided", _("Decided in the war room."), quiet=True, room=int, decision=int)
_kind("room_thanked", _("Thanked those who helped in the war room."), quiet=True, room=int, thanks=list)
_kind("room_closed", _("Closed the war room; looked back at on %(until)s."), quiet=True, room=int, until=str)
# One fault over many cases. Quiet: what the incident does to a case must not throw back an answer on it.
_kind("incident_opened", _("Opened an incident: one fault over many cases."), quiet=True, incident=int, n=int)
_kind(
    "incident_joined",
    _("Part of an incident: one fault over many cases."),
    quiet=True,
    incident=int,
    level=int,
)
_kind("incident_left", _("Taken out of the incident."), quiet=True, incident=int)
_kind(
    "incident_acted",
    _("On all cases of the incident: %(act_kind)s (%(n)s)."),
    quiet=True,
    incident=int,
    act=int,
    act_kind=str,
    n=int,
)
_kind(
    "incident_tried_again",
    _("Tried again what had failed on cases of the incident: %(act_kind)s (%(n)s)."),
    quiet=True,
    incident=int,
    act=int,
    act_kind=str,
    n=int,
)
_kind("incident_closed", _("Closed the incident."), quiet=True, incident=int)
_kind("incident_dismissed", _("Dismissed: similar cases are no incident."), quiet=True, suggestion=int)
_kind(
    "waiting",
    _("Waiting for %(waiting_for)s."),
    waiting_for=str,
    optional={"message": int, "ask": int},
)
_kind("question_repeated", _("Asked the open question again (%(nth)s)."), quiet=True, message=int, nth=int)
_kind("waited_in_vain", _("No answer came after %(asks)s reminders: work goes on."), asks=int)
_kind(
    "snoozed",
    _("Put aside until %(until)s."),
    until=str,
    message=int,
    optional={"promise": int, "word_by": str},
)
_kind("woken", _("Awake again."), quiet=True)
_kind(
    "promised",
    _("Promised: %(what)s by %(until)s."),
    to_customer=True,
    promise=int,
    what=str,
    until=str,
    to=str,
)
_kind("promise_kept", _("Kept the promise: %(what)s."), to_customer=True, promise=int, what=str, message=int)
_kind(
    "promise_withdrawn",
    _("Withdrew the promise: %(what)s."),
    to_customer=True,
    promise=int,
    what=str,
    message=int,
)
_kind(
    "promise_broken",
    _("A promise was broken: %(what)s, due at %(until)s."),
    to_customer=True,
    quiet=True,
    promise=int,
    what=str,
    until=str,
    rung=str,
    told=list,
    optional={"renewed": int, "decision": int, "undone": int},
)
_kind(
    "called",
    _("Called the customer: %(reached)s."),
    message=int,
    reached=bool,
    optional={"promise": int, "until": str},
)
_kind("work_went_on", _("Work goes on."))
_kind(
    "urgency_raised",
    _("Urgency raised from %(from_level)s to %(to_level)s."),
    from_level=int,
    to_level=int,
    sources=list,
    optional={"decision": int},
)
_kind("voice_heard", _("Heard in the customer's words what weighs, though it raises nothing."), sources=list)
_kind(
    "urgency_lowered", _("Urgency lowered from %(from_level)s to %(to_level)s."), from_level=int, to_level=int
)

_kind(
    "fixed", _("Recorded what was done to make it good."), to_customer=True, fix=int, optional={"remedy": str}
)
_kind("verified", _("Verified the fix with proof: %(proof)s."), to_customer=True, verification=int, proof=str)
_kind("not_verified", _("Looked, and the fix does not hold."), message=int)
_kind(
    "told",
    _("Told the customer the verified outcome."),
    to_customer=True,
    telling=int,
    message=int,
    ask=int,
    promise=int,
    until=str,
    optional={"times": list, "justified": list},
)
_kind(
    "asked",
    _("Asked the customer to confirm (%(nth)s)."),
    to_customer=True,
    ask=int,
    nth=int,
    channel=str,
    promise=int,
    until=str,
)
_kind(
    "confirmed",
    _("The customer's own word: %(answer)s."),
    to_customer=True,
    confirmation=int,
    answer=str,
    channel=str,
)

_kind("followed_up", _("Asked the customer whether it held."), to_customer=True, message=int, appointment=int)
_kind(
    "held",
    _("Did it hold? The customer says: %(held)s."),
    to_customer=True,
    held=str,
    optional={"message": int},
)
# Outside parties. Quiet: what a carrier answers must not throw back what somebody writes to the customer.
_kind("party_asked", _("Asked %(party)s; due by %(until)s."), ask=int, party=int, promise=int, until=str)
_kind(
    "party_answered",
    _("%(party)s answered: %(said)s."),
    quiet=True,
    ask=int,
    party=int,
    said=str,
    message=int,
    optional={"until": str},
)
_kind("party_chased", _("Reminded %(party)s."), quiet=True, ask=int, party=int, nth=int)
_kind(
    "party_late",
    _("%(party)s has not done by %(until)s what was asked."),
    quiet=True,
    ask=int,
    party=int,
    promise=int,
    until=str,
)
_kind(
    "party_ask_withdrawn",
    _("Took back what was asked of %(party)s."),
    ask=int,
    party=int,
    optional={"message": int},
)
_kind(
    "party_unreached",
    _("What was asked could not be delivered to %(party)s."),
    quiet=True,
    ask=int,
    party=int,
)
# Cases of security, and what was masked on arrival.
_kind(
    "freeze_asked",
    _("To be stopped at once, by %(until)s at the latest: %(frozen)s. %(user)s"),
    freeze=int,
    frozen=str,
    promise=int,
    until=str,
    optional={"user": int, "team": int},
)
_kind(
    "frozen",
    _("Use is stopped: %(frozen)s."),
    freeze=int,
    frozen=str,
    message=int,
    optional={"in_time": bool},
)
_kind(
    "freeze_refused",
    _("The shop's own system has not stopped it (%(frozen)s): %(refused)s."),
    freeze=int,
    frozen=str,
    refused=str,
    optional={"again": bool},
)
_kind(
    "freeze_unknown",
    _("Not known whether the shop's own system has stopped it (%(frozen)s): it is being looked up."),
    freeze=int,
    frozen=str,
    unknown=str,
)
_kind(
    "freeze_known",
    _("The shop's own system has stopped it too: %(frozen)s."),
    quiet=True,
    freeze=int,
    frozen=str,
    store=int,
)
_kind("released", _("Use is allowed again: %(frozen)s."), freeze=int, frozen=str, message=int)
_kind(
    "leak_confirmed",
    _("A leak of personal data is confirmed, known since %(trigger_at)s."),
    trigger_at=str,
    message=int,
)
_kind("security_check_due", _("Time to look whether it is still secure (%(nth)s)."), quiet=True, nth=int)
_kind(
    "security_checked", _("Looked whether it is still secure: %(secure)s."), nth=int, secure=bool, message=int
)
_kind("revealed", _("Read a masked value (%(masked_as)s)."), quiet=True, masked=int, masked_as=str)
_kind("masked_erased", _("Erased the originals of what was masked (%(n)s)."), n=int)
_kind(
    "clock_started",
    _("A legal clock started: %(rule)s. From: %(trigger_at)s. Last day: %(until)s."),
    rule=str,
    promise=int,
    trigger_at=str,
    until=str,
)
_kind(
    "clock_corrected",
    _(
        "The start of a legal clock was corrected: %(rule)s. From %(was_trigger_at)s to %(trigger_at)s; "
        "last day from %(was_until)s to %(until)s."
    ),
    rule=str,
    promise=int,
    was_promise=int,
    trigger_at=str,
    was_trigger_at=str,
    until=str,
    was_until=str,
)
_kind(
    "clock_met", _("Did what the law asks for: %(rule)s."), rule=str, promise=int, message=int, in_time=bool
)

# Remedies. What the other side answered is quiet: it must not throw back what somebody is writing.
_kind(
    "remedy_waits",
    _("Asked a second person to approve a remedy, by %(until)s."),
    remedies=list,
    ids=list,
    promise=int,
    until=str,
)
_kind("remedy_approved", _("Approved a remedy."), remedy=str, remedy_id=int)
_kind("remedy_not_approved", _("Did not approve a remedy."), remedy=str, remedy_id=int, message=int)
_kind(
    "remedy_offered",
    _("Offered the customer a choice, until %(until)s."),
    to_customer=True,
    offer=int,
    remedies=list,
    message=int,
    promise=int,
    until=str,
)
_kind(
    "remedy_chosen",
    _("The customer has chosen. It is to arrive by %(until)s."),
    to_customer=True,
    offer=int,
    remedy=str,
    remedy_id=int,
    given=int,
    until=str,
    optional={"message": int},
)
_kind(
    "remedy_countered",
    _("The customer proposed something else."),
    to_customer=True,
    offer=int,
    message=int,
    optional={"remedy": str},
)
_kind("offer_expired", _("The offer has ended without an answer."), to_customer=True, quiet=True, offer=int)
_kind(
    "remedy_decided",
    _("Decided how it is made good. It is to arrive by %(until)s."),
    to_customer=True,
    remedy=str,
    remedy_id=int,
    given=int,
    message=int,
    promise=int,
    until=str,
)
_kind("remedy_withdrawn", _("Withdrew a remedy."), to_customer=True, remedy=str, remedy_id=int, message=int)
_kind(
    "remedy_begun",
    _("Carries it out: %(action)s."),
    to_customer=True,
    remedy=str,
    remedy_id=int,
    step=int,
    action=str,
)
_kind(
    "remedy_step_done",
    _("Done in the shop: %(action)s %(there)s."),
    quiet=True,
    remedy=str,
    remedy_id=int,
    step=int,
    action=str,
    whole=bool,
    optional={"there": str},
)
_kind(
    "remedy_step_moved",
    _("The shop tells of it: %(action)s, now %(there)s."),
    quiet=True,
    remedy=str,
    remedy_id=int,
    step=int,
    action=str,
    there=str,
    optional={"was": str},
)
_kind(
    "remedy_step_refused",
    _("Refused, nothing moved: %(action)s, %(refused)s."),
    quiet=True,
    remedy=str,
    remedy_id=int,
    step=int,
    action=str,
    refused=str,
    again=bool,
)
_kind(
    "remedy_step_unknown",
    _("Nobody knows yet what became of it: %(action)s. It is looked up, and not sent again."),
    quiet=True,
    remedy=str,
    remedy_id=int,
    step=int,
    action=str,
    unknown=str,
)
_kind(
    "remedy_arrived",
    _("It has arrived, as the transaction itself says: %(there)s."),
    to_customer=True,
    quiet=True,
    remedy=str,
    remedy_id=int,
    step=int,
    there=str,
)
_kind("remedy_came_back", _("It did not hold: %(there)s."), remedy=str, remedy_id=int, step=int, there=str)
_kind(
    "remedy_stuck",
    _("It is stuck, only a person can move it on: %(there)s."),
    quiet=True,
    remedy=str,
    remedy_id=int,
    step=int,
    there=str,
)

# The watch over transactions. Quiet: what it notices must not throw back an answer that somebody writes.
_kind(
    "watch_noticed",
    _("Noticed by the watch over transactions: %(watched)s."),
    quiet=True,
    finding=int,
    watched=str,
)
_kind(
    "watch_over",
    _("What the watch noticed is over: %(watched)s. Please look whether all is well."),
    quiet=True,
    finding=int,
    watched=str,
)
_kind(
    "customer_named",
    _("The shop has named whose order this is: the case is theirs now."),
    quiet=True,
    finding=int,
)
_kind(
    "watch_dismissed",
    _("Said that what the watch noticed is no trouble: %(watched)s."),
    quiet=True,
    finding=int,
    watched=str,
)
_kind("closed", _("Closed: made good, in the customer's own word."), to_customer=True, closure=int)
_kind(
    "reopened",
    _("Opened again."),
    to_customer=True,
    round=int,
    was=str,
    promise=int,
    until=str,
    optional={"decision": int},
)
_kind("ended", _("Ended as: %(ended_as)s."), to_customer=True, ending=int, ended_as=str)
_kind("absorbed", _("Case %(case)s was merged into this one."), case=int)
_kind("split_off", _("Case %(case)s was split off."), case=int)
_kind("linked", _("Linked with case %(case)s as %(relation)s."), case=int, relation=str)
_kind("unlinked", _("Link with case %(case)s removed."), case=int)
_kind("link_shared", _("Made a new link for the customer."), link=int)
_kind("link_revoked", _("Revoked the customer's links."))
_kind("letter_failed", _("A letter could not be delivered."), delivery=int, optional={"message": int})
_kind("letter_bounced", _("A letter came back."), delivery=int, optional={"message": int})
_kind("letter_delayed", _("A letter is delayed on its way."), delivery=int, optional={"message": int})
_kind("letter_again", _("Sent a letter again."), delivery=int, again=int, optional={"message": int})
_kind(
    "address_corrected",
    _("Corrected the customer's address and sent the letter again."),
    delivery=int,
    again=int,
    optional={"message": int},
)
_kind("asks_declined", _("The customer wants to be asked no more in this round."), round=int)


class BadEvent(TypeError):
    """Our own mistake: an event of an unknown kind, or with data that its kind does not hold."""


def checked(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """``data`` as it may be stored for ``kind``; raises BadEvent on an unknown kind or key, a missing key or a wrong type."""
    spec = KINDS.get(kind)
    if spec is None:
        raise BadEvent(f"unknown event kind {kind!r}")
    data = {k: v for k, v in data.items() if v is not None or k in spec.holds}
    known = spec.holds | spec.optional
    if missing := spec.holds.keys() - data.keys():
        raise BadEvent(f"{kind} lacks {sorted(missing)}")
    for key, value in data.items():
        if key not in known or not isinstance(value, known[key]):
            raise BadEvent(f"{kind} may not hold {key}={value!r}")
    return data
