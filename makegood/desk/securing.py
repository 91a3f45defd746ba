"""Cases of security: who hears of a new one, a leak that is confirmed, and the looks afterwards at whether it is still secure."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.access import SKILLS, is_restricted
from makegood.cases.models import Case, CaseEvent
from makegood.cases.urgency import Evidence
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk import clocks, closing, freezing, handling, notices
from makegood.desk.verb import verb
from makegood.packs import outside
from makegood.packs.legal import clocks as rules_of_law
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import Role, User
from makegood.promises import appointments
from makegood.promises.hours import calendar_of, within_hours
from makegood.promises.models import Appointment

#: The event of the legal clocks that a confirmed leak starts (packs/clocks/words.toml).
TRIGGER = "breach_known"
_SECURE = Appointment.What.SECURE
_BY = actors.system("worker")


def tell_the_few(event: CaseEvent) -> None:
    """opened, triaged: the few who see a restricted case hear that there is one; nobody else will come across it."""
    case = Case.objects.get(pk=event.case_id)
    was = (
        event.kind == "triaged"
        and CaseEvent.objects.filter(
            case=case, kind="triaged", data__kind=case.kind, seq__lt=event.seq
        ).exists()
    )
    if is_restricted(case) and case.is_open and not was:
        team = freezing.team_for(case.shop)
        few = User.objects.filter(role=Role.SPECIALIST, teams__skill__in=SKILLS, is_active=True)
        people = {*notices.leads_serving(case.shop_id), *few.values_list("pk", flat=True), case.owner_id}
        people |= set(freezing.on_duty(team)) if team and team.skill in SKILLS else set()
        notices.notify(case, "restricted", to=people - {event.actor_id})


@verb("confirm_leak")
def confirm_leak(
    case: Case, *, by: Actor, seen: int | None, known_at: datetime | None, evidence: str
) -> CaseEvent:
    """Personal data leaked, and we have known it since ``known_at``: the clocks of the law for telling authority and people start."""
    case = pen.hold(case.pk, seen=seen)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    if not is_restricted(case):
        raise Refusal(
            "not_security", _("Sort it as a case of fraud or security first: then only a few see it.")
        )
    if CaseEvent.objects.filter(case=case, kind="leak_confirmed").exists():
        raise Refusal(
            "confirmed", _("The leak is confirmed already; correct the start of its clock instead.")
        )
    now = clock.now()
    if known_at is None or not now - clocks.LONGEST_AGO <= known_at <= now:
        raise Refusal("bad_time", _("Say since when it is known; not ahead of now."), field="known_at")
    body = clean(evidence, limit=1000, field="evidence")
    note = messages.store(case, by=by, author=Author.STAFF, audience=Audience.STAFF, body=body)
    data = {"trigger_at": known_at.isoformat(), "message": note.pk}
    return pen.write(case, "leak_confirmed", by=by, at=known_at, data=data, evidence=[Evidence(5, "leak")])


def start_clocks(event: CaseEvent) -> None:
    """leak_confirmed: every clock of the shop's law that runs from knowing of a leak. A rule that the shop switched off stays off."""
    case = Case.objects.select_related("shop").get(pk=event.case_id)
    note = event.data["message"]
    evidence = str(messages.Message.objects.values_list("body", flat=True).get(pk=note))
    for rule in rules_of_law().rules.values():
        if rule.kind == "deadline" and rule.trigger == TRIGGER and rule.is_ours:
            with suppress(Refusal):  # not of this shop's law, switched off, or it runs already
                clocks.start_clock(
                    case,
                    rule.code,
                    event.true_at,
                    evidence,
                    by=actors.system(),
                    seen=None,
                    cause=event,
                )


def check_later(event: CaseEvent) -> None:
    """closed, ended: the first look at whether it is still secure; reopened drops it."""
    case = Case.objects.select_related("shop").get(pk=event.case_id)
    if is_restricted(case) and not case.is_open and case.ended_as != "merged":
        _appoint(case, 1, outside().checks[0])


def due(case: Case, row: Appointment) -> None:
    """The moment to look has come: its people hear of it, again and again until somebody says how it is."""
    look_due(case, row, by=_BY)


@verb("sweep")
def look_due(case: Case, row: Appointment, *, by: Actor) -> CaseEvent:
    """Tell the owner (the second time the lead too) that it is time to look; nothing ends by itself."""
    appointments.done(row)
    again = bool(row.words)
    to = [*notices.owner_of(case), *(notices.leads_of(case) if again else [])]
    notices.notify(case, "security_check", to=to)
    at = within_hours(clock.now() + outside().check_again, calendar_of(case))
    appointments.make(case, _SECURE, at, nth=row.nth, words="asked")
    return pen.write(case, "security_check_due", by=by, data={"nth": row.nth})


@verb("check_security")
def check_security(case: Case, *, by: Actor, secure: bool, words: str) -> CaseEvent:
    """Somebody looked. Secure: the next look is made, until there is none. Not: the case is opened again, at the highest level."""
    case = pen.hold(case.pk)
    row = appointments.standing(case, _SECURE)
    if row is None:
        raise Refusal("no_check", _("No look at this case is due or planned."))
    note = messages.store(
        case,
        by=by,
        author=Author.STAFF,
        audience=Audience.STAFF,
        body=clean(words, limit=5000, field="words"),
    )
    appointments.done(row, message=note.pk)
    data = {"nth": row.nth, "secure": secure, "message": note.pk}
    event = pen.write(case, "security_checked", by=by, data=data)
    checks = outside().checks
    if secure and row.nth < len(checks):
        _appoint(case, row.nth + 1, checks[row.nth] - checks[row.nth - 1])
    return event


def open_again(event: CaseEvent) -> None:
    """security_checked: 'not secure' opens the case again."""
    if event.data["secure"]:
        return
    case = Case.objects.get(pk=event.case_id)
    if not case.is_open:
        closing.reopen(case, by=actors.system(), cause=event)
        case.refresh_from_db()
    handling.raise_by_evidence(case, [Evidence(5, "not_secure")], by=actors.system(), cause=event)


def _appoint(case: Case, nth: int, wait: timedelta) -> None:
    appointments.make(case, _SECURE, within_hours(clock.now() + wait, calendar_of(case)), nth=nth)
