"""Letters on their way out: claimed by a worker, then reported as delivered or not. One that did not arrive is an event.

At least once: a claim pushes ``look_at`` ahead before anything is sent, so a worker that dies in the middle loses
nothing; the letter is tried again when the claim runs out. It may then arrive twice, with the same Message-ID.
In order: while an earlier letter of a case waits, no later one is claimed; one that failed for good frees the next.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean
from makegood.cases import links, pen
from makegood.cases.access import whole
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import outbox, threads
from makegood.conversations.models import Delivery
from makegood.desk import breaking, notices
from makegood.desk.verb import verb
from makegood.people import customers
from makegood.people.actors import Actor

#: How long one worker may hold a letter; longer than a slow mail server takes (EMAIL_TIMEOUT is 20 s a step).
CLAIM = timedelta(minutes=5)
#: The waits after each try: nine tries over about a day, then the letter has failed.
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 300, 360, 480))
#: Why a letter was not even tried: earlier ones to this address came back. A code; pages say it in words.
MARKED = "marked"
_ERROR = 500
_State = Delivery.State


def claim() -> Delivery | None:
    """Take the letter that is due longest, for this worker alone, and count the try; None when none is due.

    At the first try the letter gets its mailbox and its Message-ID, which stand from then on. A link that was revoked
    or has run out meanwhile is replaced: a letter never carries a dead address.
    """
    now = clock.now()
    earlier = Delivery.objects.filter(case=OuterRef("case"), state=_State.WAITING, id__lt=OuterRef("id"))
    with transaction.atomic():
        delivery = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("case__shop", "case__customer", "message", "link", "mailbox")
            .filter(~Exists(earlier), state=_State.WAITING, look_at__lte=now)
            .order_by("look_at", "id")
            .first()
        )
        if delivery is None:
            return None
        if delivery.link.revoked_at or delivery.link.ends_at <= now:
            delivery.link = links.standing(delivery.case)
        if not delivery.header_id:
            delivery.mailbox = outbox.mailbox_for(delivery.case)
            delivery.header_id = threads.message_id_for(delivery)
        delivery.tries += 1
        delivery.look_at = now + CLAIM
        delivery.save(update_fields=["link", "mailbox", "header_id", "tries", "look_at"])
    return delivery


def marked(delivery: Delivery) -> bool:
    """Whether earlier letters to this address came back: it is not tried until a person says otherwise (:func:`send_again`)."""
    customer = delivery.case.customer
    return customer.email_failed_at is not None and customer.email.lower() == delivery.to.lower()


def delivered(delivery: Delivery) -> None:
    """The mail server has taken it."""
    _waiting(delivery).update(state=_State.SENT, sent_at=clock.now(), error="")


def undelivered(
    delivery: Delivery, error: str, *, by: Actor, for_good: bool = False, address_is_wrong: bool = False
) -> CaseEvent | None:
    """It could not be sent: tried again later, or, after the last try (or ``for_good``), failed for everybody to see.

    ``address_is_wrong``: the mail server said so of the recipient; then the address is marked too.
    """
    error = _brief(error)
    if for_good or delivery.tries > len(WAITS):
        try:
            return fail_letter(delivery, by=by, error=error, address_is_wrong=address_is_wrong)
        except Refusal:
            return None  # another worker has sent it meanwhile: our claim had run out
    again = clock.now() + WAITS[max(delivery.tries, 1) - 1]
    # Only the claim that was the last one says when to try again.
    if _waiting(delivery).filter(tries=delivery.tries).update(look_at=again, error=error):
        behind = Delivery.objects.filter(case=delivery.case_id, state=_State.WAITING, id__gt=delivery.pk)
        behind.filter(look_at__lt=again).update(look_at=again)
    return None


@verb("deliver")
def fail_letter(delivery: Delivery, *, by: Actor, error: str, address_is_wrong: bool = False) -> CaseEvent:
    """The letter failed for good. The case says so, now: a reply that nobody received is a word that was not given."""
    case = pen.hold(threads.case_of(delivery).pk)
    if not _waiting(delivery).update(state=_State.FAILED, error=_brief(error)):
        raise Refusal("not_waiting", "The letter is not waiting any more.")
    if address_is_wrong:
        customers.mark_email(delivery.case.customer_id, delivery.to, why=_brief(error), at=clock.now())
    return _not_arrived(case, delivery, "letter_failed", by=by)


@verb("deliver")
def bounced(delivery: Delivery, *, by: Actor, why: str, for_good: bool) -> CaseEvent:
    """A letter of ours came back. For good: its address is marked and its promise broken; else it is only noted.

    The same report twice (two servers on the way, a redelivery) changes nothing; the first event is given back.
    """
    case = pen.hold(threads.case_of(delivery).pk)
    kinds = (
        ("letter_bounced", "letter_failed")
        if for_good
        else ("letter_bounced", "letter_failed", "letter_delayed")
    )
    told = CaseEvent.objects.filter(case__in=whole(case), kind__in=kinds, data__delivery=delivery.pk)
    if known := told.order_by("id").first():
        return known
    row = Delivery.objects.filter(pk=delivery.pk)
    if not for_good:
        row.update(error=_brief(why))
        return pen.write(case, "letter_delayed", by=by, data=_data(delivery))
    row.update(state=_State.BOUNCED, came_back_at=clock.now(), error=_brief(why))
    customers.mark_email(delivery.case.customer_id, delivery.to, why=_brief(why), at=clock.now())
    return _not_arrived(case, delivery, "letter_bounced", by=by)


def _not_arrived(case: Case, delivery: Delivery, kind: str, *, by: Actor) -> CaseEvent:
    """What its words had kept is broken after all, its owner hears of it, and the case is due now, at the top of the queue."""
    now = clock.now()
    breaking.undone(case, delivery, now)
    notices.notify(case, kind, to=notices.owner_of(case), data={"delivery": delivery.pk})
    # After the break, which sets the next promise as the next moment: somebody must reach the customer before that.
    due: dict[str, Any] = (
        {"due_at": now} if case.is_open and (case.due_at is None or case.due_at > now) else {}
    )
    return pen.write(case, kind, by=by, data=_data(delivery), **due)


def _data(delivery: Delivery) -> dict[str, Any]:
    return {"delivery": delivery.pk, "message": delivery.message_id}


def _brief(error: str) -> str:
    return clean(error[:5000], limit=10**6, field="error", required=False)[:_ERROR]


def _waiting(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, state=_State.WAITING)
