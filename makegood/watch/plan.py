"""A plan: the processes as arrays, so that a batch of events is looked up and never interpreted. Pure and picklable.

Steps and needs are one list: a need ('a refund paid must have been approved') is a step that its events open, that the
needed event closes whether it came before or after, and whose time is its grace (watch.md 1.1: a missing response is a
stuck step).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from makegood.watch.clocks import Clock, of_country
from makegood.watch.keys import U64, name_key

if TYPE_CHECKING:
    from makegood.packs.watch_shapes import Process

HOUR = 3_600_000_000  # microseconds, the unit of every time in the watch
DAY = 24 * HOUR
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
STEP, NEED = 0, 1
KINDS = ("stuck", "overtaken", "duplicate", "mismatch", "systemic", "recurrence")
STUCK, OVERTAKEN, DUPLICATE, MISMATCH, SYSTEMIC, RECURRENCE = range(6)


@dataclass(frozen=True)
class Links:
    """Which steps an event touches: the steps of event e are ``steps[start[e]:start[e + 1]]``."""

    start: I64
    steps: I64

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Links:
        start = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in rows], out=start[1:])
        return cls(start, np.array([step for row in rows for step in row], dtype=np.int64))

    def spread(self, events: npt.NDArray[np.integer]) -> tuple[I64, I64]:
        """For events: (place in ``events``, step) of every pair, in the order of ``events``."""
        count = np.diff(self.start)[events]
        touched = np.flatnonzero(count)
        count = count[touched]
        place = np.repeat(touched, count)
        if not len(place):
            return place, place
        # Numbers that run on within an event and jump to the first step of the next one.
        jump = np.ones(len(place), np.int64)
        begins = np.cumsum(count) - count
        start = self.start[events[touched]]
        jump[0], jump[begins[1:]] = start[0], start[1:] - (start[:-1] + count[:-1] - 1)
        return place, self.steps[np.cumsum(jump)]


@dataclass(frozen=True)
class DuplicateRule:
    code: str
    key: int
    events: Bools  # by event
    columns: tuple[int, ...]  # attributes, rising
    tx: bool
    amount: bool
    window: int  # microseconds; 0: ever
    subject: int  # the attribute whose findings are counted, -1: none
    between: tuple[int, int] = (0, 0)  # the window is learned between these; (0, 0): it is as written


@dataclass(frozen=True)
class RecurrenceRule:
    code: str
    key: int
    kinds: tuple[int, ...]
    steps: Bools  # by step
    rules: tuple[int, ...]  # numbers of its process's duplicate rules
    window: int
    usual: float
    alpha: float


@dataclass(frozen=True)
class Plan:
    """Arrays by step have one place for each of ``codes``; attributes and moments are those of every process together."""

    version: str
    events: tuple[str, ...]
    codes: tuple[str, ...]
    attributes: tuple[str, ...]
    moments: tuple[str, ...]
    keys: U64
    flavour: I64
    opens: Links
    closes: Links
    cancels: Links
    lanes: tuple[tuple[int, ...], ...]
    cohorts: tuple[tuple[tuple[int, ...], ...], ...]
    moment: I64  # which of ``moments`` promises the step, -1: none
    allowed: I64  # microseconds allowed where no moment is given, 0: none; for a need its grace
    patience: npt.NDArray[np.float64]  # the share of the promised time that is waited after it has passed
    of: I64  # the step whose promise it shares, -1: its own or none
    alpha: npt.NDArray[np.float64]
    typical: I64
    late: I64
    overtaken: Bools
    systemic: Bools
    foresee: Bools
    subject: I64  # the attribute whose findings are counted, -1: none
    memory: int
    duplicates: tuple[DuplicateRule, ...]
    recurrences: tuple[RecurrenceRule, ...]
    # Shops and lanes that accept other false alarms than the rest: a row carries the number of its factor on alpha.
    tiers: npt.NDArray[np.float64] = field(default_factory=lambda: np.ones(1))
    tier_keys: U64 = field(
        default_factory=lambda: np.zeros(0, np.uint64)
    )  # rising; a lane, or a step with a shop
    tier_of: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    clocks: tuple[Clock, ...] = ()
    clock: I64 = field(
        default_factory=lambda: np.zeros(0, np.int64)
    )  # which of ``clocks`` a step goes by, -1: the wall's

    def age(self, step: npt.NDArray[np.integer], first: I64, until: I64 | int) -> I64:
        """How long from ``first`` to ``until``, on the clock of each step."""
        out = np.asarray(until - first)
        for number, clock in enumerate(self.clocks):
            mine = np.flatnonzero(self.clock[step] == number)
            if len(mine):
                end = np.broadcast_to(until, out.shape)[mine]
                out[mine] = clock.worked(end) - clock.worked(first[mine])
        return out

    def after(self, step: npt.NDArray[np.integer], first: I64, wait: I64) -> I64:
        """The moment at which :meth:`age` is ``wait``."""
        out = np.asarray(first + wait)
        for number, clock in enumerate(self.clocks):
            mine = np.flatnonzero(self.clock[step] == number)
            if len(mine):
                out[mine] = clock.after(first[mine], wait[mine])
        return out

    def tier(self, keys: U64) -> I64:
        """The tier of each of these keys, 0 for most."""
        if not len(self.tier_keys):
            return np.zeros(len(keys), np.int64)
        at = np.minimum(np.searchsorted(self.tier_keys, keys), len(self.tier_keys) - 1)
        return np.where(self.tier_keys[at] == keys, self.tier_of[at], 0)

    @cached_property
    def rules(self) -> tuple[str, ...]:
        """What a finding's number ``rule`` means: steps and needs, then duplicates, then recurrences."""
        return (*self.codes, *(d.code for d in self.duplicates), *(r.code for r in self.recurrences))


