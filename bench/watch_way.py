"""The whole way of the watch, from JSON at the door to a committed finding, beside decoding the same JSON and a COPY of the same rows.

    DATABASE_URL=postgresql://…/postgres python -m bench.watch_way rate    [--events 40000] [--stream-events 1000000]
    DATABASE_URL=postgresql://…/postgres python -m bench.watch_way latency [--seconds 30] [--rate 2000] [--stream]

``rate``: one process checks and stores bodies of 500 CloudEvents (once as the door does, once by COPY as files do), another follows
the log with the embedded runner; the time goes from the first body to the last finding committed. Then the same kinds of events as a
stream, in signed bodies of 5,000 flat ones, signature and all (``--mode`` for one of the three; ``--stream-events``). The server's own
processor seconds are told beside. ``latency``: events are stored every 100 ms at the rate (``--stream``: as a stream); one payment in
a hundred is never captured; how long after its due time its finding can be read.
Without DATABASE_URL the embedded server in var/ is used. A scratch database is made and dropped.
Over 300 lines: three ways in and one behind them, measured by the same few functions.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psutil
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


#: canonical type -> what a stream calls it.
STREAM = {
    "order.placed.v1": ("order.placed",), "payment.awaiting.v1": ("payment.requested",),
    "payment.captured.v1": ("payment.captured", "order.paid"),
    "invoice.asked.v1": ("invoice.requested",), "invoice.issued.v1": ("invoice.issued",),
}  # fmt: skip


def flat(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same events as a stream tells them."""
    for event in events:
        data = event["data"]
        worth = {"amount": data["money"]["amount"], "currency": "KRW"} if "money" in data else {}
        for code in STREAM[event["type"]]:
            yield {"tx": data["order"], "at": event["time"], "event": code, "provider": "toss", **worth}


def signed(secret: str, body: bytes, nth: int) -> dict[str, str]:
    from makegood.base import clock, webhooks

    return webhooks.sign(secret, f"m{nth}", clock.now(), body.decode())


def settled(url: str) -> None:
    """A store, the log's days and a model learned from a day of quiet orders."""
    common.settle(url)
    os.environ["BENCH_SECRET"] = made_store()
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


def streaming(
    url: str,
    secret: str,
    some: list[bytes],
    heads: list[dict[str, str]],
    profile: str,
    ready: Any,
    go: Any,
    done: Any,
) -> None:
    """A process that takes bodies of a stream in, as the door does from the signature on; its processor seconds."""
    _django(url)
    from makegood.desk import events_in

    warm = json.dumps(list(flat(orders(20, datetime.now(UTC) - timedelta(hours=9), 1, seed=5)))).encode()  # noqa: TID251
    assert events_in.take_stream("bench", signed(secret, warm, 0), warm).status == 202
    ready.set()
    go.wait()
    begun = time.process_time()
    with profiled(profile, "door"):
        for body, head in zip(some, heads, strict=True):
            answer = events_in.take_stream("bench", head, body)
            assert answer.status == 202 and not answer.content["set_aside"], answer
    done.put(time.process_time() - begun)


@contextmanager
def profiled(path: str, name: str) -> Iterator[None]:
    if not path:
        yield
        return
    with cProfile.Profile(time.process_time) as profile:
        yield
    profile.dump_stats(f"{path}-{name}.prof")


