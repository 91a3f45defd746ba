"""The verbs of the API, one row each: its name, its right, the shape that it takes and the desk's function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.api import shapes
from makegood.api.problems import DoorError
from makegood.base.errors import NotThere, Refusal
from makegood.cases import access
from makegood.cases.models import Case, CaseEvent
from makegood.cases.models.case import is_number
from makegood.desk import (
    climbing,
    clocks,
    closing,
    fixing,
    handing,
    handling,
    incidents,
    joining,
    promising,
    remedy_approving,
    remedy_settling,
    remedy_steps,
    remedying,
    resending,
    rooming,
    sharing,
    snoozing,
    talking,
    telling,
    triaging,
)
from makegood.people.actors import Actor
from makegood.people.models import Team, User

#: Body fields -> the desk's keywords, where they are more than the same name.
Fields = Callable[[Any, Actor], dict[str, Any]]


@dataclass(frozen=True)
class Verb:
    """``right`` is its row in ``people/roles.py``; ``body`` is None for a verb that needs nothing said."""

    name: str
    right: str
    run: Callable[..., CaseEvent]
    body: type[shapes.Body] = shapes.Body
    fields: Fields = lambda body, actor: body.fields()

    @property
    def collides(self) -> bool:
        return issubclass(self.body, shapes.Seen)


def case_of(actor: Actor, number: int, field: str = "") -> Case:
    """The case with this number; NotThere for a stranger's, for one that is none, and for a mistyped one."""
    gone = NotThere("no_case", _("There is no such case."), field=field)
    if not (is_number(number) and number < 2**63):
        raise gone
    try:
        return access.case_for(actor, number)
    except NotThere:
        raise gone from None


def sorting(body: shapes.Triage, actor: Actor) -> dict[str, Any]:
    given = {**body.fields(), "impact": body.impact.impact() if body.impact else None}
    return {"sorting": triaging.Sorting(**given)}


def receivers(body: shapes.Assign, actor: Actor) -> dict[str, Any]:
    owner = User.objects.filter(email__iexact=body.owner).first() if body.owner else None
    team = Team.objects.filter(name=body.team).first() if body.team else None
    for field, wanted, found in (("owner", body.owner, owner), ("team", body.team, team)):
        if wanted and found is None:
            raise Refusal("unknown_code", _("This is not in the list."), field=field)
    return {"owner": owner, "team": team}


def hurried(body: shapes.Expedite, actor: Actor) -> dict[str, Any]:
    who = User.objects.filter(email__iexact=body.who).first()
    return {"who": who, "what": body.what, "due_at": body.due_at}


def room(body: shapes.OpenRoom, actor: Actor) -> dict[str, Any]:
    lead = User.objects.filter(email__iexact=body.lead).first() if body.lead else None
    if body.lead and lead is None:
        raise Refusal("unknown_code", _("This is not in the list."), field="lead")
    return {"lead": lead, "background": body.background, "ask": body.ask}


def fault(body: shapes.OpenIncident, actor: Actor) -> dict[str, Any]:
    common: dict[str, Any] = body.common.fields() if body.common else {}
    if common.get("shop"):
        common["shop"] = access.shop_for(actor, common["shop"]).pk
    return {"words": body.words, "common": common}


def incident(body: shapes.JoinIncident, actor: Actor) -> dict[str, Any]:
    try:
        return {"incident": incidents.incident_for(actor, body.incident)}
    except NotThere as error:
        raise NotThere(error.code, error.reason, field="incident") from None


def card(body: shapes.HandOver, actor: Actor) -> dict[str, Any]:
    found = receivers(shapes.Assign(seen=body.seen, owner=body.to, team=body.team), actor)
    given = handing.Card(body.customer_asks, body.tried, body.asked, body.by_when)
    return {"card": given, "team": found["team"], "to": found["owner"]}


def survivor(body: shapes.Merge, actor: Actor) -> dict[str, Any]:
    return {"into": case_of(actor, body.into, "into")}


def linked(body: shapes.Link, actor: Actor) -> dict[str, Any]:
    return {"other": case_of(actor, body.other, "other"), "relation": body.relation}


def unlinked(body: shapes.Unlink, actor: Actor) -> dict[str, Any]:
    return {"other": case_of(actor, body.other, "other")}


