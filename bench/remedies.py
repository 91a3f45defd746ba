"""The fault run: ``nice -n 10 python -m bench.remedies --remedies 10000`` (into a database of its own).

So many decided refunds are in flight. A provider (a server in this process, which gives every refund that it is asked for, as often
as it is asked) loses 5 % of its replies after it has paid, and tells of every refund by a webhook, before or after its reply, 5 % of
them twice, by the same id or another. Three workers carry out; each is
killed (kill -9) at random, again and again.

At the end: not one refund twice, not one lost, every unknown settled by looking up. Prints the counts; exits 1 if one is wrong.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rich.console import Console

from bench.start import ready

console = Console(highlight=False)
LOST = REPEATED = 0.05
WORKERS = 3
#: Seconds that a worker lives once it is up.
LIVES = (5.0, 60.0)
WORKER = (
    "import django; django.setup(); from bench.remedies import carry; carry(int(__import__('sys').argv[1]))"
)


class Provider:
    """What the money really did. ``refunds``: our reference -> how often it was paid."""

    def __init__(self, tell: Callable[[str, str, bool], None], seed: int) -> None:
        self.refunds: Counter[str] = Counter()
        self.count: Counter[str] = Counter()
        self.chance, self.lock, self.tell = random.Random(seed), threading.Lock(), tell
        provider = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                answer = (
                    provider.refund(asked["ours"], asked["amount"])
                    if self.path == "/refund"
                    else provider.look(asked["ours"])
                )
                if answer is None:  # paid, and the line breaks
                    self.close_connection = True
                    return
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_args: Any) -> None:
                provider.count["lines broken by the other side"] += 1  # its client was killed

        self.server = Quiet(("127.0.0.1", 0), Door)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def refund(self, ours: str, amount: str) -> dict[str, str] | None:
        with self.lock:
            self.refunds[ours] += 1
            early, lost = self.chance.random() < 0.3, self.chance.random() < LOST
            twice, same = self.chance.random() < REPEATED, self.chance.random() < 0.5
            self.count["webhooks before the reply"] += early
            self.count["replies lost"] += lost
            self.count["webhooks told twice"] += twice
        if early:
            self.webhooks(ours, amount, twice, same)
        else:
            threading.Timer(
                0.5 + self.chance.random() * 3, self.webhooks, (ours, amount, twice, same)
            ).start()
        return None if lost else {"state": "sent", "ref": f"re-{ours}"}

    def webhooks(self, ours: str, amount: str, twice: bool, same: bool) -> None:
        self.tell(ours, amount, False)
        if twice:
            self.tell(ours, amount, not same)

    def look(self, ours: str) -> dict[str, str]:
        with self.lock:
            self.count["look-ups"] += 1
            return {"state": "sent" if self.refunds[ours] else "none", "ref": f"re-{ours}"}


class Asking:
    """The connector of a worker."""

    kind = "bench"

    def __init__(self, port: int) -> None:
        self.port = port

    def _post(self, path: str, **body: str) -> dict[str, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request("POST", path, json.dumps(body), {"content-type": "application/json"})
            found: dict[str, str] = json.loads(line.getresponse().read())
            return found
        finally:
            line.close()

    def do(self, ask: Any) -> Any:
        from makegood.connectors.ports import done, unknown

        try:
            told = self._post("/refund", ours=ask.ours, amount=str(ask.money.amount))
        except (OSError, http.client.HTTPException):
            return unknown("lost")
        return done(told["ref"], told["state"], ask.money)

    def look_up(self, ask: Any) -> Any:
        from makegood.connectors.ports import done, refused

        told = self._post("/look", ours=ask.ours)
        return (
            refused("not_there") if told["state"] == "none" else done(told["ref"], told["state"], ask.money)
        )


def carry(port: int) -> None:
    """A worker: sends, looks up, hears, sweeps, until it is killed. The times are short, so that a run ends."""
    from makegood.desk import remedy_settling, remedy_steps, remedy_stores
    from makegood.jobs import remedies, sweep

    remedy_steps.LEASE = timedelta(seconds=15)
    remedy_settling.LOOKS = (timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=4))
    connector = Asking(port)
    remedy_stores.opened = lambda step: connector  # type: ignore[assignment,return-value]
    sources = tuple(s for s in sweep.SOURCES if s.name == "steps left behind")
    print("up", flush=True)
    while True:
        if not remedies.work() and not sweep.tick(sources=sources):
            time.sleep(0.2)


PEOPLE = """
INSERT INTO makegood_shop (name, code, language, zone, currency, made_at) VALUES ('Faults', 'faults', 'ko', 'Asia/Seoul', 'KRW', now());
INSERT INTO makegood_user (password, email, name, role, language, zone, is_active, made_at)
  VALUES ('!', 'faults@bench.example', 'Faults', 'agent', 'en', 'UTC', true, now());
