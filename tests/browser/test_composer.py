"""The editor in a real browser: ready-made words by '/', a promised time that is offered, Ctrl+Enter, and taking it back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from makegood.conversations.models import Draft, HeldReply, Message
from makegood.people.models import User
from makegood.people.signatures import Habit
from tests import cast as stages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Noon of a day, as the control writes it.
NOON = re.compile(r"^\d{4}-\d\d-\d\dT12:00$")


def said(case) -> list[str]:
    return list(
        Message.objects.filter(case=case, author="staff", audience="customer").values_list("body", flat=True)
    )


@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_minji_writes_is_told_sends_and_takes_it_back(language: str, window: Callable[..., Page]) -> None:
    cast = stages.assemble()
    case = stages.owned(cast)
    User.objects.update(language=language)
    Habit.objects.update(hold=True)
    page = window(language, cast.minji, viewport={"width": 390, "height": 844})
    page.goto(f"/cases/{case.number}/")
    words = page.locator("#reply_text")

    # A finding marks its place, and a press on it selects the words.
    words.fill("네, 환불이 완료되었습니다.")
    place = page.locator("#reply_checks .justify .place").first
    expect(place).to_contain_text("환불이 완료되었")
    place.click()
    chosen = words.evaluate("t => t.value.slice(t.selectionStart, t.selectionEnd)")
    assert chosen == "환불이 완료되었습니다"

    # A promised time is offered with its moment, and fills the empty next word.
    words.fill("확인해서 내일 오전까지 전화드리겠습니다.")
    expect(page.locator("#reply_next_word_at")).to_have_value(NOON)
    expect(page.locator("#reply_checks .offer")).to_have_count(1)
    expect(page.locator("#reply_checks .offer input")).to_have_count(0)

    # '/' opens the list; a syllable that is still being composed chooses nothing.
    words.fill("")
    page.evaluate("document.getElementById('reply_next_word_at').value = ''")
    words.press_sequentially("/rec")
    expect(page.locator(".slash li")).to_have_count(1)
    page.evaluate(
        "document.getElementById('reply_text').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    assert words.input_value().strip() == "/rec", "Enter belonged to the input method"
    words.press("Enter")
    expect(words).not_to_have_value("/rec")
    text = words.input_value()
    assert "지우님" in text and str(case.number) in text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs out at 390"

    # Ctrl+Enter sends, and ten seconds remain to take it back.
    with page.expect_response(lambda r: "/reply/" in r.url) as answer:
        words.press("Control+Enter")
    assert answer.value.status == 200, answer.value.text()[:3000]
    page.locator("#undo").click()
    expect(page.locator("#reply_text")).to_have_value(text)
    assert not said(case) and Draft.objects.get().body == text

    # The time in the words is the next word again, without another press.
    expect(page.locator("#reply_checks .offer")).to_have_count(1)
    expect(page.locator("#reply_checks .offer input")).to_have_count(0)

    # Sent again and left alone it goes out by the page's own call.
    with page.expect_response(lambda r: "/send/" in r.url, timeout=25_000) as sent:
        page.locator("#press-reply").click()
    assert sent.value.status == 200
    assert said(case) == [text] and HeldReply.objects.filter(state="sent").count() == 1
