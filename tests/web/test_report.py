"""Somebody whose order went wrong reports it, without an account."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from makegood.cases.models import Case
from makegood.conversations.models import Attachment
from makegood.packs import playbook, playbooks
from makegood.people.models import Customer, Shop
from tests import cast as stages

pytestmark = pytest.mark.django_db
FORM = "/report/haneul/"
#: A type whose playbook speaks of money without asking for an amount itself.
ASKED = next(
    p.type
    for p in playbooks().values()
    if "refund" in p.offers and all(q.input != "amount" for q in p.at_report)
)


@pytest.fixture(autouse=True)
def _fresh_hour():
    cache.clear()


def given(**more: object) -> dict[str, object]:
    return {"text": "My parcel never came.", "name": "Bo", "email": "bo@customer.example", **more}


@pytest.mark.parametrize("who", [None, "minji", "hana", "kang"])
@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
@pytest.mark.parametrize("htmx", [{}, {"HTTP_HX_REQUEST": "true"}])
def test_every_page_answers_in_the_readers_language(cast, client, who, language, htmx):
    if who:
        client.force_login(getattr(cast, who))
        language = getattr(cast, who).language
    for path in ("/report/", FORM, FORM + "?type=refund.delay"):
        page = client.get(path, HTTP_ACCEPT_LANGUAGE=language, **htmx)
        assert page.status_code == 200 and f'<html lang="{language}"' in page.content.decode()


def test_one_shop_is_not_asked_for(cast, client):
    assert "/report/moon/" in client.get("/report/").content.decode()
    Customer.objects.filter(shop=cast.moon).delete()
    Shop.objects.filter(code="moon").delete()
    assert client.get("/report/")["Location"] == FORM


def test_a_shop_that_is_not_there(cast, client):
    assert client.get("/report/nowhere/").status_code == 404
    assert client.get("/report/nowhere/questions/").status_code == 404


@pytest.mark.parametrize("kind", ["refund.delay", "", "no.such.type", "\x00"])
def test_the_questions_come_with_the_choice(cast, client, kind):
    page = client.get(FORM + "questions/", {"type": kind}, HTTP_HX_REQUEST="true")
    text = page.content.decode()
    assert page.status_code == 200 and ("q_" in text) == (kind == "refund.delay") and "<html" not in text


def test_without_script_next_brings_them_and_keeps_what_was_typed(cast, client):
    page = client.post(FORM, given(type="refund.delay", step="next", email=""))
    text = page.content.decode()
    assert page.status_code == 200 and 'name="q_' in text and "My parcel never came." in text
    assert "Leave an email" not in text and not Case.objects.exists()


def test_a_report_becomes_a_case_and_leads_to_its_own_page(cast, client):
    photo = SimpleUploadedFile("box.jpg", b"\xff\xd8", "image/jpeg")
    question = playbook("refund.delay").at_report[0]
    amount = next(q for q in playbook("refund.delay").at_report if q.input == "amount")
    more = {
        f"q_{amount.code}": "39,000원",
        f"q_{question.code}": question.choices[0].code if question.choices else "2026-11-01",
    }
    page = client.post(
        FORM,
        given(type="refund.delay", asked_remedy="refund", files=photo, **more),
        follow=True,
    )
    case = Case.objects.get()
    text = page.content.decode()
    assert page.status_code == 200 and page.redirect_chain[0][0].endswith("/thanks/")
    assert str(case.number) in text and "/c/" in text
    assert (case.money_lost, case.currency, case.asked_remedy) == (39000, "KRW", "refund")
    assert Attachment.objects.get().name == "box.jpg" and {t.item for t in case.ticks.all()} == {
        question.code,
        amount.code,
    }
    assert case.events.get().actor_role == "customer" and case.urgency >= 3
    own = page.redirect_chain[0][0].removesuffix("thanks/")
    assert client.get(own).status_code == 200


def test_the_case_remembers_the_language_of_the_reporter(cast, client):
    client.post(FORM, given(text="ok", email="x@customer.example"), HTTP_ACCEPT_LANGUAGE="zh-CN")
    assert Case.objects.get().language == "zh-hans"


@pytest.mark.parametrize(
    "wrong, reason",
    [
        ({"text": ""}, "This must not be empty."),
        ({"email": "not an address"}, "This is not an email address."),
        ({"email": "", "phone": ""}, "Leave an email address or a telephone number"),
        ({"type": "no.such.type"}, "Select a valid choice"),
        ({"type": ASKED, "money_lost": "a lot"}, "Write the amount in figures"),
        ({"type": ASKED, "money_lost": "NaN"}, "Write the amount in figures"),
        ({"type": ASKED, "money_lost": "1e30"}, "Write the amount in figures"),
        ({"type": ASKED, "money_lost": "-1"}, "Write the amount in figures"),
        ({"order_number": "9" * 80}, "This is too long"),
        ({"name": "n" * 500}, "This is too long"),
        ({"text": "x" * 100_001}, "This is too long"),
    ],
)
def test_bad_input_keeps_everything_typed_and_says_why(cast, client, wrong, reason):
    page = client.post(FORM, given(asked_remedy="refund", website="", **wrong))
    text = page.content.decode()
    assert page.status_code == 422 and reason in text and not Case.objects.exists()
    assert 'value="Bo"' in text or "name" in wrong
    assert "What you typed is still here." in text


def test_a_film_of_21_mb_is_refused_and_the_words_stay(cast, client):
    large = SimpleUploadedFile("film.mp4", b"0" * (21 * 2**20), "video/mp4")
    page = client.post(FORM, given(files=large))
    text = page.content.decode()
    assert page.status_code == 422 and "film.mp4 is too large" in text and "My parcel never came." in text
    assert "choose your files once more" in text and not Case.objects.exists()


def test_a_program_that_fills_in_everything_is_stopped_and_a_person_gets_through(cast, client):
    page = client.post(FORM, given(website="http://spam.example"))
    assert page.status_code == 422 and not Case.objects.exists()
    assert "spam.example" not in page.content.decode()


def test_many_reports_of_one_address_are_stopped_and_the_words_stay(cast, client, settings):
    settings.REPORTS_PER_HOUR = 2
    for _ in range(2):
        assert client.post(FORM, given()).status_code == 302
    page = client.post(FORM, given())
    assert page.status_code == 429 and "Many reports came from your address" in page.content.decode()
    assert "My parcel never came." in page.content.decode() and Case.objects.count() == 2
    assert client.post(FORM, given(), REMOTE_ADDR="203.0.113.9").status_code == 302


def test_behind_our_proxy_each_sender_has_their_own_share(cast, client, settings):
    settings.REPORTS_PER_HOUR, settings.PROXIES = 1, 1
    for n in (1, 2):
        page = client.post(FORM, given(), HTTP_X_FORWARDED_FOR=f"6.6.6.6, 203.0.113.{n}")
        assert page.status_code == 302
    assert client.post(FORM, given(), HTTP_X_FORWARDED_FOR="7.7.7.7, 203.0.113.1").status_code == 429


def test_refused_reports_do_not_count(cast, client, settings):
    settings.REPORTS_PER_HOUR = 1
    for _ in range(3):
        client.post(FORM, given(text=""))
    assert client.post(FORM, given()).status_code == 302


def test_whoever_types_jiwoos_address_sees_nothing_of_her(cast, client):
    old = stages.reported(cast, text="a secret of hers HN-20261101")
    page = client.post(FORM, given(email="JIWOO@customer.example"), follow=True)
    own = page.redirect_chain[0][0].removesuffix("thanks/")
    for shown in (page.content.decode(), client.get(own).content.decode()):
        for word in ("지우", "jiwoo", "secret", str(old.number), "HN-2026"):
            assert word not in shown
    assert Customer.objects.filter(email="jiwoo@customer.example").count() == 1
    assert Customer.objects.get(email="jiwoo@customer.example").name == "지우"


def test_only_a_telephone_number_is_enough_and_the_page_says_to_keep_the_address(cast, client):
    page = client.post(FORM, given(email="", phone="010-1234-5678"), follow=True)
    assert "Keep this address" in page.content.decode()


@pytest.mark.parametrize("field", ["text", "name", "order_number", "phone"])
@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "\ud83d half", "nul\x00nul"])
def test_odd_words_do_not_break_or_run(cast, client, field, words):
    pairs = given(**{field: words})
    body = "&".join(
        k + "=" + "".join(f"%{b:02X}" for b in str(v).encode("utf-8", "surrogatepass"))
        for k, v in pairs.items()
    )
    page = client.generic("POST", FORM, body.encode(), "application/x-www-form-urlencoded")
    assert page.status_code == 302
    text = client.get(page["Location"].removesuffix("thanks/")).content.decode()
    assert "<script>alert" not in text and "\x00" not in text
    bad = client.generic(
        "POST", FORM, body.replace("email=", "e=").encode(), "application/x-www-form-urlencoded"
    )
    assert "<script>alert" not in bad.content.decode()


def test_a_form_without_its_secret_is_refused_and_changes_nothing(cast):
    page = Client(enforce_csrf_checks=True).post(FORM, given(csrfmiddlewaretoken="wrong"))
    assert page.status_code == 403 and "<header" in page.content.decode() and not Case.objects.exists()


def test_looking_at_the_form_opens_nothing(cast, client):
    for path in ("/report/", FORM, FORM + "questions/?type=refund.delay"):
        client.get(path), client.head(path)
    assert not Case.objects.exists()
