"""Load many made cases by COPY, straight into the tables: ``python -m bench.generate --cases 1000000``.

For measuring only, into a database of its own. Texts are those of the demo. While it loads, triggers and foreign keys
are off (session_replication_role = replica) and secondary indexes are away; both come back, and afterwards the laws
are asked by SQL. Two things are simpler than life: a telling points at the customer's own message, and promises of
ended cases are left out.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.start import ready

CHUNK, CUSTOMERS, ORDERS = 5_000, 0.2, 3_000
console = Console(highlight=False)

#: Each must count nothing: the laws, as questions.
LAWS = {
    "ended without closure or ending": """SELECT count(*) FROM makegood_case c LEFT JOIN makegood_closure k ON k.case_id = c.id
        LEFT JOIN makegood_ending e ON e.case_id = c.id
        WHERE (c.status = 'ended') <> (k.id IS NOT NULL OR e.id IS NOT NULL)""",
    "versions without their event": """SELECT count(*) FROM makegood_case c LEFT JOIN
        (SELECT case_id, max(seq) AS m, count(*) AS n FROM makegood_caseevent GROUP BY 1) e ON e.case_id = c.id
        WHERE c.version IS DISTINCT FROM e.m OR e.n <> e.m""",
    "urgency without evidence": """SELECT count(*) FROM makegood_case c WHERE NOT EXISTS
        (SELECT 1 FROM makegood_urgencyevidence u WHERE u.case_id = c.id AND u.level >= c.urgency)""",
    "closures on another case": """SELECT count(*) FROM makegood_closure k LEFT JOIN makegood_confirmation f
        ON (f.id, f.case_id, f.round, f.telling_id, f.answer) = (k.confirmation_id, k.case_id, k.round, k.telling_id, 'all_good')
        LEFT JOIN makegood_telling t ON (t.id, t.verification_id) = (k.telling_id, k.verification_id)
        WHERE f.id IS NULL OR t.id IS NULL""",
    "open without a promise": """SELECT count(*) FROM makegood_case c WHERE status <> 'ended' AND NOT EXISTS
        (SELECT 1 FROM makegood_promise p WHERE p.case_id = c.id AND p.state = 'open')""",
}


def plan(model: Any, given: list[str]) -> tuple[str, tuple[Any, ...]]:
    """The COPY statement for a model, and the defaults that follow the ``given`` columns in every row."""
    rest = [
        f
        for f in model._meta.concrete_fields
        if f.column not in given and f.name != "id" and not getattr(f, "generated", False)
    ]
    defaults = tuple(f.get_db_prep_save(f.get_default(), connection=_django_connection()) for f in rest)
    names = ", ".join(f'"{name}"' for name in [*given, *(f.column for f in rest)])
    return f"COPY {model._meta.db_table} ({names}) FROM STDIN", defaults


def _django_connection() -> Any:
    from django.db import connection

    return connection


def work(task: tuple[str, Any, int, int]) -> int:
    """Load the cases ``low`` to ``high`` in one transaction."""
    from django.apps import apps

    from bench.rows import COLUMNS, rows_of

    url, house, low, high = task
    tables: dict[str, list[tuple[Any, ...]]] = {name: [] for name in COLUMNS}
    for nth in range(low, high):
        for name, rows in rows_of(nth, house).items():
            tables[name] += rows
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica; SET LOCAL synchronous_commit = off")
        for name, rows in tables.items():
            statement, defaults = plan(apps.get_model("makegood", name), COLUMNS[name].split())
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row + defaults)
    return high - low


@contextmanager
def without_indexes(connection: psycopg.Connection[Any], tables: list[str]) -> Iterator[None]:
    """The secondary indexes of ``tables`` are dropped, and made again at the end, also when the load fails."""
    found = connection.execute(
        """SELECT indexname, indexdef FROM pg_indexes i WHERE schemaname = 'public' AND tablename = ANY(%s)
           AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)""",
        [tables],
    ).fetchall()
    try:
        for name, _definition in found:
            connection.execute(f'DROP INDEX "{name}"')
        yield
    finally:
        with timed(f"{len(found)} indexes"):
            connection.execute("SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 2")
            for _name, definition in found:
                connection.execute(definition)


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    console.print(f"{what}: {time.monotonic() - began:.0f} s")


def house(connection: psycopg.Connection[Any], total: int, seed: int) -> Any:
    """Shops, people, customers and a few orders."""
    from bench.rows import House, order_row
    from makegood.base import clock
    from makegood.base.languages import CODES, EN, KO, ZH
    from makegood.demo import names
    from makegood.people.models import Customer, Role, Shop, Team, User
    from makegood.transactions.models import Order

    rng, now, money = Random(seed), clock.now(), {KO: "KRW", ZH: "CNY", EN: "USD"}
    shops = {
        code: Shop.objects.create(
            name=f"Bench {code}", code=f"bench-{code}", language=code, currency=money[code]
        )
        for code in CODES
    }
    User.objects.create(email="manager@bench.example", name="Bench", role=Role.MANAGER)
    agents = [
        User.objects.create(email=f"agent{n}@bench.example", name=f"Agent {n}", role=Role.AGENT)
        for n in range(40)
    ]
    teams = [Team.objects.create(name=f"Bench {n}") for n in range(4)]
    for n, agent in enumerate(agents):
        teams[n % 4].members.add(agent)
    each, customers, orders = max(1000, int(total * CUSTOMERS) // 3), {}, {}
    (first,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM makegood_customer").fetchone() or (1,)
    statement, defaults = plan(Customer, ["id", "shop_id", "name", "email", "language"])
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for code in CODES:
            customers[code] = (first, first + each)
            for pk in range(*customers[code]):
                mail = f"c{pk}@customer.example"
                copy.write_row((pk, shops[code].pk, names.person(code, rng), mail, code, *defaults))
            first += each
    for code in CODES:
        rows = [
            order_row(
                rng,
                shops[code].pk,
                rng.randrange(*customers[code]),
                code,
                money[code],
                now - timedelta(days=5),
            )
            for _n in range(ORDERS // 3)
        ]
        made = Order.objects.bulk_create([Order(**row) for row in {r["number"]: r for r in rows}.values()])
        orders[code] = [(o.pk, o.number) for o in made]
    (case,) = connection.execute(
        "SELECT nextval(pg_get_serial_sequence('makegood_case', 'id'))"
    ).fetchone() or (1,)
    ids = {code: shop.pk for code, shop in shops.items()}
    return House(
        ids, money, customers, orders, [a.pk for a in agents], [t.pk for t in teams], case, total, now, seed
    )


def settle(connection: psycopg.Connection[Any], tables: list[str]) -> None:
    """Sequences behind the last id, and statistics for the planner."""
    for table in tables:
        connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))"
        )
    connection.execute("VACUUM (ANALYZE)")


def generate(url: str, total: int, seed: int, processes: int) -> int:
    """Load ``total`` cases; returns the exit code."""
    from django.apps import apps
    from django.db import connections

    from bench.rows import COLUMNS

    tables = [apps.get_model("makegood", name)._meta.db_table for name in COLUMNS]
    with psycopg.connect(url, autocommit=True) as connection:
        (there,) = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM makegood_case LIMIT 1) c"
        ).fetchone() or (0,)
        if there:
            console.print("This database has cases already. The benchmark wants one of its own.")
            return 2
        base = house(connection, total, seed)
        connections.close_all()
        console.print(
            "Triggers and foreign keys are off while it loads (session_replication_role = replica)."
        )
        tasks = [(url, base, low, min(low + CHUNK, total)) for low in range(0, total, CHUNK)]
        columns = (TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with without_indexes(connection, tables), Progress(*columns, console=console) as progress:
            bar = progress.add_task("", total=total)
            # Forked before any pool of connections is open, so that the two share none.
            with multiprocessing.get_context("fork").Pool(processes) as pool:
                for done in pool.imap_unordered(work, tasks):
                    progress.advance(bar, done)
        with timed("sequences, vacuum, analyze"):
            settle(connection, [*tables, "makegood_customer"])
        broken = {
            law: count
            for law, sql in LAWS.items()
            if (count := (connection.execute(sql).fetchone() or (0,))[0])
        }
        console.print(f"The laws hold: {len(LAWS)} questions asked." if not broken else f"Broken: {broken}")
        return 1 if broken else 0


def main(arguments: list[str] | None = None, *, run: Callable[..., int] = generate) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(arguments)
    with ready() as url, timed("altogether"):
        return run(url, given.cases, given.seed, given.processes)


if __name__ == "__main__":
    sys.exit(main())
