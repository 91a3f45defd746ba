"""The whole way of the watch, from JSON at the door to a committed finding, beside decoding the same JSON and a COPY of the same rows.

    DATABASE_URL=postgresql://…/postgres python -m bench.watch_way rate    [--events 40000]
    DATABASE_URL=postgresql://…/postgres python -m bench.watch_way latency [--seconds 30] [--rate 2000]

``rate``: one process checks and stores bodies of 500 CloudEvents (once as the door does, once by COPY as files do), another follows
the log with the embedded runner; the time goes from the first body to the last finding committed. ``latency``: events are
stored every 100 ms at the rate; one payment in a hundred is never captured; how long after its due time its finding can be read.
Without DATABASE_URL the embedded server in var/ is used. A scratch database is made and dropped.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg

from bench import api_create as common
from bench.events_in import bare_copy, made_store

TOGETHER = 500
HEADERS = {"content-type": "application/cloudevents-batch+json"}


def cloud(type_: str, number: str, at: datetime, **data: Any) -> dict[str, Any]:
    noun = type_.partition(".")[0]
    return {
        "specversion": "1.0", "id": f"{type_}/{number}", "source": "/bench", "type": f"{type_}.v1", "subject": number,
        "time": at.isoformat(), "data": {"ref": f"{noun}-{number}", "order": number, **data},
    }  # fmt: skip


def orders(count: int, begin: datetime, hours: float, seed: int = 1) -> list[dict[str, Any]]:
    """Orders with payment and invoice, rising in time; one payment and one invoice in a hundred never come."""
    random = np.random.default_rng(seed)
    made = list[dict[str, Any]]()
    money = {"money": {"amount": "39000", "currency": "KRW"}}
    for n in range(count):
        number, at = f"B{seed}-{n}", begin + timedelta(hours=float(random.uniform(0, hours)))
        paid = at + timedelta(seconds=float(random.lognormal(-0.5, 0.3)))
        made += [cloud("order.placed", number, at, **money), cloud("payment.awaiting", number, at, **money)]
        if random.random() > 0.01:
            made += [cloud("payment.captured", number, paid, **money), cloud("invoice.asked", number, paid)]
            if random.random() > 0.01:
                made.append(
                    cloud("invoice.issued", number, paid + timedelta(seconds=float(random.lognormal(4, 0.5))))
                )
    return sorted(made, key=lambda event: str(event["time"]))


def bodies(events: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(events[low : low + TOGETHER]).encode() for low in range(0, len(events), TOGETHER)]


def settled(url: str) -> None:
    """A store, the log's days and a model learned from a day of quiet orders."""
    common.settle(url)
    made_store()
    from makegood.base import clock
    from makegood.transactions import facts
    from makegood.watch import relearn

    now = clock.now()
    facts.days_ahead((now - timedelta(days=3)).date(), 6)
    take(
        [json.dumps(b).encode() for b in _chunks(orders(1_000, now - timedelta(days=2), 24, seed=9))],
        copied=True,
    )
    assert relearn.learn_anew()


