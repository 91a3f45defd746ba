"""What the page of duty reads: a team's week, who is on duty and who is away now, how far each lead's arm reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from makegood.base import clock
from makegood.desk import rostering, span
from makegood.desk.span import Load, Reach
from makegood.escalation import duty, shifts
from makegood.escalation.models import Absence, Shift
from makegood.escalation.shifts import Wall
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import STAFF, Role, Team, User

#: How far ahead an absence is shown.
AHEAD = timedelta(days=60)


@dataclass(frozen=True)
class OnWall:
    """One shift as the week shows it."""

    shift: Shift
    wall: Wall


@dataclass
class Member:
    """One person of the team in this week: their shifts by day (from Monday), on which days they are away, what lies on them."""

    user: User
    load: Load
    on_duty: bool = False
    away_now: bool = False
    days: list[list[OnWall]] = field(default_factory=lambda: [[] for _day in range(7)])
    away: list[bool] = field(default_factory=lambda: [False] * 7)

    @property
    def cells(self) -> list[tuple[list[OnWall], bool]]:
        return list(zip(self.days, self.away, strict=True))


@dataclass(frozen=True)
class DutyPage:
    """``on_duty``: who is on duty now; empty: ``stands_in`` answers. ``kept``: the team keeps shifts at all."""

    team: Team | None
    teams: list[Team]
    may_keep: bool
    zone: str
    monday: date
    days: list[date]
    members: list[Member]
    on_duty: list[User]
    stands_in: list[User]
    kept: bool
    away: list[Absence]
    mine: list[Absence]
    reaches: list[Reach]

    @property
    def today(self) -> date:
        return clock.today(self.zone)

    @property
    def before(self) -> date:
        return self.monday - shifts.WEEK

    @property
    def after(self) -> date:
        return self.monday + shifts.WEEK


def teams_of(by: Actor) -> list[Team]:
    """Every team, those that the reader leads or is in first."""
    mine = set(Team.objects.filter(members=by.user_id).values_list("pk", flat=True))
    teams = Team.objects.select_related("lead").order_by("tier", "name")
    return sorted(teams, key=lambda team: (team.lead_id != by.user_id, team.pk not in mine))


def read(by: Actor, *, team_id: int | None = None, week: date | None = None) -> DutyPage:
    """The page for this reader: of the team asked for, else their own, else the first one."""
    roles.check(by, "see_duty")
    teams = teams_of(by)
    team = next((t for t in teams if t.pk == team_id), teams[0] if teams else None)
    now = clock.now()
    zone = rostering.zone_of(team) if team else "UTC"
    monday = shifts.monday(week) if week else rostering.this_monday(zone)
    people = list(team.members.filter(is_active=True, role__in=STAFF).order_by("name")) if team else []
    loads = span.loads(one.pk for one in people)
    on = duty.on_duty(team) if team else []
    away_now = duty.absent(now)
    members = {one.pk: Member(one, loads[one.pk], one.pk in on, one.pk in away_now) for one in people}
    if team:
        _fill(members, team, monday, zone)
    names = User.objects.in_bulk({*on, *duty.above(team)})
    away = Absence.objects.filter(user__in=members, ends_at__gt=now, starts_at__lt=now + AHEAD)
    return DutyPage(
        team=team,
        teams=teams,
        may_keep=bool(team and rostering.may_keep(team, by)),
        zone=zone,
        monday=monday,
        days=[monday + timedelta(days=n) for n in range(7)],
        members=list(members.values()),
        on_duty=[names[pk] for pk in on],
        stands_in=[] if on else [names[pk] for pk in duty.above(team)],
        kept=bool(team) and Shift.objects.filter(team=team, ends_at__gt=now).exists(),
        away=list(away.select_related("user", "by").order_by("starts_at")[:200]),
        mine=list(Absence.objects.filter(user=by.user_id or 0, ends_at__gt=now).order_by("starts_at")[:50]),
        reaches=span.reaches() if by.role in (Role.LEAD, Role.MANAGER, Role.ADMIN) else [],
    )


def _fill(members: dict[int, Member], team: Team, monday: date, zone: str) -> None:
    for shift in rostering.week_of(team, monday, zone):
        wall = shifts.on_the_wall(shift.starts_at, shift.ends_at, zone)
        if shift.user_id in members and 0 <= (wall.day - monday).days < 7:
            members[shift.user_id].days[(wall.day - monday).days].append(OnWall(shift, wall))
    begin, end = shifts.week_bounds(monday, zone)
    for gone in Absence.objects.filter(user__in=members, starts_at__lt=end, ends_at__gt=begin):
        for n in range(7):
            first, last = _day(monday + timedelta(days=n), zone)
            if gone.starts_at < last and (gone.ends_at is None or gone.ends_at > first):
                members[gone.user_id].away[n] = True


def _day(day: date, zone: str) -> tuple[datetime, datetime]:
    begin, _end = shifts.week_bounds(day, zone)
    end, _rest = shifts.week_bounds(day + shifts.DAY, zone)
    return begin, end
