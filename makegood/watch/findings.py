"""What the kernel found, as one numpy array of records: codes and numbers, never words."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from makegood.watch.keys import U64, chain
from makegood.watch.plan import I64

RAISED, RECOVERED, PAST = 0, 1, 2

#: ``ended``: when a step that recovered or is past was over, 0 while it is open. ``id`` names kind, rule, transaction (or lane) and episode: the same trouble read twice is the same finding.
#: ``rare``: the share of its like that is still open at this age (p); ``paced``: the same at the lane's present speed.
#: ``count``: completions (or finished in the lane) that this is judged by. ``typical``, ``limit``: the median and the
#: threshold in µs (for a share of a promise ``limit`` is the due age). ``overtakes``: later ones that finished earlier.
#: ``other``: the one that overtook, or the first copy. ``expected``, ``observed``: completions of a lane.
#: ``state``: raised, recovered (it ended after all), past (over before it could be told).
FINDING = np.dtype(
    [
        ("id", np.uint64), ("kind", np.int8), ("state", np.int8), ("reason", np.int8), ("rule", np.int16),
        ("tx", np.uint64), ("lane", np.uint64), ("subject", np.uint64),
        ("at", np.int64), ("due", np.int64), ("ended", np.int64), ("since", np.int64), ("promise", np.int64),
        ("typical", np.int64), ("limit", np.int64),
        ("rare", np.float64), ("paced", np.float64), ("count", np.int64), ("confidence", np.float64),
        ("amount", np.float64), ("overtakes", np.int64), ("other", np.uint64), ("other_at", np.int64),
        ("expected", np.float64), ("observed", np.float64), ("incident", np.uint64), ("rank", np.float64),
    ]
)  # fmt: skip
Findings = npt.NDArray[Any]


def none() -> Findings:
    return np.zeros(0, FINDING)


def make(size: int, **columns: Any) -> Findings:
    out = np.zeros(size, FINDING)
    out["rare"] = out["paced"] = out["confidence"] = 1.0
    for name, values in columns.items():
        out[name] = values
    return out


def finding_ids(kind: int, rules: U64, subjects: U64, episodes: I64) -> U64:
    """Stable names: the same kind of trouble with the same step of the same transaction, begun at the same time."""
    return chain(kind + 1, (rules, subjects, episodes.astype(np.uint64)), len(rules))


def ranked(found: Findings) -> Findings:
    """With rank: confidence x (1 + money at risk) / p, in logarithms so that neither drowns the other (watch.md 1.6)."""
    found["rank"] = (
        found["confidence"] * (np.log1p(found["amount"]) + 1) * -np.log(np.clip(found["rare"], 1e-9, 0.9))
    )
    return found


def join(parts: list[Findings]) -> Findings:
    kept = [part for part in parts if len(part)]
    return np.concatenate(kept) if kept else none()