@dataclass
class _Step:
    code: str
    flavour: int
    opens: tuple[str, ...]
    closes: tuple[str, ...]
    cancels: tuple[str, ...] = ()
    lane: tuple[str, ...] = ()
    cohorts: tuple[tuple[str, ...], ...] = ()
    field: str = ""
    hours: float = 0
    patience: float = 0
    of: str = ""
    alpha: float = 0
    typical: float = 1
    late: float = 7
    overtaken: bool = False
    systemic: bool = False
    foresee: bool = False
    subject: str = ""
    calendar: str = ""


def _steps_of(process: Process) -> Iterable[_Step]:
    subject = process.recurrences[0].subject if process.recurrences else ""
    for s in process.steps.values():
        whole = process.steps[s.of] if s.of else s
        yield _Step(
            s.code, STEP, s.open, s.close, s.cancel, s.lane, s.cohort,
            whole.promise.field if whole.promise else "", whole.promise.hours if whole.promise else 0,
            whole.promise.patience if whole.promise else 0, s.of, process.alpha * s.budget, s.typical_hours, process.late_days,
            s.overtaken, s.systemic, s.foresee, subject, s.calendar,
        )  # fmt: skip
    for n in process.needs:
        for number, needed in enumerate(n.needs):
            code = n.code if number == 0 else f"{n.code}#{number + 1}"
            yield _Step(
                code, NEED, n.when, (needed,), hours=n.grace_hours, late=process.late_days, subject=subject
            )


