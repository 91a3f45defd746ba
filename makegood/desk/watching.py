"""What a finding of the watch does: it opens or joins a case, goes to who can mend it, or is one of many in an incident.

Done once: the finding's row is locked, and says what came of it. Nothing here closes anything: an end of the trouble is said
on the case, and people look. Findings of which too little is known are ranked on the page and open nothing; a day's cases are
capped by rank, so that the gravest reach people first. What people dismiss teaches the limits (watch/house.py).

Over 300 lines: one mechanism, a small function for each thing that may come of a finding.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import DeskError, NotThere, Refusal
from makegood.base.languages import speaking
from makegood.base.words import clean_line
from makegood.cases import links, pen
from makegood.cases.models import Case, CaseEvent
from makegood.cases.states import OPEN_STATUSES
from makegood.cases.urgency import Evidence, Impact, raised
from makegood.conversations import outbox
from makegood.conversations.models import Delivery, Message
from makegood.desk import climbing, handling, incidents, triaging
from makegood.desk.opening import Report, open_case
from makegood.desk.verb import verb
from makegood.packs.watch_shapes import Process
from makegood.packs.watching import processes
from makegood.people import actors, roles
from makegood.people.actors import Actor
from makegood.people.models import STAFF, Team, User
from makegood.transactions.models import Order
from makegood.watch.models import Finding, WatchName, WatchSetting
from makegood.watch.words import all_names, sentence

log = logging.getLogger("makegood.desk")
_BY = actors.system("worker")
#: Below this a finding is ranked and raises no alarm (watch.md 1.6).
SURE_ENOUGH = 0.5
#: Cases that the watch may open for each agent in a day, and findings that are looked at in one go.
A_DAY, AT_ONCE = 10, 200
#: Customers of one fault whose case is opened by itself; the others are brought in from the incident's page.
MOST_OF_A_FAULT = 500
#: The log is read here and by who makes orders of it (transactions/applying.py), each at its own pace.
NOT_APPLIED_YET = timedelta(minutes=5)
State, Acted = Finding.State, Finding.Acted


def act_on_waiting(stop: Callable[[], bool] = lambda: False) -> int:
    """Act on what was found and nobody acted on yet, the gravest first; and say on cases what is over. How many."""
    waiting = Finding.objects.filter(state=State.RAISED, acted__in=[Acted.NOT_YET, Acted.TOO_MANY])
    if room() <= 0:
        waiting = waiting.filter(Q(acted=Acted.NOT_YET) | Q(fault__isnull=False) | Q(kind="systemic"))
    # A fault before what it explains: else its first children would open cases that look like their own trouble.
    order = sorted(
        waiting.order_by("-rank").values_list("kind", "pk")[:AT_ONCE], key=lambda row: row[0] != "systemic"
    )
    over = Finding.objects.filter(state=State.RECOVERED, told="raised").values_list("pk", flat=True)[:AT_ONCE]
    done = 0
    for act, pk in [*((act_on, pk) for _kind, pk in order), *((say_over, pk) for pk in over)]:
        if stop():
            break
        try:
            act(pk)
            done += 1
        except DeskError as error:  # one that cannot be acted on stops no other; it stays in the list
            log.warning("finding %s: %s", pk, error)
            Finding.objects.filter(pk=pk, acted=Acted.NOT_YET).update(
                acted=Acted.NOBODY, acted_at=clock.now()
            )
    return done


def room() -> int:
    """How many more cases the watch may open in these 24 hours."""
    people = (
        User.objects.filter(is_active=True, role__in=STAFF).exclude(role__in=["manager", "admin"]).count()
    )
    since = clock.now() - timedelta(days=1)
    opened = Finding.objects.filter(acted=Acted.OPENED, incident=None, acted_at__gte=since).count()
    return A_DAY * max(people, 1) - opened


def act_on(pk: int) -> Finding | None:
    """Act on one finding; None when somebody else did. Raises DeskError of the verbs below; then nothing is written."""
    with transaction.atomic():
        rows = Finding.objects.select_for_update(of=("self",), skip_locked=True).select_related("shop")
        finding = rows.filter(pk=pk, state=State.RAISED, acted__in=[Acted.NOT_YET, Acted.TOO_MANY]).first()
        if finding is None:
            return None
        if why := _left(finding):
            _mark(finding, why)
        elif finding.kind == "systemic":
            _as_fault(finding)
        else:
            _as_one(finding)
    return finding


def _left(finding: Finding) -> str:
    """Why nothing is done; '' when something is."""
    if not on_for(finding):
        return Acted.OFF
    if finding.confidence < SURE_ENOUGH and finding.kind != "systemic":
        return Acted.GUESS
    return ""


def on_for(finding: Finding) -> bool:
    off = WatchSetting.objects.filter(process=finding.process, on=False)
    return not off.filter(Q(shop=None) | Q(shop=finding.shop_id)).exists()


def _as_one(finding: Finding) -> object:
    """Its own case: the open one of its order, else a new one. In a fault's incident where one explains it."""
    fault = _fault_of(finding)
    incident = fault.incident if fault else None
    case = _open_case_of(finding)
    acted = Acted.JOINED
    if case is None:
        if incident is None and room() <= 0:
            return _mark(finding, Acted.TOO_MANY)
        if incident and incident.findings.filter(acted=Acted.OPENED).count() >= MOST_OF_A_FAULT:
            return _mark(finding, Acted.INCIDENT, incident=incident)
        case, acted = _opened(finding), Acted.OPENED
        if case is None:
            young = clock.now() - finding.found_at < NOT_APPLIED_YET
            return None if young else _mark(finding, Acted.NOBODY)
    if incident and incidents.standing_of(case) is None:
        incidents.join_incident(case, incident, by=_BY)
    _mark(finding, acted, case=case, incident=incident)
    return notice(case, finding, by=_BY)


