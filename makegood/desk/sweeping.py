"""What happens when the moment of a promise or an appointment comes: verbs of the system, called by ``jobs/sweep.py``.

Each looks anew at what is so before it acts (the row was read under the lock of its case), and does nothing, or only
moves its next look, when its reason is gone. Nothing here is ever ended by silence alone, but by documented asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db.models import F
from django.utils.translation import gettext as spoken

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.base.rows import change_all
from makegood.base.swept import Swept
from makegood.base.words import clean
from makegood.cases import links, pen
from makegood.cases.access import is_restricted
from makegood.cases.models import Case, CaseEvent, Confirmation, ConfirmationAsk
from makegood.cases.states import Status
from makegood.conversations import messages, outbox
from makegood.conversations.messages import Audience, Author
from makegood.conversations.models import Delivery
from makegood.desk import (
    appointing,
    breaking,
    climbing,
    climbing_together,
    closing,
    handing,
    notices,
    remedy_choosing,
    securing,
    snoozing,
    telling,
)
from makegood.desk.above import Above
from makegood.desk.climbing_together import Fall
from makegood.desk.notices import Ask
from makegood.desk.verb import follow, verb
from makegood.escalation.models import Handover
from makegood.packs import policy
from makegood.people import actors, roles
from makegood.people.actors import Actor
from makegood.promises import appointments, due
from makegood.promises.hours import calendar_of, within_hours
from makegood.promises.models import PARTNER, Appointment, Promise
from makegood.remedies.models import Offer

#: How long the owner has to call before a letter goes out instead; how often a person is told that only they can go on.
A_DAY, AGAIN = timedelta(days=1), timedelta(days=3)
#: How long a row that failed is left alone, by how often it failed.
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 360, 1440))
_BY = actors.system("worker")
What = Appointment.What


def promise(row: Promise) -> None:
    """:func:`promises`, one."""
    promises([row])


def promises(found: Sequence[Promise]) -> None:
    """Warn of promises, or break them, by what is so now.

    ``found`` and their cases were read together under the cases' locks (jobs/sweep.py): held already, and never stale. Of
    several of one case one is done: the others are still due, and their case is another afterwards.
    """
    now, rules = clock.now(), policy().promises
    first: dict[int, Promise] = {}
    for row in found:
        if row.state == Promise.State.OPEN:
            first.setdefault(row.case_id, row)
    seen = [(row, due.reached(row.made_at, row.due_at, now, rules)) for row in first.values()]
    breaks([row for row, reached in seen if reached == due.DUE])
    near = [(row, reached) for row, reached in seen if reached != due.DUE]
    warn([(row, reached) for row, reached in near if reached > row.warned])
    for row, reached in near:
        climb_at = row.climb_at
        if climb_at and climb_at <= now:
            climbing.by_clock(row.case)
            climb_at = None
        row.warned = max(reached, row.warned)
        next_look = due.next_look(row.made_at, row.due_at, row.warned, now, rules)
        row.climb_at = climb_at
        row.look_at = min(next_look, climb_at) if climb_at else next_look
        row.set_back, row.trouble = 0, ""
    change_all([row for row, _reached in near], ("warned", "climb_at", "look_at", "set_back", "trouble"))


def warn(near: Sequence[tuple[Promise, int]]) -> None:
    """The owner hears first; then the lead, and the case climbs its ladder. Outside parties are reminded themselves."""
    ours, above = [(row, reached) for row, reached in near if row.to != PARTNER], Above()
    asks = []
    for row, reached in ours:
        to = above.owner_of(row.case) if row.warned < due.OWNER else []
        if reached >= due.LEAD:
            to = to + above.leads_of(row.case)
        asks.append(Ask(row.case, "promise_near", to, notices.about(row)))
    told = notices.notify_all(asks)
    falls = [
        Fall(row.case, heard) for (row, reached), heard in zip(ours, told, strict=True) if reached >= due.LEAD
    ]
    climbing_together.by_promises(falls, "promise_near")


def breaks(found: Sequence[Promise]) -> list[CaseEvent]:
    """Their time has passed: broken as of ``due_at``, however late we noticed."""
    roles.check(_BY, "sweep")
    events = breaking.broken([(row.case, row) for row in found]) if found else []
    assert len(events) == len(found), "looked at under the locks of their cases, they were open"
    for event in events:
        follow(event)
    return events


def appointment(row: Appointment) -> None:
    """Do what was to be done at this moment, if there is still a reason to."""
    if row.state != Appointment.State.OPEN:
        return
    case = pen.hold(row.case_id)
    if case.round != row.round or not _HOLDS[row.what](case):
        appointments.drop(case, row.what)
        return
    _ACTS[row.what](case, row)


def handover(row: Handover) -> None:
    """Nobody accepted the case in time: on to the next on duty."""
    if row.state != Handover.State.OFFERED:
        return
    case = pen.hold(row.case_id)
    if case.is_open:
        handing.pass_on(case, by=_BY)
    else:  # merged into another one meanwhile
        handing.drop(case)


def _wake(case: Case, row: Appointment) -> None:
    appointments.done(row)
    snoozing.wake(case, by=_BY)


def _ask_again(case: Case, row: Appointment) -> None:
    appointments.done(row)
    if row.nth > len(policy().waiting_asks) or outbox.declined(case):
        waited_in_vain(case, row, by=_BY)
    else:
        repeat_question(case, row, by=_BY)


@verb("sweep")
def repeat_question(case: Case, row: Appointment, *, by: Actor) -> CaseEvent:
    """Ask the open question once more, in its own words. It is no answer to the customer: no promise is kept by it."""
    offsets = policy().waiting_asks
    question = row.message
    assert question is not None, "an open question names its message"
    with speaking(case.language):
        words = spoken("We still need your answer to go on. We asked you:")
    message = messages.store(
        case,
        by=by,
        author=Author.STAFF,
        audience=Audience.CUSTOMER,
        body=f"{words}\n\n{question.body[:4000]}",
        language=case.language,
    )
    outbox.letter(case, "question", link=links.standing(case), message=message)
    # After the last one the customer has as long again as lay before it.
    gaps = [later - earlier for earlier, later in zip((timedelta(), *offsets), offsets, strict=False)]
    wait = gaps[row.nth] if row.nth < len(gaps) else gaps[-1]
    at = within_hours(clock.now() + wait, calendar_of(case))
    appointments.make(case, What.ASK_AGAIN, at, nth=row.nth + 1, message=row.message_id)
    return pen.write(case, "question_repeated", by=by, data={"message": message.pk, "nth": row.nth})


@verb("sweep")
def waited_in_vain(case: Case, row: Appointment, *, by: Actor) -> CaseEvent:
    """No answer came: the case goes back to work and its owner hears of it. It does not end."""
    notices.notify(case, "asked_in_vain", to=notices.owner_of(case))
    return pen.write(
        case,
        "waited_in_vain",
        by=by,
        data={"asks": row.nth - 1},
        status=Status.WORKING,
        waiting_for="",
    )


def _chase(case: Case, row: Appointment) -> None:
    """Ask for the customer's own word once more, or, after enough documented asks, end as unconfirmed."""
    rules, asks, now = policy().confirmation, appointing.asks_of(case), clock.now()
    appointments.done(row)
    if len(asks) < len(rules.after):
        _ask(case, row, asks)
    elif sum(reached(ask) for ask in asks) >= rules.asks and now - asks[0].at >= rules.over:
        closing.end_unconfirmed(case, by=_BY, seen=None)
    else:  # letters that did not arrive are no asks: only a person can go on
        notices.notify(case, "asked_in_vain", to=[*notices.owner_of(case), *notices.leads_of(case)])
        _later(case, row, AGAIN)


