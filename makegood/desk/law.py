"""What the law says about a case: the clocks that run, those that could, whose time they are, and what silence means.

Reading only; the verbs stand in ``desk/clocks.py``. The time of others (a customer's right to withdraw, an issuer's
inquiry) is shown and never given as a promise of ours. Where two clocks run, the earlier stands first; none is merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from makegood.base import clock
from makegood.base.calendar import Calendar, NeverOpen
from makegood.base.languages import Text3
from makegood.cases.models import Case
from makegood.packs.legal import clocks
from makegood.packs.legal_shapes import Rule, Trigger
from makegood.people import calendars
from makegood.people.calendars import CalendarVersion
from makegood.people.models import Shop
from makegood.promises.clocks import due
from makegood.promises.models import Promise
from makegood.promises.switches import ClockSwitch, is_on, switched
from makegood.transactions import orders
from makegood.transactions.models import Order, Payment, Shipment

_STATE = Shipment.State
_NOT_SENT = frozenset({_STATE.LABEL, _STATE.CANCELLED})
_RETURNED = frozenset({_STATE.CAME_BACK})


@dataclass(frozen=True)
class Around:
    """What the shop has told of the order of a case."""

    order: Order | None
    payments: list[Payment]
    shipments: list[Shipment]

    @classmethod
    def of(cls, case: Case) -> Around:
        """Two queries where an order is known (three where the case knows only its number: the shop told of it afterwards)."""
        order = orders.of_case(case.shop_id, case.order, case.order_number)
        if order is None:
            return cls(None, [], [])
        return cls(
            order,
            list(Payment.objects.filter(order=order).order_by("id")),
            list(Shipment.objects.filter(order=order).order_by("id")),
        )

    def known(self, case: Case) -> dict[str, datetime]:
        """When each event happened that may start a clock, as far as the shop has told it.

        The shop tells no moment of payment of its own: when it first spoke of the payment stands in for it, and an
        agent who knows better corrects the clock. Of several receipts the last counts, of several returns the first.
        """
        paid = [p.told_at for p in self.payments if p.state == Payment.State.TAKEN]
        came = [s.last_scan_at or s.told_at for s in self.shipments if s.state == _STATE.DELIVERED]
        back = [s.last_scan_at or s.told_at for s in self.shipments if s.state in _RETURNED]
        found = {
            "report": case.opened_at,
            "order": self.order.placed_at if self.order else None,
            "payment": min(paid, default=None),
            "delivery": max(came, default=None),
            "return": min(back, default=None),
        }
        now = clock.now()
        return {name: at for name, at in found.items() if at is not None and at <= now}

    def facts(self) -> frozenset[str]:
        """What is known to be so, by the codes of a rule's ``unless``."""
        sent = any(s.state not in _NOT_SENT for s in self.shipments)
        return frozenset({"dispatched"}) if sent else frozenset()


@dataclass(frozen=True)
class Running:
    """A clock that runs or ran: its promise, with the row of the rule as it stood when it started."""

    promise: Promise
    name: str
    says: str
    silence: str
    consequence: str
    last_day: date
    days_left: int

    @property
    def row(self) -> Mapping[str, Any]:
        """Authority, source, certainty and the rest of the rule, from the snapshot."""
        policy: Mapping[str, Any] = self.promise.policy
        return policy


@dataclass(frozen=True)
class Possible:
    """A rule that may apply. ``at`` and ``ends`` are known only where the shop told of the event."""

    rule: Rule
    trigger: Trigger | None
    silence: str
    consequence: str
    who: str
    evidence: str
    at: datetime | None
    ends: datetime | None
    on: bool


@dataclass(frozen=True)
class Law:
    """What the law says about one case, to staff."""

    running: list[Running]
    past: list[Running]
    ours: list[Possible]
    theirs: list[Possible]
    notes: list[Possible]

    @property
    def is_silent(self) -> bool:
        return not (self.running or self.past or self.ours or self.theirs or self.notes)


def of_case(case: Case, promises: Iterable[Promise], around: Around) -> Law:
    """The law of the case; ``promises`` are all of it. One query beside those of the calendars, none while unsorted."""
    legal = [p for p in promises if p.what == Promise.What.LEGAL]
    running = [shown(p) for p in legal if p.state == Promise.State.OPEN]
    past = [shown(p) for p in legal if p.state != Promise.State.OPEN][::-1]
    found: list[Possible] = []
    if case.type and case.is_open:
        switches, runs = switched(case.shop_id), {r.promise.rule for r in running}
        found = [p for p in possible(case, around, switches) if p.rule.code not in runs]
    notes = [p for p in found if p.rule.kind == "note"]
    return Law(
        running=sorted(running, key=lambda r: r.promise.due_at),
        past=past,
        ours=[p for p in found if p.rule.is_ours],
        theirs=[p for p in found if p.rule.kind == "deadline" and not p.rule.is_ours],
        notes=notes,
    )


