"""When the house may speak first: in the working hours of the shop's calendar, never at three in the morning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from makegood.cases.models import Case
from makegood.people import calendars


class Opening(Protocol):
    """What is needed of a calendar (``base/calendar.py``)."""

    def next_open(self, moment: datetime) -> datetime:
        """``moment`` where it lies in working hours, else the first moment of the next ones."""
        ...


@dataclass(frozen=True)
class EveryDay:
    """Nine to six, every day, in ``zone``: for a shop without a calendar."""

    zone: str
    opens: time = time(9)
    shuts: time = time(18)

    def next_open(self, moment: datetime) -> datetime:
        local = moment.astimezone(ZoneInfo(self.zone))
        if self.opens <= local.time() < self.shuts:
            return moment
        day = local.date() + timedelta(days=local.time() >= self.shuts)
        return datetime.combine(day, self.opens, ZoneInfo(self.zone)).astimezone(moment.tzinfo)


def within_hours(moment: datetime, calendar: Opening) -> datetime:
    """``moment``, or the first working moment after it."""
    return calendar.next_open(moment)


def calendar_of(case: Case) -> Opening:
    """The working hours of the case's shop (its customers live by them).

    A shop whose country's calendar nobody shipped counts its days by one that is always open; its customers sleep all
    the same, so nine to six stands in there.
    """
    found, version = calendars.standing(case.shop)
    return EveryDay(case.shop.zone) if version.calendar.code.startswith("always") else found
