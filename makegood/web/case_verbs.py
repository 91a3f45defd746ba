"""Every verb of the case sheet: its form, its call, and when it is offered. What the rules say is the desk's alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotThere, Refusal
from makegood.cases.access import case_for
from makegood.cases.models import Case, CaseEvent
from makegood.cases.states import Status, may_move
from makegood.cases.urgency import Impact
from makegood.desk import (
    climbing,
    clocks,
    closing,
    fixing,
    handing,
    handling,
    helping,
    incidents,
    joining,
    promising,
    resending,
    rooming,
    sharing,
    snoozing,
    talking,
    telling,
    triaging,
)
from makegood.desk.sheet import Sheet
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Team, User
from makegood.web import case_forms as forms
from makegood.web import (
    clock_forms,
    handover_forms,
    incident_case_forms,
    outside_forms,
    outside_verbs,
    promise_forms,
)
from makegood.web.letter_forms import SendAgain
from makegood.web.remedy_verbs import ROWS as REMEDY_ROWS
from makegood.web.reply_form import Reply, Tell

Data = dict[str, Any]
Call = Callable[[Case, Actor, Data], CaseEvent]
When = Callable[[Sheet, Actor], bool]


@dataclass(frozen=True)
class Verb:
    """``right`` is its row in ``people/roles.py``; ``when`` says at which point of a case it is offered (the desk decides)."""

    name: str
    right: str
    group: str
    label: Any
    form: type[forms.VerbForm]
    call: Call
    when: When

    def offered(self, sheet: Sheet, by: Actor) -> bool:
        return roles.may(by, self.right) and self.when(sheet, by)


GROUPS = {
    "talk": _("Talk"),
    "sort": _("Sorting and facts"),
    "own": _("Who does it"),
    "promise": _("Promises"),
    "outside": _("Outside parties"),
    "secure": _("Security"),
    "urgency": _("Urgency"),
    "loop": _("Make it good"),
    "end": _("End"),
    "join": _("Other cases"),
    "key": _("The customer's link"),
}


def other(by: Actor, number: int) -> Case:
    """Another case by its number; one that is not there for this person is refused beside the control."""
    try:
        return case_for(by, number)
    except NotThere as error:
        raise Refusal(error.code, error.reason, field="other") from None


def _plain(verb: Callable[..., CaseEvent], **more: Any) -> Call:
    return lambda case, by, d: verb(case, by=by, seen=d["seen"], **more)


def _with(verb: Callable[..., CaseEvent], *names: str, seen: bool = True) -> Call:
    """A verb that takes the form's values by the same names."""

    def call(case: Case, by: Actor, d: Data) -> CaseEvent:
        version = {"seen": d["seen"]} if seen else {}
        return verb(case, by=by, **version, **{name: d[name] for name in names})

    return call


def _assign(case: Case, by: Actor, d: Data) -> CaseEvent:
    owner = User.objects.filter(pk=d["owner"]).first() if d["owner"] else None
    team = Team.objects.filter(pk=d["team"]).first() if d["team"] else None
    return handling.assign(case, by=by, seen=d["seen"], owner=owner, team=team)


def _hand_over(case: Case, by: Actor, d: Data) -> CaseEvent:
    card = handing.Card(d["customer_asks"], d["tried"], d["asked"], d["by_when"])
    team = Team.objects.filter(pk=d["team"]).first()
    if team is None:
        raise Refusal("nobody", _("Say to whom."), field="team")
    to = User.objects.filter(pk=d["to"]).first() if d["to"] else None
    return handing.hand_over(case, card, by=by, seen=d["seen"], team=team, to=to)


def _expedite(case: Case, by: Actor, d: Data) -> CaseEvent:
    who = User.objects.filter(pk=d["who"]).first() if d["who"] else None
    return handing.expedite(case, by=by, seen=d["seen"], who=who, what=d["what"], due_at=d["due_at"])


def _may_answer(sheet: Sheet, by: Actor) -> bool:
    return sheet.offered is not None and handing.may_answer(sheet.offered, by.user_id)


def _triage(case: Case, by: Actor, d: Data) -> CaseEvent:
    lost = d["money_lost"]
    sorting = triaging.Sorting(
        type=d["type"],
        second_type=d["second_type"],
        kind=d["kind"],
        responsibility=d["responsibility"],
        asked_remedy=d["asked_remedy"],
        order_number=d["order_number"],
        impact=Impact(
            lost, d["currency"] if lost is not None else "", d["orders_blocked"] or 0, d["campaign_at_risk"]
        ),
        suggested=d["suggested"][:40],
    )
    return triaging.triage(case, sorting, by=by, seen=d["seen"])


def _strike(case: Case, by: Actor, d: Data) -> CaseEvent:
    return triaging.strike_fact(case, d["fact"], by=by, because=d["because"])


