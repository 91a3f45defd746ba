"""What a page costs beside the query that it stands on: ``python -m bench.pages`` on a database that bench.generate filled.

Every address is asked of the site itself (Django's test client, signed in). The slowest SELECT that the page ran is then
run bare through psycopg. Both are timed after a warm-up; times are milliseconds, p50 and p99 over N.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from typing import Any
from urllib.parse import quote

import psycopg
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.start import ready

#: A deep page: how many pages are turned before it is measured.
DEEP = 40
WORDS = ("환불", "退款", "refund")
console = Console(highlight=False)


@dataclass(frozen=True)
class Statement:
    sql: str
    params: Any


@dataclass(frozen=True)
class Measured:
    """Milliseconds. ``bare`` is of the page's main statement alone; ``statements`` counts what the page ran in all.

    ``trouble`` says why a page could not be measured.
    """

    name: str
    page: tuple[float, float] = (0.0, 0.0)
    bare: tuple[float, float] = (0.0, 0.0)
    statements: int = 0
    trouble: str = ""


def p50_p99(run: Callable[[], object], times: int) -> tuple[float, float]:
    found = []
    for _nth in range(times):
        began = time.perf_counter()
        run()
        found.append((time.perf_counter() - began) * 1000)
    cut = quantiles(found, n=100, method="inclusive")
    return cut[49], cut[98]


def statements(client: Any, address: str) -> list[Statement]:
    """Every SELECT that the page runs; raises LookupError when the page is not there."""
    from django.db import connection

    found: list[Statement] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip("( ").upper().startswith(("SELECT", "WITH")):
            found.append(Statement(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        answer = client.get(address)
    if answer.status_code != 200:
        raise LookupError(f"{address} answered {answer.status_code}")
    return found


def measure(client: Any, url: str, name: str, address: str, times: int) -> Measured:
    client.get(address)
    try:
        ran = statements(client, address)
    except LookupError as error:
        return Measured(name, trouble=str(error))
    page = p50_p99(lambda: client.get(address), times)
    if not ran:
        return Measured(name, page)
    with psycopg.connect(url, autocommit=True) as connection:

        def bare_run(statement: Statement) -> object:
            return connection.execute(statement.sql, statement.params).fetchall()

        # One run in the page says little (a lock, a plan, a busy moment): the median of three bare runs decides.
        main = max(ran, key=lambda s: p50_p99(lambda: bare_run(s), 3)[0])
        bare = p50_p99(lambda: bare_run(main), times)
    return Measured(name, page, bare, len(ran))


def deep(client: Any, address: str, steps: int) -> str:
    """The address of the page that is ``steps`` pages on, or of the last one."""
    import re
    from html import unescape

    for _step in range(steps):
        body = client.get(address).content.decode()
        links = re.findall(
            r'<a[^>]*rel="next"[^>]*>|<a[^>]*href="[^"]*(?:after|cursor|page)=[^"]*"[^>]*>', body
        )
        found = re.search(r'href="([^"]+)"', links[-1]) if links else None
        if not found:
            break
        target = unescape(found[1])
        address = f"{address.split('?')[0]}{target}" if target.startswith("?") else target
    return address


def addresses(client: Any) -> list[tuple[str, str]]:
    """Name and address of everything that is measured."""
    from makegood.cases.models import Case

    try:
        from makegood.desk.queue import VIEWS
    except ImportError:
        raise SystemExit("There is no makegood/desk/queue.py yet: nothing to measure.") from None
    pages = [(f"queue: {view}", f"/?view={view}") for view in VIEWS]
    pages.append((f"queue: open, {DEEP} pages deep", deep(client, "/?view=open", DEEP)))
    case = Case.objects.exclude(status="ended").order_by("id").first()
    if case is None:
        raise SystemExit("There are no cases: fill the database with bench.generate first.")
    pages.append(("case sheet", f"/cases/{case.number}/"))
    return pages + [(f"search: {word}", f"/search/?q={quote(word)}") for word in WORDS]


def show(rows: list[Measured], times: int) -> None:
    table = Table(
        title=f"Milliseconds over {times} runs: the page, its main statement bare, and what the page adds"
    )
    for head in ("What", "page p50", "p99", "bare p50", "p99", "added p50", "statements"):
        table.add_column(head, justify="left" if head == "What" else "right", no_wrap=head == "What")
    for row in rows:
        if row.trouble:
            table.add_row(row.name, row.trouble)
            continue
        numbers = (*row.page, *row.bare, row.page[0] - row.bare[0])
        table.add_row(row.name, *(f"{number:.1f}" for number in numbers), str(row.statements))
    console.print(table)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--as", dest="email", default="manager@bench.example", help="who looks")
    given = parser.parse_args(arguments)
    with ready() as url:
        from django.core.management import call_command
        from django.test import Client

        from makegood.people.models import User

        user = User.objects.filter(email=given.email).first()
        if user is None:
            raise SystemExit(f"Nobody signs in as {given.email}; say who looks with --as.")
        # As in production: the pages name hashed files, which must have been collected once.
        call_command("collectstatic", interactive=False, verbosity=0)
        client = Client(raise_request_exception=False)
        client.force_login(user)
        pages = addresses(client)
        show(
            [measure(client, url, name, to, given.times) for name, to in track(pages, console=console)],
            given.times,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