INSERT INTO makegood_customer (shop_id, name, email, email_failed_why, phone, language, made_at)
  SELECT id, 'Faults', '', '', '', 'ko', now() FROM makegood_shop WHERE code = 'faults';
"""
CASES = """
INSERT INTO makegood_case (shop_id, customer_id, subject, language, status, version, round, ended_as, kind, type, second_type,
    responsibility, asked_remedy, currency, orders_blocked, campaign_at_risk, urgency, urgency_floor, order_number, waiting_for,
    owner_id, opened_at, due_at)
  SELECT s.id, c.id, 'fault ' || n, 'ko', 'working', 1, 1, '', 'mistake', 'refund.delay', '', 'unknown', 'refund', '', 0, false,
    1, 1, 'F-' || n, '', u.id, now() - interval '3 days', now() + interval '20 days'
  FROM makegood_shop s JOIN makegood_customer c ON c.shop_id = s.id JOIN makegood_user u ON u.email = 'faults@bench.example',
    generate_series(1, %s) n WHERE s.code = 'faults';
INSERT INTO makegood_caseevent (case_id, seq, kind, actor_role, door, true_at, written_at, data)
  SELECT id, 1, 'opened', 'customer', 'page', opened_at, opened_at, '{}' FROM makegood_case WHERE subject LIKE 'fault %%';
"""


def load(count: int) -> Any:
    """``count`` cases with a payment, a decided refund and its planned step each. Returns the store."""
    from django.db import connection, transaction

    from makegood.base import clock
    from makegood.cases.models import Case
    from makegood.people.models import Shop, User
    from makegood.remedies.models import Remedy, Step
    from makegood.transactions.models import Payment, Store

    with connection.cursor() as cursor:
        # It is the workers that die here, not the server, so that no commit has to reach the disk.
        cursor.execute("SELECT format('ALTER DATABASE %I SET synchronous_commit = off', current_database())")
        cursor.execute(cursor.fetchone()[0])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PEOPLE)
        # Ten thousand cases as they stand in the middle of their life, which no case may begin with.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(CASES, [count])
    shop, user, now = (
        Shop.objects.get(code="faults"),
        User.objects.get(email="faults@bench.example"),
        clock.now(),
    )
    store = Store.objects.create(shop=shop, code="faults", name="Faults", kind="bench")
    cases = list(Case.objects.filter(shop=shop).order_by("id"))
    pays = Payment.objects.bulk_create(
        [
            Payment(
                store=store,
                ref=f"pay-{c.pk}",
                state="taken",
                amount=Decimal(39000),
                currency="KRW",
                told_at=now,
            )
            for c in cases
        ],
        batch_size=1000,
    )
    rows = Remedy.objects.bulk_create(
        [
            Remedy(case=c, round=1, kind="refund", amount=Decimal(39000), currency="KRW", payment=p, state="carrying",
                   rule="refund.owed", reason="late", by=user)
            for c, p in zip(cases, pays, strict=True)
        ],
        batch_size=1000,
    )  # fmt: skip
    Step.objects.bulk_create(
        [
            Step(case=c, remedy=r, n=1, action="refund", ours=f"mg-fault-{r.pk:08d}", payment=p, amount=Decimal(39000),
                 currency="KRW", look_at=now, by=user)
            for c, r, p in zip(cases, rows, pays, strict=True)
        ],
        batch_size=1000,
    )  # fmt: skip
    return store


def teller(store: Any) -> Callable[[str, str, bool], None]:
    """What the provider's webhooks become: facts of the log, as the door writes them."""
    from django.db import connection

    from makegood.base import clock
    from makegood.connectors.canon import Money, Told
    from makegood.transactions import facts

    def tell(ours: str, amount: str, another: bool) -> None:
        try:
            said = Told("refund.paid_out", "refund", f"re-{ours}", clock.now(), "paid_out",
                        money=Money(Decimal(amount), "KRW"), more={"our_key": ours})  # fmt: skip
            facts.append(store, [facts.Fact(said, event_id=f"{ours}-{another}", source="bench")], way="event")
        finally:
            connection.close()

    return tell


