"""Who stands above whom, asked once for many cases of one moment: a thousand promises that break together have few leads."""

from __future__ import annotations

from functools import cached_property

from makegood.cases.models import Case
from makegood.desk import notices
from makegood.escalation import duty


class Above:
    """The people above cases, as they are now; made anew for each transaction, never kept."""

    def __init__(self) -> None:
        self._leads: dict[tuple[bool, int | None, int], list[int]] = {}

    def leads_of(self, case: Case) -> list[int]:
        """:func:`notices.leads_of`."""
        same = bool(case.owner_id), case.team_id, case.shop_id
        if same not in self._leads:
            self._leads[same] = notices.leads_of(case)
        return self._leads[same]

    def owner_of(self, case: Case) -> list[int]:
        """:func:`notices.owner_of`."""
        return [case.owner_id] if case.owner_id else self.leads_of(case)

    @cached_property
    def managers(self) -> list[int]:
        return notices.managers()

    @cached_property
    def _keepers(self) -> list[int]:
        return notices.keepers()

    @cached_property
    def _away(self) -> set[int]:
        return duty.absent()

    def standing_on(self, case: Case, who: str) -> list[int]:
        """Ids of who stands on a rung and is there; who is away is stood in for by those above, at last by who keeps the house."""
        above = {"owner": self.owner_of, "lead": self.leads_of, "manager": lambda _case: self.managers}
        rungs = list(above)
        for rung in rungs[rungs.index(who) :]:
            if people := [user for user in above[rung](case) if user not in self._away]:
                return people
        return self._keepers
