"""The customer's part: choosing among what is offered, proposing something else, and the end of an offer."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.conversations.models import Message
from makegood.desk import notices
from makegood.desk.remedy_rows import accept
from makegood.desk.verb import verb
from makegood.packs import taxonomy
from makegood.packs.remedying import remedy_policy
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.remedies.models import Offer, Remedy

_OTHERS = (Remedy.State.WAITING, Remedy.State.OFFERED)


@verb("choose_remedy")
def choose_remedy(
    case: Case, remedy_id: int, *, by: Actor, reason: str, words: str = "", other_route: bool = False
) -> CaseEvent:
    """The customer takes one of what is offered, and says why. From now on it is promised by when it arrives.

    ``reason`` is a code of the reasons. Pressing twice is one choice: the second is refused, and says what was chosen.
    """
    case = pen.hold(case.pk)
    row = Remedy.objects.select_related("offer").filter(case=case, pk=remedy_id).first()
    offer = _open(case, row.offer if row else None)
    if row is None or row.state != Remedy.State.OFFERED:
        raise Refusal("unknown_code", _("Please choose one of what is offered."), field="remedy")
    if reason not in remedy_policy().reasons:
        raise Refusal("no_reason", _("Please say why, from the list."), field="reason")
    message = _said(case, by, words, field="why")
    now = clock.now()
    row.reason = reason
    row.other_route = message.body if other_route and message else ""
    Remedy.objects.filter(offer=offer, state__in=_OTHERS).exclude(pk=row.pk).update(
        state=Remedy.State.NOT_CHOSEN, settled_at=now
    )
    promise = accept(case, row, by=by)
    _settle(offer, Offer.State.CHOSEN, reason=reason, message=message)
    data = {
        "offer": offer.pk,
        "remedy": row.kind,
        "remedy_id": row.pk,
        "given": promise.pk,
        "until": promise.due_at.isoformat(),
        "message": message.pk if message else None,
    }
    notices.notify(case, "remedy_chosen", to=notices.owner_of(case))
    changes: dict[str, Any] = {"customer_wrote_at": now} if message else {}
    return pen.write(case, "remedy_chosen", by=by, data=data, due_at=ledger.next_due(case), **changes)


@verb("counter_propose")
def counter_propose(
    case: Case, offer_id: int, *, by: Actor, words: str, kind: str = "", amount: Decimal | None = None
) -> CaseEvent:
    """None of it: the customer says what would make it good. The offer ends, and its owner hears of it."""
    case = pen.hold(case.pk)
    offer = _open(case, Offer.objects.filter(case=case, pk=offer_id).first())
    if kind and kind not in taxonomy().remedies:
        raise Refusal("unknown_code", _("This is not in the list."), field="kind")
    if amount is not None and not (amount.is_finite() and 0 < amount < Decimal(10) ** 12):
        raise Refusal("no_amount", _("Say how much."), field="amount")
    message = messages.store(
        case,
        by=by,
        author=Author.CUSTOMER,
        audience=Audience.CUSTOMER,
        body=clean(words, limit=5000, field="proposal"),
    )
    now = clock.now()
    Remedy.objects.filter(offer=offer, state__in=_OTHERS).update(
        state=Remedy.State.NOT_CHOSEN, settled_at=now
    )
    _settle(offer, Offer.State.COUNTERED, message=message, counter_kind=kind, counter_amount=amount)
    notices.notify(case, "remedy_countered", to=notices.owner_of(case))
    data = {"offer": offer.pk, "message": message.pk, "remedy": kind or None}
    return pen.write(case, "remedy_countered", by=by, data=data, customer_wrote_at=now)


@verb("sweep")
def expire(case: Case, offer: Offer, *, by: Actor) -> CaseEvent:
    """The offer has ended without an answer. Nothing is decided by that: a person goes on, and the customer may still write."""
    case = pen.hold(case.pk)
    now = clock.now()
    Remedy.objects.filter(offer=offer, state__in=_OTHERS).update(state=Remedy.State.EXPIRED, settled_at=now)
    _settle(offer, Offer.State.EXPIRED)
    notices.notify(case, "offer_expired", to=notices.owner_of(case))
    return pen.write(case, "offer_expired", by=by, data={"offer": offer.pk})


def _open(case: Case, offer: Offer | None) -> Offer:
    """The offer as it stands; refused once it has ended, whether or not the sweep has seen that."""
    if offer is None or offer.case_id != case.pk:
        raise Refusal("no_offer", _("There is no such offer."), field="remedy")
    if offer.state != Offer.State.OPEN or not case.is_open:
        raise Refusal(
            "offer_over", _("This offer has already ended. Below stands what became of it."), field="remedy"
        )
    if offer.until <= clock.now():
        raise Refusal(
            "offer_over",
            _("The time of this offer is over. Please write to us; we go on from there."),
            field="remedy",
        )
    return offer


def _settle(offer: Offer, state: str, **fields: object) -> None:
    Offer.objects.filter(pk=offer.pk).update(state=state, settled_at=clock.now(), look_at=None, **fields)


def _said(case: Case, by: Actor, words: str, *, field: str) -> Message | None:
    body = clean(words, limit=5000, field=field, required=False)
    if not body:
        return None
    return messages.store(case, by=by, author=Author.CUSTOMER, audience=Audience.CUSTOMER, body=body)
