"""Letters on their way out: claimed by a worker, then reported as delivered or not. A letter that failed for good is an event.

At least once: a claim pushes ``look_at`` ahead before anything is sent, so a worker that dies in the middle loses
nothing; the letter is tried again when the claim runs out. It may then arrive twice, with the same Message-ID.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from makegood.base import clock
from makegood.base.words import clean
from makegood.cases import links, pen
from makegood.cases.models import CaseEvent
from makegood.conversations.models import Delivery
from makegood.desk.verb import verb
from makegood.people.actors import Actor

#: How long one worker may hold a letter; longer than a slow mail server takes (EMAIL_TIMEOUT is 20 s a step).
CLAIM = timedelta(minutes=5)
#: The waits after each try: nine tries over about a day, then the letter has failed.
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 300, 360, 480))
_ERROR = 500


def claim() -> Delivery | None:
    """Take the letter that is due longest, for this worker alone, and count the try; None when none is due.

    A link that was revoked or has run out meanwhile is replaced: a letter never carries a dead address.
    """
    now = clock.now()
    with transaction.atomic():
        delivery = (
            Delivery.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("case__shop", "case__customer", "message", "link")
            .filter(state=Delivery.State.WAITING, look_at__lte=now)
            .order_by("look_at", "id")
            .first()
        )
        if delivery is None:
            return None
        if delivery.link.revoked_at or delivery.link.ends_at <= now:
            delivery.link = links.standing(delivery.case)
        delivery.tries += 1
        delivery.look_at = now + CLAIM
        delivery.save(update_fields=["link", "tries", "look_at"])
    return delivery


def delivered(delivery: Delivery) -> None:
    """The mail server has taken it."""
    _waiting(delivery).update(state=Delivery.State.SENT, sent_at=clock.now(), error="")


def undelivered(delivery: Delivery, error: str, *, by: Actor, for_good: bool = False) -> CaseEvent | None:
    """It could not be sent: tried again later, or, after the last try (or ``for_good``), failed for everybody to see."""
    error = clean(error, limit=10**6, field="error", required=False)[:_ERROR]
    if for_good or delivery.tries > len(WAITS):
        return fail_letter(delivery, by=by, error=error)
    _waiting(delivery).update(look_at=clock.now() + WAITS[max(delivery.tries, 1) - 1], error=error)
    return None


@verb("deliver")
def fail_letter(delivery: Delivery, *, by: Actor, error: str) -> CaseEvent:
    """The letter failed for good. The case says so: a reply that nobody received is a word that was not given."""
    case = pen.hold(delivery.case_id)
    _waiting(delivery).update(state=Delivery.State.FAILED, error=error)
    return pen.write(
        case, "letter_failed", by=by, data={"delivery": delivery.pk, "message": delivery.message_id}
    )


def _waiting(delivery: Delivery) -> QuerySet[Delivery]:
    return Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING)
