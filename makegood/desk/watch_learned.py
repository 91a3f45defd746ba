"""What the nights taught of a process, as its page says it: what counts as recorded twice, how false alarms are shared out."""

from __future__ import annotations

from dataclasses import dataclass

from makegood.base.languages import Text3
from makegood.packs.watch_shapes import Process
from makegood.watch import house
from makegood.watch.words import duration


@dataclass(frozen=True)
class Twice:
    """What counts as recorded twice: ``window`` '' for ever; learned from ``pairs`` repeats (0: as written), ``meant`` of 100
    within it so intended."""

    name: Text3
    window: str
    pairs: int
    meant: str


def twice(process: Process) -> list[Twice]:
    learned, out = house.windows(), []
    for rule in process.duplicates:
        one = learned.get(rule.code) if rule.most_hours else None
        seconds = one["window"] / 1e6 if one else rule.window_hours * 3600
        meant = f"{100 * one['meant']:.1f}" if one else ""
        out.append(Twice(rule.name, duration(seconds) if seconds else "", one["pairs"] if one else 0, meant))
    return out


@dataclass(frozen=True)
class Shared:
    """``used``: the false alarms of 1,000 that are shared out now; ``less``: fewer than are accepted, as too many came."""

    used: str
    less: bool


def shared(code: str, accepted: float) -> Shared | None:
    """None: nothing is shared out yet, the steps have what is written."""
    part = house.shared_out().get(code)
    if part is None or part["for"] <= 0:
        return None
    working = part["working"] * accepted / part["for"]
    return Shared(f"{1000 * working:.1f}", working < 0.95 * accepted)
