"""How many cases a second the API opens, against three bare inserts in one transaction on the same server.

    DATABASE_URL=postgresql://…/postgres python bench/api_create.py [--seconds 10] [--clients 8] [--profile]

Makes a scratch database (our migrations, a shop, an agent, a token), starts granian with two workers, and lets 8 clients
with kept-alive connections post reports in three languages, each from a customer of its own. The bare side is the same
number of clients, each inserting three plain rows (case-, message- and event-sized, primary key only, no trigger, no
other index) in one transaction through psycopg with prepared statements: what this server can do at all with three rows.
Both sides run for the same time, one after the other, clients as processes of their own on the same cores.

``--telling`` instead opens cases in turns with the triggers that tell of them (NOTIFY to open screens, calls of webhooks) and with
these switched off, and prints what they cost.

``--profile`` instead opens cases in one process and prints the statements of a request and where its time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import http.client
import json
import multiprocessing
import os
import pstats
import secrets
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parents[1]
THREADS = 4  # a worker; granian's own default (256) makes them fight for the interpreter and the pool
WORDS = (
    "주문번호 HN-20261101 환불을 신청한 지 열흘이 지났는데 아직 입금되지 않았습니다. 언제 처리되나요?",
    "订单 MT-20261102 退款申请十天了还没到账，什么时候能退？",
    "I returned order AX-20261103 ten days ago and my refund has not arrived. When will I get it?",
)


def body(client: int, nth: int) -> bytes:
    customer = {"name": "Alex", "email": f"c{client}-{nth}@customer.example"}
    return json.dumps({"shop": "bench", "text": WORDS[nth % 3], "customer": customer}).encode()


def api_client(client: int, address: tuple[int, str], until: float, done: Any) -> None:
    """Post until the time is over; every answer is read whole and must be 201."""
    port, token = address
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    taken: list[float] = []
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        while (begun := time.perf_counter()) < until:
            connection.request("POST", "/api/v1/cases", body(client, len(taken)), headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 201:
                raise SystemExit(f"{answer.status}: {content[:300]!r}")
            taken.append(time.perf_counter() - begun)
    done.put(taken)


def bare_client(client: int, url: str, until: float, done: Any) -> None:
    words = (WORDS[client % 3] + " ") * 2
    taken: list[float] = []
    with psycopg.connect(url, prepare_threshold=1) as connection:
        while (begun := time.perf_counter()) < until:
            row = connection.execute(
                "INSERT INTO bare_case (words) VALUES (%s) RETURNING id", [words]
            ).fetchone()
            assert row
            connection.execute("INSERT INTO bare_message (case_id, words) VALUES (%s, %s)", [row[0], words])
            connection.execute(
                "INSERT INTO bare_event (case_id, data) VALUES (%s, %s)", [row[0], '{"level": 2}']
            )
            connection.commit()
            taken.append(time.perf_counter() - begun)
    done.put(taken)


def rate(target: Any, what: str, argument: Any, clients: int, seconds: float) -> float:
    done: Any = multiprocessing.Queue()
    until = time.perf_counter() + seconds
    crowd = [multiprocessing.Process(target=target, args=(n, argument, until, done)) for n in range(clients)]
    begun = time.perf_counter()
    for one in crowd:
        one.start()
    taken = sorted(t for _ in crowd for t in done.get(timeout=seconds + 60))
    for one in crowd:
        one.join()
    found = len(taken) / (time.perf_counter() - begun)
    middle, late = taken[len(taken) // 2] * 1000, taken[int(len(taken) * 0.99)] * 1000
    print(f"{what:<34}{found:8.0f}/s   p50 {middle:6.1f} ms   p99 {late:6.1f} ms", flush=True)
    return found


def scratch(server: str) -> str:
    """A database of our own beside the one that DATABASE_URL names; dropped at the end."""
    name = f"bench_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def drop(server: str, url: str) -> None:
    name = urlsplit(url).path.strip("/")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def settle(url: str) -> str:
    """Tables, a shop, an agent and a token; returns its secret."""
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.settings")
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from makegood.people.models import ApiToken, Shop, User

    call_command("migrate", verbosity=0)
    Shop.objects.create(name="Bench", code="bench")
    agent = User.objects.create_user("bench@makegood.example", "correct horse 9", name="Bench")
    _token, secret = ApiToken.issue(agent, "bench", ["cases:open"])
    connection.close()
    plain = "CREATE TABLE {} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {} NOT NULL, at timestamptz DEFAULT now())"
    with psycopg.connect(url, autocommit=True) as bare:
        bare.execute(plain.format("bare_case", "words text"))
        bare.execute(plain.format("bare_message", "case_id bigint NOT NULL, words text"))
        bare.execute(plain.format("bare_event", "case_id bigint NOT NULL, data jsonb"))
    connection.close()
    return secret


def free_port() -> int:
    """A port that nobody has: the measure must not knock at somebody else's server."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def serve(url: str, port: int, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "makegood.wsgi:application"]
    command += [
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--blocking-threads",
        str(THREADS),
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    server = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
    )
    for _ in range(100):
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                return server
        except OSError:
            time.sleep(0.2)
    raise SystemExit("granian did not start")