def _ask(case: Case, row: Appointment, asks: list[ConfirmationAsk]) -> None:
    now = clock.now()
    if now - asks[-1].at < telling.BETWEEN_ASKS:
        _later(case, row, telling.BETWEEN_ASKS)
        return
    customer = case.customer
    letters = bool(customer.email) and customer.email_failed_at is None and not outbox.declined(case)
    by_phone = policy().confirmation.channels[len(asks)] == "phone" or not letters
    if by_phone and customer.phone and row.words != "call":
        notices.notify(case, "call_now", to=notices.owner_of(case))
        _later(case, row, A_DAY, words="call")
    elif letters:
        until = appointing.word_after_ask(case, [*(ask.at for ask in asks), now])
        telling.ask_again(case, by=_BY, seen=None, next_word_at=until)
    else:
        notices.notify(case, "asked_in_vain", to=[*notices.owner_of(case), *notices.leads_of(case)])
        _later(case, row, AGAIN)


def _later(case: Case, row: Appointment, wait: timedelta, words: str = "") -> None:
    at = within_hours(clock.now() + wait, calendar_of(case))
    appointments.make(case, What.CHASE, at, nth=row.nth, words=words)


def reached(ask: ConfirmationAsk) -> bool:
    """Whether an ask counts by itself: spoken and noted, or a letter that left and did not come back."""
    if ask.channel != "letter":
        return True
    return Delivery.objects.filter(message=ask.message, state=Delivery.State.SENT).exists()


