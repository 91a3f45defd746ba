"""What the sweep costs, and how late it is: ``python -m bench.sweep --open 1000000`` (into a database of its own).

1. A tick with the same 500 promises due, at 10,000 open ones and at ``--open``: it must cost by what is due.
2. 10,000 promises fall due within one minute, on as many cases, with one sweeper and with two: how late each break was
   written down (p50, p99), and how many a second a sweeper does, beside bare SQL that updates as many rows one by one,
   each in a savepoint, as often committed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from statistics import median, quantiles
from typing import Any

import psycopg
from rich.console import Console

from bench.start import ready

console = Console(highlight=False)
CASES, DUE, ROUNDS = 10_000, 500, 5
SWEEPER = """
import django; django.setup()
import threading
from makegood.jobs import sweep
print('up', flush=True)
sweep.run(threading.Event())
"""
PEOPLE = """
INSERT INTO makegood_shop (name, code, language, zone, currency, made_at) VALUES ('Bench', 'bench', 'ko', 'Asia/Seoul', 'KRW', now());
INSERT INTO makegood_user (password, email, name, role, language, zone, is_active, made_at)
  SELECT '!', role || '@bench.example', role, role, 'en', 'UTC', true, now() FROM unnest(ARRAY['agent', 'lead', 'manager']) AS role;
INSERT INTO makegood_team (name, tier, skill, lead_id) SELECT 'Bench', 1, '', id FROM makegood_user WHERE role = 'lead';
INSERT INTO makegood_customer (shop_id, name, email, phone, language, made_at)
  SELECT id, 'Bench', 'bench@customer.example', '', 'ko', now() FROM makegood_shop;
"""
CASE = """
INSERT INTO makegood_case (shop_id, customer_id, subject, language, status, version, round, ended_as, kind, type, second_type,
    responsibility, asked_remedy, currency, orders_blocked, campaign_at_risk, urgency, urgency_floor, order_number, waiting_for,
    owner_id, team_id, opened_at, due_at)
  SELECT s.id, c.id, 'bench ' || n, 'ko', 'working', 1, 1, '', 'mistake', 'refund.delay', '', 'unknown', '', '', 0, false,
    3, 1, '', '', u.id, t.id, now() - interval '3 days', now() + interval '20 days'
  FROM makegood_shop s, makegood_customer c, makegood_user u, makegood_team t, generate_series(1, %s) n
  WHERE u.role = 'agent';
INSERT INTO makegood_caseevent (case_id, seq, kind, actor_role, door, true_at, written_at, data)
  SELECT id, 1, 'opened', 'customer', 'page', opened_at, opened_at, '{}' FROM makegood_case;
