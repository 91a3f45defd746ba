"""When the sweep must look at a promise: to warn the owner, to warn the lead, then when it falls due. Pure.

The moments are recomputed each time from what the promise itself says (made at, due at) and from the present rules of
warning; only ``due_at`` binds us, and it never moves.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.packs.shapes import PromiseRules

OWNER, LEAD, DUE = 1, 2, 3


def steps(made_at: datetime, due_at: datetime, rules: PromiseRules) -> tuple[datetime, datetime, datetime]:
    """When the owner is warned, when the lead is, and when it is due; never one before the other.

    A warning ahead of half the span would say nothing but that the promise was given: a short one is warned of at half.
    """
    span = due_at - made_at
    half = made_at + span / 2

    def at(part: float, before: timedelta) -> datetime:
        return min(made_at + span * part, max(due_at - before, half))

    owner = at(rules.warn_owner_at, rules.warn_owner_before)
    return owner, max(owner, at(rules.warn_lead_at, rules.warn_lead_before)), due_at


def reached(made_at: datetime, due_at: datetime, now: datetime, rules: PromiseRules) -> int:
    """How far it has come by ``now``: 0 nothing, OWNER or LEAD to be warned, DUE."""
    return sum(moment <= now for moment in steps(made_at, due_at, rules))


def next_look(
    made_at: datetime, due_at: datetime, warned: int, now: datetime, rules: PromiseRules
) -> datetime:
    """The first moment after ``now`` at which a step waits that ``warned`` has not done; ``due_at`` when none lies ahead."""
    ahead = steps(made_at, due_at, rules)[max(warned, 0) :]
    return next((moment for moment in ahead if moment > now), due_at)
