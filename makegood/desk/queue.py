"""The queue: which cases an agent sees, in which order, page after page, and how many stand in each view.

Nothing here counts or sorts a million rows. Every view is an index of ``Case.Meta.indexes``; a page continues by row
comparison behind the last row, so that new cases neither move nor double anything; a counter stops at 1000. Somebody
who serves some shops only reads one *lane* of the index per shop, and the lanes are merged: a condition over many
shops at once would make PostgreSQL walk the index of everybody's cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.core import signing
from django.db import connection
from django.db.models import (
    BooleanField,
    DateTimeField,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)

from makegood.cases.access import cases_for, shops_served
from makegood.cases.models import Case
from makegood.cases.states import OPEN_STATUSES, Status
from makegood.conversations.models import Message
from makegood.escalation import duty
from makegood.escalation.models import Handover
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Team

PAGE = 50
MOST_COUNTED = 1000
_MOST_LANES = 20  # beyond that many shops, walking the common index finds a page sooner than merging
_SALT = "makegood.queue"

_OPEN = Q(status__in=OPEN_STATUSES)
#: sort -> (columns, newest first)
SORTS: dict[str, tuple[tuple[str, ...], bool]] = {
    "urgent": (("calm", "due_at", "id"), False),
    "due": (("due_at", "id"), False),
    "newest": (("id",), True),
    "ended": (("ended_at", "id"), True),
}
#: view -> (condition, sorts of which the first is the usual one)
VIEWS: dict[str, tuple[Q, tuple[str, ...]]] = {
    "mine": (_OPEN, ("urgent", "due")),
    "offered": (_OPEN, ("urgent",)),
    "team": (_OPEN, ("urgent", "due")),
    "due": (_OPEN, ("due",)),
    "snoozed": (_OPEN & Q(snoozed_until__isnull=False), ("due",)),
    "waiting": (Q(status=Status.TOLD), ("due",)),
    "unconfirmed": (Q(status=Status.ENDED, ended_as="unconfirmed"), ("ended",)),
    "untouched": (_OPEN & Q(touched_at__isnull=True, urgency__gte=4), ("urgent",)),
    "open": (_OPEN, ("urgent", "due", "newest")),
    "everything": (Q(), ("newest",)),
}


@dataclass(frozen=True)
class Ask:
    """What an address of the queue asks for. ``owner`` 0 means nobody's; a ``cursor`` that is not ours begins anew."""

    view: str = "open"
    sort: str = ""
    shop: int | None = None
    type: str = ""
    status: str = ""
    urgency: int | None = None
    language: str = ""
    owner: int | None = None
    team: int | None = None
    cursor: str = ""

    def settled(self) -> Ask:
        """With a view that exists and a sort that this view has."""
        view = self.view if self.view in VIEWS else "open"
        sorts = VIEWS[view][1]
        return replace(self, view=view, sort=self.sort if self.sort in sorts else sorts[0])


@dataclass(frozen=True)
class Page:
    """One page of cases, each with ``wrote_last`` (author of the last word with the customer), and where it goes on."""

    ask: Ask
    rows: list[Case]
    back: str = ""
    next: str = ""
    counts: dict[str, int] = field(default_factory=dict)


def read(actor: Actor, ask: Ask, *, limit: int = PAGE) -> Page:
    """The page that ``ask`` means for this actor. Raises NotAllowed for everybody but the desk."""
    roles.check(actor, "see_queue")
    ask = ask.settled()
    sight = Sight.of(actor)
    columns, newest_first = SORTS[ask.sort]
    backwards, key = _opened(ask)
    descending = newest_first != backwards
    lanes = [lane.filter(_filters(ask)) for lane in sight.lanes(ask.view)]
    if key is not None:
        lanes = [lane.filter(_Beyond(columns, key, descending)) for lane in lanes]
    ids = [row[-1] for row in _merged(lanes, columns, descending, limit + 1)]
    more, ids = len(ids) > limit, ids[:limit]
    if backwards:
        ids.reverse()
    rows = _rows(sight.cases, ids, offers=ask.view == "offered")
    before = more if backwards else key is not None
    after = True if backwards else more
    return Page(
        ask=ask,
        rows=rows,
        back=_cursor(ask, rows[0], back=True) if rows and before else "",
        next=_cursor(ask, rows[-1], back=False) if rows and after else "",
        counts=counts(sight),
    )


@dataclass(frozen=True)
class Sight:
    """What one actor sees: their cases, and the shops and teams by which the indexes are read."""

    actor: Actor
    cases: QuerySet[Case]
    shops: list[int] | None
    teams: list[int]

    @classmethod
    def of(cls, actor: Actor) -> Sight:
        teams = Team.objects.filter(Q(members=actor.user_id) | Q(lead=actor.user_id))
        return cls(
            actor,
            cases_for(actor),
            shops_served(actor),
            sorted(set(teams.values_list("pk", flat=True))),
        )

    def lanes(self, view: str) -> list[QuerySet[Case]]:
        """The cases of a view as one or more stretches of an index; together they are the view."""
        cases = self.cases.filter(VIEWS[view][0])
        if view == "mine":
            return [cases.filter(owner_id=self.actor.user_id)]
        if view == "offered":
            return [cases.filter(pk__in=duty.offered_to(self.actor.user_id).values("case"))]
        if view == "team":
            return [cases.filter(team_id=team) for team in self.teams]
        if self.shops is None or len(self.shops) > _MOST_LANES:
            return [cases]
        # What one owns in a shop that one does not serve is here while it is open: no index holds the ended ones by
        # owner, and reading a million rows for them would slow the page of everybody.
        own = cases.filter(_OPEN, owner_id=self.actor.user_id)
        lanes = [cases.filter(shop_id=shop) for shop in self.shops]
        return lanes if view == "unconfirmed" else [*lanes, own]


