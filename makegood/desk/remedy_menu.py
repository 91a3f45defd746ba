"""What may be given in a case, and what deciding it takes: the situation is read here, the rule is ``remedies/menu.py`` (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases.models import Case
from makegood.desk import law, remedy_lines
from makegood.desk.law import Around, Law
from makegood.desk.remedy_lines import OrderLine
from makegood.packs.remedying import RANK, remedy_policy
from makegood.people.actors import Actor
from makegood.promises.models import Promise
from makegood.remedies.menu import Choice, Situation, floors, menu
from makegood.remedies.models import Remedy
from makegood.transactions.models import Order, Payment

#: How far back a customer's earlier remedies count.
BEFORE = timedelta(days=90)
_GIVEN = (Remedy.State.ACCEPTED, Remedy.State.CARRYING, Remedy.State.DONE, Remedy.State.ARRIVED)


@dataclass(frozen=True)
class Menu:
    """The choices of one person in one case. ``demands``: (clock, remedies) of the law; ``chooses``: the customer must choose."""

    situation: Situation
    choices: list[Choice]
    payments: list[Payment]
    demands: list[tuple[str, tuple[str, ...]]]
    chooses: bool
    order: Order | None = None
    lines: tuple[OrderLine, ...] = ()


def read(case: Case, *, by: Actor, around: Around | None = None, known: Law | None = None) -> Menu:
    """The menu of ``case`` for ``by``; ``around`` and ``known`` where the sheet has read them already."""
    around = around or Around.of(case)
    found = situation(case, around, known or law.of_case(case, Promise.objects.filter(case=case), around))
    policy = remedy_policy()
    standing = floors(found, policy)
    offered = menu(found, role_of(by), policy) if case.type else []
    return Menu(
        situation=found,
        choices=[c for c in offered if c.up_to is None or c.up_to > 0],
        payments=payable(around.payments),
        demands=[(f.clock, f.demands) for f in standing],
        chooses=any(f.chooses for f in standing),
        order=around.order,
        lines=tuple(remedy_lines.lines_of(around.order)),
    )


def situation(case: Case, around: Around, known: Law) -> Situation:
    """What the policy looks at, as far as it was told."""
    payments = payable(around.payments)
    best = payments[0] if payments else None
    now = clock.now()
    ages = {
        name: max((now - at).days, 0)
        for name, at in (
            ("ordered", around.known(case).get("order")),
            ("paid", around.known(case).get("payment")),
            ("received", around.known(case).get("delivery")),
        )
        if at is not None
    }
    before = Remedy.objects.filter(case__customer=case.customer_id, state__in=_GIVEN, at__gte=now - BEFORE)
    return Situation(
        type=case.type,
        currency=best.currency if best else case.shop.currency,
        responsibility=case.responsibility,
        shop=case.shop.code,
        paid=best.amount if best else None,
        left=left_of(best) if best else None,
        days=ages,
        delivered="received" in ages,
        before=before.exclude(case=case).count(),
        law=standing_law(known),
        asked=case.asked_remedy,
    )


def at_payment(found: Situation, payment: Payment | None) -> Situation:
    """The situation with another payment than the one that was taken first."""
    if payment is None:
        return found
    return replace(found, currency=payment.currency, paid=payment.amount, left=left_of(payment))


def standing_law(known: Law) -> frozenset[str]:
    """The clocks that stand: a right of the customer until it runs out, a duty of ours until it is met."""
    now = clock.now()
    met = {r.promise.rule for r in known.past if r.promise.proof_event_id}
    possible = {
        p.rule.code
        for p in [*known.ours, *known.theirs]
        if p.on and (p.rule.is_ours or p.ends is None or p.ends >= now)
    }
    return frozenset((possible | {r.promise.rule for r in known.running}) - met)


def payable(payments: Iterable[Payment]) -> list[Payment]:
    """Those that money can go back on, the one with the most left first."""
    taken = [p for p in payments if p.state == Payment.State.TAKEN and p.amount is not None and not p.locked]
    return sorted(taken, key=lambda p: (-left_of(p), p.pk))


def left_of(payment: Payment) -> Decimal:
    """What can still go back: as the provider says it, and never more than our own ledger leaves of it."""
    said = payment.left_to_refund
    whole = (payment.amount or Decimal(0)) - payment.refunded
    open_ = sum(
        (r.amount or Decimal(0) for r in payment.remedies.all() if r.is_open and r.amount), Decimal(0)
    )
    return max(min(said if said is not None else whole, whole) - open_, Decimal(0))


def payment_of(found: Menu, payment_id: int | None) -> Payment | None:
    """The payment that was named, or the only one; raises Refusal beside 'payment' where one must be named."""
    if payment_id is None:
        return found.payments[0] if found.payments else None
    chosen = next((p for p in found.payments if p.pk == payment_id), None)
    if chosen is None:
        raise Refusal("unknown_code", _("This is not in the list."), field="payment")
    return chosen


def role_of(by: Actor) -> str:
    """The role by which the policy weighs somebody; whoever is none of the desk weighs as an agent."""
    return by.role if by.role in RANK else RANK[0]
