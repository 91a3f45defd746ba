"""The same request twice is done once, also when both come at the same moment."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from makegood.api import idempotency
from makegood.api.models import IdempotencyKey
from makegood.cases.models import Case, CaseEvent
from tests import cast as stages

BODY = {"shop": "haneul", "text": "Where is my refund?", "customer": {"email": "alex@customer.example"}}


@pytest.mark.django_db
def test_the_same_key_and_body_get_the_same_answer(cast, call):
    minji = call(cast.minji)
    first = minji.post("/cases", BODY, Idempotency_Key="k1")
    again = minji.post("/cases", BODY, Idempotency_Key="k1")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first
    assert Case.objects.count() == 1
    assert minji.post("/cases", BODY, Idempotency_Key="k2").json()["number"] != first.json()["number"]


@pytest.mark.django_db
def test_the_same_key_with_another_request_is_refused(cast, call, problem):
    minji = call(cast.minji)
    number = minji.post("/cases", BODY, Idempotency_Key="k").json()["number"]
    problem(minji.post("/cases", {**BODY, "text": "Other."}, Idempotency_Key="k"), 422, "key_reused")
    problem(minji.verb(number, "take", {"seen": 1}, Idempotency_Key="k"), 422, "key_reused")
    assert Case.objects.get().version == 1
    assert call(cast.jun).post("/cases", BODY, Idempotency_Key="k").json()["number"] != number


@pytest.mark.django_db
def test_a_verb_under_a_key_is_done_once(cast, call):
    case = stages.reported(cast)
    minji = call(cast.minji)
    first, again = (minji.verb(case.number, "take", {"seen": 1}, Idempotency_Key="t") for _ in range(2))
    assert first.status_code == again.status_code == 200 and first.json() == again.json()
    assert stages.fresh(case).version == 2


@pytest.mark.django_db
def test_what_was_refused_leaves_no_key(cast, call, problem):
    minji = call(cast.minji)
    problem(minji.post("/cases", {**BODY, "type": "refund.never"}, Idempotency_Key="k"), 422)
    assert not IdempotencyKey.objects.exists()
    assert minji.post("/cases", BODY, Idempotency_Key="k").status_code == 201


@pytest.mark.django_db
def test_a_key_that_is_no_key_is_refused(cast, call, problem):
    for key in ("", "x" * 201, "é"):
        problem(call(cast.minji).post("/cases", BODY, Idempotency_Key=key), 400, "bad_key")
    assert not Case.objects.exists()


@pytest.mark.django_db
def test_a_crash_between_the_deed_and_its_answer_leaves_neither(cast, call, problem, monkeypatch):
    minji = call(cast.minji)

    def fall(**fields: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr("django.db.models.query.QuerySet.update", lambda self, **fields: fall())
        problem(minji.post("/cases", BODY, Idempotency_Key="k"), 500)
    assert not Case.objects.exists() and not IdempotencyKey.objects.exists()
    assert minji.post("/cases", BODY, Idempotency_Key="k").status_code == 201
    assert Case.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_open_one_case_and_get_one_answer(cast, call, monkeypatch):
    minji = call(cast.minji)
    first_holds_the_key, second_came = threading.Event(), threading.Event()
    claim = idempotency.claim

    def slow_claim(*args):
        if first_holds_the_key.is_set():
            second_came.set()
            return claim(*args)
        row = claim(*args)
        first_holds_the_key.set()
        second_came.wait(10)
        return row

    monkeypatch.setattr(idempotency, "claim", slow_claim)
    answers = []

    def post() -> None:
        try:
            answers.append(minji.post("/cases", BODY, Idempotency_Key="race"))
        finally:
            connection.close()

    threads = [threading.Thread(target=post), threading.Thread(target=post)]
    threads[0].start()
    assert first_holds_the_key.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(30)
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert sorted("Idempotency-Replayed" in a for a in answers) == [False, True]
    assert Case.objects.count() == 1 and CaseEvent.objects.count() == 1
