"""What a finding of the watch does: it opens or joins a case, goes to who can mend it, or is one of many in an incident.

Done once: the finding's row is locked, and says what came of it. Nothing here closes anything: an end of the trouble is said
on the case, and people look. Findings of which too little is known are ranked on the page and open nothing; a day's cases are
capped by rank, so that the gravest reach people first.
A finding always reaches somebody: where no customer is known the case says so, and people ask the shop.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from makegood.base import clock
from makegood.base.errors import DeskError
from makegood.base.languages import speaking
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.cases.states import OPEN_STATUSES
from makegood.cases.urgency import Evidence, raised
from makegood.desk import climbing, incidents, watch_cases, watch_customers
from makegood.desk.verb import verb
from makegood.packs.watching import processes
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import STAFF, User
from makegood.watch.models import Finding, WatchName, WatchSetting

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
    return done + watch_customers.take_over(stop)


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
        if _customer_may_come(finding):
            return None
        case, acted = watch_cases.opened(finding), Acted.OPENED
        if case is None:
            return _mark(finding, Acted.NOBODY)
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
    names = {n.pk: n for n in WatchName.objects.filter(pk__in=affected, shop__isnull=False)}
    waiting = [names[key] for key in affected if key in names]
    orders = Q(pk__in=[])
    for name in (one for one in waiting if one.order_number):
        orders |= Q(shop_id=name.shop_id, order_number=name.order_number)
    known = list(Case.objects.filter(orders, status__in=OPEN_STATUSES).order_by("id")[: incidents.AT_ONCE])
    free = [case for case in known if incidents.standing_of(case) is None]
    anchor = free[0] if free else None
    if anchor is None:
        named = [name for name in waiting if watch_cases.customer_of(name.shop_id, name.order_number)]
        if not named and clock.now() - finding.found_at < NOT_APPLIED_YET:
            return None
        anchor = next((c for name in named or waiting if (c := watch_cases.opened(finding, name))), None)
    if anchor is None:
        return _mark(finding, Acted.NOBODY)
    process = processes().get(finding.process)
    common = {"type": process.type} if process and process.type else {}
    with speaking(anchor.shop.language):
        words = watch_cases.said(finding)
    event = incidents.open_incident(anchor, by=_BY, words=words, common=common, cases=free[1:])
    incident = incidents.standing_of(anchor).incident  # type: ignore[union-attr]
    _mark(finding, Acted.INCIDENT, case=anchor, incident=incident)
    Finding.objects.filter(fault=finding.uid, incident=None).update(incident=incident)
    return notice(event.case, finding, by=_BY)


def _customer_may_come(finding: Finding) -> bool:
    """Whether the order may still be made of the log, with its customer."""
    young = clock.now() - finding.found_at < NOT_APPLIED_YET
    return young and watch_cases.customer_of(finding.shop_id, finding.order_number) is None


def _open_case_of(finding: Finding) -> Case | None:
    if not finding.order_number:
        return None
    same = Case.objects.filter(
        shop=finding.shop_id, order_number=finding.order_number, status__in=OPEN_STATUSES
    )
    return same.select_related("shop", "customer").order_by("id").first()


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


def _mark(finding: Finding, acted: str, **more: object) -> Finding:
    finding.acted, finding.acted_at = acted, clock.now()
    for name, value in more.items():
        setattr(finding, name, value)
    finding.save(update_fields=["acted", "acted_at", *more])
    return finding
