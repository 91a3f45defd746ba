"""How our own cases travel: each hop with its wait, what the level demanded, and what arrived; by team and pair of teams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from statistics import median
from typing import Any

from makegood.base import clock
from makegood.cases.models import Case, CaseEvent
from makegood.escalation.hops import Hop, Moment, bounces, hops
from makegood.escalation.models import Handover
from makegood.packs import escalation
from makegood.people.actors import CUSTOMER, SYSTEM
from makegood.people.models import Team

#: Events that say who has the case; the key of the team in their data.
GIVES = {"taken": "team", "assigned": "team", "handover_accepted": "team"}
_LEVELS = {"opened": "level", "urgency_raised": "to_level", "urgency_lowered": "to_level"}
#: What a relay does: it only hands on.
_HANDS_ON: frozenset[str] = frozenset(
    ["assigned", "handed_over", "handover_accepted", "handover_refused", "taken"]
)

#: The row of a hand-over and its event are written in one transaction, a moment apart.
_SAME = timedelta(seconds=5)


@dataclass(frozen=True)
class Leg:
    """One hop of our own: names, its wait, what its level demanded, and what came with it (None: it came without a card)."""

    nth: int
    giver: str
    receiver: str
    given_at: datetime
    wait: timedelta
    demanded: timedelta
    level: int
    touched: bool
    relay: bool
    carried: dict[str, Any] | None

    @property
    def late(self) -> bool:
        return self.wait > self.demanded

    @property
    def money(self) -> Decimal | None:
        """The loss that its card named."""
        lost = (self.carried or {}).get("money")
        return Decimal(lost) if lost else None

    @property
    def part(self) -> int:
        """The wait in percent of what was demanded, at most 300: the length of its bar."""
        return min(300, round(100 * self.wait / self.demanded))


def of_case(case: Case) -> list[Leg]:
    """The legs of one case, oldest first."""
    events = list(CaseEvent.objects.filter(case=case).order_by("seq"))
    cards = list(Handover.objects.filter(case=case, state=Handover.State.ACCEPTED).order_by("answered_at"))
    return _legs(events, cards, _names(), clock.now())


@dataclass(frozen=True)
class Pair:
    """From one team to another: how often, half of the waits were longer than ``median_wait``, how many too long."""

    giver: str
    receiver: str
    hops: int
    median_wait: timedelta
    late: int
    without_card: int
    relays: int


@dataclass(frozen=True)
class Travel:
    """``waits_for_customer``: by team, how often a case was set to wait for the customer, and how many cases that were."""

    cases: int
    hops: int
    bounced: int
    pairs: list[Pair]
    waits_for_customer: list[tuple[str, int, int]]


def between(since: datetime, until: datetime, *, shops: Sequence[int] | None = None) -> Travel:
    """How the cases opened in [since, until) travelled; of all shops or of ``shops``."""
    cases = Case.objects.filter(opened_at__gte=since, opened_at__lt=until)
    if shops is not None:
        cases = cases.filter(shop_id__in=shops)
    events = CaseEvent.objects.filter(case__in=cases.values("pk")).order_by("case_id", "seq")
    cards: dict[int, list[Handover]] = defaultdict(list)
    for card in Handover.objects.filter(case__in=cases.values("pk"), state=Handover.State.ACCEPTED):
        cards[card.case_id].append(card)
    names, now = _names(), clock.now()
    legs: list[Leg] = []
    bounced, waits = 0, defaultdict[str, list[int]](list)
    for case_id, rows in groupby(events.iterator(chunk_size=5000), key=lambda e: e.case_id):
        own = list(rows)
        legs += _legs(own, cards.get(case_id, []), names, now)
        bounced += bounces(hops(_moments(own, names))) > 0
        for team in _waited(own, names):
            waits[team].append(case_id)
    return Travel(
        cases=cases.count(),
        hops=len(legs),
        bounced=bounced,
        pairs=_pairs(legs),
        waits_for_customer=sorted((t, len(ids), len(set(ids))) for t, ids in waits.items()),
    )


def _legs(events: list[CaseEvent], cards: list[Handover], names: dict[int, str], now: datetime) -> list[Leg]:
    found = []
    levels = [(e.true_at, e.data[_LEVELS[e.kind]]) for e in events if e.kind in _LEVELS]
    for hop in hops(_moments(events, names)):
        level = ([1] + [level for at, level in levels if at <= hop.given_at])[-1]
        card = next((c for c in cards if c.answered_at and abs(c.answered_at - hop.given_at) < _SAME), None)
        found.append(
            Leg(
                nth=hop.nth,
                giver=hop.giver,
                receiver=hop.receiver,
                given_at=hop.given_at,
                wait=hop.wait(now),
                demanded=escalation().accept[level],
                level=level,
                touched=hop.touched_at is not None,
                relay=_relay(events, hop),
                carried=card.carried if card else None,
            )
        )
    return found


def _moments(events: Iterable[CaseEvent], names: dict[int, str]) -> list[Moment]:
    """What people of the desk did, in order; what the customer or the house does is no touch."""
    return [
        Moment(e.true_at, names.get(e.data.get(GIVES.get(e.kind, ""), 0) or 0, ""), str(e.actor_id or ""))
        for e in events
        if e.actor_role not in (CUSTOMER, SYSTEM, "merchant") or e.kind in GIVES
    ]


def _relay(events: list[CaseEvent], hop: Hop) -> bool:
    """Whether the receiver did nothing but hand it on: a hidden line that only adds a wait."""
    after = [e for e in events if e.true_at > hop.given_at and e.actor_id is not None]
    on = next((i for i, e in enumerate(after) if e.kind in GIVES and i), None)
    return on is not None and all(e.kind in _HANDS_ON for e in after[: on + 1])


def _waited(events: list[CaseEvent], names: dict[int, str]) -> list[str]:
    """The team that had the case at each 'waiting for the customer'."""
    team, found = "", []
    for event in events:
        team = names.get(event.data.get(GIVES.get(event.kind, ""), 0) or 0, team)
        if event.kind == "waiting" and event.data.get("waiting_for") == "customer":
            found.append(team)
    return found


def _pairs(legs: list[Leg]) -> list[Pair]:
    grouped: dict[tuple[str, str], list[Leg]] = defaultdict(list)
    for leg in legs:
        grouped[leg.giver, leg.receiver].append(leg)
    return sorted(
        (
            Pair(
                giver,
                receiver,
                len(each),
                timedelta(seconds=median(leg.wait.total_seconds() for leg in each)),
                sum(leg.late for leg in each),
                sum(leg.carried is None for leg in each),
                sum(leg.relay for leg in each),
            )
            for (giver, receiver), each in grouped.items()
        ),
        key=lambda pair: (-pair.hops, pair.giver, pair.receiver),
    )


def _names() -> dict[int, str]:
    return dict(Team.objects.values_list("pk", "name"))
