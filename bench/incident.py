"""One fault over many cases: ``python -m bench.incident --cases 20000`` (into a database of its own).

The cases are made by SQL; then everything is the product's own: they are brought into one incident by an act, and one act
tells all their customers (a third each in Korean, Chinese and English), carried out by one sweeper. Beside it the same
rows by bare SQL (message, search entry, promise kept and given, letter, case, event), one case after another, each in a
savepoint, 100 to a commit. Then the incident's page, read again and again with all its cases in it.
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import quantiles
from typing import Any

import psycopg
from rich.console import Console

from bench.start import ready

console = Console(highlight=False)
BATCH = 100
PEOPLE = """
INSERT INTO makegood_shop (name, code, language, zone, currency, made_at) VALUES ('Bench', 'bench', 'ko', 'Asia/Seoul', 'KRW', now());
INSERT INTO makegood_user (password, email, name, role, language, zone, is_active, made_at)
  SELECT '!', role || '@bench.example', role, role, 'en', 'UTC', true, now() FROM unnest(ARRAY['agent', 'lead', 'manager']) AS role;
INSERT INTO makegood_customer (shop_id, name, email, phone, language, made_at)
  SELECT s.id, 'Customer ' || n, 'c' || n || '@customer.example', '', (ARRAY['ko', 'zh-hans', 'en'])[1 + n % 3], now()
  FROM makegood_shop s, generate_series(1, {n}) n;
INSERT INTO makegood_case (shop_id, customer_id, subject, language, status, version, round, ended_as, kind, type, second_type,
    responsibility, asked_remedy, currency, orders_blocked, campaign_at_risk, urgency, urgency_floor, order_number, waiting_for,
    opened_at, due_at)
  SELECT c.shop_id, c.id, 'bench ' || c.id, c.language, 'triaged', 1, 1, '', 'technical', 'refund.delay', '', 'platform', '', '',
    0, false, 3, 3, '', '', now() - interval '1 hour', now() + interval '20 hours' FROM makegood_customer c;
INSERT INTO makegood_caseevent (case_id, seq, kind, actor_role, door, true_at, written_at, data)
  SELECT id, 1, 'opened', 'customer', 'page', opened_at, opened_at, '{{}}' FROM makegood_case;
INSERT INTO makegood_message (case_id, author, audience, channel, language, body, quoted, html, at)
  SELECT id, 'customer', 'customer', 'page', language, 'Where is my refund?', '', '', opened_at FROM makegood_case;
INSERT INTO makegood_promise (case_id, what, basis, "to", made_at, due_at, look_at, words, policy, rule, warned, state, set_back, trouble)
  SELECT id, 'first_word', 'policy', 'customer', opened_at, due_at, due_at, '', '{{}}', '', 0, 'open', 0, '' FROM makegood_case;
