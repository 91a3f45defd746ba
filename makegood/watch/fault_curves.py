"""The curve of a fault that goes on: how many completions were expected since it began, and how many came.

The kernel keeps the two sums, not how they grew: whenever the state is kept a point is written on the finding, and of too
many every other one is left out again, so that a fault of a week costs no more than one of an hour.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from makegood.watch.log_events import signed
from makegood.watch.models import Finding
from makegood.watch.sink import moment
from makegood.watch.state import State

MOST = 120


def draw(state: State) -> int:
    """Write a point for every fault that is open; how many there are."""
    lanes = state.lanes
    rows = np.flatnonzero(lanes["incident"] != 0)
    if not len(rows):
        return 0
    now = {
        signed(int(lanes["incident"][row])): (float(lanes["missing_e"][row]), int(lanes["missing_o"][row]))
        for row in rows
    }
    for one in Finding.objects.filter(uid__in=now, kind="systemic"):
        expected, observed = now[one.uid]
        points = grown(
            one.data.get("curve") or _begun(one), moment(state.ticked).isoformat(), expected, observed
        )
        Finding.objects.filter(pk=one.pk).update(data={**one.data, "curve": points})
    return len(rows)


def grown(points: list[list[Any]], at: str, expected: float, observed: int) -> list[list[Any]]:
    """The points with one more; the same moment again changes nothing."""
    if points and at <= points[-1][0]:
        return points
    points = [*points, [at, round(expected, 2), observed]]
    return points if len(points) <= MOST else [points[0], *points[2:-1:2], points[-1]]


def _begun(one: Finding) -> list[list[Any]]:
    """Before anybody could tell: nothing when it began, and what was missing when it was found."""
    data = one.data
    begin, found = one.since.isoformat(), one.found_at.isoformat()
    return [[begin, 0.0, 0], [found, data.get("expected", 0), data.get("observed", 0)]]