def _chunks(events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for low in range(0, len(events), TOGETHER):
        yield events[low : low + TOGETHER]


def take(some: list[bytes], *, copied: bool) -> None:
    """Check and store bodies: as the door does after the signature, or by COPY as a file is loaded."""
    from makegood.transactions import facts, intake
    from makegood.transactions.envelope import check, parsed
    from makegood.transactions.models import Store, StoreFact

    store = Store.objects.get(code="bench")
    for body in some:
        if copied:
            facts.append_copied(
                store, [check(event, store) for event in parsed(body)], way=StoreFact.Way.FILE
            )
        else:
            intake.take_events(store, HEADERS, body)


def taking(url: str, some: list[bytes], copied: bool, ready: Any, go: Any, done: Any) -> None:
    """A process that takes bodies in when it is told to; its processor seconds."""
    _django(url)
    take([], copied=copied)
    ready.set()
    go.wait()
    begun = time.process_time()
    take(some, copied=copied)
    done.put(time.process_time() - begun)


def following(url: str, count: int, ready: Any, done: Any) -> None:
    """A process that follows the log until it has read so many facts; its processor seconds and the findings."""
    _django(url)
    from makegood.watch.models import Finding
    from makegood.watch.runner import Runner

    runner = Runner.load()
    assert runner
    while runner.step():
        pass
    runner.keep()
    before, begun, read = Finding.objects.count(), time.process_time(), 0
    ready.set()
    while read < count:
        came = runner.step()
        read += came
        if not came:
            time.sleep(0.01)
    runner.step()
    runner.keep()
    done.put((time.process_time() - begun, Finding.objects.count() - before))


def _django(url: str) -> None:
    os.environ["DATABASE_URL"] = url
    import django

    django.setup()


def rate(url: str, given: argparse.Namespace) -> None:
    import msgspec
    import orjson

    spawn = multiprocessing.get_context("spawn")
    decoded: dict[str, float] = {}
    for nth, copied in enumerate((False, True)):
        events = orders(given.events // 5, datetime.now(UTC) - timedelta(hours=3), 2, seed=20 + nth)  # noqa: TID251
        some = bodies(events)
        for name, decode in (
            ("json", json.loads),
            ("orjson", orjson.loads),
            ("msgspec", msgspec.json.decode),
        ):
            begun = time.process_time()
            for body in some:
                decode(body)
            decoded[name] = len(events) / (time.process_time() - begun)
        up, also, go, done, taken = spawn.Event(), spawn.Event(), spawn.Event(), spawn.Queue(), spawn.Queue()
        follower = spawn.Process(target=following, args=(url, len(events), up, done))
        taker = spawn.Process(target=taking, args=(url, some, copied, also, go, taken))
        follower.start()
        taker.start()
        up.wait()
        also.wait()
        begun = time.perf_counter()
        go.set()
        used = taken.get()
        spent, found = done.get()
        wall = time.perf_counter() - begun
        print(
            f"{'by COPY' if copied else 'as the door':<14}{len(events) / wall:10,.0f} events a second, {found:,d} findings; "
            f"taking in {len(events) / used:,.0f}, following {len(events) / spent:,.0f} events per core-second",
            flush=True,
        )
        follower.join()
        taker.join()
    for name, found_rate in decoded.items():
        print(f"{name:<14}{found_rate:10,.0f} events per core-second decoded")
    bare_copy(url, given.events // 2)


def latency(url: str, given: argparse.Namespace) -> None:
    spawn = multiprocessing.get_context("spawn")
    stop, up = spawn.Event(), spawn.Event()
    watcher = spawn.Process(target=watching, args=(url, stop, up))
    watcher.start()
    up.wait()
    writer = spawn.Process(target=writing, args=(url, given.rate, given.seconds))
    writer.start()
    late, seen = list[float](), set[int]()
    sql = "SELECT uid, extract(epoch FROM since) + (data->>'limit')::float8 FROM makegood_finding WHERE kind = 'stuck' AND id > %s"
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM makegood_finding").fetchone()
        assert row
        end = time.monotonic() + given.seconds + 5
        while time.monotonic() < end:
            for uid, due in connection.execute(sql, [row[0]]).fetchall():
                if uid not in seen:
                    seen.add(uid)
                    late.append(time.time() - float(due))
            time.sleep(0.005)
    stop.set()
    writer.join()
    watcher.join(30)
    if not late:
        raise SystemExit("nothing was found")
    p50, p95, most = (1000 * float(v) for v in np.quantile(late, [0.5, 0.95, 1]))
    print(
        f"{given.rate:,d} events a second for {given.seconds} s: {len(late)} findings, {p50:.0f} ms after due p50, {p95:.0f} p95, {most:.0f} at most"
    )


def watching(url: str, stop: Any, up: Any) -> None:
    """The worker's own loop, as bin/up runs it."""
    _django(url)
    from makegood.jobs import watching as loop

    loop.follow(stop, drained=True)
    up.set()
    loop.follow(stop)


def writing(url: str, rate: int, seconds: int) -> None:
    """Payments asked for now, captured after half a second; one in a hundred never. Stored every 100 ms by COPY."""
    _django(url)
    from makegood.base import clock
    from makegood.transactions import facts
    from makegood.transactions.envelope import check
    from makegood.transactions.models import Store, StoreFact

    store, begun, nth = Store.objects.get(code="bench"), time.monotonic(), 0
    captured = list[tuple[float, dict[str, Any]]]()
    money = {"money": {"amount": "39000", "currency": "KRW"}}
    behind = 0
    for turn in range(seconds * 10):
        now, made = clock.now(), list[dict[str, Any]]()
        while captured and captured[0][0] <= time.monotonic():
            made.append(captured.pop(0)[1])
        while len(made) < rate // 10:
            number = f"L-{nth}"
            made.append(cloud("payment.awaiting", number, now, **money))
            if nth % 100:
                at = now + timedelta(seconds=0.5)
                captured.append((time.monotonic() + 0.5, cloud("payment.captured", number, at, **money)))
            nth += 1
        facts.append_copied(store, [check(event, store) for event in made], way=StoreFact.Way.EVENT)
        wait = begun + (turn + 1) / 10 - time.monotonic()
        behind += wait < 0
        time.sleep(max(wait, 0))
    print(f"written in {time.monotonic() - begun:.1f} s, {behind} of {seconds * 10} turns late", flush=True)


@contextmanager
def database() -> Iterator[str]:
    from makegood.management.supervise.database import Embedded
    from makegood.management.supervise.lending import using
    from makegood.management.supervise.places import var

    if server := os.environ.get("DATABASE_URL"):
        yield server
        return
    with using(Embedded(var() / "pg-bench")) as server:
        yield server


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("what", choices=("rate", "latency"))
    asked.add_argument("--events", type=int, default=40_000)
    asked.add_argument("--seconds", type=int, default=30)
    asked.add_argument("--rate", type=int, default=2_000)
    given = asked.parse_args()
    with database() as server:
        url = common.scratch(server)
        try:
            settled(url)
            {"rate": rate, "latency": latency}[given.what](url, given)
            print(f"load {os.getloadavg()[0]:.1f}")
        finally:
            from django.db import connections

            connections.close_all()
            common.drop(server, url)


if __name__ == "__main__":
    sys.exit(main())
