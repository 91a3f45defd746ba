"""Carrying out an act on all cases of an incident: the sweep's, a batch at a time (``jobs/sweep.py``).

A word to all and a joining write many cases with a few statements; when one of a batch cannot be written, each is done
in a savepoint of its own, so that one poisoned case stops nobody. Everything else is the case's own verb, one by one.
The step's state is written with what it did: killed at any moment the act goes on, and no case hears a word twice.

Over 300 lines: one mechanism, with a small function for each kind of act.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import DeskError, Refusal
from makegood.base.languages import speaking
from makegood.cases import links, pen
from makegood.cases.models import Case
from makegood.cases.states import Status
from makegood.conversations import messages, outbox
from makegood.conversations.models import ReplyOverride
from makegood.desk import (
    appointing,
    breaking,
    fixing,
    handling,
    incidents,
    notices,
    sweeping,
    telling,
    triaging,
)
from makegood.desk.opening import Report, open_case
from makegood.desk.verb import follow
from makegood.incidents.models import ActStep, IncidentAct, IncidentCase
from makegood.packs import policy, reply_rules
from makegood.people import actors, roles
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.promises.models import WORDS, Promise
from makegood.transactions.models import Order

Kind, State = IncidentAct.Kind, ActStep.State
#: So often a step that fails by itself is tried again; then it is failed, and its reason is on the page.
TRIES = 6
MUTE = "missing_language"
_BEFORE_WORK = (Status.REPORTED, Status.TRIAGED)
_BEFORE_FIX = (*_BEFORE_WORK, Status.WORKING, Status.WAITING)


def many(steps: Sequence[ActStep]) -> None:
    """Carry out a batch of steps, whose rows are locked. Raises when one of them cannot be: then each is :func:`one`."""
    acts: dict[int, list[ActStep]] = {}
    for step in steps:
        acts.setdefault(step.act_id, []).append(step)
    for mine in acts.values():
        together = _TOGETHER.get(mine[0].act.kind)
        if together:
            together(mine[0].act, mine)
        else:
            for step in mine:
                one(step)
        _through(mine[0].act)


def one(step: ActStep) -> None:
    """Carry out a single step; what the rules refuse is written down with its reason, what fails is raised."""
    act, by = step.act, doer(step.act)
    try:
        if together := _TOGETHER.get(act.kind):
            together(act, [step])
        else:
            with transaction.atomic():  # sorted and owned but not fixed would be half an act
                why = _ALONE[act.kind](act, step, by)
            _settle([step], State.PASSED if why else State.DONE, why)
    except DeskError as refusal:
        _settle([step], State.FAILED, refusal.code)
    _through(act)


def doer(act: IncidentAct) -> Actor:
    """Who did the act, carried out by the worker."""
    return actors.user(act.by, "worker")


def set_back(step: ActStep, error: Exception) -> None:
    """It failed by itself: tried again later, and later; at last it is failed and its reason is shown."""
    sweeping.set_back(step, error)
    if step.set_back + 1 >= TRIES:
        _settle([step], State.FAILED, "trouble")


def _word(act: IncidentAct, steps: Sequence[ActStep]) -> None:
    """A word to many customers: on each case the message, the promise that it keeps, the next one, the letter, the event."""
    by = doer(act)
    roles.check(by, "reply")
    cases = _held(act, steps, lambda case: _mute(act, case))
    if not cases:
        return
    overdue = Promise.objects.filter(case__in=cases, state=Promise.State.OPEN, due_at__lt=clock.now())
    late = set(overdue.values_list("case_id", flat=True))
    for case in cases:
        if case.pk in late:
            breaking.overdue(case)
    ids = [case.pk for case in cases]
    standing = dict(
        Promise.objects.filter(case__in=ids, state=Promise.State.OPEN, what__in=WORDS, to="customer")
        .order_by("due_at")
        .values_list("case_id", "due_at")
    )
    said = messages.store_all(cases, act.texts, by=by)
    ledger.settle_all(ids, [message.pk for message in said.values()])
    given = Promise.objects.bulk_create(
        ledger.give(
            case,
            due_at=_next_word(act, case, standing.get(case.pk)),
            by=by.user_id,
            what="next_word",
            basis="promised",
            given_in=said[case.pk].pk,
            store=False,
        )
        for case in cases
    )
    outbox.letters(cases, "reply", links.standing_for(cases), said)
    _keep_reasons(act, cases, said)
    dues = ledger.next_dues(ids)
    grave = act.details.get("justified", {})
    events = pen.write_all(
        cases,
        "replied",
        by=by,
        data={
            promise.case_id: {
                "message": said[promise.case_id].pk,
                "promise": promise.pk,
                "until": promise.due_at.isoformat(),
                "justified": grave.get(promise.case.language) or None,
                "act": act.pk,
            }
            for promise in given
        },
        changes={case.pk: {"due_at": dues[case.pk], "status": _working(case)} for case in cases},
    )
    for event in events:
        follow(event)
    _settle([step for step in steps if step.case_id in said], State.DONE)


def _mute(act: IncidentAct, case: Case) -> str:
    """Why this customer hears nothing by the act: told already that it is mended, or no words in their language."""
    if case.status == Status.TOLD:
        return "moved_on"
    return "" if case.language in act.texts else MUTE


def _next_word(act: IncidentAct, case: Case, promised: datetime | None) -> datetime:
    """The moment that was given for all, or that of the case's own rule; never earlier than what stands promised already."""
    at = act.next_word_at if act.next_word_at and act.next_word_at > clock.now() else None
    at = at or clock.now() + policy().times(case.urgency, case.type).next_word
    return max(at, promised) if promised else at