def _fault_of(finding: Finding) -> Finding | None:
    """The fault that explains it: the one it was told with, else what stands still at its step, also when that was found later."""
    faults = Finding.objects.filter(kind="systemic", state=State.RAISED).exclude(incident=None)
    faults = faults.filter(incident__closed_at=None).select_related("incident")
    same = Q(step=finding.step, since__lte=finding.found_at) & (Q(lane=finding.lane) | Q(shop=None))
    return faults.filter(same | Q(uid=finding.fault or 0)).order_by("-id").first()


def _as_fault(finding: Finding) -> object:
    """One incident: its anchor is a case of who waits longest, and every open case of those who wait is in it."""
    affected = [int(key) for key in finding.data.get("affected", ())]
    names = {n.pk: n for n in WatchName.objects.filter(pk__in=affected).exclude(order_number="")}
    waiting = [names[key] for key in affected if key in names]
    orders = Q(pk__in=[])
    for name in waiting:
        orders |= Q(shop_id=name.shop_id, order_number=name.order_number)
    known = list(Case.objects.filter(orders, status__in=OPEN_STATUSES).order_by("id")[: incidents.AT_ONCE])
    free = [case for case in known if incidents.standing_of(case) is None]
    anchor = free[0] if free else next((c for name in waiting if (c := _opened(finding, name))), None)
    if anchor is None:
        young = clock.now() - finding.found_at < NOT_APPLIED_YET
        return None if young else _mark(finding, Acted.NOBODY)
    process = processes().get(finding.process)
    common = {"type": process.type} if process and process.type else {}
    with speaking(anchor.shop.language):
        words = said(finding)
    event = incidents.open_incident(anchor, by=_BY, words=words, common=common, cases=free[1:])
    incident = incidents.standing_of(anchor).incident  # type: ignore[union-attr]
    _mark(finding, Acted.INCIDENT, case=anchor, incident=incident)
    Finding.objects.filter(fault=finding.uid, incident=None).update(incident=incident)
    return notice(event.case, finding, by=_BY)