def _send_again(case: Case, by: Actor, d: Data) -> CaseEvent:
    return resending.send_again(case, d["delivery"], by=by, seen=d["seen"], to=d["to"])


def _tick(case: Case, by: Actor, d: Data) -> CaseEvent:
    return triaging.tick(case, d["item"], by=by, done=d["done"] != "0", answer=d["answer"])


def _correct_clock(case: Case, by: Actor, d: Data) -> CaseEvent:
    return clocks.correct_clock(case, d["promise"], d["trigger_at"], d["evidence"], by=by, seen=d["seen"])


def _meet_clock(case: Case, by: Actor, d: Data) -> CaseEvent:
    words = {"what_was_done": d["what_was_done"], "done_at": d["done_at"]}
    return clocks.meet_clock(case, d["promise"], by=by, seen=d["seen"], **words)


def _merge(case: Case, by: Actor, d: Data) -> CaseEvent:
    return joining.merge(case, other(by, d["other"]), by=by, seen=d["seen"])


def _link(case: Case, by: Actor, d: Data) -> CaseEvent:
    return joining.link(case, other(by, d["other"]), by=by, seen=d["seen"], relation=d["relation"])


def _unlink(case: Case, by: Actor, d: Data) -> CaseEvent:
    return joining.unlink(case, other(by, d["other"]), by=by, seen=d["seen"])


def _split(case: Case, by: Actor, d: Data) -> CaseEvent:
    return joining.split(case, d["messages"], by=by, seen=d["seen"], subject=d["subject"])


def _keep(case: Case, by: Actor, d: Data) -> CaseEvent:
    return promising.keep_promise(case, d["promise"], by=by, seen=d["seen"], proof=d["proof"])


def _withdraw_promise(case: Case, by: Actor, d: Data) -> CaseEvent:
    return promising.withdraw_promise(case, d["promise"], by=by, seen=d["seen"], reason=d["reason"])


def _close(case: Case, by: Actor, d: Data) -> CaseEvent:
    return closing.close(case, by=by)


def _is_open(sheet: Sheet, by: Actor) -> bool:
    return sheet.case.is_open


def _always(sheet: Sheet, by: Actor) -> bool:
    return True


def _at(*statuses: str) -> When:
    return lambda sheet, by: sheet.case.status in statuses


def _can_fix(sheet: Sheet, by: Actor) -> bool:
    return sheet.closing.sorted and sheet.closing.owned and may_move(sheet.case.status, Status.FIXED)


def _can_write_down(sheet: Sheet, by: Actor) -> bool:
    fix = sheet.done.fix
    return sheet.case.status == Status.TOLD and not (fix and fix.by_id == by.user_id)


def _can_lower(sheet: Sheet, by: Actor) -> bool:
    return sheet.case.is_open and sheet.case.urgency > 1 and sheet.case.owner_id != by.user_id


def _can_split(sheet: Sheet, by: Actor) -> bool:
    return sum(said.may_be_split for said in sheet.conversation) > 1


_REPLY = ("text", "next_word_at", "files", "promises", "justified", "declined")
_S = Status

