"""Who is on duty for a team. Shifts say it where a team keeps them; absence always counts. It never answers 'nobody' silently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from makegood.base import clock
from makegood.cases.states import OPEN_STATUSES
from makegood.escalation.models import Absence, Handover, Shift
from makegood.people.models import STAFF, Role, Team, User


@dataclass(frozen=True)
class Person:
    """What duty needs to know of somebody: ``open`` is how many open cases they own."""

    id: int
    on_shift: bool
    away: bool
    open: int


def in_turn(people: Iterable[Person], *, shifts_kept: bool, without: Iterable[int] = ()) -> list[int]:
    """Ids of those who are on duty, the least loaded first. Pure.

    A team that keeps no shifts is on duty whole; one that keeps them has only those on shift, and may be empty.
    """
    skipped = set(without)
    on = [p for p in people if not p.away and (p.on_shift or not shifts_kept) and p.id not in skipped]
    return [p.id for p in sorted(on, key=lambda p: (p.open, p.id))]


def on_duty(team: Team, *, at: datetime | None = None, without: Iterable[int] = ()) -> list[int]:
    """Ids of the team's people on duty at a moment (now), the least loaded first; may be empty: then :func:`above` answers."""
    at = at or clock.now()
    members = User.objects.filter(teams=team, is_active=True, role__in=STAFF).annotate(
        open_cases=Count("owns", filter=Q(owns__status__in=OPEN_STATUSES))
    )
    shifts = Shift.objects.filter(team=team)
    on = set(shifts.filter(starts_at__lte=at, ends_at__gt=at).values_list("user_id", flat=True))
    away = absent(at)
    people = [Person(m.pk, m.pk in on, m.pk in away, m.open_cases) for m in members]
    # A roster that ended is kept no more: 'nobody is on duty for ever' is what a forgotten list would mean.
    kept = shifts.filter(ends_at__gt=at).exists()
    return in_turn(people, shifts_kept=kept, without=without)


def absent(at: datetime | None = None) -> set[int]:
    """Ids of everybody who is away at a moment."""
    at = at or clock.now()
    return set(absences(at).values_list("user_id", flat=True))


def absences(at: datetime) -> QuerySet[Absence]:
    """The absences that last at this moment; one without an end is of somebody who left for good."""
    return Absence.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), starts_at__lte=at)


def is_away(user_id: int | None) -> bool:
    """Whether this person is away now."""
    return user_id is not None and absences(clock.now()).filter(user_id=user_id).exists()


def offered_to(user_id: int | None) -> QuerySet[Handover]:
    """The offers that wait for this person: to them by name, or to a team of theirs and nobody by name; never their own."""
    theirs = Team.objects.filter(members=user_id or 0)
    return Handover.objects.filter(
        Q(to=user_id or 0) | Q(to__isnull=True, to_team__in=theirs), state=Handover.State.OFFERED
    ).exclude(giver=user_id or 0)


def leading(team: Team | None) -> list[int]:
    """Those on duty in the team who may lead (a lead, a manager), the least loaded first."""
    on = on_duty(team) if team else []
    leads = User.objects.filter(pk__in=on, role__in=(Role.LEAD, Role.MANAGER, Role.ADMIN))
    may = set(leads.values_list("pk", flat=True))
    return [user for user in on if user in may]


def above(team: Team | None) -> list[int]:
    """Who answers for a team when nobody in it does: its lead if present, else the managers, else the administrators."""
    away = absent()
    if team and team.lead_id and team.lead_id not in away and team.lead and team.lead.is_active:
        return [team.lead_id]
    for role in (Role.MANAGER, Role.ADMIN):
        people = User.objects.filter(role=role, is_active=True).exclude(pk__in=away)
        if found := list(people.order_by("id").values_list("pk", flat=True)):
            return found
    return []
