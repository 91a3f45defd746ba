"""Five hundred open screens on one process: ``python -m bench.streams`` on a database with cases in it (bin/up --demo, bench.generate).

A server of its own with one worker; streams on as many sheets as there are, a tenth of them on the queue and sixty in one war room
where there is one. Memory and processor time are the server's own. A notification is sent to one sheet, to all sheets, and as many a
second as asked; how long each took to the clients stands beside a bare psycopg listener that hears the same notifications.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from statistics import quantiles

import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from bench.start import ready

console = Console(highlight=False)


@dataclass
class Screen:
    """One open stream. ``at``: when it last heard of a version of its case (seconds of the monotonic clock), by version."""

    case: int
    at: dict[int, float] = field(default_factory=dict)
    events: int = 0
    task: asyncio.Task[None] | None = None


async def listen(port: int, path: str, cookie: str, screen: Screen, opened: asyncio.Semaphore) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**14)
    async with opened:
        writer.write(
            f"GET /live/{path} HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={cookie}\r\n\r\n".encode()
        )
        status = await reader.readline()
        if b" 200 " not in status:
            raise SystemExit(f"{path}: {status!r}")
        await reader.readuntil(b"event: notices")
    try:
        while line := await reader.readline():
            if line.startswith(b'data: {"number"'):
                screen.at.setdefault(int(line.split(b":")[-1].strip(b" }\r\n")), time.monotonic())
            screen.events += line.startswith(b"event:")
    finally:
        writer.close()


async def bare(url: str, heard: dict[str, float]) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as line:
        await line.execute("LISTEN makegood")
        async for notify in line.notifies():
            heard[notify.payload] = time.monotonic()


def p50_p99(found: list[float]) -> str:
    if len(found) < 2:
        return "-"
    cut = quantiles([1000 * seconds for seconds in found], n=100, method="inclusive")
    return f"{cut[49]:.1f} / {cut[98]:.1f}"


def cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


async def measure(
    given: argparse.Namespace,
    url: str,
    server: psutil.Process,
    sessions: list[str],
    cases: list[tuple[int, int, int]],
) -> Table:
    table = Table(title=f"{given.streams} open streams on one process; milliseconds from NOTIFY, p50 / p99")
    for head in ("", "processor, % of one core", "memory, MB", "stream", "bare listener", "events told"):
        table.add_column(head, justify="left" if not head else "right")

    def memory() -> str:
        return f"{server.memory_info().rss / 2**20:.0f}"

    table.add_row("no stream", "-", memory(), "", "", "")
    opened, screens, began = asyncio.Semaphore(20), [], time.monotonic()
    for n in range(given.streams):
        _pk, number, _shop = cases[n % len(cases)]
        screen = Screen(number)
        path = f"?case={number}" + ("&queue" if n % 10 == 0 else "")
        screen.task = asyncio.ensure_future(
            listen(given.port, path, sessions[n % len(sessions)], screen, opened)
        )
        screens.append(screen)
    while opened._value < 20 or any(not s.events and not s.at for s in screens):
        if failed := next((s.task for s in screens if s.task and s.task.done()), None):
            failed.result()
        await asyncio.sleep(0.1)
    table.add_row(f"opened in {time.monotonic() - began:.1f} s", "", memory(), "", "", "")
    heard: dict[str, float] = {}
    beside = asyncio.ensure_future(bare(url, heard))
    await asyncio.sleep(8)
    used, began = cpu(server), time.monotonic()
    await asyncio.sleep(given.seconds)
    table.add_row(
        "idle", f"{100 * (cpu(server) - used) / (time.monotonic() - began):.1f}", memory(), "", "", ""
    )
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as line:
        version = 1_000_000
        for rate in given.rates:
            for screen in screens:
                screen.events = 0
            sent: dict[int, tuple[float, int, str]] = {}
            used, began = cpu(server), time.monotonic()
            while (now := time.monotonic()) < began + given.seconds:
                pk, number, shop = random.choice(cases)
                version += 1
                payload = f"c {pk} {number} {version} {shop} 0 0"
                sent[version] = (time.monotonic(), number, payload)
                await line.execute("SELECT pg_notify('makegood', %s)", [payload])
                await asyncio.sleep(max(0.0, 1 / rate - (time.monotonic() - now)))
            share = 100 * (cpu(server) - used) / (time.monotonic() - began)
            await asyncio.sleep(2)
            told = [
                screen.at[v] - at
                for v, (at, number, _p) in sent.items()
                for screen in screens
                if screen.case == number and v in screen.at
            ]
            beside_told = [heard[p] - at for at, _n, p in sent.values() if p in heard]
            table.add_row(
                f"{rate} events a second",
                f"{share:.1f}",
                memory(),
                p50_p99(told),
                p50_p99(beside_told),
                str(sum(s.events for s in screens)),
            )
    beside.cancel()
    for screen in screens:
        assert screen.task
        screen.task.cancel()
    return table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=15, help="how long each part is measured")
    parser.add_argument("--rates", type=int, nargs="*", default=[1, 10, 50], help="events a second")
    parser.add_argument("--port", type=int, default=8099)
    given = parser.parse_args(arguments)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * given.streams)), hard))
    with ready() as url:
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore
        from django.contrib.sessions.models import Session

        from makegood.cases.models import Case
        from makegood.management.supervise.supervisor import Wishes, _web_command, answers
        from makegood.people.models import User

        # No person has more than twenty screens: so many people as are needed, and gone afterwards.
        people = [
            User.objects.create_user(f"stream{n}@bench.example", name=f"Stream {n}", role="manager")
            for n in range(given.streams // 10 + 1)
        ]
        sessions = []
        for user in people:
            session = SessionStore()
            session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
            session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
            session.save()
            sessions.append(str(session.session_key))
        cases = list(Case.objects.order_by("-id").values_list("id", "number", "shop_id")[:200])
        os.environ["MAKEGOOD_WEB_WORKERS"] = "1"
        process = subprocess.Popen(
            _web_command(Wishes(port=given.port)), env={**os.environ, "DATABASE_URL": url}
        )
        try:
            wishes = Wishes(port=given.port)
            while process.poll() is None and not answers(wishes, dict(os.environ)):
                time.sleep(0.2)
            server = psutil.Process(process.pid).children()[-1]
            console.print(asyncio.run(measure(given, url, server, sessions, cases)))
        finally:
            process.terminate()
            process.wait(20)
            Session.objects.filter(session_key__in=sessions).delete()
            User.objects.filter(pk__in=[user.pk for user in people]).delete()
    return 0


if __name__ == "__main__":
    sys.exit(main())