INSERT INTO makegood_caselink (case_id, made_at, ends_at, shown) SELECT id, opened_at, now() + interval '90 days', false FROM makegood_case;
"""
TEXTS = {
    "ko": "불편을 드려 죄송합니다. 결제 시스템 장애로 환불이 늦어지고 있습니다. 은행과 원인을 확인하고 있으며 여기에서 다시 알려 드리겠습니다.",
    "zh-hans": "很抱歉给您带来不便。由于支付系统故障，您的退款有所延迟。我们正在与银行核实，会在这里继续告知您进展。",
    "en": "We are sorry for the trouble. A fault in the payment system holds back your refund; we are on it with the bank and tell you here.",
}


def swept(kind: str, n: int) -> float:
    """Seconds until the steps are through, with one sweeper."""
    from makegood.jobs import sweep

    [source] = [s for s in sweep.SOURCES if s.name == "incident steps"]
    began, done = time.perf_counter(), 0
    while batch := sweep.batch(source):
        done += batch
    took = time.perf_counter() - began
    assert done >= n, f"{done} of {n}"
    console.print(f"{kind}: {n:,} cases in {took:.1f} s, {took / n * 1000:.2f} ms each")
    return took


def bare(link: psycopg.Connection[Any], n: int) -> float:
    """Seconds for the same rows by bare SQL, with every constraint and trigger."""
    from makegood.text import search

    vectors = {code: search.vector([(text, "D")]) for code, text in TEXTS.items()}
    found = link.execute(
        "SELECT c.id, c.version, c.language, c.shop_id, u.email, l.id FROM makegood_case c JOIN makegood_customer u ON u.id = c.customer_id"
        " JOIN makegood_caselink l ON l.case_id = c.id ORDER BY c.id LIMIT %s",
        [n],
    ).fetchall()
    link.commit()
    began = time.perf_counter()
    for start in range(0, len(found), BATCH):
        for case, version, language, shop, email, key in found[start : start + BATCH]:
            with link.transaction():
                _bare_one(link, case, version, language, shop, email, key, vectors[language])
        link.commit()
    took = time.perf_counter() - began
    console.print(
        f"bare SQL, the same rows: {len(found):,} cases in {took:.1f} s, {took / len(found) * 1000:.2f} ms each"
    )
    return took


def _bare_one(
    link: psycopg.Connection[Any],
    case: int,
    version: int,
    language: str,
    shop: int,
    email: str,
    key: int,
    vector: str,
) -> None:
    link.execute("SELECT 1 FROM makegood_case WHERE id = %s FOR UPDATE", [case])
    (message,) = link.execute(
        "INSERT INTO makegood_message (case_id, author, audience, channel, language, body, quoted, html, at)"
        " VALUES (%s, 'staff', 'customer', 'bench', %s, %s, '', '', now()) RETURNING id",
        [case, language, TEXTS[language]],
    ).fetchone() or (0,)
    link.execute(
        "INSERT INTO makegood_searchentry (case_id, message_id, shop_id, staff_only, vector) VALUES (%s, %s, %s, false, %s)",
        [case, message, shop, vector],
    )
    link.execute(
        "UPDATE makegood_promise SET state = 'kept', settled_at = now(), look_at = NULL, proof_id = %s WHERE case_id = %s"
        " AND state = 'open' AND what IN ('first_word', 'next_word')",
        [message, case],
    )
    link.execute(
        'INSERT INTO makegood_promise (case_id, what, basis, "to", made_at, due_at, look_at, words, policy, rule, warned, state,'
        " set_back, trouble, given_in_id) VALUES (%s, 'next_word', 'promised', 'customer', now(), now() + interval '8 hours',"
        " now() + interval '6 hours', '', '{}', '', 0, 'open', 0, '', %s)",
        [case, message],
    )
    link.execute(
        'INSERT INTO makegood_delivery (case_id, message_id, link_id, what, "to", language, state, tries, look_at, error, header_id)'
        " VALUES (%s, %s, %s, 'reply', %s, %s, 'waiting', 0, now(), '', '')",
        [case, message, key, email, language],
    )
    link.execute(
        "UPDATE makegood_case SET version = version + 1, due_at = now() + interval '8 hours', touched_at = now() WHERE id = %s",
        [case],
    )
    link.execute(
        "INSERT INTO makegood_caseevent (case_id, seq, kind, actor_role, door, true_at, written_at, data)"
        " VALUES (%s, %s, 'replied', 'lead', 'worker', now(), now(), '{}')",
        [case, version + 1],
    )


def pages(address: str, user: Any, times: int, what: str) -> None:
    from django.test import Client

    client, found = Client(), []
    client.force_login(user)
    for _n in range(times + 3):
        began = time.perf_counter()
        assert client.get(address).status_code == 200
        found.append((time.perf_counter() - began) * 1000)
    cut = quantiles(found[3:], n=100, method="inclusive")
    console.print(f"{what}: p50 {cut[49]:.0f} ms, p99 {cut[98]:.0f} ms ({times} times)")


def main(n: int, times: int) -> None:
    from django.conf import settings

    from makegood.cases.models import Case
    from makegood.desk import incident_acts, incidents
    from makegood.incidents.models import Incident, IncidentCase
    from makegood.people import actors
    from makegood.people.models import User
    from makegood.text import checks

    given = settings.DATABASES["default"]
    # Nothing was collected for a bench: the files are named as they are.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with psycopg.connect(
        dbname=given["NAME"], user=given["USER"], host=given["HOST"], port=given["PORT"] or None
    ) as link:
        if link.execute("SELECT EXISTS (SELECT 1 FROM makegood_case)").fetchone() != (False,):
            sys.exit("This database holds cases: give an empty one (DATABASE_URL).")
        link.execute("SET session_replication_role = replica")
        for part in PEOPLE.format(n=n).split(";\n"):
            if part.strip():
                link.execute(part)
        link.execute("SET session_replication_role = origin")
        link.commit()
        link.autocommit = True
        link.execute("VACUUM (ANALYZE)")
        link.autocommit = False
        lead = User.objects.get(role="lead")
        by = actors.user(lead)
        anchor = Case.objects.order_by("id").first()
        assert anchor is not None
        event = incidents.open_incident(
            anchor, by=by, words="The bank is down.", common={"shop": anchor.shop_id, "type": "refund.delay"}
        )
        incident = Incident.objects.get(pk=event.data["incident"])
        began = time.perf_counter()
        incident_acts.bring_in(incident, by=by)
        console.print(f"the act that brings them in: {time.perf_counter() - began:.2f} s")
        swept("brought in", n - 1)
        assert IncidentCase.objects.filter(incident=incident, standing=True).count() == n
        link.autocommit = True
        link.execute("VACUUM (ANALYZE)")
        link.autocommit = False
        for language, text in TEXTS.items():  # a web process has the packs of the checks in memory
            checks.check(text, language, "update", checks.Facts(language=language))
        plain = bare(link, min(n, 2000)) / min(n, 2000)
        began = time.perf_counter()
        incident_acts.tell_incident(incident, by=by, texts=TEXTS, reason="One word to all.")
        console.print(f"the act that tells them: {time.perf_counter() - began:.2f} s")
        pages(f"/incidents/{incident.pk}/", lead, times, "the page while all wait to be told")
        took = swept("told", n)
        console.print(f"told beside bare SQL: {took / n / plain:.2f} of its time a case")
        letters = link.execute("SELECT count(*), count(DISTINCT case_id) FROM makegood_delivery WHERE message_id IN"
            " (SELECT id FROM makegood_message WHERE channel = 'worker')").fetchone()  # fmt: skip
        assert letters == (n, n), letters
        pages(f"/incidents/{incident.pk}/", lead, times, "the page when all are told")
        pages(
            f"/incidents/{incident.pk}/?stage=told&after={incident.pk + n // 2}",
            lead,
            times,
            "a page in its middle",
        )
        pages("/incidents/", lead, times, "the list")
        pages(f"/cases/{anchor.number}/", lead, max(20, times // 5), "the sheet of one of its cases")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=100)
    asked = parser.parse_args()
    with ready():
        main(asked.cases, asked.times)