def _working(case: Case) -> str:
    return Status.WORKING if case.status in _BEFORE_WORK else case.status


def _keep_reasons(act: IncidentAct, cases: Sequence[Case], said: Mapping[int, Any]) -> None:
    grave, reason = act.details.get("justified", {}), act.details.get("reason", "")
    ReplyOverride.objects.bulk_create(
        ReplyOverride(message=said[case.pk], rule=rule, reason=reason, by_id=act.by_id, at=clock.now())
        for case in cases
        for rule in grave.get(case.language, ())
    )


def _join(act: IncidentAct, steps: Sequence[ActStep]) -> None:
    """Cases come in, each with its event and the incident's urgency."""
    cases = _held(act, steps, lambda case: "", inside=False)
    found = incidents.joinable(cases)
    here = {case.pk for case in found}
    incident = act.incident
    incidents.bring(incident, found, by=doer(act), level=incidents.level_of(incident))
    _settle([s for s in steps if s.case_id in here], State.DONE)
    others = {case.pk for case in cases} - here
    _settle([s for s in steps if s.case_id in others], State.PASSED, "in_another")


def _open(act: IncidentAct, step: ActStep, by: Actor) -> str:
    """Open, sort and bring in a case for somebody who did not complain; '' or why it was passed over."""
    order = Order.objects.select_related("customer", "shop").get(pk=step.order_id or 0)
    customer = order.customer
    if customer is None or Case.objects.filter(customer=customer, order=order).exists():
        return "has_case"
    if customer.language not in act.texts:
        raise Refusal(MUTE, _("The words are missing in the language of this customer."))
    report = Report(
        text=act.texts[customer.language],
        subject=act.incident.what[:200].split("\n", 1)[0],
        order_number=order.number,
        language=customer.language,
        type=act.details["type"],
        noticed=True,
    )
    case = open_case(order.shop, report, by=by, customer=customer).case
    if act.details["type"]:
        triaging.triage(case, triaging.Sorting(type=act.details["type"]), by=actors.system(), seen=None)
    [held] = pen.hold_all([case.pk])
    incidents.bring(act.incident, [held], by=by, level=incidents.level_of(act.incident))
    ActStep.objects.filter(pk=step.pk).update(case=case)
    return ""