def compile_plan(processes: Iterable[Process], alpha: float | None = None) -> Plan:
    """Processes as arrays. ``alpha`` replaces the false alarms that each process accepts (a what-if)."""
    chosen = list(processes)
    steps = [step for process in chosen for step in _steps_of(process)]
    if alpha is not None:
        for process in chosen:
            for step in steps:
                if step.code in process.steps:
                    step.alpha = alpha * process.steps[step.code].budget
    events = tuple(dict.fromkeys(e for p in chosen for e in p.events))
    attributes = tuple(dict.fromkeys(a for p in chosen for a in p.attributes))
    moments = tuple(dict.fromkeys(s.field for s in steps if s.field))
    at, column = {e: i for i, e in enumerate(events)}, {a: i for i, a in enumerate(attributes)}
    number = {s.code: i for i, s in enumerate(steps)}

    def links(what: str) -> Links:
        rows: list[list[int]] = [[] for _ in events]
        for i, step in enumerate(steps):
            for event in getattr(step, what):
                rows[at[event]].append(i)
        return Links.of(rows)

    duplicates = tuple(_duplicates(chosen, events, column))
    countries = sorted({s.calendar for s in steps} - {""})
    return Plan(
        version=";".join(f"{p.code}={p.version}" for p in chosen),
        events=events, codes=tuple(number), attributes=attributes, moments=moments,
        keys=np.array([name_key(s.code) for s in steps], dtype=np.uint64),
        flavour=_ints(s.flavour for s in steps),
        opens=links("opens"), closes=links("closes"), cancels=links("cancels"),
        lanes=tuple(tuple(column[a] for a in s.lane) for s in steps),
        # Sorted columns: the key of a cohort must not depend on the order in which somebody wrote its attributes.
        cohorts=tuple(tuple(tuple(sorted(column[a] for a in row)) for row in s.cohorts) for s in steps),
        moment=_ints(moments.index(s.field) if s.field else -1 for s in steps),
        allowed=_ints(int(s.hours * HOUR) for s in steps),
        patience=np.array([s.patience for s in steps], dtype=np.float64),
        of=_ints(number[s.of] if s.of else -1 for s in steps),
        alpha=np.array([s.alpha for s in steps], dtype=np.float64),
        typical=_ints(int(s.typical * HOUR) for s in steps),
        late=_ints(int(s.late * DAY) for s in steps),
        overtaken=_flags(s.overtaken for s in steps),
        systemic=_flags(s.systemic for s in steps),
        foresee=_flags(s.foresee for s in steps),
        subject=_ints(column[s.subject] if s.subject else -1 for s in steps),
        memory=int(max(p.memory_days for p in chosen) * DAY),
        duplicates=duplicates,
        recurrences=tuple(_recurrences(chosen, steps, duplicates)),
        clocks=tuple(of_country(code) for code in countries),
        clock=_ints(countries.index(s.calendar) if s.calendar else -1 for s in steps),
    )  # fmt: skip


#: Bits of a row that are left for its tier.
MOST_TIERS = 32


def with_tiers(plan: Plan, factors: Mapping[int, float]) -> Plan:
    """The plan with factors on alpha by key of a lane, or of a step with a shop (``keys.pair_key``). Of more different ones
    than a row has bits for, each goes down to the next that there is: stricter, so that what was promised holds."""
    wanted = sorted({float(f) for f in factors.values()} - {1.0})
    if len(wanted) > MOST_TIERS - 1:
        wanted = [wanted[i * len(wanted) // (MOST_TIERS - 1)] for i in range(MOST_TIERS - 1)]
    tiers, keys = np.array([1.0, *wanted]), sorted(factors)
    place = [1 + max(bisect_right(wanted, factors[k]) - 1, 0) if factors[k] != 1.0 else 0 for k in keys]
    return replace(plan, tiers=tiers, tier_keys=np.array(keys, np.uint64), tier_of=_ints(place))


def _duplicates(
    chosen: Iterable[Process], events: tuple[str, ...], column: dict[str, int]
) -> Iterable[DuplicateRule]:
    for process in chosen:
        subject = column[process.recurrences[0].subject] if process.recurrences else -1
        for d in process.duplicates:
            columns = tuple(sorted(column[a] for a in d.key if a in column))
            yield DuplicateRule(
                d.code, name_key(d.code), _flags(e in d.events for e in events), columns,
                "tx" in d.key, "amount" in d.key, int(d.window_hours * HOUR), subject, (int(d.least_hours * HOUR), int(d.most_hours * HOUR)),
            )  # fmt: skip


def _recurrences(
    chosen: Iterable[Process], steps: list[_Step], duplicates: tuple[DuplicateRule, ...]
) -> Iterable[RecurrenceRule]:
    for process in chosen:
        own = {*process.steps, *(n.code for n in process.needs)}
        mine = _flags(s.code.partition("#")[0] in own for s in steps)
        rules = tuple(i for i, d in enumerate(duplicates) if d.code in {x.code for x in process.duplicates})
        for r in process.recurrences:
            kinds = tuple(KINDS.index(k) for k in r.of)
            yield RecurrenceRule(
                r.code, name_key(r.code), kinds, mine, rules, int(r.window_days * DAY), r.usual, r.alpha
            )


def _ints(values: Iterable[int]) -> I64:
    return np.array(list(values), dtype=np.int64)


def _flags(values: Iterable[bool]) -> Bools:
    return np.array(list(values), dtype=bool)
