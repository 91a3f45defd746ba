"""Which shop a step is asked of, and what is asked: the row of the ledger as the connectors understand it."""

from __future__ import annotations

from typing import Any, cast

from makegood.connectors.canon import Money
from makegood.connectors.ports import Ask, Connector, Line
from makegood.remedies.models import Remedy, Step
from makegood.transactions import sources, toread
from makegood.transactions.models import Store


def store_of(row: Remedy | Step) -> Store | None:
    """The store that told of the payment, else of the order; None where a person has to act in the shop's own system."""
    for thing in (row.payment, row.order):
        store = thing.store if thing is not None else None
        if store is not None and store.active:
            return store
    return None


def opened(step: Step) -> Connector | None:
    """The connector of the step's store; None where there is none. Calls nobody yet. Raises what keeps it from being opened."""
    store = store_of(step)
    return cast(Connector, sources.opened(store)) if store is not None else None


def ask_to_read(step: Step) -> None:
    """What we did at a store, or found there, is read there: the sheet then shows its state, and not what we believe it to be."""
    store = store_of(step)
    if store is None:
        return
    things = {
        "payment": step.payment.ref if step.payment else "",
        "order": (step.order.ref or step.order.number) if step.order else "",
    }
    toread.ask_all({(store.pk, noun, ref): store for noun, ref in things.items() if ref})


def ask_of(step: Step) -> Ask:
    """The step as it is sent, and as it is looked up ever after: the same reference, the same sum."""
    cur = step.currency
    return Ask(
        action=step.action,
        ours=step.ours,
        order=step.order.number if step.order else "",
        payment=step.payment.ref if step.payment else "",
        money=Money(step.amount, cur) if step.amount is not None else None,
        lines=tuple(Line(one["ref"], one["quantity"]) for one in step.remedy.lines),
        reason=step.remedy.reason,
        expected_left=Money(step.expected_left, cur) if step.expected_left is not None else None,
        sent_at=step.sent_at,
        was=step.there,
    )


def as_data(ask: Ask) -> dict[str, Any]:
    """The ask as the ledger keeps it."""
    found: dict[str, Any] = {
        "action": ask.action,
        "ours": ask.ours,
        "order": ask.order,
        "payment": ask.payment,
        "reason": ask.reason,
    }
    if ask.lines:
        found["lines"] = [{"ref": line.ref, "quantity": line.quantity} for line in ask.lines]
    if ask.money:
        found |= {"amount": str(ask.money.amount), "currency": ask.money.currency}
    return found
