"""Webhooks out: signed as the standard says, tried again, never to a private address, replayed; nothing is lost or doubled.

Over 300 lines: one story of one mechanism, each line of it tried against a real server.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.db import connection, transaction
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.cases.models import CaseEvent, Notice
from makegood.connectors import guard, post
from makegood.connectors.errors import Later, Never
from makegood.desk import hook_calls, hooks
from makegood.desk.handling import take
from makegood.jobs import upkeep
from makegood.jobs.hook_calls import send_due
from makegood.webhooks.models import Hook, HookCall, HookTry
from tests import cast as stages
from tests.receiver import receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(settings):
    """A receiver that the site has named as one that may be private."""
    with receiver() as told:
        settings.OUTSIDE_HOSTS = frozenset({f"127.0.0.1:{told.port}"})
        yield told


def made(cast, there, **more) -> tuple[Hook, str]:
    return hooks.make(by=cast.by(cast.hana), name="ERP", **{"url": there.url, **more})


def bodies(there) -> list[dict]:
    return [json.loads(body) for _headers, body in there.got]


def test_every_event_of_a_case_reaches_the_receiver_signed_and_in_codes_only(cast, there):
    _hook, secret = made(cast, there)
    case = stages.owned(cast)
    events = list(CaseEvent.objects.filter(case=case).order_by("seq"))
    assert send_due() == len(events) >= 3
    for headers, body in there.got:
        Webhook(secret).verify(body, headers)  # the reference implementation; raises when it is not so
    said = bodies(there)
    assert [s["type"] for s in said] == [f"makegood.case.{e.kind}" for e in events]
    assert [s["data"]["version"] for s in said] == [e.seq for e in events]
    assert {s["data"]["number"] for s in said} == {case.number} and {s["data"]["shop"] for s in said} == {
        "haneul"
    }
    everything = b"".join(body for _h, body in there.got).decode()
    for secret_word in ("지우", "jiwoo", "환불을", "HN-20261101", "Minji"):
        assert secret_word not in everything
    assert len(set(there.ids())) == len(events), "each event has an id of its own"


def test_a_changed_body_or_another_secret_does_not_verify(cast, there):
    _hook, secret = made(cast, there)
    stages.reported(cast)
    send_due()
    headers, body = there.got[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"haneul", b"moon"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 43 + "=").verify(body, headers)


def test_only_the_shop_and_the_kinds_that_were_chosen(cast, there):
    made(cast, there, shop=cast.moon, kinds=["taken"])
    stages.owned(cast)
    stages.owned(cast, customer=cast.lina)
    send_due()
    assert [(s["type"], s["data"]["shop"]) for s in bodies(there)] == [("makegood.case.taken", "moon")]


def test_a_site_without_endpoints_writes_nothing(cast):
    stages.owned(cast)
    assert not HookCall.objects.exists() and send_due() == 0


def test_what_was_rolled_back_is_told_to_nobody(cast, there):
    made(cast, there)
    case = stages.reported(cast)
    before = HookCall.objects.count()
    with pytest.raises(RuntimeError), transaction.atomic():
        take(case, by=cast.by(cast.minji), seen=None)
        assert HookCall.objects.count() > before
        raise RuntimeError
    assert HookCall.objects.count() == before


def test_a_500_is_tried_again_with_the_same_id_and_then_it_arrives(cast, there):
    hook, _secret = made(cast, there, kinds=["opened"])
    there.answers = [500]
    stages.reported(cast)
    assert send_due() == 1 and send_due() == 0, "it rests before it is asked again"
    with clock.travel(timedelta(seconds=6)):
        assert send_due() == 1
    first, second = there.got
    assert first[0]["webhook-id"] == second[0]["webhook-id"] and first[1] == second[1]
    assert [t.status for t in HookTry.objects.order_by("id")] == [500, 200]
    assert HookTry.objects.first().answer == "thanks"
    assert HookCall.objects.get().state == "sent"
    hook.refresh_from_db()
    assert hook.failures == 0 and hook.failing_since is None


def test_a_lost_reply_is_sent_once_more_under_the_same_id(cast, there):
    made(cast, there, kinds=["opened"])
    there.answers = ["cut"]
    stages.reported(cast)
    send_due()
    assert HookTry.objects.get().error == "unreachable"
    with clock.travel(timedelta(seconds=6)):
        send_due()
    assert len(there.got) == 2 and len(set(there.ids())) == 1, "the receiver knows it by its id"


def test_a_receiver_that_hangs_is_left_after_the_time_limit(cast, there, monkeypatch):
    there.answers = [3.0]
    began = time.monotonic()
    with pytest.raises(Later) as caught:
        post.post(there.url, b"{}", {}, seconds=0.3)
    assert caught.value.code == "slow" and time.monotonic() - began < 2


def test_a_server_that_drips_its_answer_does_not_hold_the_worker(settings):
    """Each byte comes within the socket's own limit; the deadline is for the whole."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings.OUTSIDE_HOSTS = frozenset({"127.0.0.1"})

        def drip() -> None:
            peer, _ = server.accept()
            with peer:
                try:
                    peer.recv(1000)
                    for letter in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100:
                        peer.send(bytes([letter]))
                        time.sleep(0.05)
                except OSError:
                    pass

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        with pytest.raises(Later, match="slow"):
            post.post(f"http://127.0.0.1:{port}/", b"{}", {}, seconds=0.5)
        assert time.monotonic() - began < 2


