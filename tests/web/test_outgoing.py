"""The pages of notices outside and of webhooks: what somebody presses there happens, and what is wrong is said there."""

from __future__ import annotations

import re

import pytest

from makegood.cases.models import Notice
from makegood.desk import hooks, notices, rooming
from makegood.jobs.hook_calls import send_due
from makegood.people.models import User
from makegood.ways.models import Quiet, Way
from makegood.webhooks.models import Hook, HookCall
from tests import cast as stages
from tests.receiver import receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(settings):
    with receiver() as told:
        settings.OUTSIDE_HOSTS = frozenset({f"127.0.0.1:{told.port}"})
        yield told


def speak_english() -> None:
    User.objects.update(language="en")


def test_minji_adds_a_chat_tries_it_and_reads_the_real_outcome(cast, client, there):
    speak_english()
    client.force_login(cast.minji)
    added = client.post("/me/notices/add/", {"url": f"json://127.0.0.1:{there.port}/s3same"}, follow=True)
    way = Way.objects.get(kind="chat")
    assert "s3same" not in added.content.decode() and f"way-{way.pk}" in added.content.decode()
    tried = client.post(f"/me/notices/{way.pk}/test/", follow=True).content.decode()
    assert "It was taken." in tried and len(there.got) == 1
    there.always = 403
    tried = client.post(f"/me/notices/{way.pk}/test/", follow=True).content.decode()
    assert "The tool refused the message (status 403)." in tried and "It was taken." not in tried
    client.post(f"/me/notices/{way.pk}/remove/")
    assert not Way.objects.filter(kind="chat").exists()


def test_what_is_no_chat_is_said_beside_the_field_and_the_secret_is_not_drawn_again(cast, client):
    speak_english()
    client.force_login(cast.minji)
    answer = client.post("/me/notices/add/", {"url": "mailto://minji:s3same@example.com"})
    page = answer.content.decode()
    assert answer.status_code == 422 and "This is not the address of a chat tool that we know." in page
    assert "s3same" not in page and not Way.objects.filter(kind="chat").exists()


def test_minji_chooses_when_and_keeps_her_quiet_hours(cast, client):
    speak_english()
    client.force_login(cast.minji)
    client.get("/me/notices/")
    letter = Way.objects.get(user=cast.minji)
    form = {f"urgent_{letter.pk}": "now", f"mine_{letter.pk}": "digest", f"others_{letter.pk}": "never"}
    client.post("/me/notices/", {**form, "starts": "22:00", "ends": "07:00", "digest_at": "08:30"})
    letter.refresh_from_db()
    quiet = Quiet.objects.get(user=cast.minji)
    assert letter.mine == "digest" and (str(quiet.starts), str(quiet.digest_at)) == ("22:00:00", "08:30:00")
    for wrong in (
        {"starts": "22:00", "ends": ""},
        {"starts": "25:00", "ends": "07:00"},
        {f"mine_{letter.pk}": "dance"},
    ):
        answer = client.post(
            "/me/notices/", {**form, "starts": "22:00", "ends": "06:00", "digest_at": "09:00", **wrong}
        )
        assert answer.status_code == 422, wrong
    quiet.refresh_from_db()
    assert str(quiet.ends) == "07:00:00", "nothing of what was refused was kept"


def test_sujin_sees_whose_notices_do_not_arrive_and_minji_does_not(cast, client):
    speak_english()
    Way.objects.create(user=cast.minji, kind="letter", failures=3, trouble="mail_refused")
    client.force_login(cast.sujin)
    page = client.get("/notices/undelivered/").content.decode()
    assert "Minji" in page and "The mail server refuses this address." in page
    client.force_login(cast.minji)
    assert client.get("/notices/undelivered/").status_code == 403


def test_a_notice_about_a_room_leads_to_the_room(cast, client):
    case = stages.owned(cast)
    room = rooming.open_room(case, by=cast.by(cast.hana), lead=cast.sujin).data["room"]
    client.force_login(cast.sujin)
    assert Notice.objects.filter(user=cast.sujin, kind="room_opened").exists()
    assert f'href="/rooms/{room}/"' in client.get("/notices/").content.decode()


def test_hana_makes_a_webhook_sees_its_secret_once_and_reads_what_was_answered(cast, client, there):
    speak_english()
    client.force_login(cast.hana)
    page = client.post(
        "/webhooks/new/", {"name": "ERP", "url": there.url, "kinds": ["opened"]}
    ).content.decode()
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page)[0]
    hook = Hook.objects.get()
    there.body, there.answers = b"<script>alert(1)</script>", [500]
    case = stages.reported(cast)
    send_due()
    whole = client.get(f"/webhooks/{hook.pk}/").content.decode()
    assert secret not in whole and str(case.number) in whole and "It has not answered since" in whole
    call = client.get(f"/webhooks/{hook.pk}/calls/{HookCall.objects.get().pk}/").content.decode()
    assert "500" in call and "<script>alert" not in call and "&lt;script&gt;" in call
    assert str(case.number) not in client.get(f"/webhooks/{hook.pk}/?state=dead").content.decode()
    turned = client.post(f"/webhooks/{hook.pk}/rotate/").content.decode()
    assert "whsec_" in turned and secret not in turned


def test_hana_sends_again_switches_off_and_removes(cast, client, there):
    speak_english()
    client.force_login(cast.hana)
    hook, _secret = hooks.make(by=cast.by(cast.hana), name="ERP", url=there.url, kinds=["opened"])
    stages.reported(cast)
    send_due()
    client.post(f"/webhooks/{hook.pk}/again/", {"call": HookCall.objects.get().pk})
    assert send_due() == 1 and len(set(there.ids())) == 1
    wrong = client.post(f"/webhooks/{hook.pk}/replay/", {"since": "2001-01-01T00:00"})
    assert wrong.status_code == 422 and "From a moment of the last 30 days." in wrong.content.decode()
    assert client.post(f"/webhooks/{hook.pk}/replay/", {"since": "soon"}).status_code == 422
    client.post(f"/webhooks/{hook.pk}/off/")
    assert "Switched off by a person" in client.get("/webhooks/").content.decode()
    client.post(f"/webhooks/{hook.pk}/on/")
    client.post(f"/webhooks/{hook.pk}/test/")
    assert send_due() == 1
    client.post(f"/webhooks/{hook.pk}/remove/")
    assert not Hook.objects.exists() and client.get(f"/webhooks/{hook.pk}/").status_code == 404


@pytest.mark.parametrize("verb", ["rotate", "on", "off", "test", "again", "replay", "remove"])
def test_nobody_else_presses_these_buttons(cast, client, there, verb):
    hook, _secret = hooks.make(by=cast.by(cast.hana), name="ERP", url=there.url)
    before = Hook.objects.values().get()
    for who in (cast.minji, cast.sujin, cast.kang):
        client.force_login(who)
        assert client.post(f"/webhooks/{hook.pk}/{verb}/").status_code in (403, 404)
    assert Hook.objects.values().get() == before and not HookCall.objects.exists()


def test_a_notice_that_was_told_counts_in_the_page_whatever_happens_outside(cast, client, there):
    case = stages.owned(cast)
    told = notices.notify(case, "woken", to=[cast.minji.pk])
    assert told == [cast.minji.pk] and notices.unseen(cast.minji.pk) >= 1
