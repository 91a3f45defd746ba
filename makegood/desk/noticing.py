"""A notice on its way out of the page: which ways it takes, and when. Rows of the notice's own transaction (law 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

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


def with_stand_ins(asked: Sequence[tuple[Case | None, str, set[int]]]) -> list[set[int]]:
    """Who is told: when it is urgent, for everybody who is away also whoever stands in for them."""
    urgent = [bool(people) and is_urgent(case, kind) for case, kind, people in asked]
    absent = duty.absent() if any(urgent) else set()
    return [
        people | set(duty.above(case.team if case else None)) if hot and people & absent else people
        for (case, _kind, people), hot in zip(asked, urgent, strict=True)
    ]


Told = tuple[list[Notice], Case | None, str]


def send_out(told: Sequence[Told]) -> None:
    """Write the rows by which these notices leave the page. Each of ``told``: one kind, one case, one row a person."""
    leaving = [one for one in told if one[0] and not rules().rule(one[2]).page_only]
    if not leaving:
        return
    if can_send():
        hot = (notices for notices, case, kind in leaving if is_urgent(case, kind))
        _give_letters({notice.user_id for notices in hot for notice in notices})
    users = {notice.user_id for notices, _case, _kind in leaving for notice in notices}
    teams = {case.team_id for _notices, case, _kind in leaving if case and case.team_id}
    ways: dict[tuple[str, int | None], list[Way]] = defaultdict(list)
    for way in Way.objects.filter(Q(user__in=users) | Q(team__in=teams)).select_related("user__quiet"):
        # the page holds it; a mail server that is set up next month must not pour out what is long over
        if way.kind != Way.Kind.LETTER or can_send():
            ways["user" if way.user_id else "team", way.user_id or way.team_id].append(way)
    if ways:
        out = (row for one in leaving for row in _rows(*one, ways))
        NoticeOut.objects.bulk_create(out, batch_size=1000)


def _rows(
    told: list[Notice], case: Case | None, kind: str, ways: Mapping[tuple[str, int | None], list[Way]]
) -> Iterator[NoticeOut]:
    rule, urgent = rules().rule(kind), is_urgent(case, kind)
    mine = [(way, notice) for notice in told for way in ways.get(("user", notice.user_id), ())]
    team = [(way, told[0]) for way in ways.get(("team", case.team_id), ())] if case else []
    for way, notice in mine + team:
        if row := _row(way, notice, urgent=urgent, mine=_is_mine(rule, case, way)):
            yield row


def _give_letters(users: set[int]) -> None:
    """Whoever chose nothing gets urgent notices by letter: a promise that broke at night must not wait for a page to be opened."""
    if not users:
        return
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
