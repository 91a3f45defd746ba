"""Why a case cannot be closed yet, pure: the same function explains on the page and refuses in the verb."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Blocker


@dataclass(frozen=True)
class ClosingFacts:
    """What is so in this round of the case."""

    ended: bool
    sorted: bool
    owned: bool
    fixed: bool
    verified: bool
    told: bool
    answer: str  # '', all_good, partly, not_good: the customer's last word about the last telling
    open_children: int


def blockers(facts: ClosingFacts) -> list[Blocker]:
    """What still stands between this case and 'made good', in the order in which one would do it."""
    found: list[Blocker] = []
    if facts.ended:
        return [Blocker("ended", _("The case has already ended."))]
    if not facts.sorted:
        found.append(Blocker("not_sorted", _("Nobody has said yet what kind of problem it is."), "type"))
    if not facts.owned:
        found.append(Blocker("not_owned", _("Nobody owns it."), "owner"))
    if not facts.fixed:
        found.append(Blocker("not_fixed", _("Nothing has been recorded as done to make it good."), "fix"))
    if not facts.verified:
        found.append(Blocker("not_verified", _("Nobody has verified the fix with proof."), "verify"))
    if not facts.told:
        found.append(Blocker("not_told", _("The customer has not been told the verified outcome."), "tell"))
    if facts.answer != "all_good":
        found.append(
            Blocker("not_confirmed", _("The customer has not confirmed that it was made good."), "confirm")
        )
    if facts.open_children:
        found.append(Blocker("open_children", _("A case below this one is still open."), "children"))
    return found
