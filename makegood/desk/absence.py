"""Somebody is away, or has left for good: what they own goes back to their team, what they were offered goes on to the next,
and so do the war rooms that they lead.

Entering an absence is no verb of a case. When it begins the sweep takes case by case (:func:`hand_back`), the most urgent
first; while it lasts it looks again, for a case that its customer opens anew still has its old owner.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import DeskError, NotAllowed, NotThere, Refusal
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.cases.states import OPEN_STATUSES
from makegood.desk import handing, notices, room_passing
from makegood.desk.verb import verb
from makegood.escalation import duty
from makegood.escalation.models import Absence, Handover
from makegood.incidents.models import Room
from makegood.people import actors, roles
from makegood.people.actors import Actor
from makegood.people.models import STAFF, Role, Team, User

log = logging.getLogger(__name__)
#: From this level on a case is given to somebody who is there, and does not wait in the team for who takes it.
URGENT = 4
#: How many cases one look hands back: they stay locked until it commits.
AT_ONCE = 4
#: How often it is looked again while somebody is away; how long after one that could not be handed back.
AGAIN, LATER = timedelta(minutes=10), timedelta(minutes=2)
LONGEST = timedelta(days=366)
_BY = actors.system("worker")


def go_away(user: User, *, by: Actor, starts_at: datetime | None, ends_at: datetime | None) -> Absence:
    """Enter that this person is away from one moment to another: their own absence, or a lead for who is in their teams.

    Raises Refusal beside 'starts_at' or 'ends_at', NotAllowed for the absence of somebody else's people.
    """
    roles.check(by, "be_away")
    refuse_not_theirs(user, by)
    now = clock.now()
    starts_at = now if starts_at is None else max(starts_at, now)  # what began already begins now
    if ends_at is None or ends_at <= starts_at:
        raise Refusal("bad_time", _("The end must come after the beginning, ahead of now."), field="ends_at")
    if starts_at > now + LONGEST or ends_at > starts_at + LONGEST:
        raise Refusal("bad_time", _("At most a year, beginning within a year."), field="ends_at")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two who enter it at once take turns
        others = Absence.objects.filter(user=user, starts_at__lt=ends_at)
        if others.filter(ends_at__isnull=True).exists() or others.filter(ends_at__gt=starts_at).exists():
            raise Refusal(
                "away_already", _("They are away at that time already; end that first."), field="starts_at"
            )
        return Absence.objects.create(
            user=user, starts_at=starts_at, ends_at=ends_at, by_id=by.person, look_at=starts_at
        )


def come_back(absence_id: int, *, by: Actor) -> Absence:
    """They are here again, or do not go: an absence that has begun ends now, one ahead is taken away."""
    roles.check(by, "be_away")
    with transaction.atomic():
        found = Absence.objects.select_for_update(of=("self",)).select_related("user").filter(pk=absence_id)
        row, now = found.first(), clock.now()
        if row is None or row.ends_at is None or row.ends_at <= now:
            raise NotThere("no_absence", _("There is no such absence."))
        refuse_not_theirs(row.user, by)
        if row.starts_at >= now:
            row.delete()
        else:
            row.ends_at, row.look_at = now, None
            row.save(update_fields=["ends_at", "look_at"])
    return row


def leave_for_good(user: User, *, by: Actor) -> None:
    """They may not sign in any more, or are no colleagues any more: their absence has no end. Called by ``peopling.save_user``."""
    now = clock.now()
    Absence.objects.filter(user=user, starts_at__lte=now, ends_at__gt=now).update(ends_at=now, look_at=None)
    Absence.objects.filter(user=user, starts_at__gt=now).delete()
    if not Absence.objects.filter(user=user, ends_at__isnull=True).exists():
        Absence.objects.create(user=user, starts_at=now, by_id=by.user_id, look_at=now)


def return_for_good(user: User) -> None:
    """They may sign in again: the absence without an end has one."""
    open_end, now = Absence.objects.filter(user=user, ends_at__isnull=True), clock.now()
    open_end.filter(starts_at__gte=now).delete()
    open_end.update(ends_at=now, look_at=None)


def refuse_not_theirs(user: User, by: Actor) -> None:
    """One's own, or by who leads them; managers for everybody."""
    if user.role not in STAFF:
        raise Refusal("not_staff", _("Only people of the desk have duty."), field="user")
    if user.pk == by.user_id or by.role in (Role.MANAGER, Role.ADMIN):
        return
    if by.role == Role.LEAD and Team.objects.filter(lead=by.user_id, members=user.pk).exists():
        return
    raise NotAllowed("not_yours", _("Only they themselves or their lead enter this."), field="user")