VERBS: tuple[Verb, ...] = (
    Verb("reply", "reply", talking.reply, shapes.Reply),
    Verb("note", "note", talking.note, shapes.Said),
    Verb("say", "say", talking.merchant_says, shapes.Said),
    Verb("answer_merchant", "answer_merchant", talking.answer_merchant, shapes.Said),
    Verb("triage", "triage", triaging.triage, shapes.Triage, sorting),
    Verb("note_fact", "note_fact", triaging.note_fact, shapes.NoteFact),
    Verb("strike_fact", "strike_fact", triaging.strike_fact, shapes.StrikeFact),
    Verb("tick", "tick", triaging.tick, shapes.Tick),
    Verb("take", "take", handling.take, shapes.Seen),
    Verb("assign", "assign", handling.assign, shapes.Assign, receivers),
    Verb("acknowledge", "acknowledge", climbing.acknowledge),
    Verb("expedite", "expedite", handing.expedite, shapes.Expedite, hurried),
    Verb("open_room", "open_room", rooming.open_room, shapes.OpenRoom, room),
    Verb("open_incident", "open_incident", incidents.open_incident, shapes.OpenIncident, fault),
    Verb("join_incident", "join_incident", incidents.join_incident, shapes.JoinIncident, incident),
    Verb("leave_incident", "leave_incident", incidents.leave_incident, shapes.LeaveIncident),
    Verb("hand_over", "hand_over", handing.hand_over, shapes.HandOver, card),
    Verb("accept_handover", "answer_handover", handing.accept_handover, shapes.AcceptHandover),
    Verb("refuse_handover", "answer_handover", handing.refuse_handover, shapes.RefuseHandover),
    Verb("withdraw_handover", "hand_over", handing.withdraw_handover, shapes.Seen),
    Verb("wait", "wait", handling.wait, shapes.Wait),
    Verb("promise", "promise", promising.promise, shapes.Promise),
    Verb("keep_promise", "keep_promise", promising.keep_promise, shapes.KeepPromise),
    Verb("withdraw_promise", "withdraw_promise", promising.withdraw_promise, shapes.WithdrawPromise),
    Verb("record_call", "record_call", promising.record_call, shapes.RecordCall),
    Verb("snooze", "snooze", snoozing.snooze, shapes.Snooze),
    Verb("wake", "snooze", snoozing.wake),
    Verb("raise_urgency", "raise_urgency", handling.raise_urgency, shapes.RaiseUrgency),
    Verb("lower_urgency", "lower_urgency", handling.lower_urgency, shapes.LowerUrgency),
    Verb("fix", "fix", fixing.record_fix, shapes.Fix),
    Verb("verify", "verify", fixing.verify, shapes.Verify),
    Verb("find_wanting", "verify", fixing.find_wanting, shapes.FindWanting),
    Verb("tell", "tell", telling.tell, shapes.Tell),
    Verb("ask", "ask", telling.ask_again, shapes.Ask),
    Verb(
        "record_confirmation", "record_confirmation", telling.record_confirmation, shapes.RecordConfirmation
    ),
    Verb("close", "close", closing.close),
    Verb("reopen", "reopen", closing.reopen, shapes.Reopen),
    Verb("end_unconfirmed", "end_unconfirmed", closing.end_unconfirmed, shapes.Seen),
    Verb("end_disagreed", "end_disagreed", closing.end_disagreed, shapes.EndDisagreed),
    Verb("withdraw", "withdraw", closing.withdraw, shapes.Withdraw),
    Verb("offer_remedy", "offer_remedy", remedying.offer_remedy, shapes.OfferRemedy),
    Verb("decide_remedy", "decide_remedy", remedying.decide_remedy, shapes.DecideRemedy),
    Verb("withdraw_remedy", "withdraw_remedy", remedying.withdraw_remedy, shapes.WithdrawRemedy),
    Verb("approve_remedy", "approve_remedy", remedy_approving.approve_remedy, shapes.ApproveRemedy),
    Verb("refuse_approval", "approve_remedy", remedy_approving.refuse_approval, shapes.RefuseApproval),
    Verb("carry_out", "carry_out", remedy_steps.carry_out, shapes.CarryOut),
    Verb("settle_by_hand", "settle_by_hand", remedy_settling.say_what_became, shapes.SettleByHand),
    Verb("start_clock", "start_clock", clocks.start_clock, shapes.StartClock),
    Verb("correct_clock", "correct_clock", clocks.correct_clock, shapes.CorrectClock),
    Verb("meet_clock", "meet_clock", clocks.meet_clock, shapes.MeetClock),
    Verb("merge", "merge", joining.merge, shapes.Merge, survivor),
    Verb("split", "split", joining.split, shapes.Split),
    Verb("link", "link", joining.link, shapes.Link, linked),
    Verb("unlink", "unlink", joining.unlink, shapes.Unlink, unlinked),
    Verb("share_link", "share_link", sharing.share_link),
    Verb("revoke_link", "revoke_link", sharing.revoke_links),
    Verb("send_again", "send_again", resending.send_again, shapes.SendAgain),
)


def seen_version(body: shapes.Seen, if_match: str | None) -> int | None:
    """The version that the caller has read, from the body or from If-Match (``"7"``, or ``*`` for any).

    Raises DoorError beside 'seen' when neither says it, or both say different things: a missing version must never
    mean 'overwrite what I have not read'.
    """
    said = "seen" in body.model_fields_set
    if if_match is None:
        if said:
            return body.seen
        raise DoorError(422, "missing", _("Say which version you have read, or null for any."), field="seen")
    tag = if_match.strip().removeprefix("W/").strip('"')
    if tag != "*" and not (tag.isascii() and tag.isdigit() and len(tag) < 12):
        raise DoorError(422, "bad_version", _('If-Match must be a version such as "7".'), field="If-Match")
    version = None if tag == "*" else int(tag)
    if said and body.seen != version:
        raise DoorError(
            422, "two_versions", _("The body and If-Match name different versions."), field="seen"
        )
    return version