_TABLE = [
    Verb("reply", "reply", "talk", _("Answer the customer"), Reply, _with(talking.reply, *_REPLY, "decides"), _is_open),
    Verb("note", "note", "talk", _("Write a note"), forms.Note, _with(talking.note, "text", "files", seen=False), _always),
    Verb("answer_merchant", "answer_merchant", "talk", _("Write to the merchant"), forms.ToMerchant,
         _with(talking.answer_merchant, "text", "files", seen=False), _always),
    Verb("ask_helper", "ask_helper", "inline", _("Ask the helper"), forms.AskHelper,
         _with(helping.ask_helper, "what", seen=False), lambda s, by: bool(helping.offered())),
    Verb("triage", "triage", "sort", _("Sort"), forms.Triage, _triage, _is_open),
    Verb("note_fact", "note_fact", "sort", _("Note a fact"), forms.NoteFact,
         _with(triaging.note_fact, "text", "source", "happened_at", "detail", seen=False), _always),
    Verb("strike_fact", "strike_fact", "inline", _("Strike"), forms.StrikeFact, _strike, _always),
    Verb("tick", "tick", "inline", _("Tick"), forms.TickItem, _tick, lambda s, by: bool(s.case.type)),
    Verb("send_again", "send_again", "inline", _("Send the letter again"), SendAgain, _send_again, _always),
    Verb("start_clock", "start_clock", "inline", _("Start the clock"), clock_forms.StartClock,
         _with(clocks.start_clock, "rule", "trigger_at", "evidence"), lambda s, by: bool(s.case.type and s.case.is_open)),
    Verb("correct_clock", "correct_clock", "inline", _("Correct the start"), clock_forms.CorrectClock, _correct_clock,
         lambda s, by: s.case.is_open and bool(s.law.running or s.law.past)),
    Verb("meet_clock", "meet_clock", "inline", _("It was done"), clock_forms.MeetClock, _meet_clock,
         lambda s, by: bool(s.law.running or s.law.past)),
    Verb("take", "take", "own", _("Take the case"), forms.Plain, _plain(handling.take),
         lambda s, by: s.case.is_open and s.case.owner_id != by.user_id),
    Verb("assign", "assign", "own", _("Give it to somebody"), forms.Assign, _assign, _is_open),
    Verb("acknowledge", "acknowledge", "own", _("I have seen it"), forms.Plain,
         lambda case, by, d: climbing.acknowledge(case, by=by), _is_open),
    Verb("expedite", "expedite", "own", _("Hurry it up: who, what, by when"), handover_forms.Expedite, _expedite, _is_open),
    *(Verb(*row) for row in REMEDY_ROWS),
    Verb("open_room", "open_room", "own", _("Open a war room"), handover_forms.OpenRoom,
         _with(rooming.open_room, "background", "ask", seen=False),
         lambda s, by: s.case.is_open and not any(room.is_open for room in s.rooms)),
    Verb("hand_over", "hand_over", "own", _("Hand it over to another team"), handover_forms.HandOver, _hand_over,
         lambda s, by: s.case.is_open and s.offered is None),
    Verb("accept_handover", "answer_handover", "offer", _("Accept the case"), handover_forms.Accept,
         _with(handing.accept_handover, "restated", "next_word_at"), _may_answer),
    Verb("refuse_handover", "answer_handover", "offer", _("Refuse it"), handover_forms.Refuse,
         _with(handing.refuse_handover, "reason"), _may_answer),
    Verb("withdraw_handover", "hand_over", "offer", _("Take the offer back"), forms.Plain,
         _plain(handing.withdraw_handover), lambda s, by: s.offered is not None),
    Verb("wait", "wait", "own", _("Wait for somebody"), forms.Wait, _with(handling.wait, "waiting_for"),
         _at(_S.WORKING, _S.WAITING)),
    Verb("go_on", "wait", "own", _("Go on working"), forms.Plain, _plain(handling.wait, waiting_for=""), _at(_S.WAITING)),
    Verb("promise", "promise", "promise", _("Promise something"), promise_forms.Promise,
         _with(promising.promise, "what", "due_at", "words", "to"), _is_open),
    Verb("record_call", "record_call", "promise", _("Write down a call"), promise_forms.RecordCall,
         _with(promising.record_call, "words", "reached", "next_word_at"), _is_open),
    Verb("keep_promise", "keep_promise", "inline", _("It was done"), promise_forms.KeepPromise, _keep, _is_open),
    Verb("withdraw_promise", "withdraw_promise", "inline", _("Withdraw it"), promise_forms.WithdrawPromise, _withdraw_promise,
         _is_open),
    Verb("snooze", "snooze", "promise", _("Put aside for a while"), promise_forms.Snooze,
         _with(snoozing.snooze, "until", "reason", "next_word_at"), _is_open),
    Verb("wake", "snooze", "promise", _("Wake it now"), forms.Plain, lambda case, by, d: snoozing.wake(case, by=by),
         lambda s, by: s.case.snoozed_until is not None),
    Verb("ask_party", "ask_party", "outside", _("Ask an outside party"), outside_forms.AskParty, outside_verbs.ask, _is_open),
    Verb("chase_party", "chase_party", "inline", _("Remind them now"), outside_forms.OfAsk, outside_verbs.chase, _is_open),
    Verb("withdraw_party_ask", "withdraw_party_ask", "inline", _("Take it back"), outside_forms.WithdrawAsk, outside_verbs.take_back, _is_open),
    Verb("freeze", "freeze", "secure", _("Stop the use at once"), outside_forms.StopUse, outside_verbs.freeze,
         lambda s, by: s.restricted and s.case.is_open),
    Verb("frozen", "frozen", "inline", _("It is stopped"), outside_forms.Frozen, outside_verbs.frozen, lambda s, by: bool(s.freezes)),
    Verb("release", "release", "inline", _("Allow the use again"), outside_forms.Release, outside_verbs.release,
         lambda s, by: bool(s.freezes)),
    Verb("confirm_leak", "confirm_leak", "secure", _("Personal data has leaked"), outside_forms.ConfirmLeak, outside_verbs.leak,
         lambda s, by: s.restricted and s.case.is_open),
    Verb("check_security", "check_security", "secure", _("Looked whether it is still secure"), outside_forms.CheckSecurity,
         outside_verbs.check, lambda s, by: any(a.what == "secure" for a in s.appointments)),
    Verb("reveal", "reveal", "inline", _("Show it once"), outside_forms.Reveal, outside_verbs.reveal, lambda s, by: bool(s.masked)),
    Verb("erase_masked", "erase_masked", "secure", _("Erase what is masked for good"), forms.Plain, outside_verbs.erase,
         lambda s, by: any(m.erased_at is None for m in s.masked)),
    Verb("raise_urgency", "raise_urgency", "urgency", _("Raise the urgency"), forms.Raise,
         _with(handling.raise_urgency, "level", "reason", seen=False),
         lambda s, by: s.case.is_open and s.case.urgency < 5),
    Verb("lower_urgency", "lower_urgency", "urgency", _("Lower the urgency"), forms.Lower,
         _with(handling.lower_urgency, "level", "reason", "evidence"), _can_lower),
    Verb("fix", "fix", "loop", _("Record what was done"), forms.RecordFix,
         _with(fixing.record_fix, "done", "cause", "remedy"), _can_fix),
    Verb("verify", "verify", "loop", _("Verify"), forms.Verify,
         _with(fixing.verify, "proof", "reference", "what_was_seen"), _at(_S.FIXED)),
    Verb("find_wanting", "verify", "loop", _("It does not hold"), forms.FindWanting,
         _with(fixing.find_wanting, "what_was_seen"), _at(_S.FIXED, _S.VERIFIED)),
    Verb("tell", "tell", "loop", _("Tell the customer"), Tell, _with(telling.tell, *_REPLY), _at(_S.VERIFIED)),
    Verb("ask", "ask", "loop", _("Ask again"), forms.Ask, _with(telling.ask_again, "next_word_at", "channel", "note"),
         _at(_S.TOLD)),
    Verb("record_confirmation", "record_confirmation", "loop", _("Write down their answer"), forms.RecordConfirmation,
         _with(telling.record_confirmation, "answer", "words", "channel"), _can_write_down),
    Verb("close", "close", "loop", _("Close as made good"), forms.Plain, _close,
         lambda s, by: s.case.is_open and not s.blockers),
    Verb("reopen", "reopen", "loop", _("Open again"), forms.Reopen, _with(closing.reopen, "why", seen=False),
         lambda s, by: not s.case.is_open and s.case.ended_as != "merged"),
    Verb("end_unconfirmed", "end_unconfirmed", "end", _("End as unconfirmed"), forms.Plain,
         _plain(closing.end_unconfirmed), _at(_S.TOLD)),
    Verb("end_disagreed", "end_disagreed", "end", _("End as disagreed"), forms.Disagreed,
         _with(closing.end_disagreed, "text", "outside_route"), _is_open),
    Verb("withdraw", "withdraw", "end", _("The customer takes it back"), forms.Withdraw,
         _with(closing.withdraw, "words"), _is_open),
    Verb("open_incident", "open_incident", "join", _("Open an incident: one fault over many cases"),
         incident_case_forms.OpenIncident, incident_case_forms.open_incident, incident_case_forms.may_open),
    Verb("join_incident", "join_incident", "join", _("Part of an incident"), incident_case_forms.JoinIncident,
         incident_case_forms.join_incident, incident_case_forms.may_join),
    Verb("leave_incident", "leave_incident", "join", _("Take it out of the incident"), incident_case_forms.LeaveIncident,
         _with(incidents.leave_incident, "reason", seen=False), incident_case_forms.may_leave),
    Verb("link", "link", "join", _("Link with another case"), forms.Link, _link, _always),
    Verb("unlink", "unlink", "inline", _("Unlink"), forms.Unlink, _unlink, lambda s, by: bool(s.around.linked)),
    Verb("merge", "merge", "join", _("Merge into another case"), forms.Merge, _merge, _is_open),
    Verb("split", "split", "join", _("Split into two cases"), forms.Split, _split, _can_split),
    Verb("share_link", "share_link", "key", _("Show a new link"), forms.Plain,
         lambda case, by, d: sharing.share_link(case, by=by), _always),
    Verb("revoke_link", "revoke_link", "key", _("Revoke all links"), forms.Plain,
         lambda case, by, d: sharing.revoke_links(case, by=by), _always),
]  # fmt: skip
VERBS = {verb.name: verb for verb in _TABLE}


def next_verb(sheet: Sheet, by: Actor) -> str:
    """The verb that moves the case along the loop; '' when it has ended or nothing of it is this person's to do."""
    facts = sheet.closing
    steps = (
        (facts.sorted, "triage"),
        (facts.owned, "take"),
        (facts.fixed, "fix"),
        (facts.verified, "verify"),
        (facts.told, "tell"),
        (facts.answer == "all_good", "ask"),
        (bool(sheet.blockers), "close"),
    )
    name = next((verb for done, verb in steps if not done), "") if sheet.case.is_open else ""
    return name if name and VERBS[name].offered(sheet, by) else ""
