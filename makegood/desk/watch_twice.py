"""What a process counts as recorded twice, as the page of the process says it."""

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
