"""Legal clocks as verbs: started by the event of their rule, corrected when it was another moment, met by a named act.

A clock never pauses: nothing that the case waits for stops it. It starts by itself only when its event is known and
its rule was read, or the shop switched it on; everything else a person starts, with evidence.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Min
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.calendar import NeverOpen
from makegood.base.errors import NotThere, Refusal
from makegood.base.words import clean, clean_line
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk import law
from makegood.desk.verb import verb
from makegood.packs.legal import clocks
from makegood.packs.legal_shapes import Rule
from makegood.people import actors, roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.promises import clocks as legal
from makegood.promises.models import Promise
from makegood.promises.switches import ClockSwitch, is_on, switched

OPEN, BROKEN = Promise.State.OPEN, Promise.State.BROKEN
#: An event longer ago than this is a slip of the pen, not a trigger.
LONGEST_AGO = timedelta(days=366 * 5)


@verb("start_clock")
def start_clock(
    case: Case,
    rule: str,
    trigger_at: datetime,
    evidence: str,
    *,
    by: Actor,
    seen: int | None,
    cause: CaseEvent | None = None,
) -> CaseEvent:
    """Start the clock of ``rule``: its event happened at ``trigger_at``, as ``evidence`` shows (words of the one who says so).

    Raises Refusal beside 'rule' or 'trigger_at' when the rule is not ours to keep, is switched off for the shop, runs
    already or was not in force, and when the moment lies ahead.
    """
    case = pen.hold(case.pk, seen=seen)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    found = _rule(rule, case.shop)
    if Promise.objects.filter(case=case, rule=found.code, state=OPEN).exists():
        raise Refusal("runs_already", _("This clock runs already; correct its start instead."), field="rule")
    promise = _give(case, found, trigger_at, evidence, by=by)
    data = {
        "rule": found.code,
        "promise": promise.pk,
        "trigger_at": trigger_at.isoformat(),
        "until": promise.due_at.isoformat(),
    }
    return pen.write(case, "clock_started", by=by, data=data, cause=cause, due_at=_next(case))


@verb("correct_clock")
def correct_clock(
    case: Case, promise_id: int, trigger_at: datetime, evidence: str, *, by: Actor, seen: int | None
) -> CaseEvent:
    """The event was at another moment: a new promise replaces the old one, and both are kept.

    A clock that had run out stays broken in the history; the new one says until when it really was.
    """
    case = pen.hold(case.pk, seen=seen)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    old = _clock_of(case, promise_id)
    if old.state not in (OPEN, BROKEN) or old.proof_event_id:
        raise Refusal("settled", _("This clock has already ended."))
    if trigger_at == old.trigger_at:
        raise Refusal("same", _("This is the moment that it starts from already."), field="trigger_at")
    if old.state == BROKEN and Promise.objects.filter(case=case, rule=old.rule, pk__gt=old.pk).exists():
        raise Refusal("settled", _("This clock was already corrected."))
    rule = _rule(old.rule, case.shop)
    if old.state == OPEN:
        Promise.objects.filter(pk=old.pk).update(
            state=Promise.State.SUPERSEDED, settled_at=clock.now(), look_at=None
        )
    new = _give(case, rule, trigger_at, evidence, by=by)
    data = {
        "rule": rule.code,
        "promise": new.pk,
        "was_promise": old.pk,
        "trigger_at": trigger_at.isoformat(),
        "was_trigger_at": old.trigger_at.isoformat() if old.trigger_at else "",
        "until": new.due_at.isoformat(),
        "was_until": old.due_at.isoformat(),
    }
    return pen.write(case, "clock_corrected", by=by, data=data, due_at=_next(case))


@verb("meet_clock")
def meet_clock(
    case: Case,
    promise_id: int,
    *,
    by: Actor,
    seen: int | None,
    what_was_done: str,
    done_at: datetime | None = None,
) -> CaseEvent:
    """What the law asks for was done at ``done_at`` (now, when it is not said): in time it keeps the promise.

    ``what_was_done`` is kept as a note, and the event is the proof. Done too late it stays broken, with the day on
    which it was done after all; how a promise ended is never changed.
    """
    case = pen.hold(case.pk, seen=seen)
    promise, now = _clock_of(case, promise_id), clock.now()
    if promise.state not in (OPEN, BROKEN) or promise.proof_event_id:
        raise Refusal("settled", _("This clock has already ended."))
    done = done_at or now
    if not (promise.trigger_at or promise.made_at) <= done <= now:
        raise Refusal(
            "bad_time", _("It was done after the clock started, and not later than now."), field="done_at"
        )
    words = clean(what_was_done, limit=5000, field="what_was_done")
    message = messages.store(case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=words)
    data = {
        "rule": promise.rule,
        "promise": promise.pk,
        "message": message.pk,
        "in_time": done <= promise.due_at,
    }
    moves: dict[str, Any] = {"due_at": _next(case, without=promise.pk)} if case.is_open else {}
    event = pen.write(case, "clock_met", by=by, data=data, at=done, **moves)
    mine = Promise.objects.filter(pk=promise.pk)
    if promise.state == OPEN and done <= promise.due_at:
        mine.update(state=Promise.State.KEPT, settled_at=done, look_at=None, proof_event=event)
    elif promise.state == OPEN:
        mine.update(state=BROKEN, settled_at=F("due_at"), look_at=None, proof_event=event)
    else:
        mine.update(proof_event=event)
    return event


def start_known(event: CaseEvent) -> None:
    """Start what starts by itself: the rule fits, its event is known, its text was read or the shop switched it on."""
    case = Case.objects.select_related("shop", "order").get(pk=event.case_id)
    may = [r for r in law.applying(case, law.Around(None, [], []), frozenset()) if r.itself]
    if not (case.is_open and may):
        return
    switches = switched(case.shop_id)
    if not (may := [r for r in may if is_on(r, switches)]):
        return
    around = law.Around.of(case)
    known, fitting = around.known(case), law.applying(case, around, around.facts())
    # What ran once for this rule is a person's to start again: it was met, corrected or replaced.
    gone = set(
        Promise.objects.filter(case=case, what=Promise.What.LEGAL)
        .exclude(state="withdrawn")
        .values_list("rule", flat=True)
    )
    for rule in may:
        at = known.get(clocks().triggers[rule.trigger].known_from)
        if at is not None and rule in fitting and rule.code not in gone:
            _by_itself(case, rule.code, at, "", cause=event)


def start_again(event: CaseEvent) -> None:
    """The case was opened again: the clocks that its ending had withdrawn run on from where they started."""
    case = Case.objects.select_related("shop").get(pk=event.case_id)
    mine = Promise.objects.filter(case=case, what=Promise.What.LEGAL).order_by("rule", "-id").distinct("rule")
    for old in mine:
        if old.state == Promise.State.WITHDRAWN and old.trigger_at:
            _by_itself(case, old.rule, old.trigger_at, old.words, cause=event)
    start_known(event)


def _by_itself(case: Case, rule: str, at: datetime, evidence: str, *, cause: CaseEvent) -> None:
    """Start a clock for the system. A rule that cannot be started (an event of long ago, a rule that was switched off
    since) must not stop what the person was doing: it stands on the sheet among those that could be started."""
    with suppress(Refusal):
        start_clock(case, rule, at, evidence, by=actors.system(), seen=None, cause=cause)


def switch(shop: Shop, rule: str, on: bool, *, by: Actor, why: str) -> ClockSwitch:
    """Switch a rule on or off for a shop, from now on; clocks that run are not touched. No verb of a case.

    Raises NotAllowed, or Refusal beside 'rule' (not of this shop's jurisdictions) or 'why' (empty).
    """
    roles.check(by, "keep_clocks")
    found = clocks().rules.get(rule)
    if found is None or found.jurisdiction not in clocks().of_shop(shop.zone, shop.currency):
        raise Refusal("unknown_code", _("This is not in the list."), field="rule")
    words = clean_line(why, limit=500, field="why")
    with transaction.atomic():
        return ClockSwitch.objects.create(shop=shop, rule=rule, on=on, by_id=by.person, why=words)


def _rule(code: str, shop: Shop) -> Rule:
    rule = clocks().rules.get(code)
    if rule is None or rule.jurisdiction not in clocks().of_shop(shop.zone, shop.currency):
        raise Refusal("unknown_code", _("This is not in the list."), field="rule")
    if not rule.is_ours:
        raise Refusal("not_ours", _("This time is not ours to keep; it is shown only."), field="rule")
    switches = switched(shop.pk)
    if code in switches and not switches[code].on:
        raise Refusal("switched_off", _("This rule is switched off for the shop."), field="rule")
    return rule


def _give(case: Case, rule: Rule, trigger_at: datetime, evidence: str, *, by: Actor) -> Promise:
    if trigger_at.tzinfo is None:
        raise RuntimeError("a moment needs its zone")
    now = clock.now()
    if not now - LONGEST_AGO <= trigger_at <= now:
        raise Refusal(
            "bad_time",
            _("The event has happened, and not more than five years ago: enter when."),
            field="trigger_at",
        )
    calendar, version = law.counting(rule, case.shop)
    if not rule.stands(calendar.local(trigger_at)):
        raise Refusal("not_in_force", _("This rule was not in force on that day."), field="trigger_at")
    words = clean(evidence, limit=1000, field="evidence", required=by.is_staff)
    try:
        due_at = legal.due(rule, trigger_at, calendar)
    except NeverOpen:
        raise Refusal(
            "never_open", _("The calendar of this rule has no working days left."), field="rule"
        ) from None
    return legal.give(
        case, rule, trigger_at=trigger_at, due_at=due_at, calendar=version, by=by.user_id, evidence=words
    )


def _clock_of(case: Case, promise_id: int) -> Promise:
    found = Promise.objects.filter(case=case, pk=promise_id, what=Promise.What.LEGAL).first()
    if found is None:
        raise NotThere("no_clock", _("There is no such clock on this case."))
    return found


def _next(case: Case, *, without: int = 0) -> datetime:
    """The next moment of the case: its earliest open promise, or what it was before when there is none other."""
    still = Promise.objects.filter(case=case, state=OPEN).exclude(pk=without)
    earliest: datetime | None = still.aggregate(at=Min("due_at"))["at"]
    return earliest or case.due_at or clock.now()
