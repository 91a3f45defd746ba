"""How far each demo case gets: its acts in order, how many such cases there are, and how long ago the last act was.

An act with '?' happens in about half of the cases. What an act does stands in ``acts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Goal:
    """``weight``: its share of the cases; ``rest``: hours since the last act, from and to; ``acts``: what happened."""

    name: str
    weight: int
    rest: tuple[float, float]
    acts: str


_BEGIN = "open triage take reply"
_DEEP = f"{_BEGIN} answers? facts note? more? progress merchant?"
_DONE = f"{_DEEP} fix verify tell"

GOALS = (
    Goal("reported", 5, (0.1, 0.8), "open"),
    Goal("reported_waits", 2, (5, 12), "open more"),
    Goal("triaged", 4, (0.2, 2), "open triage"),
    Goal("triaged_raised", 2, (0.3, 3), "open triage facts raise"),
    Goal("working", 4, (0.3, 9), _BEGIN + " answers facts"),
    Goal("working_on", 3, (0.5, 20), _DEEP + " assign"),
    Goal("working_room", 1, (0.8, 2), _BEGIN + " facts more raise raise progress room"),
    Goal("working_late", 2, (20, 40), _BEGIN + " facts"),
    Goal("working_split", 2, (0.3, 6), _BEGIN + " facts aside split"),
    Goal("working_joined", 3, (0.5, 8), _BEGIN + " duplicate facts progress"),
    Goal("working_lowered", 1, (0.5, 8), _BEGIN + " facts lower progress"),
    Goal("waiting", 7, (0.5, 16), _BEGIN + " facts answers? wait"),
    Goal("fixed", 3, (0.3, 5), f"{_DEEP} fix"),
    Goal("fixed_twice", 1, (0.3, 5), f"{_DEEP} fix wanting fix"),
    Goal("verified", 4, (0.1, 3), f"{_DEEP} fix verify"),
    Goal("told", 5, (2, 40), _DONE),
    Goal("told_again", 2, (3, 30), f"{_DONE} ask"),
    Goal("told_doubted", 1, (1, 10), f"{_DONE} doubted"),
    Goal("made_good", 15, (12, 900), f"{_DONE} good"),
    Goal("made_good_phone", 4, (12, 700), f"{_DONE} ask_phone good_phone"),
    Goal(
        "made_good_second",
        2,
        (12, 400),
        f"{_DONE} not_good again_reply fix_again verify_again tell_again good",
    ),
    Goal("reopened_partly", 2, (0.5, 10), f"{_DONE} partly again_reply"),
    Goal("reopened_after", 2, (0.5, 6), f"{_DONE} good reopen again_reply"),
    Goal("unconfirmed", 4, (24, 500), f"{_DONE} ask_late ask_missed end_unconfirmed"),
    Goal("disagreed", 2, (24, 500), f"{_DEEP} disagree"),
    Goal("withdrawn", 2, (10, 400), _BEGIN + " facts? withdraw"),
)
WHOLE = sum(goal.weight for goal in GOALS)

#: Hours between the act before and this one, from and to.
GAPS: dict[str, tuple[float, float]] = {
    "open": (0, 0),
    "triage": (0.05, 0.3),
    "take": (0.03, 0.2),
    "answers": (0.1, 0.5),
    "facts": (0.2, 2),
    "note": (0.1, 0.6),
    "more": (4, 20),
    "progress": (1, 8),
    "merchant": (1, 6),
    "assign": (0.2, 1),
    "room": (0.3, 1),
    "wait": (0.05, 0.2),
    "raise": (0.2, 0.6),
    "lower": (1, 5),
    "aside": (1, 5),
    "split": (0.1, 0.4),
    "duplicate": (1, 4),
    "fix": (1, 20),
    "wanting": (0.3, 2),
    "verify": (0.2, 3),
    "tell": (0.1, 1),
    "good": (0.5, 30),
    "good_phone": (1, 5),
    "doubted": (2, 8),
    "partly": (2, 20),
    "not_good": (2, 20),
    "again_reply": (0.2, 1.5),
    "fix_again": (2, 20),
    "verify_again": (0.5, 3),
    "tell_again": (0.1, 1),
    "reopen": (20, 60),
    "ask": (24, 40),
    "ask_late": (80, 100),
    "ask_phone": (24, 48),
    "ask_missed": (80, 100),
    "end_unconfirmed": (24, 48),
    "disagree": (4, 30),
    "withdraw": (2, 20),
}


def goals(count: int, rng: Random) -> list[Goal]:
    """``count`` goals in the proportion of their weights; each at least once when ``count`` allows it."""
    chosen = list(GOALS[:count])
    while len(chosen) < count:
        chosen.append(min(GOALS, key=lambda g: (chosen.count(g) + 1) / g.weight))
    rng.shuffle(chosen)
    return chosen


def acts_of(goal: Goal, rng: Random) -> list[str]:
    """The acts of one case, the doubtful ones decided."""
    return [act.rstrip("?") for act in goal.acts.split() if not act.endswith("?") or rng.random() < 0.55]
