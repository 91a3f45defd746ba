"""When the house acts by itself: asks again for the customer's word, repeats an open question, asks later whether it held.

Each is a row (``Appointment``) in the shop's working hours; what happens at its moment stands in ``sweeping.py``.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from makegood.base import clock
from makegood.cases.models import Case, CaseEvent, ConfirmationAsk
from makegood.desk.telling import BETWEEN_ASKS
from makegood.packs import policy
from makegood.promises import appointments
from makegood.promises.hours import calendar_of, within_hours
from makegood.promises.ledger import LONGEST
from makegood.promises.models import Appointment

#: What we allow ourselves beyond the moment of the next ask when we promise it.
SLACK = timedelta(hours=12)


def asks_of(case: Case) -> list[ConfirmationAsk]:
    """The documented asks of this round, oldest first."""
    return list(ConfirmationAsk.objects.filter(case=case, round=case.round).order_by("at", "id"))


def next_ask(case: Case, asked: list[datetime]) -> datetime:
    """When the customer is asked once more after these asks; after the last one, when silence ends the case."""
    rules = policy().confirmation
    if len(asked) < len(rules.after):
        at = max(asked[0] + rules.after[len(asked)], asked[-1] + BETWEEN_ASKS)
    else:
        at = max(asked[0] + rules.over, asked[-1] + rules.answer)
    return within_hours(at, calendar_of(case))


def word_after_ask(case: Case, asked: list[datetime]) -> datetime:
    """By when the customer hears from us after these asks: when we ask again, and a little more."""
    return min(next_ask(case, asked) + SLACK, clock.now() + LONGEST)


def chase_later(event: CaseEvent) -> None:
    """told, asked: the next ask is an appointment."""
    case = Case.objects.select_related("shop").get(pk=event.case_id)
    asked = [ask.at for ask in asks_of(case)]
    appointments.make(case, appointments.What.CHASE, next_ask(case, asked), nth=len(asked) + 1)


def question_later(event: CaseEvent) -> None:
    """waiting: the question that was sent is asked again on schedule; nothing else is waited for by appointment."""
    question = event.data.get("message")
    case = Case.objects.select_related("shop").get(pk=event.case_id)
    appointments.drop(case, appointments.What.ASK_AGAIN)
    if question:
        at = within_hours(event.written_at + policy().waiting_asks[0], calendar_of(case))
        appointments.make(case, appointments.What.ASK_AGAIN, at, message=question)


def question_over(event: CaseEvent) -> None:
    """Nobody waits for the answer any more: it came, or work went on without it."""
    appointments.drop(event.case, appointments.What.ASK_AGAIN)


def chase_over(event: CaseEvent) -> None:
    """The customer gave their word, or there is nothing left to confirm: nobody asks again."""
    appointments.drop(event.case, appointments.What.CHASE)


def follow_up_later(event: CaseEvent) -> None:
    """closed: some days later the customer is asked, once a round, whether it held."""
    case = Case.objects.select_related("shop").get(pk=event.case_id)
    asked = Appointment.objects.filter(case=case, round=case.round, what=appointments.What.FOLLOW_UP)
    if not asked.exists():
        at = within_hours(event.written_at + policy().follow_up, calendar_of(case))
        appointments.make(case, appointments.What.FOLLOW_UP, at)