def bare_stream(url: str, events: list[dict[str, Any]]) -> float:
    """Rows a second of a COPY of the same events, a row each, into a plain table with the index that would find them."""
    rows = [(e["tx"], e["at"], e["event"], e["provider"], e.get("amount")) for e in events]
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE bare_stream (tx text, at timestamptz, event text, provider text, amount numeric)"
        )
        connection.execute("CREATE INDEX ON bare_stream (tx)")
        begun = time.perf_counter()
        with connection.cursor().copy("COPY bare_stream FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        found = len(rows) / (time.perf_counter() - begun)
        connection.execute("DROP TABLE bare_stream")
    return found


def server_seconds(url: str) -> float:
    """Processor seconds of the server's own processes, those that have gone included in what their parent counts."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        parent = psutil.Process(row[0]).parent()
        assert parent
        every = [parent, *parent.children(recursive=True)]
        used = [p.cpu_times() for p in every]
        return sum(t.user + t.system + t.children_user + t.children_system for t in used)


def following(url: str, count: int, since: datetime, profile: str, ready: Any, done: Any) -> None:
    """A process that follows the log until it has read so many facts or events; its processor seconds and the findings.

    Until then its clock stands at their beginning: they are hours old, and by our clock all that is open would be late whenever all
    that has come is read.
    """
    _django(url)
    from makegood.base import clock
    from makegood.jobs.watching import LOOK
    from makegood.watch.models import Finding
    from makegood.watch.runner import Runner

    with clock.travel(since):
        runner = Runner.load()
        assert runner
        while runner.step():
            pass
        runner.keep()
        newest = Finding.objects.order_by("-id").values_list("id", flat=True).first() or 0
        begun, read = time.process_time(), 0
        ready.set()
        with profiled(profile, "follow"):
            while read < count:
                came = runner.step()
                read += came
                if not runner.reader.more:
                    time.sleep(LOOK)
    runner.step()
    runner.keep()
    used = time.process_time() - begun
    new = Finding.objects.filter(id__gt=newest)
    done.put(
        (
            used,
            Counter(
                f"{step} {kind} {state}" for step, kind, state in new.values_list("step", "kind", "state")
            ),
        )
    )


def _django(url: str) -> None:
    os.environ["DATABASE_URL"] = url
    import django

    django.setup()


def rate(url: str, given: argparse.Namespace) -> None:
    import msgspec
    import orjson

    spawn = multiprocessing.get_context("spawn")
    for nth, mode in enumerate(("door", "copy", "stream")):
        if given.mode not in ("", mode):
            continue
        count = given.stream_events if mode == "stream" else given.events
        since = datetime.now(UTC) - timedelta(hours=3)  # noqa: TID251
        events = orders(count // 5, since, 2, seed=20 + nth)
        if mode == "stream":
            events = list(flat(events))
        together = given.together if mode == "stream" else TOGETHER
        some = [json.dumps(events[low : low + together]).encode() for low in range(0, len(events), together)]
        size, events = len(events), events[:200_000] if mode == "stream" else []
        decoded = dict[str, float]()
        for name, decode in (
            ("json", json.loads),
            ("orjson", orjson.loads),
            ("msgspec", msgspec.json.decode),
        ):
            begun = time.process_time()
            for body in some[:200]:
                decode(body)
            decoded[name] = min(size, 200 * together) / (time.process_time() - begun)
        up, also, go, done, taken = spawn.Event(), spawn.Event(), spawn.Event(), spawn.Queue(), spawn.Queue()
        profile = given.profile and f"{given.profile}-{mode}"
        follower = spawn.Process(target=following, args=(url, size, since, profile, up, done))
        if mode == "stream":
            secret = os.environ["BENCH_SECRET"]
            heads = [signed(secret, body, n) for n, body in enumerate(some)]
            taker = spawn.Process(target=streaming, args=(url, secret, some, heads, profile, also, go, taken))
        else:
            taker = spawn.Process(target=taking, args=(url, some, mode == "copy", also, go, taken))
        follower.start()
        taker.start()
        up.wait()
        also.wait()
        before, begun = server_seconds(url), time.perf_counter()
        go.set()
        used = taken.get()
        came = time.perf_counter() - begun
        spent, found = done.get()
        wall = time.perf_counter() - begun
        server = server_seconds(url) - before
        title = {"door": "as the door", "copy": "by COPY", "stream": "as a stream"}[mode]
        print(
            f"{title:<14}{size:,d} events, {size / wall:10,.0f} a second ({size / came:,.0f} until all is taken in), {found.total():,d} findings; "
            f"taking in {size / used:,.0f}, following {size / spent:,.0f}, PostgreSQL {size / server:,.0f}, "
            f"together {size / (used + spent + server):,.0f} events per core-second",
            flush=True,
        )
        print("  found: " + ", ".join(f"{what} {n:,d}" for what, n in sorted(found.items())))
        print(
            "  decoded alone: " + ", ".join(f"{name} {speed:,.0f}" for name, speed in decoded.items()),
            flush=True,
        )
        follower.join()
        taker.join()
        if mode == "stream":
            print(
                f"  COPY of {len(events):,d} of the same rows, with an index: {bare_stream(url, events):,.0f} a second"
            )
    if given.mode != "stream":
        bare_copy(url, given.events // 2)


def latency(url: str, given: argparse.Namespace) -> None:
    spawn = multiprocessing.get_context("spawn")
    stop, up = spawn.Event(), spawn.Event()
    watcher = spawn.Process(target=watching, args=(url, stop, up))
    watcher.start()
    up.wait()
    writer = spawn.Process(target=writing, args=(url, given.rate, given.seconds, given.stream))
    writer.start()
    late, vain, seen = list[float](), list[float](), set[int]()
    sql = """SELECT uid, extract(epoch FROM since) + (data->>'limit')::float8, order_number
        FROM makegood_finding WHERE kind = 'stuck' AND id > %s"""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM makegood_finding").fetchone()
        assert row
        end = time.monotonic() + given.seconds + 5
        while time.monotonic() < end:
            for uid, due, order in connection.execute(sql, [row[0]]).fetchall():
                if uid not in seen:
                    seen.add(uid)
                    # Where the writer itself was late, captures came after their time: told rightly, but not what is measured.
                    (vain if int(order.partition("-")[2] or 1) % 100 else late).append(
                        time.time() - float(due)
                    )
            time.sleep(0.005)
    stop.set()
    writer.join()
    watcher.join(30)
    if not late:
        raise SystemExit("nothing was found")
    p50, p95, most = (1000 * float(v) for v in np.quantile(late, [0.5, 0.95, 1]))
    print(
        f"{given.rate:,d} events a second for {given.seconds} s: {len(late)} never captured (and {len(vain)} captured too late), {p50:.0f} ms after due p50, {p95:.0f} p95, {most:.0f} at most"
    )


def watching(url: str, stop: Any, up: Any) -> None:
    """The worker's own loop, as bin/up runs it."""
    _django(url)
    from makegood.jobs import watching as loop

    loop.follow(stop, drained=True)
    up.set()
    loop.run(stop)


def writing(url: str, rate: int, seconds: int, stream: bool) -> None:
    """Payments asked for now, captured after half a second; one in a hundred never. Stored every 100 ms by COPY or as a chunk."""
    _django(url)
    from makegood.base import clock
    from makegood.transactions import facts
    from makegood.transactions.envelope import check
    from makegood.transactions.models import Store, StoreFact
    from makegood.watch import streaming as stream_in

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
        if stream:
            taken = stream_in.take(store, json.dumps(list(flat(made))).encode())
            assert taken.new and not taken.aside
        else:
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
    asked.add_argument("--stream-events", type=int, default=1_000_000)
    asked.add_argument("--together", type=int, default=5_000, help="events in a body of the stream")
    asked.add_argument("--mode", choices=("", "door", "copy", "stream"), default="")
    asked.add_argument("--stream", action="store_true", help="latency: as a stream")
    asked.add_argument("--profile", default="", help="rate: where profiles of each side are written (slower)")
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