class Worker:
    """A worker process; ``up`` from when on it takes work (starting may take longer than it is let live, on a busy machine)."""

    def __init__(self, port: int) -> None:
        self.up = 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORKER, str(port)], stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        if self.process.stdout is not None and self.process.stdout.readline():
            self.up = time.monotonic()


def run(
    count: int,
    seed: int,
    limit: float,
    *,
    first: float = 15.0,
    lives: tuple[float, float] = LIVES,
    most: int = 10**9,
) -> tuple[bool, int]:
    """The run; whether everything held, and how many workers were killed. ``first``, ``lives``: seconds that they are let live; ``most``: kills after
    which they are left alone, so that a small run ends on a busy machine too."""
    from makegood.remedies.models import Remedy, Step

    store = load(count)
    provider, chance = Provider(teller(store), seed), random.Random(seed + 1)
    began, kills = time.monotonic(), 0
    workers = [Worker(provider.port) for _ in range(WORKERS)]
    mine = Step.objects.filter(remedy__case__shop__code="faults")
    left, live, look = count, first, 0.0
    try:
        while left and time.monotonic() - began < limit:
            time.sleep(0.5)
            for n, one in enumerate(workers):
                if one.up and kills < most and time.monotonic() - one.up > live:
                    one.process.send_signal(signal.SIGKILL)
                    one.process.wait()
                    kills, live = kills + 1, chance.uniform(*lives)
                if one.process.poll() is not None:
                    workers[n] = Worker(provider.port)
            if time.monotonic() < look:
                continue
            look = time.monotonic() + max(count / 1000, 1)
            left = Remedy.objects.filter(budget=None).exclude(state="arrived").count()
            console.print(f"{time.monotonic() - began:6.0f} s: {left} to go, {kills} kills", style="dim")
    finally:
        for one in workers:
            one.process.kill()
            one.process.wait()
    return report(count, provider, kills, time.monotonic() - began, mine), kills


def report(count: int, provider: Provider, kills: int, seconds: float, mine: Any) -> bool:
    from makegood.cases.models import CaseEvent

    events = Counter(
        CaseEvent.objects.filter(case__shop__code="faults", kind__startswith="remedy_").values_list(
            "kind", flat=True
        )
    )
    twice = sum(n > 1 for n in provider.refunds.values())
    not_paid = count - len(provider.refunds)
    states = Counter(mine.values_list("state", flat=True))
    twice_done = sum(n > 1 for n in Counter(
        CaseEvent.objects.filter(case__shop__code="faults", kind="remedy_arrived").values_list("case", flat=True)
    ).values())  # fmt: skip
    for name, value in (
        ("remedies", count),
        ("seconds", f"{seconds:.0f}"),
        ("workers killed", kills),
        *sorted(provider.count.items()),
        ("steps that were unknown", events["remedy_step_unknown"]),
        ("of them still unknown", states["unknown"] + states["sending"]),
        ("found never to have arrived, and asked again", events["remedy_step_refused"]),
        ("verified by the transaction itself", events["remedy_arrived"]),
        ("refunds that the provider gave twice", twice),
        ("refunds that it never gave", not_paid),
        ("arrivals written twice", twice_done),
        ("steps by state", dict(states)),
    ):
        console.print(f"{name:48} {value}")
    good = not (twice or not_paid or twice_done) and states == Counter({"done": count})
    console.print("held" if good else "DID NOT HOLD", style="green" if good else "red")
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remedies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds after which it gives up")
    given = parser.parse_args()
    with ready():
        held, _kills = run(given.remedies, given.seed, given.limit)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
