"""Which language: by script, with the mixed messages of real desks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.text.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("환불이 아직 안 됐어요", "ko"),
        ("iPhone 15 Pro Max 256GB 언제 오나요", "ko"),
        ("order ORD-123456 취소", "ko"),
        ("ㅠㅠㅠ", "ko"),
        ("大韓民國 서울에서 주문했습니다", "ko"),
        ("退款還沒到帳", "zh-hans"),
        ("我的iPhone 15 Pro Max什么时候发货", "zh-hans"),
        ("優の良品的包裹還沒到，請問什麼時候出貨", "zh-hans"),
        ("Where is my refund, please? 退款", "en"),
        ("My order from 서울 never arrived, please help me", "en"),
        ("refund", "en"),
        ("¿Dónde está mi pedido?", "en"),
    ],
)
def test_the_script_tells(text, language):
    assert detect(text, default="unknown") == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "👍👍",
        "12345",
        "ORD-123456",
        "ok",
        "https://example.com/a/b",
        "a@b.co",
        "返金はまだですか",
        "Где мой заказ?",
    ],
)
def test_where_the_script_cannot_tell_the_default_answers(text):
    assert detect(text, default="ko") == "ko"
    assert detect(text) == "en"


@given(st.text())
def test_every_text_has_one_of_the_three(text):
    assert detect(text) in ("ko", "zh-hans", "en")
