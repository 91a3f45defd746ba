"""A letter that did not arrive: sent again by a person, perhaps to a corrected address; and asks that a customer declines."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases import links, pen
from makegood.cases.access import whole
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import outbox
from makegood.conversations.models import AsksDeclined, Delivery
from makegood.desk.verb import verb
from makegood.people import customers
from makegood.people.actors import Actor


@verb("send_again")
def send_again(case: Case, delivery_id: int, *, by: Actor, seen: int | None, to: str = "") -> CaseEvent:
    """Send a letter that failed or came back once more. ``to`` corrects the customer's address, for this and all later letters.

    Either way a person says that the address is worth trying: its mark is taken away. Raises Refusal beside 'delivery'
    (not this case's, on its way, arrived, or sent again already) or 'to' (no address, or another customer's).
    """
    case = pen.hold(case.pk, seen=seen)
    old = Delivery.objects.filter(pk=delivery_id, case__in=whole(case)).select_related("message").first()
    if old is None:
        raise Refusal("no_letter", _("There is no such letter on this case."), field="delivery")
    if old.state not in (Delivery.State.FAILED, Delivery.State.BOUNCED):
        raise Refusal("not_failed", _("This letter waits or has arrived."), field="delivery")
    if Delivery.objects.filter(again_of=old).exists():
        raise Refusal("sent_again", _("This letter was sent again already."), field="delivery")
    corrected = customers.correct_email(case.customer, to)
    again = outbox.once_more(old, case, link=links.standing(case), by=by.user_id)
    kind = "address_corrected" if corrected else "letter_again"
    return pen.write(
        case, kind, by=by, data={"delivery": old.pk, "again": again.pk, "message": old.message_id}
    )


@verb("decline_asks")
def decline_asks(case: Case, *, by: Actor) -> CaseEvent:
    """The customer wants no more asks in this round (the one-click address in those letters). Twice is once.

    Promised words, answers and the outcome are still sent: declining questions is no waiver of what was promised.
    """
    case = pen.hold(case.pk)
    _row, new = AsksDeclined.objects.get_or_create(case=case, round=case.round, defaults={"at": clock.now()})
    told = CaseEvent.objects.filter(case=case, kind="asks_declined", data__round=case.round).first()
    if told is not None and not new:
        return told
    return pen.write(case, "asks_declined", by=by, data={"round": case.round})
