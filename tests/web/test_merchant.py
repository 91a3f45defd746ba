"""Mr Kang sells through Haneul, Ms Luo through Moon Tea: each reads their own cases, with the same honesty."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from makegood.base import clock
from makegood.cases.models import Case, CaseEvent
from makegood.conversations.models import Attachment, Message
from makegood.desk import merchant_page
from makegood.desk.talking import answer_merchant, note
from tests import cast as stages

pytestmark = pytest.mark.django_db


@pytest.fixture
def kang(cast):
    client = Client()
    client.force_login(cast.kang)
    return client


@pytest.mark.parametrize("who", ["kang", "luo"])
@pytest.mark.parametrize("htmx", [{}, {"HTTP_HX_REQUEST": "true"}])
@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_every_page_for_every_merchant(cast, client, who, htmx, language):
    user = getattr(cast, who)
    user.language = language
    user.save()
    client.force_login(user)
    case = stages.told(cast, customer=cast.jiwoo if who == "kang" else cast.lina)
    for path in ("/merchant/", "/merchant/?state=ended", "/merchant/new/", f"/merchant/{case.number}/"):
        page = client.get(path, **htmx)
        assert page.status_code == 200 and f'<html lang="{language}"' in page.content.decode()


@pytest.mark.parametrize("who", ["minji", "sujin", "wei", "hana", "root"])
def test_staff_are_sent_to_their_queue_and_may_not_write_as_merchant(cast, client, who):
    case = stages.told(cast)
    client.force_login(getattr(cast, who))
    for path in ("/merchant/", "/merchant/new/", f"/merchant/{case.number}/"):
        assert client.get(path).status_code == 302
    before = CaseEvent.objects.count()
    assert client.post(f"/merchant/{case.number}/", {"text": "x"}).status_code == 403
    assert client.post("/merchant/new/", {"text": "x"}).status_code == 403
    assert CaseEvent.objects.count() == before


def test_strangers_sign_in_first(cast, client):
    case = stages.told(cast)
    for path in ("/merchant/", "/merchant/new/", f"/merchant/{case.number}/"):
        assert "/sign-in/login/" in client.get(path)["Location"]


def test_another_shops_case_is_not_there(cast, kang):
    theirs = stages.reported(cast, customer=cast.lina)
    before = CaseEvent.objects.count()
    for number in (theirs.number, 98, 10**18, 10**30):
        assert kang.get(f"/merchant/{number}/").status_code == 404
    assert kang.post(f"/merchant/{theirs.number}/", {"text": "x"}).status_code == 404
    assert kang.get("/merchant/new/?shop=moon").status_code == 404
    assert str(theirs.number) not in kang.get("/merchant/?state=all&shop=moon").content.decode()
    assert CaseEvent.objects.count() == before


def test_he_reads_where_it_stands_but_no_address_and_no_word_among_staff(cast, kang):
    case = stages.answered(cast, text="돈이 급합니다. 소비자원에 신고하겠습니다. 환불이 안 됩니다.")
    note(case, by=cast.by(cast.minji), text="INTERNAL-NOTE")
    answer_merchant(case, by=cast.by(cast.minji), text="TO-MERCHANT")
    text = kang.get(f"/merchant/{case.number}/").content.decode()
    assert "TO-MERCHANT" in text and "지우" in text and "<blockquote" in text
    assert "INTERNAL-NOTE" not in text and "jiwoo@" not in text


def test_he_writes_to_us_and_the_customer_does_not_read_it(cast, kang):
    case = stages.answered(cast)
    photo = SimpleUploadedFile("box.png", b"p", "image/png")
    page = kang.post(f"/merchant/{case.number}/", {"text": "Sent on Monday.", "files": photo}, follow=True)
    assert page.status_code == 200 and "Sent on Monday." in page.content.decode()
    assert Message.objects.last().audience == "merchant"
    file = Attachment.objects.get()
    assert kang.get(f"/merchant/{case.number}/files/{file.pk}/").content == b"p"
    assert kang.get(f"/merchant/{case.number}/files/{file.pk + 1}/").status_code == 404


def test_empty_words_and_large_files_are_refused_with_the_words_kept(cast, kang):
    case = stages.answered(cast)
    assert kang.post(f"/merchant/{case.number}/", {"text": ""}).status_code == 422
    large = SimpleUploadedFile("film.mp4", b"0" * (21 * 2**20), "video/mp4")
    page = kang.post(f"/merchant/{case.number}/", {"text": "kept words", "files": large})
    assert page.status_code == 422 and "kept words" in page.content.decode()


def test_he_reports_for_a_customer(cast, kang):
    page = kang.post(
        "/merchant/new/",
        {
            "shop": "haneul",
            "text": "택배가 파손되어 도착했다고 합니다",
            "name": "Bo",
            "email": "bo@customer.example",
        },
        follow=True,
    )
    case = Case.objects.get()
    assert page.status_code == 200 and case.events.get().actor_role == "merchant" and case.shop == cast.haneul
    refused = kang.post("/merchant/new/", {"shop": "haneul", "text": "words", "email": "nonsense"})
    assert refused.status_code == 422 and "words" in refused.content.decode() and Case.objects.count() == 1


@pytest.mark.parametrize("order", ["urgent", "activity"])
def test_pages_follow_each_other_without_gap_or_double(cast, kang, order, monkeypatch):
    monkeypatch.setattr(merchant_page, "PAGE", 2)
    made = []
    for hours in range(5):
        with clock.travel(timedelta(minutes=-hours)):
            made.append(stages.reported(cast).number)
    by, seen, after = cast.by(cast.kang), [], ""
    for _page in range(3):
        listed = merchant_page.listed(by, merchant_page.Wish(order=order, after=after))
        seen += [c.number for c in listed.cases]
        after = listed.after
    assert after == "" and sorted(seen) == sorted(made) and len(set(seen)) == 5
    assert seen == (made[::-1] if order == "urgent" else made)


@pytest.mark.parametrize("query", ["state=x&order=y&after=z", "after=u,1,2", "shop=%00", "after=%ED%A0%80"])
def test_odd_wishes_show_a_page(cast, kang, query):
    stages.reported(cast)
    assert kang.get("/merchant/?" + query).status_code == 200


def test_his_counts(cast, kang):
    stages.told(cast), stages.made_good(cast), stages.reported(cast, customer=cast.lina)
    with clock.travel(timedelta(days=10)):
        counts = merchant_page.counts(cast.by(cast.kang))
    assert (counts.open, counts.overdue, counts.waiting_for_customer, counts.made_good_30_days) == (
        1,
        1,
        1,
        1,
    )


def test_a_form_without_its_secret_changes_nothing(cast):
    case = stages.answered(cast)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.kang)
    before = CaseEvent.objects.count()
    for path in (f"/merchant/{case.number}/", "/merchant/new/"):
        assert strict.post(path, {"text": "x", "csrfmiddlewaretoken": "wrong"}).status_code == 403
    assert CaseEvent.objects.count() == before


def test_script_in_words_and_names_is_only_text(cast, kang):
    cast.jiwoo.name = "<script>alert(1)</script>"
    cast.jiwoo.save()
    case = stages.reported(cast, text="<script>alert(2)</script>")
    for path in ("/merchant/", f"/merchant/{case.number}/"):
        assert "<script>alert" not in kang.get(path).content.decode()
