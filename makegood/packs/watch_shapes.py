"""The shapes of the watch's processes: what is watched, as data. Nothing here is code; the kernel reads it through a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from makegood.packs.shapes import Item, Term

#: What the six detectors are called, in the order of the glossary.
DETECTORS = ("stuck", "overtaken", "duplicate", "mismatch", "systemic", "recurrence")
#: Part of a key that is no attribute: the transaction itself, and its amount.
OWN = ("tx", "amount")
MOST_STEPS, MOST_EVENTS, MOST_CHAIN, MOST_KEY = 60, 200, 4, 6


@dataclass(frozen=True)
class PromiseOf:
    """How long a step may take. ``field``: a moment that the event carries; ``law``: clocks that give that moment where
    the event carries none (counted by promises/clocks.py, by whoever sends the event); ``hours``: the last resort, 0 = none.
    ``patience``: the share of the promised time that is waited after it has passed (0: told at once).
    """

    field: str
    hours: float
    patience: float
    law: tuple[str, ...]


@dataclass(frozen=True)
class Step(Term):
    """From any of ``open`` to any of ``close``; ``cancel`` ends it without an outcome. A span is a step over others.

    ``lane``: attributes whose values make one queue. ``cohort``: attribute lists, wide to narrow, that make its like.
    ``of``: the step whose promise it shares; it is then learned on the transactions that kept that promise.
    ``budget``: its share of the false alarms that the process may raise. ``overtaken``: its lanes may be queues.
    ``foresee``: told when the promise can hardly be kept any more, not only when it is used up.
    ``calendar``: the working days and hours (a code of packs/calendars) that it is done in; '' for one that never rests.
    ``skill``: who can mend it when it stalls ('technology' for an automated step); '' is the front line.
    """

    open: tuple[str, ...]
    close: tuple[str, ...]
    cancel: tuple[str, ...]
    lane: tuple[str, ...]
    cohort: tuple[tuple[str, ...], ...]
    promise: PromiseOf | None
    of: str
    budget: float
    typical_hours: float
    span: bool
    overtaken: bool
    systemic: bool
    foresee: bool
    skill: str = ""
    calendar: str = ""


@dataclass(frozen=True)
class Duplicate(Term):
    """Two different events of these kinds with the same key within the window; 0 hours: ever (within the memory).

    With ``most_hours`` the window is learned between ``least_hours`` and that; ``window_hours`` until then."""

    events: tuple[str, ...]
    key: tuple[str, ...]
    window_hours: float
    least_hours: float = 0.0
    most_hours: float = 0.0


@dataclass(frozen=True)
class Need(Term):
    """After one of ``when`` each of ``needs`` must be seen, before it or up to ``grace_hours`` after it."""

    when: tuple[str, ...]
    needs: tuple[str, ...]
    grace_hours: float


@dataclass(frozen=True)
class Recurrence(Term):
    """Findings that come again for one customer, shop or product: more in the window than ``usual`` explains."""

    subject: str
    of: tuple[str, ...]
    window_days: float
    usual: float
    alpha: float


@dataclass(frozen=True)
class Process(Term):
    """One process, versioned. ``alpha``: false alarms per step that its team accepts (0.005 = 5 in 1,000).

    ``type``: what a case that the watch opens is sorted as (a code of taxonomy.toml), '' leaves it to people.
    """

    version: int
    alpha: float
    late_days: float
    memory_days: float
    attributes: tuple[str, ...]
    events: Mapping[str, Item]
    steps: Mapping[str, Step]
    duplicates: tuple[Duplicate, ...]
    needs: tuple[Need, ...]
    recurrences: tuple[Recurrence, ...]
    type: str = ""
