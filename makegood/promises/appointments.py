"""Appointments: moments at which the house itself acts on a case. One open row a kind and case; callers hold the case."""

from __future__ import annotations

from datetime import datetime

from makegood.base import clock
from makegood.cases.models import Case
from makegood.promises.models import Appointment

What = Appointment.What


def make(
    case: Case,
    what: str,
    look_at: datetime,
    *,
    nth: int = 1,
    by: int | None = None,
    message: int | None = None,
    words: str = "",
) -> Appointment:
    """A new appointment of this kind; one that is still open is dropped for it."""
    drop(case, what)
    return Appointment.objects.create(
        case=case,
        what=what,
        round=case.round,
        nth=nth,
        look_at=look_at,
        by_id=by,
        message_id=message,
        words=words,
    )


def standing(case: Case, what: str) -> Appointment | None:
    """The open appointment of this kind."""
    return Appointment.objects.filter(case=case, what=what, state=Appointment.State.OPEN).first()


def drop(case: Case, *what: str) -> int:
    """What these were made for is over (without ``what``: all of the case); how many were dropped."""
    found = Appointment.objects.filter(case=case, state=Appointment.State.OPEN)
    found = found.filter(what__in=what) if what else found
    return found.update(state=Appointment.State.DROPPED, done_at=clock.now(), look_at=None)


def done(appointment: Appointment, *, message: int | None = None) -> None:
    """It was seen to; ``message`` is what was sent, where something was."""
    appointment.state, appointment.done_at, appointment.look_at = (
        Appointment.State.DONE,
        clock.now(),
        None,
    )
    appointment.message_id = message or appointment.message_id
    appointment.save(update_fields=["state", "done_at", "look_at", "message"])
