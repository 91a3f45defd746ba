"""What our own rule promises: the first word, the next word, the decision, by urgency level and problem type."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from makegood.base import clock
from makegood.cases.models import Case, CaseEvent
from makegood.packs import policy
from makegood.promises import ledger
from makegood.promises.account import Account, read
from makegood.promises.models import Promise


def by_rule(
    case: Case,
    what: str,
    *,
    level: int,
    type_code: str = "",
    since: datetime | None = None,
    span: timedelta | None = None,
    store: bool = True,
) -> Promise:
    """Promise ``what`` (first_word, next_word, decision) to the customer by the rule of this level and type.

    The rule is written down with it: a policy that changes later moves nothing. The time counts from ``since`` (now);
    ``span`` is given where it was stretched. ``store`` False: only made, for a caller that inserts many at once.
    """
    span = span or getattr(policy().times(level, type_code), what)
    rule: dict[str, Any] = {"level": level, what: str(span)}
    if type_code:
        rule["type"] = type_code
    due_at = (since or clock.now()) + span
    return ledger.give(case, due_at=due_at, by=None, what=what, basis="policy", policy=rule, store=store)


def decision(case: Case, *, level: int, type_code: str) -> int | None:
    """The case was sorted: promise the decision by the rule, once a round; sooner where the rule is sooner now, never later.

    Returns the id of the promise where one was given.
    """
    if ledger.standing(case, "decision").filter(basis="policy").exists():
        replaced = sooner(case, level=level, type_code=type_code)
        return replaced.pk if replaced else None
    began = CaseEvent.objects.filter(case=case, kind="reopened").order_by("-seq").first()
    since = began.written_at if began else case.opened_at
    given = Promise.objects.filter(case=case, what="decision", basis="policy", made_at__gte=since)
    # One that was kept or broken in this round is not owed a second time because the case was sorted anew.
    return None if given.exists() else by_rule(case, "decision", level=level, type_code=type_code).pk


def sooner(case: Case, *, level: int, type_code: str) -> Promise | None:
    """More urgent, or another type: a standing decision of the rule is replaced where the rule is sooner now, never later.

    Returns the promise that was given.
    """
    later = decisions_later(case, read(case.pk), level=level, type_code=type_code)
    if not later:
        return None
    ledger.supersede(Promise.objects.filter(pk__in=later))
    return by_rule(case, "decision", level=level, type_code=type_code)


def decisions_later(case: Case, account: Account, *, level: int, type_code: str) -> list[int]:
    """The ids of the standing decisions of a case that are later than the rule of this level and type would have them."""
    span = policy().times(level, type_code).decision
    return [entry.id for entry in account.decisions_after(clock.now() + span)]


def again(case: Case, *, level: int, unanswered: int, store: bool = True) -> Promise:
    """A word was broken and is still owed: the next time by our rule, twice as far with each that nobody answered.

    Without the stretch a case that nobody touches would break a promise every half hour, and nobody would read them.
    """
    usual = policy().times(level, case.type).next_word
    span = min(usual * 2 ** min(unanswered, 10), max(usual, timedelta(days=1)))
    return by_rule(case, "next_word", level=level, type_code=case.type, span=span, store=store)
