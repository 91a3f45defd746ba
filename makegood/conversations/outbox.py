"""Letters leave through rows written with the event (law 6): an undelivered reply is seen, never lost."""

from __future__ import annotations

from makegood.base import clock, rows
from makegood.cases.models import Case, CaseLink
from makegood.conversations.models import Delivery, Message


def letter(case: Case, what: str, *, link: CaseLink, message: Message | None = None) -> Delivery | None:
    """Put a letter to the customer into the outbox, in their language; None when no address is known."""
    if not case.customer.email:
        return None
    delivery = Delivery(
        case=case,
        message=message,
        link=link,
        what=what,
        to=case.customer.email,
        language=case.language,
        look_at=clock.now(),
    )
    return rows.add(delivery)
