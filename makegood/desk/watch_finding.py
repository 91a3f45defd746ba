"""What the page of one finding shows: its place among its like; of a fault the curve of what was expected and what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import log
from typing import Any

from makegood.base import clock
from makegood.base.moments import said
from makegood.desk import watch_cases, watch_dismissing
from makegood.packs.watching import processes
from makegood.people.actors import Actor
from makegood.watch.models import Finding
from makegood.watch.words import confidence, duration

#: Rows of the table beside the curve of a fault.
IN_TABLE = 10


@dataclass(frozen=True)
class Tick:
    """A share of its like on the line of time: ``x`` 0 to 100."""

    x: float
    share: str
    after: str


@dataclass(frozen=True)
class Point:
    """Since the fault began: how many were expected by then, and how many came."""

    at: datetime
    expected: int
    observed: int


@dataclass(frozen=True)
class Curve:
    """The lines of a fault as SVG points in a box of 100 by 100, and the same in numbers. ``marks``: on the line of time."""

    expected: str
    observed: str
    between: str
    most: int
    found_x: float
    points: list[Point]

    @property
    def first(self) -> str:
        """When the line of time begins, as text: a drawing holds no <time>."""
        return said(self.points[0].at)

    @property
    def last(self) -> str:
        return said(self.points[-1].at)


@dataclass(frozen=True)
class Fault:
    """A fault that the watch found and an incident is about: its sentence and its curve."""

    pk: int
    said: str
    curve: Curve


@dataclass(frozen=True)
class FindingPage:
    finding: Finding
    said: str
    process: str
    step: str
    ticks: list[Tick]
    here: float
    like: int
    confidence: str
    children: int
    reasons: list[tuple[str, Any]]
    curve: Curve | None


def finding_page(by: Actor, pk: int) -> FindingPage:
    """One finding with its place among its like."""
    one = watch_dismissing.finding_for(by, pk)
    like = one.data.get("like") or {}
    until = one.ended_at or clock.now()
    age = max((until - one.since).total_seconds(), 1.0)
    done = [(share, max(seconds, 1.0)) for share, seconds in like.get("done", [])]
    longest = max([age, *(seconds for _share, seconds in done)]) * 1.3
    shortest = min([age, *(seconds for _share, seconds in done)]) / 1.5
    process = processes().get(one.process)

    def x(seconds: float) -> float:
        return round(100 * log(seconds / shortest) / log(longest / shortest), 1)

    return FindingPage(
        finding=one,
        said=watch_cases.said(one),
        process=str(process.name) if process else one.process,
        step=watch_cases.step_name(one),
        ticks=[Tick(x(seconds), f"{100 * share:g}", duration(seconds)) for share, seconds in done],
        here=x(age),
        like=like.get("count", 0),
        confidence=confidence(one.confidence),
        children=Finding.objects.filter(fault=one.uid).count() if one.kind == "systemic" else 0,
        reasons=list(Finding.Reason.choices),
        curve=curve(one),
    )


def curve(one: Finding) -> Curve | None:
    """The curve of a fault (watch/fault_curves.py keeps its points); None where there is nothing to draw yet."""
    rows = one.data.get("curve") or []
    points = [Point(datetime.fromisoformat(at), round(expected), observed) for at, expected, observed in rows]
    if len(points) < 2:
        return None
    begin, most = points[0].at, max(1, *(max(p.expected, p.observed) for p in points))
    span = max((points[-1].at - begin).total_seconds(), 1.0)

    def x(at: datetime) -> float:
        return round(100 * (at - begin).total_seconds() / span, 2)

    def line(values: list[int]) -> str:
        return " ".join(f"{x(p.at)},{100 - 100 * v / most:.2f}" for p, v in zip(points, values, strict=True))

    expected, observed = line([p.expected for p in points]), line([p.observed for p in points])
    back = " ".join(reversed(observed.split(" ")))
    return Curve(
        expected, observed, f"{expected} {back}", most, min(max(x(one.found_at), 0), 100), _thinned(points)
    )


def _thinned(points: list[Point]) -> list[Point]:
    """As many as a table can be read with, the first and the last among them."""
    step = max(1, -(-len(points) // IN_TABLE))
    kept = points[::step]
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def faults_of(incident_id: int) -> list[Fault]:
    """What the watch saw of an incident, for whoever may see the incident: one query, and nothing where people found it."""
    rows = Finding.objects.filter(incident=incident_id, kind="systemic").order_by("since", "id")[:IN_TABLE]
    drawn = ((one, curve(one)) for one in rows)
    return [Fault(one.pk, watch_cases.said(one), line) for one, line in drawn if line is not None]


def of_case(case_id: int) -> list[tuple[Finding, str]]:
    """The findings on a case, each with its sentence: one query."""
    rows = Finding.objects.filter(case=case_id).order_by("-rank", "id")[:5]
    return [(one, watch_cases.said(one)) for one in rows]
