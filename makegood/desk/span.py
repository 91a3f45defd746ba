"""How far one lead's arm reaches: how many agents they lead, and what they and their people carry just now.

The number stands in a pack that a team may edit, so the database cannot know it: the desk refuses, with the leads locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal
from makegood.cases.models import Case
from makegood.cases.states import OPEN_STATUSES
from makegood.escalation.models import Climb
from makegood.incidents.models import RoomMember
from makegood.packs import escalation
from makegood.people.models import Role, Team, User
from makegood.promises import ledger
from makegood.promises.models import Promise

#: Whom one leads: a manager who sits in a team for a while is not led by its lead.
LED = (Role.AGENT, Role.SPECIALIST)


@dataclass(frozen=True)
class Load:
    """What lies on somebody now: open cases they own, those that climbed their ladder since anybody touched them, open rooms
    that they lead, promises on their cases that are late.
    """

    cases: int = 0
    escalations: int = 0
    rooms: int = 0
    overdue: int = 0

    def __add__(self, other: Load) -> Load:
        return Load(
            self.cases + other.cases,
            self.escalations + other.escalations,
            self.rooms + other.rooms,
            self.overdue + other.overdue,
        )


@dataclass(frozen=True)
class Reach:
    """One lead: how many they lead, whether that is many, and what lies on them and on those whom they lead."""

    lead: User
    agents: int
    most: int
    own: Load
    theirs: Load

    @property
    def warns(self) -> bool:
        return self.agents >= escalation().span_warning

    @property
    def full(self) -> bool:
        return self.agents >= self.most


def led(lead_id: int) -> set[int]:
    """Ids of the people of the desk whom this lead leads, each once, in however many teams of theirs."""
    people = User.objects.filter(teams__lead=lead_id, is_active=True, role__in=LED).exclude(pk=lead_id)
    return set(people.values_list("pk", flat=True))


def hold_leads(leads: Iterable[int | None]) -> dict[int, int]:
    """Lock these leads (two who fill their teams at one moment take turns), and say how many each leads now."""
    wanted = sorted({lead for lead in leads if lead})
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    return {lead.pk: len(led(lead.pk)) for lead in locked}


def refuse_too_many(before: dict[int, int], *, field: str) -> None:
    """Raise Refusal when one of these leads leads more than the rules allow, and more than before."""
    most = escalation().span
    for lead, was in before.items():
        now = len(led(lead))
        if now > most and now > was:
            name = User.objects.values_list("name", flat=True).get(pk=lead)
            raise Refusal(
                "span",
                _("%(name)s would lead %(n)s people; nobody leads more than %(most)s.")
                % {"name": name, "n": now, "most": most},
                field=field,
            )


def loads(people: Iterable[int]) -> dict[int, Load]:
    """What lies on each of these people now, in four queries, however many they are."""
    wanted = list(people)
    mine = Case.objects.filter(owner__in=wanted, status__in=OPEN_STATUSES).order_by()
    cases = dict(mine.values_list("owner").annotate(n=Count("pk")))
    climbs = Climb.objects.filter(case__in=mine, look_at__isnull=False, fired__gt=0)
    climbed = dict(climbs.values_list("case__owner").annotate(n=Count("pk")))
    leads = RoomMember.objects.filter(user__in=wanted, role=RoomMember.Role.LEAD, room__closed_at=None)
    rooms = dict(leads.values_list("user").annotate(n=Count("pk")))
    late = Promise.objects.filter(ledger.overdue(), case__in=mine)
    overdue = dict(late.order_by().values_list("case__owner").annotate(n=Count("pk")))
    return {
        one: Load(cases.get(one, 0), climbed.get(one, 0), rooms.get(one, 0), overdue.get(one, 0))
        for one in wanted
    }


def reaches() -> list[Reach]:
    """Every lead of a team with their span and load; who leads most stands first."""
    leads = list(User.objects.filter(leads__isnull=False, is_active=True).distinct().order_by("name"))
    pairs = Team.objects.filter(
        Q(members__role__in=LED), lead__isnull=False, members__is_active=True
    ).values_list("lead", "members")
    under: dict[int, set[int]] = {lead.pk: set() for lead in leads}
    for lead, member in pairs:
        if lead in under and member != lead:
            under[lead].add(member)
    found = loads({*under, *(one for people in under.values() for one in people)})
    most = escalation().span
    rows = [
        Reach(
            lead, len(under[lead.pk]), most, found[lead.pk], sum((found[p] for p in under[lead.pk]), Load())
        )
        for lead in leads
    ]
    return sorted(rows, key=lambda row: -row.agents)
