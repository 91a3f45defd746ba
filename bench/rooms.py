"""Sixty readers of one war room, one writer: ``python -m bench.rooms`` on a database with cases in it (bin/up --demo).

A server of its own with one worker. Each reader has the room's stream open, and fetches what changed when it is told, as the page
does; the writer says a line when all have read the one before, every ``--every`` seconds at most. Measured from the write to the moment when the words have reached a reader,
and the server's processor time a line. Twice in one run, in turns: with the version that a page sends (only what was said comes),
and with one that names no line of the chat (the whole room comes, as before).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from bench.start import ready
from bench.streams import cpu, p50_p99

console = Console(highlight=False)
_VERSION = re.compile(rb'data-version="([0-9.]+)"')
PARTS, WHOLE = "only what was said", "the whole room"


@dataclass
class Reader:
    """One open page: what it shows, and when each line had reached it."""

    room: int
    cookie: str
    port: int
    version: str = ""
    at: dict[str, float] = field(default_factory=dict)
    read: int = 0
    whole: bool = False

    async def get(self, path: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nHX-Request: true\r\nCookie: sessionid={self.cookie}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.read()
        writer.close()
        if b" 200 " not in answer[:20] and b" 204 " not in answer[:20]:
            raise SystemExit(f"{path}: {answer[:200]!r}")
        return answer

    async def look(self) -> None:
        shown = ".".join(self.version.split(".")[:2]) if self.whole else self.version
        answer = await self.get(f"/rooms/{self.room}/now/?version={shown}")
        self.read += len(answer)
        for line in re.findall(rb"bench line (\d+\.\d+)", answer):
            self.at.setdefault(line.decode(), time.monotonic())
        if found := _VERSION.search(answer):
            self.version = found[1].decode()

    async def live(self) -> None:
        found = _VERSION.search(await self.get(f"/rooms/{self.room}/"))
        assert found
        self.version = found[1].decode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"GET /live/?room={self.room} HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={self.cookie}\r\n\r\n".encode()
        )
        try:
            while line := await reader.readline():
                if line.startswith(b"event: room"):
                    await self.look()
        finally:
            writer.close()


async def measure(
    given: argparse.Namespace, server: psutil.Process, room: Any, sessions: list[str], say: Any
) -> Table:
    table = Table(title=f"{given.readers} readers of one room, from the write to the reader")
    for head in ("", "ms, p50 / p99", "processor, ms a line", "bytes a line and reader", "reached"):
        table.add_column(head, justify="left" if not head else "right")
    readers = [Reader(room.pk, sessions[n % len(sessions)], given.port) for n in range(given.readers)]
    tasks = [asyncio.ensure_future(one.live()) for one in readers]
    await asyncio.sleep(10)
    if failed := next((task for task in tasks if task.done()), None):
        failed.result()
    cost: dict[str, tuple[float, float]] = {}
    sums: dict[str, list[Any]] = {PARTS: [[], 0.0, 0, 0], WHOLE: [[], 0.0, 0, 0]}
    for _turn in range(given.turns):
        for mode in (PARTS, WHOLE):
            for one in readers:
                one.whole, one.read = mode == WHOLE, 0
            sent, used = {}, cpu(server)
            for _n in range(given.lines):
                now = time.monotonic()
                name = f"{now:.6f}"
                sent[name] = now
                await asyncio.to_thread(say, f"bench line {name}")
                # The next line waits for the slowest reader: a backlog of one way of reading must not be counted to the other.
                while any(name not in one.at for one in readers) and time.monotonic() < now + given.most:
                    await asyncio.sleep(0.02)
                await asyncio.sleep(max(0.0, given.every - (time.monotonic() - now)))
            told = [one.at[name] - at for name, at in sent.items() for one in readers if name in one.at]
            row = sums[mode]
            row[0] += told
            row[1] += cpu(server) - used
            row[2] += len(sent)
            row[3] += sum(one.read for one in readers)
    for mode, (told, used_all, lines, read) in sums.items():
        cost[mode] = (1000 * used_all / lines, read / lines / len(readers))
        table.add_row(
            mode,
            p50_p99(told),
            f"{cost[mode][0]:.0f}",
            f"{cost[mode][1]:,.0f}",
            f"{len(told)} of {lines * len(readers)}",
        )
    table.caption = f"processor: {cost[PARTS][0] / cost[WHOLE][0]:.2f} of the whole room's; bytes: {cost[PARTS][1] / cost[WHOLE][1]:.2f}"
    for task in tasks:
        task.cancel()
    return table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=60)
    parser.add_argument("--lines", type=int, default=10, help="lines a turn")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two lines, at least")
    parser.add_argument(
        "--most", type=float, default=30.0, help="seconds that the next line waits for the slowest reader"
    )
    parser.add_argument("--port", type=int, default=8098)
    given = parser.parse_args(arguments)
    with ready() as url:
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
        from django.contrib.sessions.backends.db import SessionStore
        from django.contrib.sessions.models import Session
        from django.db import connections

        from makegood.desk import room_work
        from makegood.incidents.models import Room, RoomMember, RoomMessage
        from makegood.management.supervise.supervisor import Wishes, _web_command, answers
        from makegood.people import actors
        from makegood.people.models import User

        room = Room.objects.filter(closed_at__isnull=True).order_by("pk").first()
        if room is None:
            sys.exit("No war room is open here: give a database with one (bin/up --demo).")
        people = [
            User.objects.create_user(f"reader{n}@bench.example", name=f"Reader {n}", role="manager")
            for n in range(given.readers)
        ]
        RoomMember.objects.bulk_create(RoomMember(room=room, user=user) for user in people)
        sessions = []
        for user in people:
            session = SessionStore()
            session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
            session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
            session.save()
            sessions.append(str(session.session_key))
        writer = actors.user(people[0])

        def say(text: str) -> None:
            try:
                room_work.say(room, by=writer, text=text)
            finally:
                connections.close_all()

        os.environ["MAKEGOOD_WEB_WORKERS"] = "1"
        wishes = Wishes(port=given.port)
        process = subprocess.Popen(_web_command(wishes), env={**os.environ, "DATABASE_URL": url})
        try:
            while process.poll() is None and not answers(wishes, dict(os.environ)):
                time.sleep(0.2)
            server = psutil.Process(process.pid).children()[-1]
            console.print(asyncio.run(measure(given, server, room, sessions, say)))
        finally:
            process.terminate()
            process.wait(20)
            Session.objects.filter(session_key__in=sessions).delete()
            RoomMessage.objects.filter(by__in=people).delete()
            RoomMember.objects.filter(user__in=people).delete()
            User.objects.filter(pk__in=[user.pk for user in people]).delete()
    return 0


if __name__ == "__main__":
    sys.exit(main())
