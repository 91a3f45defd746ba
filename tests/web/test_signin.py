"""Signing in: by password, by a one-time link, with a second step; the first administrator; one's own page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command

from makegood.base import clock
from makegood.desk import peopling
from makegood.people.models import SignInLink, User, digest

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse 9"


@pytest.fixture(autouse=True)
def no_limits_left_over():
    cache.clear()


def sign_in(client, email, password=PASSWORD):
    return client.post("/sign-in/login/", {"login": email, "password": password})


def test_minji_signs_in_and_out(cast, client):
    assert sign_in(client, "MINJI@makegood.example").headers["Location"] == "/"
    assert client.get("/?view=open").status_code == 200
    client.post("/sign-in/logout/")
    assert client.get("/").status_code == 302


def test_a_wrong_password_and_a_person_who_may_not_sign_in(cast, client):
    assert sign_in(client, "minji@makegood.example", "wrong").status_code == 200
    User.objects.filter(pk=cast.minji.pk).update(is_active=False)
    sign_in(client, "minji@makegood.example")
    assert client.get("/me/").status_code == 302


def test_somebody_switched_off_is_out_at_once(cast, client):
    client.force_login(cast.minji, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/me/").status_code == 200
    User.objects.filter(pk=cast.minji.pk).update(is_active=False)
    assert client.get("/me/").status_code == 302


def test_guessing_is_slowed_down(cast, client):
    for _ in range(6):
        sign_in(client, "minji@makegood.example", "wrong")
    assert "_auth_user_id" not in client.session
    sign_in(client, "minji@makegood.example")
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up(cast, client):
    answer = client.post("/sign-in/signup/", {"email": "x@y.example", "password1": "long enough 12"})
    assert not User.objects.filter(email="x@y.example").exists()
    assert b"Accounts are made by a manager" in answer.content


@pytest.mark.parametrize(
    "address",
    ["login/", "password/reset/", "password/reset/done/", "signup/", "inactive/", "password/reset/key/1-x/"],
)
def test_every_page_before_sign_in_is_ours(cast, client, address):
    body = client.get(f"/sign-in/{address}", follow=True).content.decode()
    assert 'class="brand"' in body and "Menu:" not in body


@pytest.mark.parametrize("address", ["logout/", "password/change/", "2fa/", "reauthenticate/"])
def test_every_page_after_sign_in_is_ours(cast, client, address):
    sign_in(client, "hana@makegood.example")
    body = client.get(f"/sign-in/{address}", follow=True).content.decode()
    assert 'class="brand"' in body and "Menu:" not in body


def test_the_address_by_which_one_signs_in_is_not_changed_by_oneself(cast, client):
    sign_in(client, "minji@makegood.example")
    client.post("/sign-in/email/", {"action_add": "", "email": "other@y.example"})
    assert client.get("/sign-in/email/").headers["Location"] == "/me/"
    client.post("/sign-in/logout/")
    assert not sign_in(client, "other@y.example").headers.get("Location")


def test_a_second_step_is_set_up_and_asked_for(cast, client):
    from allauth.mfa.adapter import get_adapter
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal import auth

    sign_in(client, "hana@makegood.example")
    client.post("/sign-in/reauthenticate/", {"password": PASSWORD})
    page = client.get("/sign-in/2fa/totp/activate/")
    assert page.status_code == 200 and b'class="brand"' in page.content
    secret = auth.generate_totp_secret()
    Authenticator.objects.create(user=cast.hana, type="totp", data={"secret": get_adapter().encrypt(secret)})
    client.post("/sign-in/logout/")
    assert "/2fa/authenticate/" in sign_in(client, "hana@makegood.example").headers["Location"]
    assert client.get("/me/").status_code == 302
    assert b'class="brand"' in client.get("/sign-in/2fa/authenticate/").content
    code = auth.format_hotp_value(auth.hotp_value(secret, next(iter(auth.yield_hotp_counters_from_time()))))
    client.post("/sign-in/2fa/authenticate/", {"code": code})
    assert client.get("/me/").status_code == 200
    client.post("/sign-in/reauthenticate/", {"password": PASSWORD})
    for page in ("totp/deactivate/", "recovery-codes/generate/", ""):
        assert client.get(f"/sign-in/2fa/{page}").status_code == 200


def test_a_letter_for_a_forgotten_password(cast, client, settings):
    settings.EMAIL_HOST = "mail.example"
    client.post("/sign-in/password/reset/", {"email": "minji@makegood.example"})
    address = re.search(r"https?://[^/]+(/\S+)", mail.outbox[0].body)[1]
    page = client.get(address, follow=True)
    assert b'class="brand"' in page.content
    client.post(
        page.request["PATH_INFO"], {"password1": "brand new words 1", "password2": "brand new words 1"}
    )
    cast.minji.refresh_from_db()
    assert cast.minji.check_password("brand new words 1")


def test_a_site_without_letters_says_so_and_sends_none(cast, client):
    assert b"sends no letters" in client.get("/sign-in/password/reset/").content
    assert client.post("/sign-in/password/reset/", {"email": "minji@makegood.example"}).status_code == 302
    assert mail.outbox == []


# The one-time link


def test_a_link_is_not_used_up_by_reading_it(cast, client):
    secret = peopling.link_for(cast.jun, by=cast.by(cast.root))
    for _ in range(3):
        assert client.get(f"/welcome/{secret}/").status_code == 200
    assert client.head(f"/welcome/{secret}/").status_code == 200
    assert not SignInLink.objects.get().used_at


def test_jun_signs_in_once_and_chooses_a_password(cast, client):
    secret = peopling.link_for(cast.jun, by=cast.by(cast.root))
    answer = client.post(f"/welcome/{secret}/")
    assert answer.headers["Location"] == "/sign-in/password/set/"
    page = client.get("/sign-in/password/set/")
    assert page.status_code == 200 and b'class="brand"' in page.content
    new = "three new words"
    done = client.post("/sign-in/password/set/", {"password1": new, "password2": new})
    assert done.headers["Location"] == "/me/"
    cast.jun.refresh_from_db()
    assert cast.jun.check_password(new)
    client.logout()
    assert (
        client.get(f"/welcome/{secret}/").status_code == client.post(f"/welcome/{secret}/").status_code == 404
    )
    assert client.get("/me/").status_code == 302


def test_a_link_ends_and_a_new_one_voids_the_old(cast, client):
    old = peopling.link_for(cast.jun, by=cast.by(cast.root))
    new = peopling.link_for(cast.jun, by=cast.by(cast.root))
    assert client.get(f"/welcome/{old}/").status_code == 404
    with clock.travel(timedelta(days=8)):
        assert client.post(f"/welcome/{new}/").status_code == 404
    assert client.get("/welcome/nonsense%00/").status_code == 404
    User.objects.filter(pk=cast.jun.pk).update(is_active=False)
    assert client.post(f"/welcome/{new}/").status_code == 404


def test_only_the_digest_is_kept(cast):
    secret = peopling.link_for(cast.jun, by=cast.by(cast.root))
    assert SignInLink.objects.get().digest == digest(secret) != secret


# The first administrator


def first_admin(capsys):
    call_command("first_admin")
    return capsys.readouterr().out


def test_the_first_administrator_gets_one_link(db, capsys, client, settings, monkeypatch):
    monkeypatch.setenv("MAKEGOOD_ADMIN_EMAIL", "Boss@shop.example")
    settings.BASE_URL = "https://desk.example"
    line = first_admin(capsys)
    assert line.count("\n") == 1
    address = re.search(r"https://desk\.example(/welcome/\S+/)", line)[1]
    assert User.objects.get().email == "boss@shop.example" and User.objects.get().role == "admin"
    assert first_admin(capsys) == ""
    with clock.travel(timedelta(days=8)):
        again = first_admin(capsys)
        assert "/welcome/" in again and address not in again
    client.post(re.search(r"desk\.example(/\S+/)", again)[1])
    assert User.objects.count() == 1


def test_a_site_with_an_administrator_hears_nothing(cast, capsys):
    assert first_admin(capsys) == ""


# One's own page


def test_minji_reads_korean_in_her_own_time_zone(cast, client):
    client.force_login(cast.minji)
    answer = client.get("/me/")
    assert answer.headers["Content-Language"] == "ko"
    form = {"name": "민지", "language": "en", "zone": "America/New_York"}
    assert client.post("/me/", form).status_code == 302
    cast.minji.refresh_from_db()
    assert (cast.minji.name, cast.minji.language, cast.minji.zone) == ("민지", "en", "America/New_York")
    from django.utils import timezone

    zones = []
    from makegood.web.middleware import SpeakingMiddleware

    request = type("R", (), {"COOKIES": {}, "META": {}, "user": cast.minji})()
    from django.http import HttpResponse

    SpeakingMiddleware(lambda r: (zones.append(timezone.get_current_timezone_name()), HttpResponse())[1])(
        request
    )
    assert zones == ["America/New_York"]


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"zone": "Mars/Base"}, {"language": "xx"}, {"name": "\u200b"}]
)
def test_what_cannot_be_is_refused_beside_the_field(cast, client, change):
    client.force_login(cast.minji)
    form = {"name": "Minji", "language": "ko", "zone": "Asia/Seoul", **change}
    assert client.post("/me/", form).status_code == 422
    cast.minji.refresh_from_db()
    assert (cast.minji.name, cast.minji.zone) == ("Minji", "Asia/Seoul")


def test_a_language_is_chosen_for_a_year_and_leads_nowhere_else(cast, client):
    answer = client.post("/language/", {"language": "zh-hans", "next": "https://evil.example/x"})
    assert answer.headers["Location"] == "/" and answer.cookies["language"]["max-age"] == 31536000
    assert client.get("/sign-in/login/").headers["Content-Language"] == "zh-hans"
    client.force_login(cast.minji)
    assert client.post("/language/", {"language": "en", "next": "/me/"}).headers["Location"] == "/me/"
    cast.minji.refresh_from_db()
    assert cast.minji.language == "en"
    client.post("/language/", {"language": "xx"})
    cast.minji.refresh_from_db()
    assert cast.minji.language == "en"
    assert client.get("/language/").status_code == 405


def test_kang_the_merchant_has_his_own_page_too(cast, client):
    client.force_login(cast.kang)
    assert client.get("/me/").status_code == 200