def measure(url: str, secret: str, clients: int, seconds: float) -> None:
    port = free_port()
    server = serve(url, port, 2)
    try:
        rate(api_client, "warm-up", (port, secret), clients, 2)
        opened = rate(api_client, "POST /api/v1/cases", (port, secret), clients, seconds)
    finally:
        server.terminate()
        server.wait(20)
    bare = rate(bare_client, "three bare inserts, one transaction", url, clients, seconds)
    print(f"ratio {opened / bare:.2f}   (aim: 0.33)")


#: What tells of a change: to open screens (a NOTIFY makes transactions take turns at commit), and to endpoints of others.
TELLING = """SELECT t.tgname, t.tgrelid::regclass::text FROM pg_trigger t
  WHERE NOT t.tgisinternal AND (t.tgname LIKE 'tell!_%' ESCAPE '!' OR t.tgname = 'event_calls') ORDER BY 1"""


def telling(url: str, secret: str, clients: int, seconds: float, turns: int = 4) -> None:
    """Cases a second with the triggers that tell, and without: in turns, so that other load on the machine meets both."""
    port = free_port()
    server = serve(url, port, 2)
    found: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    try:
        rate(api_client, "warm-up", (port, secret), clients, 2)
        with psycopg.connect(url, autocommit=True) as connection:
            triggers = connection.execute(TELLING).fetchall()
            assert len(triggers) >= 5, triggers
            for turn in range(turns):
                for switch in ("ENABLE", "DISABLE") if turn % 2 else ("DISABLE", "ENABLE"):
                    for name, table in triggers:
                        connection.execute(f"ALTER TABLE {table} {switch} TRIGGER {name}")
                    what = "with what tells" if switch == "ENABLE" else "without"
                    found[switch].append(rate(api_client, what, (port, secret), clients, seconds))
    finally:
        server.terminate()
        server.wait(20)
    with_, without = (sum(found[switch]) / turns for switch in ("ENABLE", "DISABLE"))
    print(f"with the triggers {with_ / without:.2f} of the cases a second without ({len(triggers)} triggers)")


def profile(secret: str, times: int = 300) -> None:
    """Statements of one request, and the functions that take the time, in this process without a server."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"Authorization": f"Bearer {secret}"})
    post = lambda n: client.post("/api/v1/cases", body(99, n), content_type="application/json")  # noqa: E731
    for n in range(10):
        assert post(n).status_code == 201
    with CaptureQueriesContext(
        connection,
    ) as captured:
        post(10)
    # Django's log does not see the plain cursors of base/rows.py: the ids, the case, all other rows.
    print(f"{len(captured)} + 3 statements a request:")
    for query in captured.captured_queries:
        print("  ", query["sql"][:110])
    profiler = cProfile.Profile()
    begun = time.process_time()
    profiler.enable()
    for n in range(11, 11 + times):
        post(n)
    profiler.disable()
    print(
        f"{(time.process_time() - begun) / times * 1000:.2f} ms of this process a request, under the profiler"
    )
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    pstats.Stats(profiler).sort_stats("cumtime").print_stats("makegood", 40)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--profile", action="store_true")
    options.add_argument("--telling", action="store_true", help="with and without the triggers that tell")
    chosen = options.parse_args()
    server = os.environ.get("DATABASE_URL")
    if not server:
        raise SystemExit("DATABASE_URL must name a PostgreSQL server on which a scratch database may be made")
    url = scratch(server)
    try:
        secret = settle(url)
        if chosen.profile:
            profile(secret)
        elif chosen.telling:
            telling(url, secret, chosen.clients, chosen.seconds)
        else:
            measure(url, secret, chosen.clients, chosen.seconds)
    finally:
        drop(server, url)


if __name__ == "__main__":
    main()
