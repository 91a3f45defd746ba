"""The helper's card on the sheet: not there while it is off, marked as a machine's, with an end, and sent by nobody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from makegood.base import clock
from makegood.base.languages import CODES
from makegood.conversations.models import Draft, HelperTask, Message
from makegood.jobs.helping import work
from makegood.people.models import User
from tests import cast as stages
from tests.fake_helper import running
from tests.web.test_case_sheet import QUERIES, stranger

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def fake(settings):
    with running() as fake:
        settings.HELPER_URL, settings.HELPER_MODEL = fake.url, "small-model"
        settings.HELPER_SUMMARY = settings.HELPER_DRAFT = True
        fake.says = "말씀 잘 읽었습니다. 내일까지 환불해 드리겠습니다. 불편을 드려 죄송합니다."
        yield fake


@pytest.fixture
def case(cast, client):
    User.objects.update(language="en")  # the page's words are looked for in English
    client.force_login(cast.minji)
    return stages.owned(cast)


def address(case, verb="") -> str:
    return f"/cases/{case.number}/{verb}/" if verb else f"/cases/{case.number}/"


def read(client, case) -> str:
    return client.get(address(case)).content.decode()


def ask(client, case, what="draft", **more):
    sent = {"seen": stages.fresh(case).version, "what": what}
    return client.post(address(case, "ask_helper"), sent, **more)


def test_while_it_is_off_the_sheet_knows_nothing_of_it(client, case):
    assert 'id="helper"' not in read(client, case)
    assert client.get(address(case, "helper")).status_code == 404
    answer = ask(client, case, headers=HTMX)
    assert answer.status_code == 422 and 'id="refused"' in answer.content.decode()
    assert not HelperTask.objects.exists()


def test_switched_on_it_costs_the_sheet_one_query(client, case, fake):
    read(client, case)
    with CaptureQueriesContext(connection) as seen:
        assert 'id="helper"' in read(client, case)
    assert len(seen) <= QUERIES + 1


def test_minji_asks_waits_reads_and_makes_it_her_own(client, case, fake):
    waiting = ask(client, case, headers=HTMX).content.decode()
    card = re.search(r'<section[^>]*id="helper"[^>]*>', waiting)[0]
    assert f'hx-get="{address(case, "helper")}"' in card and "every 2s" in card
    assert work() == 1
    card = client.get(address(case, "helper"), headers=HTMX).content.decode()
    assert "hx-get" not in card, "it no longer asks"
    assert "말씀 잘 읽었습니다. 불편을 드려 죄송합니다." in card and "환불해 드리겠습니다" not in card
    assert "Written by a machine" in card and "1 sentence was struck out" in card
    assert not Draft.objects.exists() and Message.objects.filter(author="staff").count() == 0
    task = HelperTask.objects.get()
    used = client.post(address(case, "use_helper"), {"task": task.pk, "text": "안녕하세요"}, headers=HTMX)
    editor = re.search(
        r'<textarea name="text" id="reply_text".*?>(.*?)</textarea>', used.content.decode(), re.S
    )[1]
    assert editor == "안녕하세요\n\n말씀 잘 읽었습니다. 불편을 드려 죄송합니다."
    assert "machine-draft" in used.content.decode() and "machine-draft" in read(client, case)
    client.post(address(case, "draft"), {"text": "안녕하세요. 말씀 잘 읽었습니다. 제 생각은 다릅니다."})
    assert "machine-draft" not in read(client, case), "a person changed it"
    assert Message.objects.filter(author="staff").count() == 0, "and nobody has sent anything"


def test_without_script_a_press_leads_back_to_the_sheet(client, case, fake):
    assert ask(client, case).status_code == 303
    assert "Look again" in read(client, case)
    work()
    answer = client.post(address(case, "use_helper"), {"task": HelperTask.objects.get().pk})
    assert answer.status_code == 303 and answer.url == address(case) + "#form-reply"
    assert Draft.objects.get().body.startswith("말씀 잘 읽었습니다.")


def test_after_a_minute_the_card_gives_up_and_says_so(client, case, fake):
    ask(client, case)
    with clock.travel(timedelta(seconds=61)):
        card = client.get(address(case, "helper"), headers=HTMX).content.decode()
    assert "took too long" in card and "hx-get" not in card and "Let the helper draft" in card


def test_a_second_press_says_why_not(client, case, fake):
    ask(client, case)
    again = ask(client, case, headers=HTMX)
    assert again.status_code == 422 and "already writing this" in again.content.decode()
    assert HelperTask.objects.count() == 1


def test_what_a_machine_writes_is_text_and_no_page(client, case, fake):
    fake.says = "고객님의 말씀을 읽었습니다 <script>alert(1)</script> <b>감사합니다</b>"
    ask(client, case, "summary")
    work()
    card = client.get(address(case, "helper"), headers=HTMX).content.decode()
    assert "<script>" not in card and "&lt;script&gt;" in card
    assert "Use as a draft" not in card and "What counts are" in card


def test_what_minji_asked_is_seen_by_nobody_else(cast, client, case, fake):
    ask(client, case)
    work()
    task = HelperTask.objects.get().pk
    client.force_login(cast.jun)
    assert "말씀 잘" not in client.get(address(case, "helper")).content.decode()
    assert client.post(address(case, "use_helper"), {"task": task}).status_code == 404
    for who in (cast.kang, cast.luo, stranger(cast)):
        client.force_login(who)
        assert client.get(address(case, "helper")).status_code == 404
        assert client.post(address(case, "use_helper"), {"task": task}).status_code == 404
    assert not Draft.objects.exists()


@pytest.mark.parametrize("odd", ["", "x", "-1", "9" * 30, "١"])
def test_an_odd_suggestion_is_not_there(client, case, fake, odd):
    assert client.post(address(case, "use_helper"), {"task": odd}).status_code == 404


def test_the_outcome_that_is_told_is_marked_too(cast, client, fake):
    client.force_login(cast.minji)
    checked = stages.verified(cast)
    ask(client, checked)
    work()
    client.post(address(checked, "use_helper"), {"task": HelperTask.objects.get().pk})
    form = re.search(r'<form[^>]*id="form-tell".*?</form>', read(client, checked), re.S)[0]
    assert "machine-draft" in form and "말씀 잘 읽었습니다" in form


def test_an_ended_case_may_be_summed_up_but_not_answered(cast, client, fake):
    User.objects.update(language="en")
    client.force_login(cast.minji)
    over = stages.made_good(cast)
    card = client.get(address(over, "helper")).content.decode()
    assert "sum up the case" in card and "draft an answer" not in card


@pytest.mark.parametrize("language", CODES)
def test_a_machines_words_are_marked_in_every_language(cast, client, case, fake, language):
    ask(client, case)
    work()
    type(cast.minji).objects.update(language=language)
    client.cookies["language"] = language
    card = client.get(address(case, "helper")).content.decode()
    assert 'class="badge warn"' in card and "말씀 잘 읽었습니다" in card
