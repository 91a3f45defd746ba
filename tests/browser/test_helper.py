"""The helper in a real browser: the card asks for itself, ends, and what was typed is never lost to a machine's draft."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from makegood.conversations.models import Message
from makegood.jobs.helping import work
from tests import cast as stages
from tests.fake_helper import running

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def fake(settings):
    with running() as fake:
        settings.HELPER_URL, settings.HELPER_MODEL = fake.url, "small-model"
        settings.HELPER_SUMMARY = settings.HELPER_DRAFT = True
        fake.says = "말씀 잘 읽었습니다. 내일까지 환불해 드리겠습니다. 불편을 드려 죄송합니다."
        yield fake


def test_minji_types_while_the_machine_writes_and_keeps_her_words(cast, fake, window):
    type(cast.minji).objects.update(language="en")
    case = stages.owned(cast)
    page = window("en", cast.minji)
    page.goto(f"/cases/{case.number}/")
    page.locator("#helper-draft button").click()
    expect(page.locator("#helper[hx-get]")).to_be_visible()
    editor = page.locator("#form-reply textarea[name=text]")
    editor.fill("안녕하세요, 민지입니다.")
    work()
    expect(page.locator("#helper-draft .written")).to_have_text("말씀 잘 읽었습니다. 불편을 드려 죄송합니다.")
    expect(page.locator("#helper[hx-get]")).to_have_count(0)
    expect(editor).to_have_value("안녕하세요, 민지입니다.")
    page.locator("#helper-draft button", has_text="Use as a draft").click()
    expect(editor).to_have_value("안녕하세요, 민지입니다.\n\n말씀 잘 읽었습니다. 불편을 드려 죄송합니다.")
    expect(page.locator("#form-reply .machine-draft")).to_be_visible()
    editor.press_sequentially("!")
    expect(page.locator("#form-reply .machine-draft")).to_have_count(0)
    assert not Message.objects.filter(author="staff").exists(), "nothing was sent"