def test_of_a_huge_answer_only_its_beginning_is_read(cast, there):
    made(cast, there, kinds=["opened"])
    there.body = b"x" * 3_000_000
    stages.reported(cast)
    send_due()
    assert HookTry.objects.get().answer == "x" * 1000


def test_a_redirect_is_a_failure_and_nobody_follows_it(cast, there):
    made(cast, there, kinds=["opened"])
    there.answers = [(302, {"Location": "http://169.254.169.254/latest/meta-data/"})]
    stages.reported(cast)
    send_due()
    assert HookTry.objects.get().status == 302 and HookCall.objects.get().state == "waiting"


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "https://172.16.0.1:8443/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
    ],
)
def test_no_address_of_the_house_is_asked(url):
    with pytest.raises((Never, Later)) as caught:
        post.post(url, b"{}", {}, seconds=1)
    assert caught.value.code in ("private", "unknown_host")


def test_a_name_that_resolves_to_this_machine_is_not_asked(cast, there):
    """'localhost' is a name like any other; the receiver stands there, and hears nothing."""
    hook, _secret = made(cast, there, kinds=["opened"])
    Hook.objects.filter(pk=hook.pk).update(url=f"http://localhost:{there.port}/hook")
    stages.reported(cast)
    send_due()
    assert not there.got and HookTry.objects.get().error == "private"


def test_a_name_is_looked_up_once_so_that_a_second_answer_cannot_lead_inside(there, settings, monkeypatch):
    """DNS rebinding: the first look-up says a public address, every later one our own."""
    settings.OUTSIDE_HOSTS = frozenset()
    asked = []

    def resolver(host, port, **more):
        asked.append(host)
        address = "203.0.113.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(guard.socket, "getaddrinfo", resolver)
    monkeypatch.setattr(guard, "public", lambda address: address == "203.0.113.1")
    with pytest.raises(Later):
        post.post(f"http://rebind.example:{there.port}/", b"{}", {}, seconds=0.3)
    assert asked == ["rebind.example"] and not there.got


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://hooks.example/x",
        "ftp://hooks.example/",
        "https://user:word@hooks.example/",
        "https://hooks.example/#x",
        "https:///x",
        "https://hooks.example:99999/",
        "javascript:alert(1)",
        "https://hooks.example/" + "x" * 2000,
        "https://hooks.example/\r\nX: y",
    ],
)
def test_an_address_that_is_none_is_refused_beside_its_field(cast, url):
    with pytest.raises(Refusal) as caught:
        hooks.make(by=cast.by(cast.hana), name="x", url=url)
    assert caught.value.field == "url" and not Hook.objects.exists()