"""
COPY = """COPY makegood_promise (case_id, what, basis, "to", made_at, due_at, look_at, words, policy, rule, warned, state,
    set_back, trouble) FROM STDIN"""


def load(link: psycopg.Connection[Any], rows: int, cases: list[int]) -> None:
    """``rows`` open promises, due in 30 days or later."""
    made, due = "2026-01-01 00:00Z", "2027-12-01 00:00Z"
    tail = ("", "{}", "", 0, "open", 0, "")
    with link.cursor() as cursor, cursor.copy(COPY) as copy:
        for n in range(rows):
            copy.write_row(
                (cases[n % len(cases)], "call_back", "promised", "customer", made, due, due, *tail)
            )
    link.execute(
        "UPDATE makegood_promise SET look_at = now() + interval '40 days' + id * interval '1 second' WHERE state = 'open'"
    )
    link.commit()
    link.execute("VACUUM (ANALYZE) makegood_promise") if link.autocommit else None


def fall_due(link: psycopg.Connection[Any], cases: list[int], within: float, ahead: float) -> None:
    """One promise for each of these cases, spread evenly over ``within`` seconds, the first in ``ahead`` seconds."""
    link.execute(
        """INSERT INTO makegood_promise (case_id, what, basis, "to", made_at, due_at, look_at, words, policy, rule, warned,
             state, set_back, trouble)
           SELECT id, 'call_back', 'promised', 'customer', t - interval '1 day', t, t, 'bench', '{}', '', 2, 'open', 0, ''
           FROM (SELECT id, clock_timestamp() + (%s + %s * n / %s) * interval '1 second' AS t
                 FROM unnest(%s::bigint[]) WITH ORDINALITY AS one(id, n)) AS due""",
        [ahead, within, len(cases), cases],
    )
    link.commit()


def ticks(link: psycopg.Connection[Any], cases: list[int]) -> float:
    """Milliseconds a due promise, the median of some ticks with DUE of them."""
    from makegood.jobs import sweep

    found = []
    for n in range(ROUNDS):
        fall_due(link, cases[n * DUE : (n + 1) * DUE], 0.001, -1)
        began = time.perf_counter()
        done = sweep.tick()
        found.append((time.perf_counter() - began) * 1000 / done)
    return median(found)


def empty_tick() -> float:
    """Milliseconds of a tick when nothing is due."""
    from makegood.jobs import sweep

    found = []
    for _n in range(50):
        began = time.perf_counter()
        assert sweep.tick() == 0
        found.append((time.perf_counter() - began) * 1000)
    return median(found)


def bare(url: str, link: psycopg.Connection[Any], cases: list[int]) -> float:
    """Rows a second: as many promises, each updated by itself in a savepoint, 25 to a commit."""
    from makegood.jobs.sweep import BATCH

    fall_due(link, cases, 0.001, -1)
    ids = [
        r[0]
        for r in link.execute("SELECT id FROM makegood_promise WHERE state = 'open' AND look_at <= now()")
    ]
    link.commit()
    began = time.perf_counter()
    for start in range(0, len(ids), BATCH):
        for row in ids[start : start + BATCH]:
            with link.transaction():
                link.execute(
                    "UPDATE makegood_promise SET state = 'broken', settled_at = due_at, look_at = NULL WHERE id = %s",
                    [row],
                )
        link.commit()
    return len(ids) / (time.perf_counter() - began)


def minute(
    link: psycopg.Connection[Any], cases: list[int], sweepers: int, ahead: float = 25
) -> tuple[float, float, float]:
    """(p50, p99 of the seconds that a break was written late, seconds until the last one) for so many sweepers."""
    since = link.execute("SELECT coalesce(max(id), 0) FROM makegood_caseevent").fetchone()
    assert since is not None
    fall_due(link, cases, 60 * len(cases) / CASES, ahead)
    running = [
        subprocess.Popen([sys.executable, "-c", SWEEPER], stdout=subprocess.PIPE) for _n in range(sweepers)
    ]
    try:
        while True:
            time.sleep(2)
            left = link.execute(
                "SELECT count(*) FROM makegood_promise WHERE state = 'open' AND words = 'bench'"
            ).fetchone()
            link.commit()
            assert left is not None
            if not left[0]:
                break
    finally:
        for process in running:
            process.kill()
            process.wait()
    late = [
        row[0]
        for row in link.execute(
            """SELECT extract(epoch FROM written_at - true_at)::float FROM makegood_caseevent
               WHERE id > %s AND kind = 'promise_broken'""",
            [since[0]],
        )
    ]
    link.commit()
    assert len(late) == len(cases), f"{len(late)} breaks for {len(cases)} promises"
    cut = quantiles(late, n=100, method="inclusive")
    return cut[49], cut[98], max(late)


def main(url: str, rows: int, due: int) -> None:
    from django.conf import settings

    given = settings.DATABASES["default"]
    with psycopg.connect(
        dbname=given["NAME"], user=given["USER"], host=given["HOST"], port=given["PORT"] or None
    ) as link:
        if link.execute("SELECT EXISTS (SELECT 1 FROM makegood_case)").fetchone() != (False,):
            sys.exit("This database holds cases: give an empty one (DATABASE_URL).")
        link.execute("SET session_replication_role = replica")
        link.execute(PEOPLE)
        for part in CASE.split(";\n"):
            if part.strip():
                link.execute(part, [CASES] if "%s" in part else None)
        cases = [r[0] for r in link.execute("SELECT id FROM makegood_case ORDER BY id")]
        link.execute("SET session_replication_role = origin")
        link.commit()
        found: dict[int, tuple[float, float]] = {}
        loaded = 0
        for size in (10_000, rows):
            load(link, size - loaded, cases)
            loaded = size
            link.autocommit = True
            link.execute("VACUUM (ANALYZE)")
            link.autocommit = False
            found[size] = (empty_tick(), ticks(link, cases))
            console.print(
                f"{size:>9,} open: a tick with nothing due {found[size][0]:.2f} ms; {found[size][1]:.2f} ms a promise that is due"
            )
        small, large = found[10_000], found[rows]
        console.print(
            f"ratio {rows:,} to 10,000: nothing due {large[0] / small[0]:.2f}, due {large[1] / small[1]:.2f}"
        )
        from makegood.base import clock
        from makegood.jobs import sweep

        for source in sweep.SOURCES[:1]:
            first = source.rows().filter(look_at__lte=clock.now()).order_by("look_at", "id")[: sweep.BATCH]
            console.print(first.explain())
        sql = bare(url, link, cases[:2000])
        console.print(f"bare SQL: {sql:,.0f} rows a second, one by one in savepoints")
        cases = cases[:due]
        for sweepers in (1, 2) if due else ():
            p50, p99, last = minute(link, cases, sweepers)
            console.print(
                f"{len(cases):,} due at 10,000 a minute, {sweepers} sweeper(s): late p50 {p50:.2f} s, p99 {p99:.2f} s, last {last:.2f} s"
            )


if __name__ == "__main__":
    # A polite kill ends the sweepers too: they would go on in the database of the next run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--open", type=int, default=1_000_000)
    parser.add_argument(
        "--due", type=int, default=CASES, help="How many fall due, at 10,000 a minute; 0: none."
    )
    wishes = parser.parse_args()
    with ready() as address:
        os.environ.setdefault("DATABASE_URL", address)
        main(address, wishes.open, min(wishes.due, CASES))
