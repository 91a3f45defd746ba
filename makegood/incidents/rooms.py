"""What a room is, without writing: its name, its urgency, and why it cannot be closed yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, IntegerField, Max, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Blocker
from makegood.cases.models import Case, Ending, Relation
from makegood.cases.states import OPEN_STATUSES
from makegood.incidents.models import Room
from makegood.packs import names, policy


@dataclass(frozen=True)
class RoomFacts:
    """What is so: of the room's case (``over``: it ended under another honest name than 'made good'), and of the room.

    ``unthanked``: names of those who helped and whom nobody thanked yet; ``review_ahead``: a moment for the review is set.
    """

    closed: bool
    verified: bool
    told: bool
    confirmed: bool
    over: bool
    open_tasks: int
    unthanked: Sequence[str]
    review_ahead: bool


def room_blockers(facts: RoomFacts) -> list[Blocker]:
    """What still stands between this room and its end, in the order in which one would do it."""
    if facts.closed:
        return [Blocker("room_closed", _("The war room is closed already."))]
    found: list[Blocker] = []
    if (
        not facts.over
    ):  # a case that ended unconfirmed or was taken back will never be confirmed: its room may end
        if not facts.verified:
            found.append(Blocker("not_verified", _("Nobody has verified the fix with proof.")))
        if not facts.told:
            found.append(Blocker("not_told", _("The customer has not been told the verified outcome.")))
        if not facts.confirmed:
            found.append(Blocker("not_confirmed", _("The customer has not confirmed that it was made good.")))
    if facts.open_tasks:
        found.append(Blocker("open_tasks", _("A task of the room is not done yet.")))
    if facts.unthanked:
        listed = ", ".join(facts.unthanked)
        found.append(
            Blocker("not_thanked", spoken("Not thanked yet for their help: %(names)s.") % {"names": listed})
        )
    if not facts.review_ahead:
        found.append(Blocker("no_review", _("No moment is set to look back at what happened."), "review_at"))
    return found


def room_name(case: Case, urgency: int) -> str:
    """'[Complaint] [Urgent] Haneul 10193' in the reader's language: codes are stored, the name is made when it is read."""
    kind = str(names("kind").get(case.kind) or spoken("Not sorted yet"))
    return f"[{kind}] [{policy().level(urgency).name}] {case.shop.name} {case.number}"


def with_urgency(rooms: QuerySet[Room]) -> QuerySet[Any, Any]:
    """Each room with ``urgency``: the highest of its case, the one that this was merged into, and what hangs on it still open.

    Read, never stored: a second copy could be lower than the case, and that is how urgency gets lost.
    """
    still = Case.objects.filter(status__in=OPEN_STATUSES)
    below = still.filter(parent=OuterRef("case")).order_by().values("parent").annotate(u=Max("urgency"))
    apart = (
        Relation.objects.filter(other=OuterRef("case"), what="split_from", case__status__in=OPEN_STATUSES)
        .order_by()
        .values("other")
        .annotate(u=Max("case__urgency"))
    )
    into = Ending.objects.filter(case=OuterRef("case")).values("survivor__urgency")
    found = [_or_0(Subquery(rows.values("u")[:1])) for rows in (below, apart)]
    return rooms.annotate(urgency=Greatest(F("case__urgency"), _or_0(Subquery(into[:1])), *found))


def _or_0(found: Subquery) -> Coalesce:
    return Coalesce(found, Value(0), output_field=IntegerField())
