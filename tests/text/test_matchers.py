"""Signals, entities and times: what is found, where it stands in the original, and the traps that are not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.text import entities, signals, times

KO, ZH, EN = "ko", "zh-hans", "en"


# Each word on the left hides in a harmless sentence: 형사 in 중형사이즈, 법대로 in 사용법대로 …
@pytest.mark.parametrize(
    ("text", "language", "never"),
    [
        ("중형사이즈로 바꿔 주세요", KO, "threat"),
        ("사용법대로 했는데 안 돼요", KO, "threat"),
        ("물만 끓이기만 하면 되나요", KO, ""),
        ("고소한 맛이 부족해요", KO, "threat"),
        ("매출전표 재발급 부탁드립니다", KO, "loss"),
        ("买给妈妈的，老妈的手机", ZH, "emotion"),
        ("重要的事情说三遍，好吃", ZH, "repeat"),
        ("用工商银行卡付款", ZH, "threat"),
        ("转发微博可以抽奖吗", ZH, "threat"),
        ("I made a terrible mistake and ordered two", EN, "emotion"),
        ("Can I switch to a different currency?", EN, "threat"),
        ("My card was stolen and I filed a police report", EN, "threat"),
    ],
)
def test_a_trap_is_no_signal(text, language, never):
    assert [s for s in signals.find(text, language) if s.family.startswith(never)] == []


@pytest.mark.parametrize(
    ("text", "language", "signal", "quote"),
    [
        ("진짜 소비자원에 신고할게요", KO, "threat.regulator", "소비자원"),
        ("再不處理我就去12315投訴", ZH, "threat.regulator", "12315"),
        ("I am FURIOUS about this", EN, "emotion.anger", "FURIOUS"),
    ],
)
def test_a_signal_quotes_the_original(text, language, signal, quote):
    found = next(s for s in signals.find(text, language) if s.id == signal)
    assert quote in found.quote
    assert found.quote == text[found.start : found.end]


def test_a_decomposed_message_is_quoted_as_it_was_written():
    text = unicodedata.normalize("NFD", "정말 소비자원에 신고합니다")
    found = next(s for s in signals.find(text, KO) if s.id == "threat.regulator")
    assert text[found.start : found.end] == found.quote
    assert unicodedata.is_normalized("NFD", found.quote)


@pytest.mark.parametrize(
    ("text", "language", "kind", "value", "quote"),
    [
        ("주문번호: a1b2c3d4e5 취소", KO, "order_no", "A1B2C3D4E5", "주문번호: a1b2c3d4e5"),
        ("ord-123456 언제 와요", KO, "order_no", "ORD-123456", "ord-123456"),
        ("3만 5천원 환불이 안 됐어요", KO, "amount", "35000 KRW", "3만 5천원"),
        ("12,900원이 두 번 나갔어요", KO, "amount", "12900 KRW", "12,900원"),
        ("이만원 입금", KO, "amount", "20000 KRW", "이만원"),
        ("₩45,000 결제", KO, "amount", "45000 KRW", "₩45,000"),
        ("운송장 1234-5678-9012", KO, "tracking", "123456789012", "운송장 1234-5678-9012"),
        ("2026년 3월 21일에 주문", KO, "date", "2026-03-21", "2026년 3월 21일"),
        ("3월 21일에 주문", KO, "date", "--03-21", "3월 21일"),
        ("지난주 금요일에 보냈어요", KO, "date", "지난주 금요일", "지난주 금요일"),
        ("訂單編號：A1B2C3D4E5", ZH, "order_no", "A1B2C3D4E5", "訂單編號：A1B2C3D4E5"),
        ("单号SF1234567890123查不到", ZH, "tracking", "SF1234567890123", "单号SF1234567890123"),
        ("快递单号：773112345678901", ZH, "tracking", "773112345678901", "快递单号：773112345678901"),
        ("扣了两次128.50元", ZH, "amount", "128.5 CNY", "128.50元"),
        ("NT$1,280刷了兩次", ZH, "amount", "1280 TWD", "NT$1,280"),
        ("1.5万元", ZH, "amount", "15000 CNY", "1.5万元"),
        ("3月21号下的单", ZH, "date", "--03-21", "3月21号"),
        ("Please cancel order ORD-123456", EN, "order_no", "ORD-123456", "order ORD-123456"),
        ("I was charged $128.50 twice", EN, "amount", "128.5", "$128.50"),
        ("refund of 45 euros", EN, "amount", "45 EUR", "45 euros"),
        ("1Z999AA10123456784 is stuck", EN, "tracking", "1Z999AA10123456784", "1Z999AA10123456784"),
        ("I ordered on March 21", EN, "date", "--03-21", "March 21"),
        ("paid 2026-3-1", EN, "date", "2026-03-01", "2026-3-1"),
        ("sent it back last Friday", EN, "date", "last friday", "last Friday"),
    ],
)
def test_an_entity_has_one_written_form(text, language, kind, value, quote):
    found = [e for e in entities.find(text, language) if e.kind == kind]
    assert [(e.value, e.quote) for e in found] == [(value, quote)]
    assert text[found[0].start : found[0].end] == quote


def test_a_number_is_named_once():
    assert [e.kind for e in entities.find("快递单号：773112345678901", ZH)] == ["tracking"]


@pytest.mark.parametrize(
    ("text", "language", "want"),
    [
        ("확인 후 내일 오전까지 연락드리겠습니다.", KO, [("내일 오전까지", "d1@12:00")]),
        ("3일 전에 주문하셨습니다.", KO, []),
        ("I will call you within 30 minutes.", EN, [("within 30 minutes", "+30m")]),
        ("We'll look into this as soon as possible.", EN, [("as soon as possible", "vague")]),
    ],
)
def test_a_promised_time_is_quoted_with_its_due_code(text, language, want):
    found = times.promised(text, language)
    assert [(t.quote, t.due) for t in found] == want
    assert all(text[t.start : t.end] == t.quote for t in found)


def test_a_time_outside_a_promise_is_mentioned_only():
    text = "내일까지 주시겠어요? 30분 이내로 연락드리겠습니다."
    assert [t.due for t in times.mentioned(text, KO)] == ["d1@end", "+30m"]
    assert [t.due for t in times.promised(text, KO)] == ["+30m"]
    (promise,) = times.promises(text, KO)
    assert (promise.quote, promise.kind) == ("30분 이내로 연락드리겠습니다.", "contact")
    assert promise.time and promise.time.due == "+30m"


WORDS = st.one_of(
    st.characters(),
    st.sampled_from(
        ["환불", "退款", "refund ", "3일 ", "12,900원", "내일까지", "单号", "１２", "\x00", "\ud800"]
    ),
)


@given(st.lists(WORDS, max_size=30).map("".join), st.sampled_from((KO, ZH, EN)))
def test_no_text_breaks_a_matcher_and_every_quote_is_in_its_place(text, language):
    for found in (
        *signals.find(text, language),
        *entities.find(text, language),
        *times.promised(text, language),
    ):
        assert 0 <= found.start < found.end <= len(text)
        assert text[found.start : found.end] == found.quote


@pytest.mark.parametrize(
    "piece",
    [
        "환",
        "退",
        "a",
        "1",
        "1,",
        " ",
        "환불 ",
        "退款，",
        "내일 ",
        "order ",
        "单号 ",
        "\x00",
        "3일 ",
        "...",
        "not ",
    ],
)
def test_a_pasted_log_ends(piece):
    text = piece * (200_000 // len(piece))
    for language in (KO, ZH, EN):
        found = [
            *signals.find(text, language),
            *entities.find(text, language),
            *times.promised(text, language),
        ]
        assert all(text[f.start : f.end] == f.quote for f in found)
