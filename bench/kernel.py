"""How fast the watch's kernel takes events in, and what an open step costs, against decoding the same rows from JSON.

    python -m bench.kernel [--transactions 200000]

Prints events per core-second (CPU time of this process, so that a busy machine does less harm), bytes per open step as
arrays and as a snapshot, and both limits measured in the same run: json.loads of the same events, and pyarrow's reader.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time

import numpy as np
import pyarrow.json

from makegood.watch.batch import Batch, make
from makegood.watch.keys import mix
from makegood.watch.model import Model
from makegood.watch.plan import DAY, HOUR, Plan, compile_plan
from makegood.watch.state import State, new_state

#: What a worker that keeps up reads at once, and one that catches up.
BATCHES = (10_000, 65_536)
START = 20_000 * DAY


def stream(plan: Plan, count: int, days: float, seed: int = 1) -> Batch:
    """Orders with their payments, hand-overs, deliveries and an invoice each; a quarter of a percent stops on the way."""
    random = np.random.default_rng(seed)
    begun = START + np.sort(random.uniform(0, days, count) * DAY).astype(np.int64)
    tx = mix(np.arange(1, count + 1, dtype=np.uint64))
    steps = (
        ("order.placed", 0.0, 0.0), ("payment.requested", 0.01, 0.3), ("payment.captured", 0.02, 0.6), ("order.paid", 0.01, 0.3),
        ("order.handed_over", 20.0, 0.8), ("order.delivered", 30.0, 0.6), ("invoice.requested", 0.5, 0.5),
        ("invoice.issued", 0.2, 0.7),
    )  # fmt: skip
    events, who, at, alive, now = [], [], [], np.ones(count, bool), begun.astype(np.float64)
    for code, hours, sigma in steps:
        alive = alive & (random.random(count) > 0.0025)
        now = now + random.lognormal(np.log(max(hours, 1e-6)), sigma, count) * HOUR * (hours > 0)
        events.append(np.full(int(alive.sum()), plan.events.index(code), np.int16))
        who.append(np.flatnonzero(alive))
        at.append(now[alive].astype(np.int64))
    kinds, row, when = np.concatenate(events), np.concatenate(who), np.concatenate(at)
    order = np.argsort(when, kind="stable")
    kinds, row, when = kinds[order], row[order], when[order]
    sizes = {"shop": 2000, "customer": count // 3 + 1, "carrier": 12, "provider": 4, "region": 17}
    of = {name: mix(random.integers(1, n + 1, count).astype(np.uint64)) for name, n in sizes.items()}
    blank = make(plan, [], [], [])
    return Batch(
        kinds, tx[row], when, mix(np.arange(1, len(row) + 1, dtype=np.uint64)), random.lognormal(3, 1, count)[row],
        tuple(of[a][row] if a in of else np.zeros(len(row), np.uint64) for a in plan.attributes),
        tuple(begun[row] + 12 * DAY if m == "promised_at" else np.zeros(len(row), np.int64) for m in plan.moments),
    ) if len(blank.attributes) == len(plan.attributes) else blank  # fmt: skip


def as_json(plan: Plan, log: Batch) -> list[str]:
    """The events as the door would get them, one document each."""
    shop = plan.attributes.index("shop")
    return [
        json.dumps({"event": plan.events[e], "tx": f"{t:016x}", "at": a, "amount": m, "shop": f"{s:016x}", "id": f"{i:016x}"})
        for e, t, a, m, s, i in zip(
            log.event.tolist(), log.tx.tolist(), log.at.tolist(), log.amount.round(2).tolist(),
            log.attributes[shop].tolist(), log.id.tolist(), strict=True,
        )
    ]  # fmt: skip


def _taken(plan: Plan, model: Model, log: Batch, size: int) -> tuple[State, int]:
    """The log through the kernel in batches; the state at the end and how much was found."""
    from makegood.watch.advance import advance

    state, found = new_state(plan), 0
    for low in range(0, len(log), size):
        part = log.take(slice(low, low + size))
        state, findings, _ = advance(state, part, model, int(part.at[-1]), plan)
        found += len(findings)
    return state, found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--transactions", type=int, default=200_000)
    asked.add_argument("--open", type=int, default=1_000_000, help="open steps for the memory figure")
    options = asked.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.settings")
    from makegood.packs.watching import processes
    from makegood.watch.learn import learn
    from makegood.watch.snapshot import snapshot

    plan = compile_plan([processes()[code] for code in ("order", "payment", "invoice")])
    log = stream(plan, options.transactions, 10)
    model = learn(plan, log, START + 5 * DAY)
    print(f"load {os.getloadavg()[0]:.1f}; {len(log):,d} events")
    rates = {}
    for size in BATCHES:
        _taken(plan, model, log.take(slice(0, 3 * size)), size)  # compiling, or reading what was compiled
        begun = time.process_time()
        state, found = _taken(plan, model, log, size)
        rates[size] = len(log) / (time.process_time() - begun)
        print(
            f"kernel        {rates[size]:12,.0f} events per core-second ({1e9 / rates[size]:.0f} ns each) in batches of {size:,d}; "
            f"{found:,d} findings, {state.open_steps:,d} open at the end"
        )
    texts = as_json(plan, log.take(slice(0, 100_000)))
    begun = time.process_time()
    for text in texts:
        json.loads(text)
    decode = len(texts) / (time.process_time() - begun)
    lines = "\n".join(texts).encode()
    begun = time.process_time()
    pyarrow.json.read_json(io.BytesIO(lines), pyarrow.json.ReadOptions(use_threads=False))
    arrow = len(texts) / (time.process_time() - begun)
    for name, limit in (("json.loads", decode), ("pyarrow.json", arrow)):
        times = " and ".join(f"{rate / limit:.2f}" for rate in rates.values())
        print(f"{name:<13} {limit:12,.0f} events per core-second; the kernel is {times} times that")
    opened = stream(plan, options.open // 5, 0.2, seed=2)
    opened = opened.take(opened.event == plan.events.index("order.placed"))
    state, _ = _taken(plan, model, opened, BATCHES[0])
    rows = state.nbytes["rows"]
    packed = len(snapshot(state, plan))
    print(
        f"open steps    {state.open_steps:,d}: {rows / state.open_steps:.0f} bytes each as arrays, {packed / state.open_steps:.0f} in a snapshot"
    )


if __name__ == "__main__":
    main()
