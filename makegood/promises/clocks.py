"""When a legal clock runs out. ``due`` is pure; ``give`` writes the promise that the law makes for us.

Days are counted in the zone of the calendar, and a day ends at its 24:00. ``due`` is the last microsecond before it, so
that the last day is read, and shown, as that day and not as the next one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from makegood.base.calendar import DAY, Calendar, NeverOpen, Span
from makegood.cases.models import Case
from makegood.packs import escalation
from makegood.packs.legal import clocks
from makegood.packs.legal_shapes import Rule
from makegood.people.calendars import CalendarVersion, read
from makegood.promises import ledger
from makegood.promises.models import Promise

TICK = timedelta(microseconds=1)


def due(rule: Rule, trigger_at: datetime, calendar: Calendar) -> datetime:
    """The last moment (UTC) of the time that ``rule`` gives after the event at ``trigger_at``.

    ``calendar`` counts its working days and says in which zone its days begin. Raises NeverOpen when that calendar has
    not so many working days within its horizon, ValueError for a rule without a length.
    """
    if rule.unit == "hours":
        return trigger_at.astimezone(UTC) + timedelta(hours=rule.length)
    if rule.unit == "clock_hours":
        daily = Calendar(calendar.zone, ((Span.of(rule.within),),) * 7)
        return daily.add(trigger_at, timedelta(hours=rule.length))
    last = _last_day(rule, calendar.local(trigger_at), calendar)
    if rule.roll_over == "next_working_day":
        last = calendar.roll(last)
    return calendar.midnight_after(last) - TICK


def _last_day(rule: Rule, day: date, calendar: Calendar) -> date:
    """The last day of the period whose event was on ``day``, before it rolls over a day off."""
    same = rule.start == "same"
    if rule.unit == "days":
        return day + timedelta(days=rule.length - same)
    if rule.unit == "working_days":
        return calendar.add_days(day, rule.length - (same and calendar.is_working(day)))
    if rule.unit == "day_of_next_month":
        return _months_on(day.replace(day=1), 1).replace(day=rule.length)
    if rule.unit != "months":
        raise ValueError(f"{rule.code} has no length")
    first = day if same else day + DAY
    if rule.months_from == "first_day":
        # Korean Civil Act 160: until the day before that of the first day; the month's last day where there is none.
        end = _months_on(first, rule.length)
        return end - DAY if end.day == first.day else end
    end = _months_on(day, rule.length)
    return end - DAY if same else end


def _months_on(day: date, months: int) -> date:
    """The day of the same number ``months`` later, or the last one of that month where there is none."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    next_month = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day.day - 1), next_month - DAY)


def near(due_at: datetime, calendar: Calendar, days: int) -> datetime:
    """From when on no more than ``days`` working days are left until ``due_at``: the beginning (UTC) of the first of them."""
    last = calendar.local(due_at)
    try:
        # The day on which it falls due counts, when it is a working day.
        before = calendar.add_days(last + DAY, -(days + 1))
    except NeverOpen:
        return due_at - days * DAY
    return calendar.midnight_after(before)


def snapshot(rule: Rule) -> dict[str, Any]:
    """The whole row with the words of its codes, as it stood when the clock started."""
    pack = clocks()
    words = {
        "silence_says": pack.silences[rule.silence].name,
        "consequence_says": pack.consequences[rule.consequence].name,
    }
    three = {name: {"ko": text.ko, "zh": text.zh, "en": text.en} for name, text in words.items()}
    return {**rule.to_data(), **three}


def give(
    case: Case,
    rule: Rule,
    *,
    trigger_at: datetime,
    due_at: datetime,
    calendar: CalendarVersion,
    by: int | None,
    evidence: str,
) -> Promise:
    """The promise that the law makes for us, made when its event happened, not when we heard of it.

    It may be overdue when it is entered: that is the truth, and the sweep records the break. It is shown to staff only;
    what a customer is told of the law is said by a person.
    """
    return ledger.give(
        case,
        due_at=due_at,
        by=by,
        what=Promise.What.LEGAL,
        basis=rule.basis,
        to="staff",
        words=evidence,
        policy=snapshot(rule),
        calendar=calendar,
        rule=rule.code,
        trigger_at=trigger_at,
        climb_at=near(due_at, read(calendar), escalation().statutory_days)
        if rule.basis == Promise.Basis.STATUTORY
        else None,
    )


def inherit(old: Promise, into: Case) -> None:
    """A clock of a merged case runs on, on its survivor, unless the same one runs there already."""
    running = Promise.objects.filter(case=into, state=Promise.State.OPEN, rule=old.rule)
    if not running.filter(trigger_at=old.trigger_at).exists():
        ledger.give(
            into,
            due_at=old.due_at,
            by=old.by_id,
            what=old.what,
            basis=old.basis,
            to=old.to,
            words=old.words,
            policy=old.policy,
            calendar=old.calendar,
            rule=old.rule,
            trigger_at=old.trigger_at,
            climb_at=old.climb_at,
        )
