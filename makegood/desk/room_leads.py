"""Who may lead a war room, and who has a hand free for one more. Reading and refusing; it opens nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases.models import Case
from makegood.desk import notices
from makegood.escalation import duty
from makegood.escalation.models import Shift
from makegood.incidents.models import RoomMember
from makegood.packs import escalation
from makegood.people.models import Role, User

LEADS = (Role.LEAD, Role.MANAGER, Role.ADMIN)


def by_itself(case: Case) -> User:
    """Who leads a room that nobody opened: a lead on duty with a hand free; with no lead there at all, a manager.

    Managers are no reserve for leads who are full: a dozen rooms that are all led are as little use as none.
    """
    away = duty.absent()
    leads = [u for u in on_hand(case) if u not in away]
    people = leads or [u for u in [*notices.managers(), *notices.keepers()] if u not in away]
    if not people:
        raise Refusal("nobody", _("Nobody is there who could lead a war room."), field="lead")
    free = _hold_free(people)
    if free is None:
        raise Refusal(
            "leads_full", _("Every lead on duty leads as many war rooms as the rules allow."), field="lead"
        )
    return free


def on_hand(case: Case) -> list[int]:
    """Ids of the leads for this case, each once: who leads on duty in its team, its own lead, then the other leads of its
    shop, those on shift first.
    """
    others = notices.leads_serving(case.shop_id)
    now = clock.now()
    shifts = Shift.objects.filter(user__in=others, starts_at__lte=now, ends_at__gt=now)
    on = set(shifts.values_list("user_id", flat=True))
    others.sort(key=lambda user: (user not in on, user))
    return list(dict.fromkeys([*duty.leading(case.team), *notices.leads_of(case), *others]))


def led_by(user_id: int) -> int:
    """How many open rooms this person leads."""
    return RoomMember.objects.filter(
        user=user_id, role=RoomMember.Role.LEAD, room__closed_at__isnull=True
    ).count()


def refuse_no_lead(user: User, *, field: str) -> None:
    if user.role not in LEADS or not user.is_active:
        raise Refusal("no_lead", _("A war room is led by a lead or a manager."), field=field)


def refuse_too_many(user_id: int, *, field: str) -> None:
    # Two rooms opened at the same moment for one lead must not both be the third; rows that only point at them may come.
    lead = User.objects.select_for_update(no_key=True).get(pk=user_id)
    most = escalation().rooms
    if led_by(user_id) >= most:
        raise Refusal(
            "too_many_rooms",
            _("%(name)s leads %(most)s war rooms already; nobody keeps more at once.")
            % {"name": lead.name, "most": most},
            field=field,
        )


def hold_free(case: Case, *, without: Collection[int]) -> User | None:
    """A lead on duty who can take one more, held until the transaction ends, so that two rooms do not both become the last."""
    return _hold_free(free(case, without=without))


def free(case: Case, *, without: Collection[int]) -> list[int]:
    """Ids of the leads on duty who lead fewer rooms than the rules allow just now."""
    away = {*duty.absent(), *without}
    return [u for u in on_hand(case) if u not in away and led_by(u) < escalation().rooms]


def _hold_free(people: Iterable[int]) -> User | None:
    for user in people:
        found = User.objects.select_for_update(no_key=True).get(pk=user)
        if led_by(user) < escalation().rooms:
            return found
    return None
