"""The rows of remedies as they are made: weighed by the policy, refused in words where the database would refuse them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as spoken
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.languages import speaking
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.desk import budgets, notices, remedy_lines, remedy_menu
from makegood.desk.remedy_menu import Menu
from makegood.packs import taxonomy
from makegood.packs.remedying import RANK, remedy_policy
from makegood.people import calendars
from makegood.people.actors import Actor
from makegood.people.models import User
from makegood.promises import ledger
from makegood.promises.models import Promise
from makegood.remedies.menu import BACK, MONEY, Choice, judge, money
from makegood.remedies.models import Approval, Budget, Offer, Remedy
from makegood.transactions.models import Payment

#: Working days after which a remedy outside of the policy arrives, and hours in which its approval is decided.
ARRIVES, APPROVES = 5, 4
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Wish:
    """What somebody wants to give: ``kind`` is a code of the remedies, ``amount`` in major units of the payment's currency.

    ``lines``: (the shop's own ref of a line of the order, how many); none: the whole order. Without an amount they say how much.
    """

    kind: str
    amount: Decimal | None = None
    payment: int | None = None
    lines: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Weighed:
    """A wish as the policy sees it. ``approver``: the least role of the second person, '' where none is needed."""

    wish: Wish
    payment: Payment | None
    currency: str
    choice: Choice | None
    approver: str
    deviation: str
    budget: Budget | None
    lines: list[dict[str, Any]]
    order: int | None


def weigh(case: Case, wish: Wish, found: Menu, *, by: Actor, deviation: str) -> Weighed:
    """Judge a wish by the policy; raises Refusal where it is none, is too much for its payment, or departs without a reason."""
    if wish.kind not in taxonomy().remedies:
        raise Refusal("unknown_code", _("This is not in the list."), field="kind")
    payment = remedy_menu.payment_of(found, wish.payment)
    situation = remedy_menu.at_payment(found.situation, payment)
    wish = priced(wish, found)
    lines = remedy_lines.chosen(wish.kind, wish.lines, found.lines)
    amount = _amount(wish, situation.currency)
    if wish.kind in BACK and payment is not None and amount is not None:
        left = remedy_menu.left_of(payment)
        if amount > left:
            raise Refusal(
                "over_balance", _("Only %(left)s is left to give back.") % {"left": left}, field="amount"
            )
    verdict = judge(wish.kind, amount, situation, remedy_menu.role_of(by), remedy_policy())
    if verdict.deviates and not deviation:
        raise Refusal("deviates", _("This departs from the policy. Say why."), field="deviation")
    choice = None if verdict.deviates else verdict.choice
    budget = None
    if wish.kind in MONEY and amount is not None and (choice.budgeted if choice else True):
        budget = budgets.of(case.shop, situation.currency)
    order = found.order.pk if found.order else case.order_id
    return Weighed(
        wish, payment, situation.currency, choice, verdict.approver, deviation, budget, lines, order
    )


def priced(wish: Wish, found: Menu) -> Wish:
    """A refund of chosen lines is worth what they cost, and no more; where the shop tells no prices a person says how much."""
    currency = remedy_menu.at_payment(found.situation, remedy_menu.payment_of(found, wish.payment)).currency
    lines = remedy_lines.chosen(wish.kind, wish.lines, found.lines)
    worth = remedy_lines.worth(lines, found.lines, currency)
    if wish.kind not in BACK or worth is None:
        return wish
    if wish.amount is None:
        return replace(wish, amount=worth.amount)
    if wish.amount > worth.amount:
        raise Refusal(
            "over_lines",
            _("The chosen lines are worth only %(worth)s.") % {"worth": money(worth.amount, currency)},
            field="amount",
        )
    return wish


def _amount(wish: Wish, currency: str) -> Decimal | None:
    if wish.kind not in MONEY:
        return None
    amount = wish.amount
    whole = currency in ("KRW", "JPY", "VND")
    if amount is None or not amount.is_finite() or not 0 < amount < Decimal(10) ** 12:
        raise Refusal("no_amount", _("Say how much."), field="amount")
    if amount != amount.quantize(Decimal(1) if whole else Decimal("0.01")):
        raise Refusal("bad_amount", _("This currency has no such fractions."), field="amount")
    return amount


def make(
    case: Case,
    weighed: Weighed,
    *,
    by: Actor,
    state: str,
    offer: Offer | None = None,
    reason: str = "",
    other_route: str = "",
) -> Remedy:
    """The row of a remedy; what the database refuses is said in words beside its field."""
    choice, wish = weighed.choice, weighed.wish
    amount = _amount(wish, weighed.currency)
    # A limit of the role binds amounts; where a second person is asked, theirs is the limit.
    within = choice.limit if choice and amount is not None else None
    if weighed.choice is None and not weighed.approver:
        within = None  # a manager departs from the policy: with a reason, and without a limit
    with in_words():
        return Remedy.objects.create(
            case=case,
            round=case.round,
            offer=offer,
            kind=wish.kind,
            amount=amount,
            currency=weighed.currency if amount is not None else "",
            order_id=weighed.order,
            lines=weighed.lines,
            payment=weighed.payment if wish.kind in (*BACK, "cancel_order") else None,
            state=state,
            rule=choice.rule.code if choice else "",
            law=choice.law if choice else "",
            sentence=choice.sentence() if choice else {},
            within=within,
            needs_approval=bool(weighed.approver),
            deviation=weighed.deviation if choice is None else "",
            budget=weighed.budget,
            reason=reason,
            other_route=other_route,
            by_id=by.person,
        )


def ask_approval(case: Case, asked: Sequence[tuple[Remedy, Weighed]], *, by: Actor) -> CaseEvent:
    """A second person is asked, and the customer's page says by when it is decided: the fast path has its promise."""
    now = clock.now()
    hours = min(w.choice.rule.approve_hours if w.choice else APPROVES for _row, w in asked)
    due_at = now + timedelta(hours=hours)
    for row, weighed in asked:
        Approval.objects.create(
            remedy=row, role=weighed.approver, asked_by_id=by.person, asked_at=now, due_at=due_at
        )
    least = max((w.approver for _row, w in asked), key=RANK.index)
    with speaking(case.language):
        words = spoken("A second person decides about what we want to offer you.")
    rule = {"remedies": [row.pk for row, _w in asked], "approve_hours": hours}
    promise = ledger.give(
        case, due_at=due_at, by=by.user_id, what="decision", basis="policy", words=words, policy=rule
    )
    data = {
        "remedies": [row.kind for row, _w in asked],
        "ids": [row.pk for row, _w in asked],
        "promise": promise.pk,
        "until": due_at.isoformat(),
    }
    told = [user for user in _approvers(case, least) if user != by.user_id]
    notices.notify(case, "approval_asked", to=told, data={"until": due_at.isoformat()})
    return pen.write(case, "remedy_waits", by=by, data=data, due_at=ledger.next_due(case))


def _approvers(case: Case, least: str) -> list[int]:
    """Who may approve: the leads who serve the shop where that is enough, else everybody of the roles above."""
    if least == "lead" and (leads := notices.leads_serving(case.shop_id)):
        return leads
    above = RANK[max(RANK.index(least), RANK.index("manager")) :]
    return list(User.objects.filter(role__in=above, is_active=True).values_list("pk", flat=True))


def accept(case: Case, row: Remedy, *, by: Actor) -> Promise:
    """The remedy is decided: its state, and the promise of the day by which it arrives. ``row`` may be new or offered."""
    until = promised_by(case, row)
    promise = ledger.give(
        case,
        due_at=until,
        by=by.user_id,
        what="remedy",
        basis="policy",
        policy={"remedy": row.pk, "rule": row.rule, "working_days": _days(row)},
    )
    with in_words():
        Remedy.objects.filter(pk=row.pk).update(
            state=Remedy.State.ACCEPTED, promise_id=promise.pk, reason=row.reason, other_route=row.other_route
        )
    row.state, row.promise_id = Remedy.State.ACCEPTED, promise.pk
    return promise


def promised_by(case: Case, row: Remedy) -> datetime:
    """The last moment of the working day by which it is to arrive, in the shop's calendar."""
    calendar = calendars.standing(case.shop)[0]
    day = calendar.add_days(calendar.local(clock.now()), _days(row))
    return calendar.midnight_after(day) - TICK


def _days(row: Remedy) -> int:
    rule = remedy_policy().rules.get(row.rule)
    return rule.arrives_days if rule else ARRIVES


#: constraint -> (code, why, field), as somebody reads it.
_REFUSED: dict[str, tuple[str, Any, str]] = {
    "one_open_remedy_a_payment": (
        "another_open",
        _("Another remedy on this payment is not settled yet. Wait until it is."),
        "payment",
    ),
    "one_open_remedy_a_kind_and_order": (
        "another_open",
        _("The same remedy for this order is not settled yet. Wait until it is."),
        "kind",
    ),
    "one_open_offer_a_case": ("offer_stands", _("An offer stands already. Withdraw it first."), ""),
    "within_the_budget": (
        "over_budget",
        _("The shop's budget of this month does not reach for it."),
        "amount",
    ),
    "refunds_within_the_payment": (
        "over_balance",
        _("More would go back than was paid."),
        "amount",
    ),
    "approved_by_another": ("not_approved", _("A second person has to approve it first."), "remedy"),
    "nobody_approves_themselves": ("oneself", _("Nobody approves what they decided themselves."), "remedy"),
}


@contextmanager
def in_words() -> Iterator[None]:
    """What the database refuses inside is a Refusal in words; anything else stays what it is."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        name = getattr(getattr(cause, "diag", None), "constraint_name", None) or ""
        if name not in _REFUSED:
            raise
        code, why, field = _REFUSED[name]
        raise Refusal(code, why, field=field) from error
