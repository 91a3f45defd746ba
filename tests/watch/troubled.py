"""A seeded log of Haneul's and Luo's shops in which every kind of trouble happens, cut into batches as they come.

Learned from are nine quiet days before; then six hours with an outage of one provider's payments, and what is left of their
orders over the next days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from makegood.watch.advance import advance
from makegood.watch.batch import Batch, empty, make
from makegood.watch.findings import Findings, join
from makegood.watch.keys import mix
from makegood.watch.model import Model
from makegood.watch.plan import DAY, HOUR, Plan
from makegood.watch.state import new_state
from tests.watch.streams import MINUTE, NOON, plan_of

PROCESSES = ("order", "payment", "refund", "invoice")
#: Minutes after NOON in which 'toss' confirms no payment.
OUTAGE = (115, 205)


@dataclass(frozen=True)
class Troubled:
    """``history`` is learned from up to NOON; ``cuts``: until when each batch of the stream goes; ``until``: when the last look is."""

    plan: Plan
    history: Batch
    log: Batch
    cuts: np.ndarray
    until: int


def played(story: Troubled, model: Model) -> Findings:
    """What the kernel alone tells of the stream, batch by batch, to the last look."""
    state, found = new_state(story.plan), []
    for part, now in [*cut(story), (empty(story.plan), story.until)]:
        state, some, _ = advance(state, part, model, now, story.plan)
        found.append(some)
    return join(found)


def cut(story: Troubled) -> list[tuple[Batch, int]]:
    """The stream in its batches, each with its clock: the latest that it tells."""
    ends = np.searchsorted(story.log.at, story.cuts, side="right").tolist()
    parts = [story.log.take(slice(a, b)) for a, b in zip([0, *ends], ends, strict=False)]
    return [(part, int(part.at[-1])) for part in parts if len(part)]


def troubled(orders: int = 900, hours: float = 6.0, every: float = 60.0, seed: int = 1) -> Troubled:
    """``orders`` in ``hours``; a batch every so many minutes while they are placed, then two for the days after."""
    plan = plan_of(*PROCESSES)
    history = _orders(plan, NOON - 9 * DAY, 9 * 24, orders * 3, seed, outage=False)
    log = _orders(plan, NOON, hours, orders, seed + 1, outage=True)
    cuts = np.arange(NOON + every * MINUTE, NOON + hours * HOUR + 1, every * MINUTE).astype(np.int64)
    cuts = np.concatenate([cuts, NOON + np.array([2, 40]) * DAY])
    return Troubled(plan, history, log, cuts, NOON + 60 * DAY)


def _orders(plan: Plan, begin: int, hours: float, count: int, seed: int, outage: bool) -> Batch:
    random = np.random.default_rng(seed)
    placed = begin + np.sort(random.uniform(0, hours, count) * HOUR).astype(np.int64)
    events, rows, at, extra = list[str](), list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    provider = random.choice(4, count, p=[0.5, 0.3, 0.15, 0.05])

    def tell(event: str, who: np.ndarray, when: np.ndarray, again: int = 0) -> np.ndarray:
        events.extend([event] * len(who))
        rows.append(who)
        at.append(when[who])
        extra.append(np.full(len(who), again))
        return when

    def after(when: np.ndarray, typical: float, sigma: float) -> np.ndarray:
        return when + (random.lognormal(np.log(typical), sigma, count) * HOUR).astype(np.int64)

    def most(share: float, of: np.ndarray | None = None) -> np.ndarray:
        kept = random.random(count) < share
        return np.flatnonzero(kept if of is None else kept & np.isin(np.arange(count), of))

    every = np.arange(count)
    tell("order.placed", most(0.995), placed)  # the rest: a payment without an order
    tell("payment.requested", every, placed + MINUTE)
    captured = after(placed + MINUTE, 0.02, 0.5)
    if outage:
        low, high = (NOON + minutes * MINUTE for minutes in OUTAGE)
        stopped = (provider == 0) & (captured >= low) & (captured < high)
        captured[stopped] = high + random.integers(0, 5 * MINUTE, int(stopped.sum()))
    paid = most(0.995)
    tell("payment.captured", paid, captured)
    tell("order.paid", paid, captured)
    tell("payment.captured", most(0.01, paid), captured + MINUTE, again=1)
    tell("invoice.requested", paid, captured + MINUTE)
    # One after the other, as a queue; one in a hundred is set aside by a person for hours, and the later ones pass it.
    issued = np.maximum.accumulate(after(captured + MINUTE, 0.05, 0.1)) + every
    aside = random.random(count) < 0.01
    issued[aside] += (random.uniform(3, 9, int(aside.sum())) * HOUR).astype(np.int64)
    tell("invoice.issued", most(0.995, paid), issued)
    handed = tell("order.handed_over", most(0.99, paid), after(captured, 14, 0.4))
    tell("order.delivered", most(0.99, paid), after(handed, 24, 0.4))
    asked = after(captured, 5, 0.5)
    back = most(0.12, paid)
    tell("refund.requested", back, asked)
    approved = after(asked, 6, 0.6)
    tell("refund.approved", most(0.97, back), approved)
    sent = after(approved, 4, 0.5)
    tell("refund.sent", most(0.97, back), sent)
    tell("refund.paid", most(0.95, back), after(sent, 20, 0.5))
    return _batch(
        plan, events, np.concatenate(rows), np.concatenate(at), np.concatenate(extra), placed, provider, seed
    )


def _batch(
    plan: Plan, events: list[str], row: np.ndarray, at: np.ndarray, again: np.ndarray, placed: np.ndarray,
    provider: np.ndarray, seed: int,
) -> Batch:  # fmt: skip
    count = len(placed)
    random = np.random.default_rng(seed + 1000)
    tx = mix((np.arange(count) + seed * 1_000_000 + 1).astype(np.uint64))
    of = {"shop": 2, "customer": count // 8 + 1, "carrier": 3, "region": 5, "method": 2, "items": 40}
    own = {name: random.integers(1, n + 1, count).astype(np.uint64) for name, n in of.items()}
    own["provider"] = provider.astype(np.uint64) + np.uint64(1)
    batch = make(
        plan, events, tx[row], at, amount=(random.integers(5, 90, count) * 1000.0)[row],
        ids=mix(tx[row] ^ np.array([plan.events.index(e) * 7 + int(n) + 1 for e, n in zip(events, again, strict=True)], np.uint64)),
        attributes={name: own[name][row] for name in plan.attributes if name in own},
        moments={"promised_at": np.where(np.array([e.startswith("order") for e in events]), placed[row] + 4 * DAY, 0)},
    )  # fmt: skip
    return batch.take(np.lexsort((batch.id, batch.at)))
