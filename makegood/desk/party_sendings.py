"""What is on its way to outside parties: claimed by a worker, reported as sent or not; a party that cannot be reached is seen.

As letters to customers (``delivering.py``): the row is written with the event, a claim pushes ``look_at`` ahead before
anything is sent, so a worker that dies loses nothing; it may arrive twice, with the same id.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from makegood.base import clock
from makegood.cases import pen
from makegood.cases.models import CaseEvent
from makegood.conversations.outbox import can_send
from makegood.desk import notices
from makegood.desk.verb import verb
from makegood.parties.models import Party, PartyAsk, PartySending
from makegood.people.actors import Actor

CLAIM = timedelta(minutes=5)
#: The waits after each try: eight tries over about a day, then it has failed.
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720))
_State = PartySending.State


def send(ask: PartyAsk, what: str) -> PartySending:
    """Put it on its way, by the way that the party has now; in the transaction of the event."""
    party = ask.party
    to = party.url if party.way == Party.Way.WEBHOOK else party.email
    return PartySending.objects.create(ask=ask, what=what, way=party.way, to=to, look_at=clock.now())


def claim() -> PartySending | None:
    """Take the one that is due longest, for this worker alone; None when none is. Letters wait while the site sends none."""
    now = clock.now()
    with transaction.atomic():
        due = PartySending.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state=_State.WAITING, look_at__lte=now
        )
        if not can_send():
            due = due.exclude(way=Party.Way.LETTER)
        row = due.select_related("ask__party", "ask__case__shop", "ask__case__customer", "ask__case__order")
        found = row.order_by("look_at", "id").first()
        if found is None:
            return None
        found.tries += 1
        found.look_at = now + CLAIM
        found.save(update_fields=["tries", "look_at"])
    return found


def sent(row: PartySending) -> None:
    """The mail server, or their server, has taken it."""
    PartySending.objects.filter(pk=row.pk, state=_State.WAITING).update(
        state=_State.SENT, sent_at=clock.now(), error=""
    )


def unsent(row: PartySending, error: str, *, by: Actor, for_good: bool = False) -> None:
    """It could not be sent: again later, or failed for everybody to see. ``error`` is brief and holds no secret."""
    if for_good or row.tries > len(WAITS):
        with transaction.atomic():
            found = PartySending.objects.select_for_update(of=("self",)).select_related(
                "ask__case", "ask__party"
            )
            still = found.get(pk=row.pk)
            if still.state == _State.WAITING:
                unreached(still, by=by, error=error)
        return
    again = clock.now() + WAITS[max(row.tries, 1) - 1]
    PartySending.objects.filter(pk=row.pk, state=_State.WAITING, tries=row.tries).update(
        look_at=again, error=error[:300]
    )


@verb("deliver")
def unreached(row: PartySending, *, by: Actor, error: str) -> CaseEvent:
    """It failed for good, or the letter came back: the owner hears of it, since nobody outside knows what is asked."""
    case = pen.hold(row.ask.case_id)
    PartySending.objects.filter(pk=row.pk).update(state=_State.FAILED, error=error[:300])
    notices.notify(case, "party_unreached", to=notices.owner_of(case), data={"name": row.ask.party.name})
    data = {"ask": row.ask_id, "party": row.ask.party_id}
    return pen.write(case, "party_unreached", by=by, data=data)