def possible(case: Case, around: Around, switches: Mapping[str, ClockSwitch]) -> list[Possible]:
    """Every rule that may apply to the case and was not switched off; those whose event is known stand first."""
    known, facts = around.known(case), around.facts()
    counted: dict[str, Calendar] = {}
    found = []
    for rule in applying(case, around, facts):
        on = is_on(rule, dict(switches))
        if rule.code in switches and not on:
            continue
        trigger = clocks().triggers.get(rule.trigger)
        at = known.get(trigger.known_from) if trigger else None
        found.append(_possible(rule, trigger, at, _ends(rule, at, case.shop, counted) if at else None, on))
    far = datetime.max.replace(tzinfo=clock.now().tzinfo)
    return sorted(found, key=lambda p: p.ends or far)


def applying(case: Case, around: Around, facts: frozenset[str]) -> list[Rule]:
    """The rules of the shop's jurisdictions for this problem, in force today, that nothing known speaks against."""
    places = clocks().of_shop(case.shop.zone, case.shop.currency)
    types = {case.type, case.second_type} - {""}
    methods = [p.method.lower() for p in around.payments if p.method]
    today = clock.today(case.shop.zone)
    return [
        rule
        for rule in clocks().rules.values()
        if rule.jurisdiction in places
        and (not rule.types or types & set(rule.types))
        and (not rule.payments or not methods or any(w in m for w in rule.payments for m in methods))
        and not facts & set(rule.unless)
        and rule.stands(today)
    ]


def shown(promise: Promise) -> Running:
    """A legal promise as the sheet shows it, in the active language."""
    row = promise.policy
    zone = promise.calendar.data["zone"] if promise.calendar else promise.case.shop.zone
    last = Calendar(zone, ((),) * 7).local(promise.due_at)
    return Running(
        promise=promise,
        name=_said(row.get("name"), promise.rule),
        says=_said(row.get("says")),
        silence=_said(row.get("silence_says")),
        consequence=_said(row.get("consequence_says")),
        last_day=last,
        days_left=(last - clock.today(zone)).days,
    )


def place_of(rule: Rule, shop: Shop) -> tuple[str, str]:
    """By which calendar and in which zone the days of ``rule`` are counted for this shop."""
    place = clocks().jurisdictions[rule.jurisdiction]
    zone = shop.zone if not place.zone or shop.zone in place.zones else place.zone
    return place.calendar, zone


def counting(rule: Rule, shop: Shop) -> tuple[Calendar, CalendarVersion]:
    """The calendar that counts for ``rule``: that of its country, not the shop's own hours. Made when it is missing."""
    code, zone = place_of(rule, shop)
    version = calendars.weekdays(zone) if code == calendars.WEEKDAYS else calendars.of_country(code)
    return calendars.read(version), version


def _ends(rule: Rule, at: datetime, shop: Shop, counted: dict[str, Calendar]) -> datetime | None:
    if rule.kind != "deadline":
        return None
    code, zone = place_of(rule, shop)
    key = code if rule.counts_working_days else f"zone:{zone}"
    if key not in counted:
        plain = Calendar(zone, (calendars.arithmetic.ALL_DAY,) * 5 + ((),) * 2)
        read = rule.counts_working_days and code != calendars.WEEKDAYS
        counted[key] = calendars.seen(code) if read else plain
    try:
        return due(rule, at, counted[key])
    except NeverOpen:
        return None


def _possible(
    rule: Rule, trigger: Trigger | None, at: datetime | None, ends: datetime | None, on: bool
) -> Possible:
    pack = clocks()
    return Possible(
        rule=rule,
        trigger=trigger,
        silence=str(pack.silences[rule.silence].name),
        consequence=str(pack.consequences[rule.consequence].name),
        who=str(pack.parties[rule.who_must_act].name),
        evidence=", ".join(str(pack.evidence[e].name) for e in rule.evidence),
        at=at,
        ends=ends,
        on=on,
    )


def _said(three: Any, otherwise: str = "") -> str:
    return str(Text3(**three)) if isinstance(three, dict) else otherwise