def test_410_switches_the_endpoint_off_and_hana_and_the_keepers_hear_of_it(cast, there):
    hook, _secret = made(cast, there)
    there.answers = [410]
    case = stages.reported(cast)
    send_due()
    hook.refresh_from_db()
    assert hook.off == "gone" and Notice.objects.filter(kind="hook_off", user=cast.hana).exists()
    assert Notice.objects.filter(kind="hook_off", user=cast.root).exists()
    before = HookCall.objects.count()
    take(case, by=cast.by(cast.minji), seen=None)
    assert HookCall.objects.count() == before and send_due() == 0


def test_days_of_failure_switch_it_off_and_nothing_hammers_it_meanwhile(cast, there):
    hook, _secret = made(cast, there)
    there.always = 500
    for _ in range(3):
        stages.owned(cast)
    waiting, start = HookCall.objects.filter(state="waiting").count(), clock.now()
    with clock.travel(start):
        send_due()
    for minute in range(1, 61):
        with clock.travel(start + timedelta(minutes=minute)):
            send_due()
    assert len(there.got) <= 25, f"{waiting} calls wait, and one hour costs it {len(there.got)} requests"
    assert HookCall.objects.filter(state="waiting").count() == waiting, "nothing is lost in an hour"
    for hour in range(2, 24 * 6):
        with clock.travel(start + timedelta(hours=hour)):
            send_due()
    hook.refresh_from_db()
    assert hook.off == "failing" and timedelta(hours=60) <= hook.off_at - start < timedelta(hours=86)
    assert Notice.objects.filter(kind="hook_off", user=cast.hana).count() == 1


def test_a_call_is_given_up_after_the_schedule_and_can_be_sent_once_more(cast, there):
    hook, _secret = made(cast, there, kinds=["opened"])
    there.always = 500
    stages.reported(cast)
    start = clock.now()
    for hour in range(0, 24 * 5, 1):
        with clock.travel(start + timedelta(hours=hour, seconds=30)):
            send_due()
    call = HookCall.objects.get()
    assert call.state == "dead" and call.tries == len(hook_calls.SCHEDULE) == HookTry.objects.count()
    there.always = 200
    with clock.travel(start + timedelta(days=5, hours=1)):
        hooks.switch(hook.pk, by=cast.by(cast.hana), on=True)
        hooks.once_more(hook.pk, call.pk, by=cast.by(cast.hana))
        send_due()
    call.refresh_from_db()
    assert call.state == "sent" and len(set(there.ids())) == 1


def test_retry_after_is_heard(cast, there):
    _hook, _secret = made(cast, there, kinds=["opened"])
    there.answers = [(503, {"Retry-After": "3600"})]
    stages.reported(cast)
    send_due()
    with clock.travel(timedelta(minutes=59)):
        assert send_due() == 0
    with clock.travel(timedelta(minutes=61)):
        assert send_due() == 1
    assert HookCall.objects.get().state == "sent"


def test_a_worker_that_dies_in_the_middle_loses_nothing(cast, there):
    made(cast, there, kinds=["opened"])
    stages.reported(cast)
    taken = hook_calls.claim()
    assert taken is not None and hook_calls.claim() is None, "no other worker takes it meanwhile"
    there.got.clear()
    with clock.travel(hook_calls.CLAIM + timedelta(seconds=1)):
        assert send_due() == 1
    assert there.ids() == [f"msg_{taken.key.hex}"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_event_once(cast, there):
    made(cast, there)
    for _ in range(8):
        stages.owned(cast)
    waiting = HookCall.objects.count()

    def work() -> None:
        send_due()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads]
    [t.join(60) for t in threads]
    assert len(there.got) == len(set(there.ids())) == waiting
    assert not HookCall.objects.exclude(state="sent").exists()


def test_while_it_fails_only_one_worker_probes_it(cast, there):
    hook, _secret = made(cast, there)
    stages.owned(cast)
    Hook.objects.filter(pk=hook.pk).update(failures=2, failing_since=clock.now())
    assert hook_calls.claim() is not None and hook_calls.claim() is None


