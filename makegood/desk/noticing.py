"""A notice on its way out of the page: which ways it takes, and when. Rows of the notice's own transaction (law 6)."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q

from makegood.base import clock
from makegood.cases.models import Case, Notice
from makegood.conversations.outbox import can_send
from makegood.escalation import duty
from makegood.packs import notices as rules
from makegood.packs.noticing import MINE, NoticeRule
from makegood.ways import times
from makegood.ways.models import MORNING, NoticeOut, Way


def is_urgent(case: Case | None, kind: str) -> bool:
    """By the table ``packs/notices.toml``; what belongs to no case counts as its lowest level."""
    return rules().rule(kind).urgent(case.urgency if case else 1)


def with_stand_ins(people: set[int], case: Case | None, kind: str) -> set[int]:
    """Who is told: when it is urgent, for everybody who is away also whoever stands in for them."""
    if not people or not is_urgent(case, kind):
        return people
    away = people & duty.absent()
    return people | set(duty.above(case.team if case else None)) if away else people


def send_out(told: list[Notice], case: Case | None, kind: str) -> None:
    """Write the rows by which these notices leave the page. ``told``: one kind, one case, one row a person."""
    rule = rules().rule(kind)
    if not told or rule.page_only:
        return
    urgent = is_urgent(case, kind)
    by_user = {notice.user_id: notice for notice in told}
    if urgent and can_send():
        _give_letters(by_user)
    team = case.team_id if case else None
    ways = Way.objects.filter(Q(user_id__in=by_user) | Q(team_id=team, team_id__isnull=False))
    rows = []
    for way in ways.select_related("user__quiet"):
        if way.kind == Way.Kind.LETTER and not can_send():
            continue  # the page holds it; a mail server that is set up next month must not pour out what is long over
        notice = by_user[way.user_id] if way.user_id else told[0]
        if row := _row(way, notice, urgent=urgent, mine=_is_mine(rule, case, way)):
            rows.append(row)
    NoticeOut.objects.bulk_create(rows, batch_size=1000)


def _give_letters(users: Iterable[int]) -> None:
    """Whoever chose nothing gets urgent notices by letter: a promise that broke at night must not wait for a page to be opened."""
    users = set(users)
    have = Way.objects.filter(user_id__in=users, kind=Way.Kind.LETTER).values_list("user_id", flat=True)
    if new := users - set(have):
        made = [Way(user_id=user, kind=Way.Kind.LETTER, service="letters") for user in sorted(new)]
        Way.objects.bulk_create(made, ignore_conflicts=True)


def _is_mine(rule: NoticeRule, case: Case | None, way: Way) -> bool:
    if way.user_id is None:
        return False
    return rule.group == MINE or case is None or case.owner_id == way.user_id


def _row(way: Way, notice: Notice, *, urgent: bool, mine: bool) -> NoticeOut | None:
    when = way.urgent if urgent else way.mine if mine else way.others
    quiet = getattr(way.user, "quiet", None)
    leaves = times.leaves_at(
        when,
        urgent=urgent,
        now=clock.now(),
        zone=times.zone_of(way.user.zone if way.user else settings.TIME_ZONE, settings.TIME_ZONE),
        digest_at=quiet.digest_at if quiet else MORNING,
        starts=quiet.starts if quiet else None,
        ends=quiet.ends if quiet else None,
    )
    if leaves is None:
        return None
    return NoticeOut(way=way, notice=notice, urgent=urgent, look_at=leaves, made_at=clock.now())
