"""A team's shifts: entered, repeated, copied from last week, pasted; no verb of a case, so no event. All or nothing each time.

A lead keeps those of the teams that they lead, managers all. The database refuses that somebody is on duty twice at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.escalation import shifts
from makegood.escalation.models import Shift
from makegood.escalation.shifts import WEEK, NoSuchTime, Wall
from makegood.people import calendars, roles
from makegood.people.actors import Actor
from makegood.people.models import Role, Team, User

#: A repeated shift runs for at most so many weeks beyond the first; nobody plans farther ahead than a year.
MOST_WEEKS = 26
AHEAD = timedelta(days=366)
MOST_PASTED = 500


@dataclass(frozen=True)
class Planned:
    """A shift about to be stored; ``line`` is where it stood in what was pasted (0: nowhere)."""

    user: User
    wall: Wall
    line: int = 0


def zone_of(team: Team) -> str:
    """The zone in which the team reads its week: its calendar's, else its lead's, else that of a shop that it serves."""
    if team.calendar_id:
        return calendars.read(calendars.newest(team.calendar_id)).zone
    if team.lead is not None:
        return team.lead.zone
    shop = team.shops.order_by("id").first()
    return shop.zone if shop else settings.TIME_ZONE


def may_keep(team: Team, by: Actor) -> bool:
    """Whether this actor plans the shifts of this team."""
    if not roles.may(by, "keep_shifts"):
        return False
    return by.role in (Role.MANAGER, Role.ADMIN) or team.lead_id == by.user_id


def add(
    team: Team,
    *,
    by: Actor,
    user: User | None,
    day: date | None,
    start: time | None,
    end: time | None,
    weeks: int = 0,
) -> int:
    """Enter a shift, and the same one in each of the ``weeks`` that follow; returns how many. Raises Refusal beside the field."""
    _refuse_not_mine(team, by)
    if user is None:
        raise Refusal("nobody", _("Say who is on duty."), field="user")
    if day is None or start is None or end is None:
        raise Refusal("bad_time", _("Say on which day, from when and until when."), field="day")
    if not 0 <= weeks <= MOST_WEEKS:
        raise Refusal("bad_number", _("At most %(most)s weeks more.") % {"most": MOST_WEEKS}, field="weeks")
    first = Wall(day, start, end)
    return _store(team, [Planned(user, first.later(WEEK * n)) for n in range(weeks + 1)], field="day")


def copy_week(team: Team, monday: date, *, by: Actor) -> int:
    """Copy the shifts of the week before ``monday`` into the week that begins with it, at the same wall times.

    What stands there already stays; people who left the team or are gone are not copied. Returns how many came.
    """
    _refuse_not_mine(team, by)
    zone = zone_of(team)
    there = {(s.user_id, s.starts_at) for s in week_of(team, monday, zone)}
    members = {user.pk: user for user in team.members.filter(is_active=True)}
    found = []
    for shift in week_of(team, monday - WEEK, zone):
        wall = shifts.on_the_wall(shift.starts_at, shift.ends_at, zone).later(WEEK)
        if shift.user_id in members:
            found.append(Planned(members[shift.user_id], wall))
    if not found:
        raise Refusal("nothing", _("The week before has no shifts to copy."))
    missing = [p for p in found if (p.user.pk, _moments(p, zone, "")[0]) not in there]
    if not missing:
        raise Refusal("nothing", _("The shifts of the week before stand here already."))
    return _store(team, missing, field="")


def paste(team: Team, *, by: Actor, text: str) -> int:
    """Take in shifts, one a line: who (name or address), day, from-until. One bad line stops all; nothing is half taken in."""
    _refuse_not_mine(team, by)
    try:
        lines = shifts.pasted(text)
    except shifts.BadLine as bad:
        raise Refusal(
            "bad_line",
            _(
                "Line %(n)s cannot be read: %(text)s. Write a name, a day as 2026-11-23 and times as 09:00-18:00."
            )
            % {"n": bad.n, "text": bad.text[:80]},
            field="text",
        ) from None
    if not 0 < len(lines) <= MOST_PASTED:
        raise Refusal(
            "bad_number",
            _("Paste at least one line, at most %(most)s.") % {"most": MOST_PASTED},
            field="text",
        )
    people = list(team.members.filter(is_active=True))
    return _store(team, [Planned(_named(line, people), line.wall, line.n) for line in lines], field="text")


def drop(team: Team, shift_id: int, *, by: Actor) -> None:
    """Take a shift out. Raises NotThere."""
    _refuse_not_mine(team, by)
    if not Shift.objects.filter(pk=shift_id, team=team).delete()[0]:
        raise NotThere("no_shift", _("There is no such shift."))


def _store(team: Team, planned: list[Planned], *, field: str) -> int:
    zone, now = zone_of(team), clock.now()
    members = set(team.members.filter(is_active=True).values_list("pk", flat=True))
    rows = []
    for one in planned:
        if one.user.pk not in members:
            raise Refusal(
                "not_in_team", _("%(name)s is not in this team.") % {"name": one.user.name}, field="user"
            )
        starts_at, ends_at = _moments(one, zone, field)
        if ends_at <= now:
            raise Refusal("past", _at(one, _("This shift is over already.")), field=field)
        if starts_at > now + AHEAD:
            raise Refusal("bad_time", _at(one, _("Nobody plans farther ahead than a year.")), field=field)
        rows.append(Shift(user=one.user, team=team, starts_at=starts_at, ends_at=ends_at))
    with transaction.atomic():
        people = sorted({row.user_id for row in rows})
        # Two leads who plan one person at the same moment take turns, and the second is told.
        list(User.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk"))
        for one, row in zip(planned, rows, strict=True):
            _refuse_overlap(one, row, zone, field)
            row.save(force_insert=True)
    return len(rows)


def _moments(one: Planned, zone: str, field: str) -> tuple[datetime, datetime]:
    try:
        return one.wall.moments(zone)
    except NoSuchTime:
        raise Refusal(
            "no_such_time",
            _at(
                one,
                _("The clocks of %(zone)s go forward on %(day)s and skip this time; write another one.")
                % {"zone": zone, "day": one.wall.day.isoformat()},
            ),
            field=field,
        ) from None


def _refuse_overlap(one: Planned, row: Shift, zone: str, field: str) -> None:
    other = (
        Shift.objects.filter(user=row.user, starts_at__lt=row.ends_at, ends_at__gt=row.starts_at)
        .select_related("team")
        .first()
    )
    if other is not None:
        wall = shifts.on_the_wall(other.starts_at, other.ends_at, zone)
        raise Refusal(
            "overlap",
            _at(
                one,
                _("%(name)s is on duty then already: %(team)s, %(day)s %(start)s to %(end)s.")
                % {
                    "name": row.user.name,
                    "team": other.team.name,
                    "day": wall.day.isoformat(),
                    "start": f"{wall.start:%H:%M}",
                    "end": f"{wall.end:%H:%M}",
                },
            ),
            field=field,
        )


def _at(one: Planned, reason: object) -> str:
    """The reason with the line of what was pasted in front of it."""
    return spoken("Line %(n)s: %(reason)s") % {"n": one.line, "reason": reason} if one.line else str(reason)


def _named(line: shifts.Line, people: Iterable[User]) -> User:
    wanted = line.who.casefold()
    found = [p for p in people if wanted in (p.name.casefold(), p.email.casefold())]
    if len(found) == 1:
        return found[0]
    reason = (
        _("Line %(n)s: nobody in this team is called %(who)s.")
        if not found
        else _("Line %(n)s: more than one in this team is called %(who)s; write the email address.")
    )
    raise Refusal("unknown_name", reason % {"n": line.n, "who": line.who[:80]}, field="text")


def week_of(team: Team, monday: date, zone: str) -> list[Shift]:
    """The shifts that begin in this week, first things first."""
    begin, end = shifts.week_bounds(monday, zone)
    found = Shift.objects.filter(team=team, starts_at__gte=begin, starts_at__lt=end)
    return list(found.select_related("user").order_by("starts_at", "id"))


def this_monday(zone: str) -> date:
    return shifts.monday(clock.now().astimezone(ZoneInfo(zone)).date())


def _refuse_not_mine(team: Team, by: Actor) -> None:
    roles.check(by, "keep_shifts")
    if not may_keep(team, by):
        raise NotAllowed("not_yours", _("Only the lead of the team, or a manager, plans its shifts."))