def test_one_endpoint_that_is_down_does_not_hold_up_the_other(cast, there):
    _down, _ = made(cast, there, url=f"http://127.0.0.1:{there.port}/down")
    with receiver() as other:
        site.OUTSIDE_HOSTS |= {f"127.0.0.1:{other.port}"}
        there.always = 500
        made(cast, there, url=other.url)
        stages.owned(cast)
        send_due()
        assert len(other.got) == CaseEvent.objects.count() and len(there.got) == 1


def test_during_a_rotation_both_secrets_verify_and_after_a_day_only_the_new_one(cast, there):
    hook, old = made(cast, there, kinds=["opened"])
    new = hooks.rotate(hook.pk, by=cast.by(cast.hana))
    stages.reported(cast)
    send_due()
    headers, body = there.got[0]
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    with pytest.raises(Refusal):
        hooks.rotate(hook.pk, by=cast.by(cast.hana))
    with clock.travel(timedelta(hours=25)):
        case = stages.reported(cast)
        assert send_due() == 1 and case
    headers, body = there.got[-1]
    assert len(headers["webhook-signature"].split()) == 1


def test_the_secret_stands_nowhere_in_the_database(cast, there):
    hook, secret = made(cast, there)
    hook.refresh_from_db()
    assert secret.startswith("whsec_") and secret.encode() not in bytes(hook.sealed)
    assert secret.removeprefix("whsec_") not in str(Hook.objects.values().get())


def test_events_of_the_time_when_it_was_off_are_replayed_and_old_ones_keep_their_id(cast, there):
    hook, _secret = made(cast, there, kinds=["opened", "taken"])
    start = clock.now() - timedelta(seconds=1)
    case = stages.reported(cast)
    send_due()
    hooks.switch(hook.pk, by=cast.by(cast.hana), on=False)
    take(case, by=cast.by(cast.minji), seen=None)
    assert send_due() == 0
    hooks.switch(hook.pk, by=cast.by(cast.hana), on=True)
    assert hooks.replay(hook.pk, by=cast.by(cast.hana), since=start) == 2
    send_due()
    kinds = [s["type"].rpartition(".")[2] for s in bodies(there)]
    assert kinds == ["opened", "opened", "taken"] and there.ids()[0] == there.ids()[1]
    for far in (timedelta(days=-31), timedelta(hours=1)):
        with pytest.raises(Refusal):
            hooks.replay(hook.pk, by=cast.by(cast.hana), since=clock.now() + far)


def test_a_test_is_sent_as_any_other(cast, there):
    hook, secret = made(cast, there)
    hooks.ask_for_test(hook.pk, by=cast.by(cast.hana))
    send_due()
    headers, body = there.got[0]
    assert Webhook(secret).verify(body, headers)["type"] == "makegood.test"


@pytest.mark.parametrize("who", ["minji", "sujin", "wei"])
def test_agents_and_leads_keep_no_webhooks(cast, there, who):
    hook, _secret = made(cast, there)
    by = cast.by(getattr(cast, who))
    for act in (
        lambda: hooks.make(by=by, name="x", url=there.url),
        lambda: hooks.rotate(hook.pk, by=by),
        lambda: hooks.switch(hook.pk, by=by, on=False),
        lambda: hooks.every(by),
        lambda: hooks.replay(hook.pk, by=by, since=clock.now()),
        lambda: hooks.remove(hook.pk, by=by),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_the_log_is_cleaned_after_a_month_and_what_waits_stays(cast, there):
    made(cast, there, kinds=["opened"])
    stages.reported(cast)
    send_due()
    HookCall.objects.update(made_at=clock.now() - timedelta(days=31))
    HookTry.objects.update(at=clock.now() - timedelta(days=31))
    there.always = 500
    stages.reported(cast)
    done = upkeep.clean_up()
    assert (
        done["webhook_calls"] == 1
        and HookCall.objects.get().state == "waiting"
        and not HookTry.objects.exists()
    )