def counts(sight: Sight) -> dict[str, int]:
    """How many cases stand in each view, in one query; MOST_COUNTED means that many or more."""
    parts: list[str] = []
    params: list[Any] = []
    counted = [view for view in VIEWS if view != "due"]  # the same cases as 'open', in another order
    for view in counted:
        # In the order of the view's index: without it PostgreSQL reads the table from its old, ended side until
        # it has met a thousand open cases.
        columns, newest_first = SORTS[VIEWS[view][1][0]]
        order = [f"-{column}" if newest_first else column for column in columns]
        lanes = [lane.order_by(*order).values_list("pk")[:MOST_COUNTED] for lane in sight.lanes(view)]
        if not lanes:
            parts.append("0")
            continue
        found = lanes[0].union(*lanes[1:]) if len(lanes) > 1 else lanes[0]
        sql, values = found.query.sql_with_params()
        parts.append(f"(SELECT least(count(*), {MOST_COUNTED}) FROM ({sql}) AS one_view)")
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        numbers = dict(zip(counted, cursor.fetchone(), strict=True))
    return {view: numbers["open" if view == "due" else view] for view in VIEWS}


def _merged(
    lanes: Sequence[QuerySet[Case]], columns: tuple[str, ...], descending: bool, limit: int
) -> list[tuple[Any, ...]]:
    """The first rows of all lanes together; each lane stops by itself, so none is read to its end."""
    if not lanes:
        return []
    order = [f"-{column}" if descending else column for column in columns]
    stretches = [lane.order_by(*order).values_list(*columns)[:limit] for lane in lanes]
    if len(stretches) == 1:
        return list(stretches[0])
    return list(stretches[0].union(*stretches[1:]).order_by(*order)[:limit])


def _rows(cases: QuerySet[Case], ids: list[int], *, offers: bool) -> list[Case]:
    """The rows of the page; with ``offers`` each says by when it is to be accepted (``accept_by``)."""
    if offers:
        standing = Handover.objects.filter(case=OuterRef("pk"), state=Handover.State.OFFERED)
        cases = cases.annotate(accept_by=Subquery(standing.values("look_at")[:1]))
    said = Message.objects.filter(case=OuterRef("pk"), audience="customer").order_by("-at", "-id")
    found = (
        cases.filter(pk__in=ids)
        .select_related("shop", "customer", "owner", "team")
        .annotate(wrote_last=Subquery(said.values("author")[:1]))
        .in_bulk()
    )
    return [found[pk] for pk in ids if pk in found]


def _filters(ask: Ask) -> Q:
    """What was narrowed by hand. Urgency is asked through ``calm``, which is what the indexes hold."""
    chosen = Q()
    for name, value in (("type", ask.type), ("status", ask.status), ("language", ask.language)):
        if value:
            chosen &= Q(**{name: value})
    for name, number in (("shop_id", ask.shop), ("team_id", ask.team)):
        if number is not None:
            chosen &= Q(**{name: number})
    if ask.owner is not None:
        chosen &= Q(owner_id=ask.owner) if ask.owner else Q(owner__isnull=True)
    if ask.urgency is not None:
        chosen &= Q(calm__lte=5 - ask.urgency)
    return chosen


def _cursor(ask: Ask, row: Case, *, back: bool) -> str:
    key = [getattr(row, column) for column in SORTS[ask.sort][0]]
    plain = [k.isoformat() if isinstance(k, datetime) else k for k in key]
    return signing.dumps([ask.view, ask.sort, back, plain], salt=_SALT)


def _opened(ask: Ask) -> tuple[bool, list[Any] | None]:
    """(backwards, key) of the ask's cursor; a forged one, or one of another view, begins at the first page."""
    try:
        view, sort, back, key = signing.loads(ask.cursor, salt=_SALT)
    except (signing.BadSignature, ValueError):
        return False, None
    if (view, sort) != (ask.view, ask.sort):
        return False, None
    return back, [datetime.fromisoformat(k) if isinstance(k, str) else k for k in key]


class _Beyond(Func):
    """``(calm, due_at, id) > (%s, %s, %s)``: the comparison of rows that an index can answer in one step."""

    output_field = BooleanField()

    def __init__(self, columns: Sequence[str], key: Sequence[Any], descending: bool) -> None:
        self.width, self.sign = len(columns), "<" if descending else ">"
        values = (
            Value(k, output_field=DateTimeField() if isinstance(k, datetime) else IntegerField()) for k in key
        )
        super().__init__(*(F(column) for column in columns), *values)

    def as_sql(self, compiler: Any, db: Any, **more: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        sides = [compiler.compile(expression) for expression in self.source_expressions]
        left, right = (
            ", ".join(sql for sql, _ in part) for part in (sides[: self.width], sides[self.width :])
        )
        return f"(({left}) {self.sign} ({right}))", tuple(p for _, params in sides for p in params)