def _open_case_of(finding: Finding) -> Case | None:
    if not finding.order_number:
        return None
    same = Case.objects.filter(
        shop=finding.shop_id, order_number=finding.order_number, status__in=OPEN_STATUSES
    )
    return same.select_related("shop", "customer").order_by("id").first()


def _opened(finding: Finding, name: WatchName | None = None) -> Case | None:
    """A new case for the order of the finding (or of ``name``), sorted and with who can mend it; None: no customer is known."""
    shop, number = (name.shop_id, name.order_number) if name else (finding.shop_id, finding.order_number)
    order = Order.objects.select_related("shop", "customer").filter(shop=shop, number=number or "-").first()
    if order is None or order.customer is None:
        return None
    process = processes().get(finding.process)
    type_code = _type(process, finding)
    lost = finding.kind == "duplicate" and finding.amount
    with speaking(order.customer.language):
        report = Report(
            text=for_customer(finding, order.number),
            subject=step_name(finding),
            order_number=order.number,
            language=order.customer.language,
            type=type_code,
            impact=Impact(money_lost=finding.amount, currency=finding.currency or order.currency)
            if lost
            else Impact(),
            noticed=True,
        )
    case = open_case(order.shop, report, by=_BY, customer=order.customer).case
    if type_code:
        triaging.triage(case, triaging.Sorting(type=type_code), by=_BY, seen=None)
    if team := who_can_mend(finding, order.shop_id):
        handling.assign(case, by=_BY, seen=None, team=team)
    if WatchSetting.objects.filter(process=finding.process, shop=order.shop_id, tell_first=True).exists():
        first = Message.objects.filter(case=case).order_by("id").first()
        outbox.letter(case, Delivery.What.REPLY, link=links.make(case), message=first)
    return Case.objects.select_related("shop", "customer").get(pk=case.pk)


def _type(process: Process | None, finding: Finding) -> str:
    if finding.step in ("payment.twice", "payment.alike"):
        return "payment.double"
    return process.type if process else ""


def who_can_mend(finding: Finding, shop: int | None) -> Team | None:
    """The team with the skill of the step (the highest tier first): a queue that stands still is not mended at the front line."""
    process = processes().get(finding.process)
    step = process.steps.get(finding.step) if process else None
    if step is None or not step.skill:
        return None
    teams = Team.objects.filter(skill=step.skill).filter(Q(shops=None) | Q(shops=shop))
    return teams.order_by("-tier", "id").first()


@verb("notice")
def notice(case: Case, finding: Finding, *, by: Actor) -> CaseEvent:
    """The watch says on a case what it found: it rises to what money, clock and fault demand, and its lead hears of a grave one."""
    case = pen.hold(case.pk)
    evidence = [Evidence(level_of(finding), f"watch:{finding.kind}")]
    now = (case.urgency, case.urgency_floor)
    rises = evidence if raised(*now, evidence) != now else []
    Finding.objects.filter(pk=finding.pk).update(told="raised")
    data = {"finding": finding.pk, "watched": finding.step}
    event = pen.write(case, "watch_noticed", by=by, data=data, evidence=rises, touched_at=case.touched_at)
    if level_of(finding) >= 4:
        climbing.by_watch(case, cause=event)
    return event


def level_of(finding: Finding) -> int:
    """4 for a fault; 3 where a promise is over, or money moved that should not have; else 2."""
    if finding.kind == "systemic":
        return 4
    broken = finding.promised_at is not None and finding.promised_at <= clock.now()
    return 3 if broken or finding.kind in ("duplicate", "mismatch") else 2


