"""How long things take: Kaplan-Meier curves on logarithmic histograms, and what is read from them. Pure.

watch.md 1.2: bucket b = floor(ln(hours) / ln 1.05); closed counts E_b, ages of what is still open C_b, at risk n_b;
S(b) = prod(1 - E_b / (n_b - C_b / 2)); the never-finishing share pi is the last value of S; completers' curve
S* = (S - pi) / (1 - pi). A logarithmic histogram of growth 1.05 is a DDSketch: a quantile is at most 2.5 % off.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from makegood.watch import loops
from makegood.watch.plan import HOUR, I64

F64 = npt.NDArray[np.float64]
GROWTH = 1.05
LOG = float(np.log(GROWTH))
#: Bucket 0 is one second or less; the last is 25 years.
BUCKETS, OFFSET = 420, 168
#: A share of the promised time, 0 to 1: the cube roots in steps of 1/512, so that five minutes of 72 hours are told from ten
#: (u = 0.001 is known to 15 seconds) and the end is known to 0.6 %.
SHARES = 512
#: Weight of the parent: a child of n observations counts n, its parent 50 (watch.md 1.2).
SHRINK = 50
FLOOR = 1e-4


def position(micros: npt.ArrayLike) -> F64:
    """Where a duration lies on the bucket axis, as a fraction; 0 for a second or less."""
    place = np.array(
        micros, dtype=np.float64
    )  # one array through all of it: fresh memory costs more than the sums
    np.maximum(place, 1.0, out=place)
    np.divide(place, HOUR, out=place)
    np.log(place, out=place)
    np.divide(place, LOG, out=place)
    np.add(place, OFFSET, out=place)
    return np.clip(place, 0, BUCKETS - 1, out=place)


def bucket(micros: npt.ArrayLike) -> I64:
    return position(micros).astype(np.int64)


def share_bucket(used: npt.ArrayLike) -> I64:
    """The bucket of a share of the promised time."""
    root = np.cbrt(np.clip(np.asarray(used, dtype=np.float64), 0, 1))
    return np.clip(np.ceil(root * SHARES).astype(np.int64) - 1, 0, SHARES - 1)


def share_of(buckets: npt.ArrayLike) -> F64:
    """The largest share of a bucket."""
    return ((np.asarray(buckets, dtype=np.float64) + 1) / SHARES) ** 3


def upper(buckets: npt.ArrayLike) -> I64:
    """The longest duration of a bucket, in microseconds."""
    b = np.asarray(buckets, dtype=np.float64)
    return np.asarray(np.exp((b + 1 - OFFSET) * LOG) * HOUR).astype(np.int64)


def kaplan_meier(closed: F64, censored: F64) -> F64:
    """S after each bucket, for rows of histograms: the share that is still open at its end (actuarial form, open items
    counted half at risk in the bucket of their age)."""
    leaving = closed + censored
    at_risk = leaving[..., ::-1].cumsum(-1)[..., ::-1]
    exposed = np.maximum(at_risk - censored / 2, 1e-9)
    return np.maximum(1 - np.where(closed > 0, closed / exposed, 0), 0).cumprod(-1)


def seen_to_the_end(closed: F64, censored: F64, ripe: F64) -> npt.NDArray[np.bool_]:
    """Whether the plateau of a row is the share that never finishes, and not only the end of what was watched.

    Learned on five days with promises of twelve, everything slow is still open: the plateau was read as 'never finishes', and
    7.7 % were told instead of 0.3 %. So items must have stayed open for twice the 99.9 % duration (watch.md 1.2 (a)), with
    their promise over (``ripe``: those of ``censored`` that have none, or whose promise has passed): three, or half of all.
    """
    total = closed.sum(-1, keepdims=True)
    most = np.argmax(closed.cumsum(-1) >= 0.999 * total, axis=-1)
    far = np.arange(closed.shape[-1]) >= (most + round(np.log(2) / LOG))[..., None]
    beyond = np.where(far, ripe, 0).sum(-1)
    return np.asarray((beyond > 0) & (beyond >= np.minimum(3, censored.sum(-1) / 2)))


def plateau(curve: F64) -> F64:
    """The share that S ends on."""
    return np.clip(curve[..., -1], 0, 0.95)


def completers(curve: F64, never: float) -> F64:
    """S* of those who finish, ``never`` being the share pi that does not."""
    return np.clip((curve - never) / (1 - never), 0, 1)


def median_bucket(curve: F64) -> I64:
    """Where half are done; the last bucket where that was not seen."""
    half = curve <= 0.5
    return np.where(half.any(-1), np.argmax(half, axis=-1), curve.shape[-1] - 1)


def shrink(own: F64, count: float, parent: F64) -> F64:
    """The child's curve pulled to its parent's, which is first shifted by the (shrunk) difference of the medians.

    F = (n F_own + M F_parent_shifted) / (n + M), M = 50 (watch.md 1.2).
    """
    weight = count / (count + SHRINK)
    shift = round(float(median_bucket(own) - median_bucket(parent)) * weight) if count else 0
    moved = np.roll(parent, shift)
    if shift > 0:
        moved[:shift] = 1.0
    elif shift < 0:
        moved[shift:] = parent[-1]
    return weight * own + (1 - weight) * moved


def quantile(curve: F64, alpha: F64) -> I64:
    """The first bucket at whose end at most ``alpha`` of the completers are still open; the last where none is."""
    below = curve <= np.asarray(alpha)[..., None] + 1e-12
    return np.where(below.any(-1), np.argmax(below, axis=-1), curve.shape[-1] - 1)


def read(curves: npt.NDArray[np.float32], row: I64, micros: I64) -> F64:
    """S* at an age, between the buckets by a straight line, never below 1e-4 (nothing was ever seen to be rarer)."""
    found: F64 = loops.between(curves, row, position(micros), FLOOR)
    return found


def crossing(curves: npt.NDArray[np.float32], row: I64, level: F64) -> I64:
    """The first age (µs) at which S* is at or below a level of each row's own; the longest bucket where it never is."""
    low, high = np.zeros(len(row), np.int64), np.full(len(row), BUCKETS - 1)
    for _ in range(int(np.ceil(np.log2(BUCKETS)))):
        middle = (low + high) // 2
        under = curves[row, middle] <= level
        high, low = np.where(under, middle, high), np.where(under, low, np.minimum(middle + 1, high))
    return upper(high)
