"""Building the rules of tasks to outside parties and of security cases from their file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from makegood.packs.reading import Entry


@dataclass(frozen=True)
class Outside:
    """``late_after``: how long after the time has passed each reminder leaves; ``lead_after``: with which of them the lead hears.

    ``checks``: how long after the end of a security case the house asks whether it is still secure.
    """

    remind_at: float
    late_after: tuple[timedelta, ...]
    lead_after: int
    link: timedelta
    freeze: timedelta
    freeze_skills: tuple[str, ...]
    checks: tuple[timedelta, ...]
    check_again: timedelta


def build_outside(root: Entry) -> Outside:
    """The rules that stand in the file ``root``; raises PackError."""
    root.only("chase", "freeze", "checks")
    chase, freeze, checks = root.table("chase"), root.table("freeze"), root.table("checks")
    chase.only("remind_at", "late_after_hours", "lead_after", "link_days")
    freeze.only("minutes", "skills")
    checks.only("after_days", "again_days")
    part = chase.above_zero("remind_at")
    if not part < 1:
        raise chase.wrong("'remind_at' is a part of the time: above 0 and below 1")
    late = _rising(chase, "late_after_hours")
    lead = int(chase.above_zero("lead_after", whole=True))
    if lead > len(late):
        raise chase.wrong("'lead_after' names a reminder that there is not")
    skills = freeze.get("skills", list, "a list of skills")
    if not skills or not all(isinstance(skill, str) and skill for skill in skills):
        raise freeze.wrong("'skills' must name at least one skill")
    return Outside(
        remind_at=float(part),
        late_after=tuple(timedelta(hours=n) for n in late),
        lead_after=lead,
        link=timedelta(days=chase.above_zero("link_days")),
        freeze=timedelta(minutes=freeze.above_zero("minutes")),
        freeze_skills=tuple(skills),
        checks=tuple(timedelta(days=n) for n in _rising(checks, "after_days")),
        check_again=timedelta(days=checks.above_zero("again_days")),
    )


def _rising(entry: Entry, key: str) -> list[float]:
    raw = entry.get(key, list, "a list of numbers")
    if not raw or not all(type(n) in (int, float) and n > 0 for n in raw):
        raise entry.wrong(f"'{key}' must be a list of numbers above 0")
    if any(later <= sooner for sooner, later in pairwise(raw)):
        raise entry.wrong(f"'{key}' must rise")
    return list(raw)