def say_over(pk: int) -> None:
    """The trouble ended by itself: its case says so, and stays open until the customer's word."""
    with transaction.atomic():
        rows = Finding.objects.select_for_update(of=("self",), skip_locked=True).select_related("case")
        finding = rows.filter(pk=pk, state=State.RECOVERED, told="raised").first()
        if finding is None:
            return
        Finding.objects.filter(pk=pk).update(told="recovered")
        if finding.case and finding.case.is_open:
            notice_over(finding.case, finding, by=_BY)


@verb("notice")
def notice_over(case: Case, finding: Finding, *, by: Actor) -> CaseEvent:
    """What was noticed is over: said on the case, nothing is closed by it."""
    case = pen.hold(case.pk)
    data = {"finding": finding.pk, "watched": finding.step}
    return pen.write(case, "watch_over", by=by, data=data, touched_at=case.touched_at)


def dismiss(finding: Finding, *, by: Actor, reason: str, words: str = "") -> Finding:
    """Say that a finding is none, and why. 'Usual here' lowers the limit of its step after some of them (watch/house.py)."""
    roles.check(by, "dismiss_finding")
    if reason not in Finding.Reason.values:
        raise Refusal("unknown_code", _("Choose why it is no trouble."), field="reason")
    words = clean_line(words, limit=500, field="words", required=False)
    with transaction.atomic():
        held = Finding.objects.select_for_update(of=("self",)).select_related("case").get(pk=finding.pk)
        if held.state == State.DISMISSED:
            raise Refusal("dismissed", _("Somebody has dismissed it already."))
        held.state, held.dismissed_because, held.dismissed_words = State.DISMISSED, reason, words
        held.dismissed_by_id, held.dismissed_at = by.person, clock.now()
        held.save(
            update_fields=["state", "dismissed_because", "dismissed_words", "dismissed_by", "dismissed_at"]
        )
        if held.case and held.case.is_open:
            note_dismissed(held.case, held, by=by)
    return held


@verb("dismiss_finding")
def note_dismissed(case: Case, finding: Finding, *, by: Actor) -> CaseEvent:
    """A person says on the case that what the watch noticed is no trouble; the case itself is theirs to end."""
    case = pen.hold(case.pk)
    return pen.write(case, "watch_dismissed", by=by, data={"finding": finding.pk, "watched": finding.step})


def finding_for(actor: Actor, pk: int) -> Finding:
    """The finding with this id; NotThere unless the actor serves its shop."""
    from makegood.cases.access import shops_served

    roles.check(actor, "see_watch")
    found = Finding.objects.select_related("shop", "case", "incident", "dismissed_by").filter(pk=pk).first()
    served = shops_served(actor)
    if found is None or (found.shop_id and served is not None and found.shop_id not in served):
        raise NotThere("no_finding", _("There is no such finding."))
    return found


def said(finding: Finding) -> str:
    """Its sentence, in the active language, with its age as it is now."""
    data = dict(finding.data)
    if finding.state == State.RAISED:
        data["age"] = max((clock.now() - finding.since).total_seconds(), float(data.get("age", 0)))
    return sentence(finding.code, data, all_names(processes()))


def step_name(finding: Finding) -> str:
    name = all_names(processes()).get(finding.step)
    return str(name) if name else finding.step


def for_customer(finding: Finding, order: str) -> str:
    """What the customer may read of it: no statistics, no promise that nobody gave."""
    words = {"order": order, "step": step_name(finding)}
    if finding.kind == "duplicate":
        return spoken("We noticed that something may have been recorded twice for your order %(order)s (%(step)s). We are checking it; you need not do anything.") % words  # fmt: skip
    return spoken("We noticed that something takes longer than it should for your order %(order)s (%(step)s). We are looking into it; you need not do anything.") % words  # fmt: skip


def _mark(finding: Finding, acted: str, **more: object) -> Finding:
    finding.acted, finding.acted_at = acted, clock.now()
    for name, value in more.items():
        setattr(finding, name, value)
    finding.save(update_fields=["acted", "acted_at", *more])
    return finding
