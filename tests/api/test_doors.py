"""Who may come in, what is refused, and that a refusal changes nothing and never answers with a page."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from makegood.api.tokens import KEPT
from makegood.base import clock
from makegood.cases.models import Case, CaseEvent
from makegood.people.models import ApiToken, Role, Team
from tests import cast as stages
from tests.api.test_loop import opened, soon

pytestmark = pytest.mark.django_db


def test_a_stranger_learns_nothing(cast, call, problem):
    case = stages.owned(cast)
    luo, kang = call(cast.luo), call(cast.kang)
    for path in (f"/cases/{case.number}", f"/cases/{case.number}/events"):
        problem(luo.get(path), 404, "no_case")
        assert kang.get(path).status_code == 200
    problem(luo.verb(case.number, "say", {"text": "Hello?"}), 404, "no_case")
    for number in (case.number + 1, 97 * 10**30 + 1, 0):
        problem(kang.get(f"/cases/{number}"), 404)
    problem(luo.post("/cases", {"shop": "haneul", "text": "Hello."}), 404, "no_shop")
    problem(luo.post("/cases", {"shop": "nowhere", "text": "Hello."}), 404, "no_shop")
    assert luo.get("/cases").json() == {"cases": [], "next": None}


def test_an_agent_whose_team_serves_another_shop_sees_nothing_here(cast, call, problem):
    case = stages.reported(cast)
    team = Team.objects.create(name="Tea")
    team.shops.add(cast.moon)
    other = stages.user("Bora", Role.AGENT)
    team.members.add(other)
    bora = call(other)
    problem(bora.get(f"/cases/{case.number}"), 404)
    problem(bora.post("/cases", {"shop": "haneul", "text": "Hello."}), 404, "no_shop")
    assert bora.get("/me").json()["shops"] == ["moon"]
    assert opened(bora, shop="moon", customer={"name": "李娜"})["number"]


def test_a_merchant_reads_their_side_and_works_on_nothing(cast, call, problem):
    case = stages.fixed(cast)
    kang = call(cast.kang)
    call(cast.minji).verb(case.number, "note", {"text": "Between us."})
    sheet = kang.get(f"/cases/{case.number}").json()
    assert "Between us." not in json.dumps(sheet)
    assert sheet["facts"] is None and sheet["evidence"] is None and sheet["fixes"] is None
    kinds = [e["kind"] for e in kang.get(f"/cases/{case.number}/events").json()["events"]]
    assert "noted" not in kinds and kinds[0] == "opened"
    problem(kang.verb(case.number, "take", {"seen": None}), 403, "not_allowed")


def test_each_scope_opens_its_own_door(cast, call, problem):
    case = stages.reported(cast)
    reads, opens, works = (call(cast.minji, [s]) for s in ("cases:read", "cases:open", "cases:work"))
    body = {"shop": "haneul", "text": "Where is it?", "customer": {"email": "a@b.example"}}
    for caller, allowed in ((reads, "read"), (opens, "open"), (works, "work")):
        tries = {
            "read": lambda c: c.get("/cases"),
            "open": lambda c: c.post("/cases", body),
            "work": lambda c: c.verb(case.number, "note", {"text": "x"}),
        }
        for name, ask in tries.items():
            if name == allowed:
                assert ask(caller).status_code < 300
            else:
                problem(ask(caller), 403, "scope")


def test_a_token_that_is_none_ended_revoked_or_of_somebody_who_left(cast, call, problem):
    minji = call(cast.minji)
    assert minji.get("/me").json()["name"] == "Minji"
    for header in ("", "Bearer mg_wrong", "Basic x", "Bearer \udcff"):
        answer = Client().get("/api/v1/me", headers={"Authorization": header} if header else {})
        problem(answer, 401, "no_token")
        assert answer["WWW-Authenticate"].startswith("Bearer")
    ApiToken.objects.filter(pk=minji.token.pk).update(revoked_at=clock.now())
    with clock.travel(KEPT):
        problem(minji.get("/me"), 401)
    jun = call(cast.jun)
    ApiToken.objects.filter(pk=jun.token.pk).update(ends_at=clock.now() + timedelta(seconds=2))
    assert jun.get("/me").status_code == 200
    with clock.travel(timedelta(seconds=3)):
        problem(jun.get("/me"), 401)
    wei = call(cast.wei)
    type(cast.wei).objects.filter(pk=cast.wei.pk).update(is_active=False)
    problem(wei.get("/me"), 401)


def test_the_command_prints_a_secret_that_works_and_is_not_stored(cast, capsys):
    call_command("api_token", "MINJI@makegood.example", name="shop", scopes=["cases:read"], days=1)
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("mg_") and not ApiToken.objects.filter(digest=secret).exists()
    answer = Client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["scopes"] == ["cases:read"]
    with pytest.raises(CommandError):
        call_command("api_token", "nobody@makegood.example", name="x", scopes=["cases:read"])


def test_a_stale_reply_says_where_the_case_stands_and_writes_nothing(cast, call, problem):
    case = stages.owned(cast)
    minji, jun = call(cast.minji), call(cast.jun)
    assert minji.verb(case.number, "note", {"text": "I am on it."}).status_code == 200
    before = CaseEvent.objects.count()
    body = {"text": "곧 알려 드릴게요.", "next_word_at": soon()}
    for stale in (
        jun.verb(case.number, "reply", {**body, "seen": case.version}),
        jun.verb(case.number, "reply", body, If_Match=f'"{case.version}"'),
    ):
        told = problem(stale, 409, "stale")
        assert told["now_at"] == case.version + 1 and told["seen"] == case.version
    assert CaseEvent.objects.count() == before
    assert jun.verb(case.number, "reply", body, If_Match=f'"{case.version + 1}"').status_code == 200


def test_a_verb_that_collides_must_say_what_was_read(cast, call, problem):
    case = stages.reported(cast)
    minji = call(cast.minji)
    assert problem(minji.verb(case.number, "take"), 422, "missing")["field"] == "seen"
    problem(minji.verb(case.number, "take", {"seen": 1}, If_Match='"2"'), 422, "two_versions")
    problem(minji.verb(case.number, "take", {}, If_Match="seven"), 422, "bad_version")
    assert minji.verb(case.number, "take", {"seen": None}).status_code == 200


def test_a_refusal_speaks_the_callers_language_and_stands_beside_its_field(cast, call, problem):
    case = stages.owned(cast)
    minji = call(cast.minji)
    answer = minji.verb(case.number, "reply", {"text": "…", "next_word_at": None, "seen": None})
    assert problem(answer, 422, "no_next_word")["field"] == "next_word_at"
    for accept, language in (("zh-CN,en;q=0.5", "zh-hans"), ("ko", "ko"), ("fr, de", "en"), ("", "en")):
        answer = minji.get("/nothing", Accept_Language=accept)
        problem(answer, 404, "no_address")
        assert answer["Content-Language"] == language


GOOD = {"shop": "haneul", "text": "Where is my refund?", "customer": {"email": "alex@customer.example"}}
BAD = {
    "not json": (b"{", 400),
    "not utf-8": (b'{"text": "\xff"}', 400),
    "half a surrogate pair": (b'{"shop": "haneul", "text": "\\ud83d"}', 400),
    "a number that is none": (b'{"shop": "haneul", "text": "x", "impact": {"money_lost": NaN}}', 400),
    "too deep": (b"[" * 100_000, 400),
    "no body": (b"", 422),
    "a list": ([GOOD], 422),
    "null": (b"null", 422),
    "NUL": ({**GOOD, "text": "a\x00b"}, 422),
    "NUL in a key": ({**GOOD, "a\x00b": 1}, 422),
    "unknown field": ({**GOOD, "urgent": True}, 422),
    "unknown field below": ({**GOOD, "customer": {"mail": "x"}}, 422),
    "no shop": ({"text": "x"}, 422),
    "empty text": ({**GOOD, "text": " \n\u200b"}, 422),
    "text of the wrong type": ({**GOOD, "text": 7}, 422),
    "too long": ({**GOOD, "text": "x" * 100_001}, 422),
    "too large": (json.dumps({**GOOD, "text": "x" * 5_000_000}).encode(), 413),
    "unknown type": ({**GOOD, "type": "refund.never"}, 422),
    "unknown remedy": ({**GOOD, "asked_remedy": "revenge"}, 422),
    "unknown language": ({**GOOD, "language": "fr"}, 422),
    "bad email": ({**GOOD, "customer": {"email": "nobody"}}, 422),
    "negative money": ({**GOOD, "impact": {"money_lost": "-1"}}, 422),
    "infinite money": ({**GOOD, "impact": {"money_lost": "Infinity"}}, 422),
    "too much money": ({**GOOD, "impact": {"money_lost": "1e30"}}, 422),
    "odd currency": ({**GOOD, "impact": {"money_lost": 1, "currency": "won"}}, 422),
    "orders as text": ({**GOOD, "impact": {"orders_blocked": "3"}}, 422),
    "too many orders": ({**GOOD, "impact": {"orders_blocked": 10**12}}, 422),
    "a time without a zone": ({**GOOD, "happened_at": "2026-11-01T10:00:00"}, 422),
    "a time before time": ({**GOOD, "happened_at": "0001-01-01T00:00:00+14:00"}, 422),
    "a time as a number": ({**GOOD, "happened_at": 1}, 422),
    "ahead of now": ({**GOOD, "happened_at": "2990-01-01T00:00:00Z"}, 422),
    "odd channel": ({**GOOD, "channel": "a very long channel"}, 422),
}


def test_what_cannot_be_taken_is_refused_as_a_problem_and_leaves_nothing(cast, call, problem):
    minji = call(cast.minji)
    for what, (body, status) in BAD.items():
        answer = minji.post("/cases", body)
        assert answer.status_code == status, (what, answer.content)
        problem(answer, status)
    assert not Case.objects.exists()


def test_text_that_is_odd_but_whole_is_taken(cast, call):
    number = opened(call(cast.minji), text="환불 👩‍👩‍👧 \\u0000 \u202eabc ﷽ \t x")["number"]
    assert "\\u0000" in call(cast.minji).get(f"/cases/{number}").json()["messages"][0]["text"]


def test_other_media_types_methods_and_addresses(cast, call, problem):
    minji = call(cast.minji)
    headers = {"Authorization": f"Bearer {minji.secret}"}
    problem(Client().post("/api/v1/cases", {"text": "x"}, headers=headers), 415, "not_json")
    answer = Client().delete("/api/v1/cases", headers=headers)
    problem(answer, 405, "no_method")
    assert set(answer["Allow"].split(", ")) == {"GET", "POST"}
    for path in (
        "/api/",
        "/api/v1",
        "/api/v2/cases",
        "/api/v1/cases/",
        "/api/v1/cases/abc",
        "/api/v1/cases/1/dance",
    ):
        problem(Client().get(path, headers=headers), 404)


def test_a_query_is_strict_too(cast, call, problem):
    minji = call(cast.minji)
    for query in (
        "status=closed",
        "urgency_min=9",
        "limit=0",
        "limit=101",
        "cursor=made.up~x",
        "shop=%00",
        "urgency=5",
        "updated_since=yesterday",
        "updated_since=0782-02-02T07:43:07%2B20:33",
        "owner=jun",
    ):
        problem(minji.get(f"/cases?{query}"), 422)


def test_our_own_mistake_is_a_problem_that_tells_nothing_of_its_inside(cast, call, problem, monkeypatch):
    def fall(*args: object) -> None:
        raise ZeroDivisionError("the inside")

    monkeypatch.setattr("makegood.api.lists.sheet.whole", fall)
    answer = call(cast.minji).get(f"/cases/{stages.reported(cast).number}")
    problem(answer, 500, "mistake")
    assert b"inside" not in answer.content.replace(b"our side", b"")


def test_the_vocabularies_come_in_three_languages(cast, call):
    told = call(cast.minji).get("/types").json()
    assert all(t["name"]["ko"] and t["name"]["zh"] and t["name"]["en"] for t in told["types"])
    assert "refund.delay" in [t["code"] for t in told["types"]] and told["proofs"] and told["sources"]


def test_the_schema_is_open_and_the_documentation_loads_nothing_from_outside(cast):
    schema = Client().get("/api/v1/openapi.json").json()
    assert "/api/v1/cases/{number}/reply" in schema["paths"]
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    assert b"https://" not in page.content and b"//cdn" not in page.content
