"""Webhooks kept by a program: only with the scope and the role, the secret once, the log readable, events sent again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from makegood.api.models import IdempotencyKey
from makegood.base import clock
from makegood.jobs.hook_calls import send_due
from makegood.webhooks.models import Hook
from tests import cast as stages
from tests.receiver import receiver

pytestmark = pytest.mark.django_db
KEEP = ["webhooks:keep"]


@pytest.fixture
def there(settings):
    with receiver() as told:
        settings.OUTSIDE_HOSTS = frozenset({f"127.0.0.1:{told.port}"})
        yield told


def test_a_program_makes_a_webhook_hears_reads_the_log_and_replays(cast, call, there):
    hana = call(cast.hana, KEEP)
    made = hana.post("/webhooks", {"name": "ERP", "url": there.url, "kinds": ["opened"], "shop": "haneul"})
    assert made.status_code == 201, made.content
    hook = made.json()
    case = stages.reported(cast)
    start = clock.now() - timedelta(minutes=1)
    there.answers = [500]
    send_due()
    page = hana.get(f"/webhooks/{hook['id']}/calls?state=waiting").json()
    assert page["next"] is None and page["calls"][0]["number"] == case.number
    assert page["calls"][0]["attempts"][0]["status"] == 500 and page["calls"][0]["next_try"]
    Hook.objects.update(rest_until=None)
    again = hana.post(f"/webhooks/{hook['id']}/replay", {"since": start.isoformat()})
    assert again.status_code == 200 and again.json() == {"events": 1}
    send_due()
    headers, body = there.got[-1]
    assert Webhook(hook["secret"]).verify(body, headers)["data"]["number"] == case.number
    assert page["calls"][0]["webhook_id"] == headers["webhook-id"]
    one = hana.post(f"/webhooks/{hook['id']}/replay", {"call": page["calls"][0]["id"]})
    assert one.json() == {"events": 1}
    off = hana.post(f"/webhooks/{hook['id']}/switch", {"on": False})
    assert off.json()["off"] == "person" and hana.get(f"/webhooks/{hook['id']}").json()["off"] == "person"


def test_the_secret_is_in_the_first_answer_only_and_never_stored(cast, call, there):
    hana = call(cast.hana, KEEP)
    body = {"name": "ERP", "url": there.url}
    first, again = (hana.post("/webhooks", body, Idempotency_Key="k") for _ in range(2))
    assert first.json()["secret"].startswith("whsec_") and again.json()["secret"] is None
    assert Hook.objects.count() == 1 and "whsec_" not in json.dumps(IdempotencyKey.objects.get().answer)
    assert "whsec_" not in hana.get("/webhooks").content.decode()
    turned = hana.post(f"/webhooks/{first.json()['id']}/rotate")
    assert turned.json()["secret"] != first.json()["secret"] and turned.json()["old_secret_until"]


@pytest.mark.parametrize(
    "who, scopes", [("hana", ["cases:work"]), ("minji", KEEP), ("sujin", KEEP), ("kang", KEEP)]
)
def test_without_the_scope_or_the_role_nothing_is_told(cast, call, problem, there, who, scopes):
    caller = call(getattr(cast, who), scopes)
    problem(caller.get("/webhooks"), 403)
    problem(caller.post("/webhooks", {"name": "x", "url": there.url}), 403)
    assert not Hook.objects.exists()


@pytest.mark.parametrize(
    "body, status, field",
    [
        ({"name": "x", "url": "http://inside.example/"}, 422, "url"),
        ({"name": "x", "url": "https://erp.example/", "kinds": ["danced"]}, 422, "kinds"),
        ({"name": "", "url": "https://erp.example/"}, 422, "name"),
        ({"name": "x", "url": "https://erp.example/", "shop": "nowhere"}, 404, "shop"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(cast, call, problem, body, status, field):
    told = problem(call(cast.hana, KEEP).post("/webhooks", body), status)
    assert told["field"] == field and not Hook.objects.exists()


def test_an_endpoint_that_is_none_and_a_replay_of_nothing(cast, call, problem, there):
    hana = call(cast.hana, KEEP)
    for path in ("/webhooks/99", "/webhooks/99/calls", f"/webhooks/{2**63}"):
        problem(hana.get(path), 404)
    made = hana.post("/webhooks", {"name": "ERP", "url": there.url}).json()
    problem(hana.post(f"/webhooks/{made['id']}/replay", {}), 422, "one_of")
    problem(hana.post(f"/webhooks/{made['id']}/replay", {"call": 5}), 404)
