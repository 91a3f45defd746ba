"""A machine's words are judged before anybody sees them, and promise nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.text import machine
from makegood.text.lexicon import failures, pack

KO, ZH, EN = "ko", "zh-hans", "en"


@pytest.mark.parametrize("language", [KO, ZH, EN])
def test_the_packs_hold_what_they_say_of_a_machine(language):
    assert len(pack(language).strikes) == 2
    assert failures(pack(language)) == []


@pytest.mark.parametrize(
    "content", ['{"text": "Hello"}', '```json\n{"text": "Hello"}\n```', ' {"text": "Hello ", "refund": 5}']
)
def test_the_words_are_read_and_nothing_else(content):
    assert machine.read(content) == "Hello"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "Hello",
        "[]",
        "null",
        '{"words": "Hello"}',
        '{"text": 5}',
        '{"text": ["Hello"]}',
        "[" * 5000,
        '{"text": "a"',
    ],
)
def test_anything_else_is_dropped(content):
    with pytest.raises(machine.Unfit) as unfit:
        machine.read(content)
    assert unfit.value.code == "odd_form"


GIVEN = "See https://shop.example/help, order AX-20261103, call [PHONE1], mail help@shop.example"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("word " * 700, "too_long"),
        ("고객님 안녕하세요, 말씀 잘 읽었습니다", "other_language"),
        ("您好，我们收到了您的来信", "other_language"),
        ("Please call [PHONE2] about it", "unknown_tag"),
        ("Please call [phone1] about it", "unknown_tag"),
        ("Please call [전화1] about it", "unknown_tag"),
        ("Please read https://evil.example/pay now", "unknown_address"),
        ("Please pay at evil-shop.com/now today", "unknown_address"),
        ("Please pay at ｗｗｗ.evil.example today", "unknown_address"),
        ("Please open javascript://alert now", "unknown_address"),
        ("Please write to boss@evil.example today", "invented"),
        ("Please call (415) 555-2671 about it", "invented"),
        ("Your card 4111 1111 1111 1111 is known", "invented"),
    ],
)
def test_what_may_not_be_shown(text, why):
    with pytest.raises(machine.Unfit) as unfit:
        machine.check(text, EN, given=GIVEN, tags={"[PHONE1]": "010"})
    assert unfit.value.code == why


@pytest.mark.parametrize(
    "text",
    [
        "Please call [PHONE1] about order AX-20261103.",
        "It stands at https://shop.example/help. Write to help@shop.example, please.",
        "Thank you.Please wait: e.g. the parcel is there.",
    ],
)
def test_what_may(text):
    machine.check(text, EN, given=GIVEN, tags={"[PHONE1]": "010"})


@pytest.mark.parametrize(
    ("language", "text", "left", "count"),
    [
        (EN, "I read your letter. We will refund you 1,000,000 won tomorrow. Thank you.", "I read your letter. Thank you.", 1),
        (EN, "Your refund has been approved. Sorry for the trouble.", "Sorry for the trouble.", 1),
        (EN, "You get $50. Definitely.", "Definitely.", 1),
        (EN, "Hello.\nWe refund\n1,000,000\nwon.", "Hello.", 3),
        (EN, "It comes by Friday. I looked at it.", "I looked at it.", 1),
        (KO, "말씀 잘 읽었습니다. 내일까지 환불해 드리겠습니다. 불편을 드려 죄송합니다.", "말씀 잘 읽었습니다. 불편을 드려 죄송합니다.", 1),
        (KO, "고객님께 백만원을 드립니다. 감사합니다.", "감사합니다.", 1),
        (KO, "곧 연락드리겠습니다. 내용을 확인했습니다.", "내용을 확인했습니다.", 1),
        (ZH, "您的来信我们看到了。我们会在3天内退款100万元。抱歉让您久等。", "您的来信我们看到了。抱歉让您久等。", 1),
        (ZH, "优惠券已为您发放！很抱歉。", "很抱歉。", 1),
    ],
)  # fmt: skip
def test_a_draft_promises_no_time_no_money_and_no_remedy(language, text, left, count):
    struck = machine.strike(text, language)
    assert (struck.text, struck.count) == (left, count)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (EN, "Thank you for writing. I am sorry that your refund is late. Which account did you use?"),
        (
            KO,
            "안녕하세요, 고객님. 환불이 늦어져 불편을 드린 점 죄송합니다. 어느 계좌를 쓰셨는지 알려 주시겠습니까?",
        ),
        (ZH, "您好，退款迟迟没有到，让您久等了，非常抱歉。请问您用的是哪个账户？"),
    ],
)
def test_an_honest_draft_stays_as_it_is(language, text):
    assert machine.strike(text, language) == machine.Struck(text, 0)


@given(st.text(max_size=60), st.sampled_from([KO, ZH, EN]))
def test_what_is_left_has_nothing_left_to_strike(text, language):
    once = machine.strike(text, language)
    assert json.dumps(once.text) and len(once.text) <= len(text)
    if once.count == 0:
        assert once.text.split() == text.strip().split()