def _fix(act: IncidentAct, step: ActStep, by: Actor) -> str:
    """Sorted as its incident and owned by whoever mended it, where nobody had sorted or owned it yet; then fixed."""
    case, why = _alone(act, step, _BEFORE_FIX)
    if why:
        return why
    type_code = act.incident.type or incidents.standing_anchor(act.incident).type
    if not case.type and type_code:
        triaging.triage(case, triaging.Sorting(type=type_code), by=actors.system(), seen=None)
        case.refresh_from_db()
    if case.owner_id is None or case.status in _BEFORE_WORK:
        handling.assign(case, by=by, seen=None, owner=case.owner or act.by)
    details = act.details
    fixing.record_fix(
        case, by=by, seen=None, done=details["done"], cause=details["cause"], remedy=details["remedy"]
    )
    return ""


def _verify(act: IncidentAct, step: ActStep, by: Actor) -> str:
    case, why = _alone(act, step, (Status.FIXED,))
    if not why:
        fixing.verify(case, by=by, seen=None, **act.details)
    return why


def _mended(act: IncidentAct, step: ActStep, by: Actor) -> str:
    """The telling that asks for the customer's own word: the case's own verb, with the words of the act."""
    case, why = _alone(act, step, (Status.VERIFIED,))
    if why:
        return why
    now = clock.now()
    at = act.next_word_at if act.next_word_at and act.next_word_at > now else None
    if case.language not in act.texts:
        raise Refusal(MUTE, _("The words are missing in the language of this customer."))
    with speaking(act.by.language):
        reason = act.details.get("reason") or spoken("One word to all customers of an incident.")
    # Judged once a language when the act was begun; what a single case adds is no reason to leave its customer untold.
    telling.tell(
        case,
        by=by,
        seen=None,
        text=act.texts[case.language],
        next_word_at=at or appointing.word_after_ask(case, [now]),
        justified=dict.fromkeys(reply_rules(), reason),
    )
    return ""


def _held(
    act: IncidentAct, steps: Sequence[ActStep], unfit: Callable[[Case], str], *, inside: bool = True
) -> list[Case]:
    """The cases of the steps, held; those that ``unfit`` names a reason for, or that are in the incident no more, are passed over."""
    ids = [step.case_id for step in steps if step.case_id]
    cases = pen.hold_all(ids)
    mine = set(
        IncidentCase.objects.filter(incident=act.incident_id, case__in=ids, standing=True).values_list(
            "case_id", flat=True
        )
    )
    reasons: dict[int, str] = {}
    for case in cases:
        if not case.is_open:
            reasons[case.pk] = "ended"
        elif inside and case.pk not in mine:
            reasons[case.pk] = "left"
        elif why := unfit(case):
            reasons[case.pk] = why
    for why in set(reasons.values()):
        state = State.FAILED if why == MUTE else State.PASSED
        _settle([s for s in steps if reasons.get(s.case_id or 0) == why], state, why)
    return [case for case in cases if case.pk not in reasons]


def _alone(act: IncidentAct, step: ActStep, statuses: tuple[str, ...]) -> tuple[Case, str]:
    """The case of a step, held, and why nothing is to be done on it."""
    case = pen.hold(step.case_id or 0)
    mine = IncidentCase.objects.filter(incident=act.incident_id, case=case, standing=True)
    if not case.is_open:
        return case, "ended"
    if not mine.exists():
        return case, "left"
    return case, "" if case.status in statuses else "moved_on"


def _settle(steps: Sequence[ActStep], state: str, why: str = "") -> None:
    if steps:
        ActStep.objects.filter(pk__in=[s.pk for s in steps]).update(
            state=state, why=why[:40], look_at=None, done_at=clock.now()
        )


def _through(act: IncidentAct) -> None:
    """The last step is done: whoever began the act hears of it."""
    if not ActStep.objects.filter(act=act, state=State.WAITING).exists():
        anchor = incidents.standing_anchor(act.incident)
        notices.notify(anchor, "incident_done", to=[act.by_id], data={"incident": act.incident_id})


_TOGETHER: dict[str, Callable[[IncidentAct, Sequence[ActStep]], None]] = {Kind.WORD: _word, Kind.JOIN: _join}
_ALONE: dict[str, Callable[[IncidentAct, ActStep, Actor], str]] = {
    Kind.OPEN: _open,
    Kind.FIX: _fix,
    Kind.VERIFY: _verify,
    Kind.MENDED: _mended,
}