def _follow_up(case: Case, row: Appointment) -> None:
    follow_up(case, row, by=_BY)


@verb("sweep")
def follow_up(case: Case, row: Appointment, *, by: Actor) -> CaseEvent:
    """Some days after the customer's own all-good: did it hold? Asked once, with the link to their page."""
    with speaking(case.language):
        words = spoken(
            "Some days ago you told us that it was made good. Is it still good? Please tell us on your page."
        )
    message = messages.store(
        case, by=by, author=Author.STAFF, audience=Audience.CUSTOMER, body=words, language=case.language
    )
    outbox.letter(case, "follow_up", link=links.standing(case), message=message)
    appointments.done(row, message=message.pk)
    return pen.write(case, "followed_up", by=by, data={"message": message.pk, "appointment": row.pk})


def _waits_for_word(case: Case) -> bool:
    answered = Confirmation.objects.filter(case=case, round=case.round, answer="all_good")
    return case.status == Status.TOLD and not answered.exists()


_HOLDS: dict[str, Callable[[Case], bool]] = {
    What.WAKE: lambda case: case.snoozed_until is not None,
    What.ASK_AGAIN: lambda case: case.status == Status.WAITING and case.waiting_for == "customer",
    What.CHASE: _waits_for_word,
    What.FOLLOW_UP: lambda case: case.ended_as == "made_good" and not outbox.declined(case),
    What.SECURE: lambda case: is_restricted(case) and not case.is_open,
}
_ACTS: dict[str, Callable[[Case, Appointment], None]] = {
    What.WAKE: _wake,
    What.ASK_AGAIN: _ask_again,
    What.CHASE: _chase,
    What.FOLLOW_UP: _follow_up,
    What.SECURE: securing.due,
}


def offer(row: Offer) -> None:
    """An offer has reached its end."""
    if row.state in (Offer.State.WAITING, Offer.State.OPEN) and row.until <= clock.now():
        remedy_choosing.expire(row.case, row, by=_BY)


def set_back(row: Swept, error: Exception) -> None:
    """Looking at this row failed: it is looked at later, each time later, and who keeps the house is told the first time."""
    wait = WAITS[min(row.set_back, len(WAITS) - 1)]
    trouble = clean(f"{type(error).__name__}: {error}", limit=10**6, field="trouble", required=False)[:1000]
    type(row)._default_manager.filter(pk=row.pk).update(
        look_at=clock.now() + wait, set_back=F("set_back") + 1, trouble=trouble
    )
    if row.set_back == 0:
        of = {"n": row.pk, "of": row._meta.model_name}
        notices.notify(getattr(row, "case", None), "poisoned", to=notices.keepers(), data=of)
