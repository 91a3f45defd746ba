"""Jiwoo's own page: she reads it, answers on it, and nobody else does, nor any program that opens links.

Over 300 lines: one page, whose every stage is tried.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from makegood.base import clock
from makegood.cases import links
from makegood.cases.access import token_of
from makegood.cases.models import CaseEvent, Confirmation
from makegood.conversations.messages import Upload
from makegood.conversations.models import Attachment, Delivery, Message
from makegood.desk.closing import end_disagreed
from makegood.desk.handling import wait
from makegood.desk.joining import merge
from makegood.desk.sharing import revoke_links
from makegood.desk.talking import merchant_says, note, reply
from tests import cast as stages

pytestmark = pytest.mark.django_db
ACTS = ("say", "confirm", "reopen", "withdraw")


def link(case) -> str:
    return f"/c/{token_of(links.standing(case))}/"


def answer(client, case, answer, words="", **more):
    sent = {"telling": case.tellings.last().pk, "answer": answer, "words": words, **more}
    return client.post(link(case) + "confirm/", sent)


def traces() -> tuple[int, ...]:
    return tuple(m.objects.count() for m in (CaseEvent, Confirmation, Message, Delivery))


# What she reads


def test_she_reads_who_has_it_when_we_speak_and_what_was_said(cast, client):
    case = stages.answered(cast)
    page = client.get(link(case))
    text = page.content.decode()
    assert page.status_code == 200
    for word in (str(case.number), "Minji", "Front line", "확인하고 있습니다", stages.WORDS["ko"]):
        assert word in text


def test_a_broken_word_is_called_late_and_later_broken(cast, client):
    case = stages.answered(cast, customer=cast.alex)
    with clock.travel(timedelta(hours=6)):
        assert "and are late" in client.get(link(case)).content.decode()
        reply(case, by=cast.by(cast.minji), seen=None, text="Sorry.", next_word_at=stages.soon())
        text = client.get(link(case)).content.decode()
    assert ">broken<" in text and ">kept<" in text and "and are late" not in text


def test_what_is_said_among_staff_and_with_the_merchant_stays_there(cast, client):
    case = stages.answered(cast)
    note(case, by=cast.by(cast.minji), text="INTERNAL-NOTE")
    merchant_says(case, by=cast.by(cast.kang), text="MERCHANT-WORD")
    text = client.get(link(case)).content.decode()
    assert "INTERNAL-NOTE" not in text and "MERCHANT-WORD" not in text


def test_she_sees_this_case_only_and_what_was_merged_into_it(cast, client):
    one, other = stages.reported(cast, text="first words"), stages.reported(cast, text="second words")
    text = client.get(link(one)).content.decode()
    assert "first words" in text and "second words" not in text and str(other.number) not in text
    merge(other, one, by=cast.by(cast.minji), seen=None)
    assert "second words" in client.get(link(one)).content.decode()


def test_the_page_never_shows_her_address_or_number(cast, client):
    assert "jiwoo@" not in client.get(link(stages.answered(cast))).content.decode()


STAGES = ("reported", "owned", "answered", "fixed", "verified", "told", "made_good")


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_a_page(cast, client, stage):
    client.cookies["language"] = "en"
    case = getattr(stages, stage)(cast)
    page = client.get(link(case))
    assert page.status_code == 200
    assert ("Is it made good?" in page.content.decode()) == (stage == "told")


@pytest.mark.parametrize("whom", ["customer", "merchant", "carrier", "payment_provider", "specialist"])
def test_waiting_says_for_whom(cast, client, whom):
    case = stages.answered(cast)
    wait(case, by=cast.by(cast.minji), seen=None, waiting_for=whom)
    assert client.get(link(case)).status_code == 200


def test_disagreed_shows_the_way_outside(cast, client):
    case = stages.answered(cast)
    end_disagreed(case, by=cast.by(cast.sujin), seen=None, text="We cannot.", outside_route="Call 1372.")
    assert "Call 1372." in client.get(link(case)).content.decode()


# Languages and doors


@pytest.mark.parametrize("who, language", [("jiwoo", "ko"), ("lina", "zh-hans"), ("alex", "en")])
def test_the_page_speaks_the_cases_language_unless_the_visitor_chose(cast, client, who, language):
    case = stages.told(cast, customer=getattr(cast, who))
    page = client.get(link(case), HTTP_ACCEPT_LANGUAGE="fr")
    assert f'<html lang="{language}"' in page.content.decode() and page["Content-Language"] == language
    client.cookies["language"] = "zh-hans"
    assert '<html lang="zh-hans"' in client.get(link(case)).content.decode()


@pytest.mark.parametrize("who", [None, "minji", "hana", "kang", "luo"])
@pytest.mark.parametrize("htmx", [{}, {"HTTP_HX_REQUEST": "true"}])
@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_the_page_is_the_same_whoever_is_signed_in(cast, client, who, htmx, language):
    case = stages.told(cast)
    client.cookies["language"] = language
    if who:
        client.force_login(getattr(cast, who))
    page = client.get(link(case), **htmx)
    assert page.status_code == 200 and f'<html lang="{language}"' in page.content.decode()


def test_the_address_is_kept_out_of_caches_indexes_and_other_sites(cast, client):
    case = stages.told(cast)
    for page in (client.get(link(case)), client.get(link(case) + "thanks/"), client.get("/c/nonsense/")):
        assert page["Cache-Control"] == "private, no-store"
        assert page["X-Robots-Tag"].startswith("noindex")
        # Not no-referrer: browsers then send 'Origin: null' with our own forms, and the answer would be refused.
        assert page["Referrer-Policy"] == "same-origin"


# Keys that do not hold


@pytest.mark.parametrize("path", ["", "thanks/", "files/1/", *(a + "/" for a in ACTS)])
def test_forged_expired_and_revoked_links_get_one_page(cast, client, path):
    case = stages.told(cast)
    good = link(case)
    forged = [good[:-2] + ("A" if good[-2] != "A" else "B") + "/", "/c/1~x/", "/c/~/", "/c/지우/", "/c/%00/"]
    pages = [client.get(f + path) for f in forged]
    with clock.travel(timedelta(days=400)):
        pages.append(client.get(good + path))
    revoke_links(case, by=cast.by(cast.minji))
    pages.append(client.get(good + path))
    if path.rstrip("/") in ACTS:
        pages.append(client.post(good + path))
    assert {p.status_code for p in pages} == {404}
    assert all("This link is no longer valid." in p.content.decode() for p in pages)
    assert len({p.content.decode().split("<main")[1] for p in pages}) == 1


@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_the_page_of_a_dead_link_speaks_the_visitors_language(cast, client, language):
    page = client.get("/c/1~forged/", HTTP_ACCEPT_LANGUAGE=language)
    assert page.status_code == 404 and f'<html lang="{language}"' in page.content.decode()


# Programs that open links


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_a_program_that_opens_every_link_changes_nothing(cast, client, method):
    case = stages.told(cast)
    before, version = traces(), case.version
    query = f"?answer=all_good&telling={case.tellings.get().pk}"
    for path in ("", "thanks/", *(a + "/" for a in ACTS)):
        getattr(client, method)(link(case) + path + (query if method == "get" else ""))
    assert traces() == before and stages.fresh(case).version == version


# What she does


def test_she_writes_with_a_photo_and_can_load_it(cast, client):
    case = stages.answered(cast)
    photo = SimpleUploadedFile("상자 사진.png", b"\x89PNG", "image/png")
    page = client.post(link(case) + "say/", {"text": "사진이에요", "files": photo}, follow=True)
    assert page.status_code == 200 and "상자 사진.png" in page.content.decode()
    kept = Attachment.objects.get()
    loaded = client.get(f"{link(case)}files/{kept.pk}/")
    assert loaded.content == b"\x89PNG" and loaded["Content-Type"] == "image/png"
    assert loaded["X-Content-Type-Options"] == "nosniff" and "sandbox" in loaded["Content-Security-Policy"]


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf", "text/html\r\nX: 1"])
def test_a_file_that_could_run_is_only_saved(cast, client, kind):
    case = stages.answered(cast)
    client.post(link(case) + "say/", {"files": SimpleUploadedFile("a.html", b"<script>", kind)})
    loaded = client.get(f"{link(case)}files/{Attachment.objects.get().pk}/")
    assert loaded["Content-Type"] == "application/octet-stream"
    assert loaded["Content-Disposition"].startswith("attachment")


def test_a_file_of_another_case_or_of_staff_is_not_there(cast, client):
    case, other = stages.answered(cast), stages.answered(cast)
    file = Upload("x.png", "image/png", b"x")
    note(case, by=cast.by(cast.minji), text="look", files=[file])
    client.post(link(other) + "say/", {"files": SimpleUploadedFile("y.png", b"y", "image/png")})
    for kept in Attachment.objects.all():
        assert client.get(f"{link(case)}files/{kept.pk}/").status_code == 404


def test_all_good_closes_and_says_thanks(cast, client):
    client.cookies["language"] = "en"
    case = stages.told(cast)
    page = answer(client, case, "all_good")
    assert page.status_code == 302
    case = stages.fresh(case)
    assert case.ended_as == "made_good" and case.closure.confirmation.channel == "page"
    text = client.get(link(case)).content.decode()
    assert "Thank you for telling us." in text and "Made good." in text and "Is it made good?" not in text


@pytest.mark.parametrize("word", ["partly", "not_good"])
def test_anything_less_opens_a_new_round_with_a_new_word(cast, client, word):
    case = stages.told(cast, customer=cast.alex)
    answer(client, case, word, "Half of it is missing.")
    text = client.get(link(case)).content.decode()
    assert stages.fresh(case).round == 2 and "We go on" in text and "By " in text


def test_all_good_with_words_that_doubt_waits_for_a_person_and_says_so(cast, client):
    client.cookies["language"] = "en"
    case = stages.told(cast)
    answer(client, case, "all_good", "감사하지만 아직 해결 안 됐어요")
    assert stages.fresh(case).is_open
    assert "a person reads them first" in client.get(link(case)).content.decode()


@pytest.mark.parametrize(
    "sent", [{"answer": "maybe"}, {"answer": ""}, {"telling": "x"}, {"telling": "9" * 40}, {"telling": "٣"}]
)
def test_an_answer_that_is_none_keeps_the_words(cast, client, sent):
    case = stages.told(cast)
    before = traces()
    form = {"telling": case.tellings.get().pk, "answer": "all_good", "words": "my own words"} | sent
    page = client.post(link(case) + "confirm/", form)
    assert page.status_code == 422 and traces() == before
    assert "my own words" in page.content.decode()


def test_answering_twice_is_said_kindly(cast, client):
    case = stages.told(cast)
    address, telling = link(case), case.tellings.get().pk
    for status in (302, 422):
        assert (
            client.post(address + "confirm/", {"telling": telling, "answer": "all_good"}).status_code
            == status
        )
    assert Confirmation.objects.count() == 1


def test_it_came_back(cast, client):
    case = stages.made_good(cast)
    refused = client.post(link(case) + "reopen/", {"why": "  "})
    assert refused.status_code == 422 and not stages.fresh(case).is_open
    page = client.post(link(case) + "reopen/", {"why": "다시 고장났어요"}, follow=True)
    assert "다시 고장났어요" in page.content.decode() and stages.fresh(case).status == "working"


def test_she_takes_it_back_in_her_words_only(cast, client):
    case = stages.answered(cast)
    assert client.post(link(case) + "withdraw/", {"words": ""}).status_code == 422
    client.post(link(case) + "withdraw/", {"words": "찾았어요"})
    assert stages.fresh(case).ended_as == "withdrawn"
    refused = client.post(link(case) + "withdraw/", {"words": "again"})
    assert refused.status_code == 422


def test_nothing_to_say_is_refused_beside_the_field(cast, client):
    client.cookies["language"] = "en"
    case = stages.answered(cast)
    page = client.post(link(case) + "say/", {"text": " \x00 "})
    assert page.status_code == 422 and "This must not be empty." in page.content.decode()


def test_a_file_too_large_is_refused_and_the_words_stay(cast, client, settings):
    client.cookies["language"] = "en"
    case, before = stages.answered(cast), traces()
    large = SimpleUploadedFile("film.mp4", b"0" * (21 * 2**20), "video/mp4")
    page = client.post(link(case) + "say/", {"text": "see the film", "files": large})
    text = page.content.decode()
    assert page.status_code == 422 and "film.mp4 is too large" in text
    assert "see the film" in text and traces() == before


def test_eleven_files_are_refused_and_the_words_stay(cast, client):
    case = stages.answered(cast)
    many = [SimpleUploadedFile(f"{n}.png", b"x", "image/png") for n in range(11)]
    page = client.post(link(case) + "say/", {"text": "many", "files": many})
    assert page.status_code == 422 and ">many<" in page.content.decode() and not Attachment.objects.exists()


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", "\ud83d half", "nul\x00nul", "{{ 7 }}"])
def test_odd_words_are_shown_as_words(cast, client, words):
    case = stages.answered(cast)
    body = b"text=" + "".join(f"%{b:02X}" for b in words.encode("utf-8", "surrogatepass")).encode()
    page = client.generic("POST", link(case) + "say/", body, "application/x-www-form-urlencoded")
    assert page.status_code == 302
    text = client.get(link(case)).content.decode()
    assert "<script>alert" not in text and "\x00" not in text


def test_a_form_without_its_secret_is_refused_in_our_look_and_changes_nothing(cast):
    case, strict = stages.told(cast), Client(enforce_csrf_checks=True)
    before = traces()
    for path in ACTS:
        page = strict.post(link(case) + path + "/", {"text": "x", "csrfmiddlewaretoken": "wrong"})
        assert page.status_code == 403 and "<header" in page.content.decode()
    assert traces() == before