def look(row: Absence) -> None:
    """The sweep's: hand on what was offered to them, hand back what they own, pass on the rooms that they lead, look again."""
    now = clock.now()
    if row.ends_at is not None and row.ends_at <= now:
        Absence.objects.filter(pk=row.pk).update(look_at=None, set_back=0, trouble="")
        return
    offers = Handover.objects.filter(to=row.user_id, state=Handover.State.OFFERED).select_related("case")
    failed = sum(not _done(pass_from, offer.case) for offer in offers.order_by("id")[:AT_ONCE])
    owned = Case.objects.filter(owner=row.user_id, status__in=OPEN_STATUSES).order_by("-urgency", "id")
    found = list(owned[: AT_ONCE + 1])
    failed += sum(not _done(_back, case, row.user_id) for case in found[:AT_ONCE])
    failed += sum(not _done(_pass_room, room.case, room, row) for room in room_passing.rooms_of(row.user_id))
    wait = AGAIN if len(found) <= AT_ONCE else timedelta()
    look_at = now + (LATER if failed else wait)
    if row.ends_at is not None:
        look_at = min(look_at, row.ends_at)
    Absence.objects.filter(pk=row.pk).update(look_at=look_at, set_back=0, trouble="")


def _done(act: Any, case: Case, *more: Any) -> bool:
    """One case that cannot be handed back must not keep the others with somebody who is not there."""
    try:
        with transaction.atomic():
            act(case, *more)
    except DeskError as error:
        log.warning("case %s stays for now: %s", case.number, error.code)
        return False
    return True


def pass_from(case: Case) -> None:
    """What was offered to somebody who is away goes on to the next, before its time."""
    handing.pass_on(case, by=_BY)


def _pass_room(_case: Case, room: Room, row: Absence) -> None:
    room_passing.look(room, row.user_id, by=_BY, since=row.starts_at)


def _back(case: Case, user_id: int) -> None:
    hand_back(case, user_id, by=_BY)


@verb("hand_back")
def hand_back(case: Case, was: int, *, by: Actor) -> CaseEvent:
    """The case of somebody who is not there goes back to its team; its urgency, promises and clocks stay as they are.

    An urgent one, and one that is just offered to another team, is given to the least loaded on duty, else to whoever
    answers for the team: somebody owns it at every moment. Others wait in the team for who takes them. The lead hears.
    """
    case = pen.hold(case.pk)
    if not case.is_open or case.owner_id != was:
        raise Refusal("not_theirs", _("The case has another owner by now."))
    team = case.team or Team.objects.filter(members=was).order_by("tier", "id").first()
    given = Handover.objects.filter(case=case, state=Handover.State.OFFERED).exists()
    user = next_owner(case, team, without=was) if case.urgency >= URGENT or given or team is None else None
    if user is not None:
        notices.notify(case, "handed_back_to_you", to=[user])
    leads = [u for u in [team.lead_id if team else None, *notices.leads_of(case)] if u and u != was]
    hear = set(leads[:1] or duty.above(team)) - {user, was}
    notices.notify(case, "handed_back", to=hear)
    return pen.write(
        case,
        "handed_back",
        by=by,
        data={"was_user": was, "user": user, "team": team.pk if team else None},
        owner_id=user,
        team_id=team.pk if team else None,
        touched_at=None,  # the new hands have not touched it yet
    )


def next_owner(case: Case, team: Team | None, *, without: int) -> int | None:
    """Who is there for it: on duty in the team (but not who is just offered it), else who answers for the team."""
    offered = Handover.objects.filter(case=case, state=Handover.State.OFFERED).values_list("to", flat=True)
    on = duty.on_duty(team, without=[without, *(u for u in offered if u)]) if team else []
    return next((user for user in [*on, *duty.above(team)] if user != without), None)
