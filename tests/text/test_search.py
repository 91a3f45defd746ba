"""Search: what is written is found, by any hostile text too, and the literals never break."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.text import search

ENTRY = re.compile(
    r"'([a-z0-9]+|[가-힣]{1,2}|[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]{1,2})':(\d+[A-D](?:,\d+[A-D])*)"
)
LEXEME = r"'(?:[a-z0-9]+|[가-힣]{1,2}|[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]{1,2})'(?::\*)?"
PHRASE = rf"{LEXEME}(?: <-> {LEXEME})*"
QUERY = re.compile(rf"(?:{PHRASE}|\({LEXEME} \| {PHRASE}\))(?: & (?:{PHRASE}|\({LEXEME} \| {PHRASE}\)))*")

HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("'\\:&|!<>()*\x00\ud800\udfff환불退貨 ord-_1234,é\n"))
)


def matches(query: str, literal: str) -> bool:
    """What PostgreSQL does with the two literals, as far as they use it."""
    places: dict[str, set[int]] = {}
    for token, at in ENTRY.findall(literal):
        places[token] = {int(place[:-1]) for place in at.split(",")}

    def lexeme(term: str) -> set[int]:
        token = term.split("'")[1]
        if term.endswith(":*"):
            return set().union(*(at for word, at in places.items() if word.startswith(token)))
        return places.get(token, set())

    def phrase(text: str) -> set[int]:
        first, *others = text.split(" <-> ")
        at = lexeme(first)
        for term in others:
            at = {place + 1 for place in at} & lexeme(term)
        return at

    return bool(query) and all(
        any(phrase(choice) for choice in term.strip("()").split(" | ")) for term in query.split(" & ")
    )


def found(words: str, text: str) -> bool:
    return matches(search.query(words), search.vector([(text, "B")]))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("환불", "환불을 아직 못 받았어요"),
        ("환불 배송", "배송이 늦어서 환불해 주세요"),
        ("불량", "불량품이 왔어요"),
        ("영수증", "현금영수증 발급"),
        ("재입고", "재입고 알림"),
        ("联系不上", "卖家一直联系不上"),
        ("退貨", "我要退货"),
        ("换货", "申請換貨"),
        ("账号", "帳號被鎖"),
        ("钱", "多扣钱"),
        ("钱", "钱包里"),
        ("환", "교환"),
        ("ord-123456", "주문 ORD_123456 취소"),
        ("ORD_123456", "order ord-123456"),
        ("ORD123456", "ord-123456 where"),
        ("ord-123456", "ORD123456 조회"),
        ("ord-123456", "order: ORD 123456"),
        ("123456", "ORD-123456"),
        ("123456", "ord123456"),
        ("ord 123456", "ORD-123456"),
        ("ord-1234", "ORD-123456"),
        ("114-1234567-1234567", "order 11412345671234567"),
        ("12900", "12,900원이 두 번"),
        ("12,900원", "12900원"),
        ("cafe", "Café crème"),
        ("refu", "I want a refund"),
        ("refund late", "late late refund"),
        ("iphone 케이스", "iPhone케이스가 깨졌어요"),
    ],
)
def test_it_is_found(words, text):
    assert found(words, text)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("환불", "환전 불가"),
        ("세금계산서", "세금 계산서류"),
        ("ord-123456", "ord-123457"),
        ("退款", "退货款式"),
        ("refu late", "refund late"),  # only the last word may be unfinished
        ("", "anything"),
        ("?!", "anything"),
    ],
)
def test_it_is_not_found(words, text):
    assert not found(words, text)


def test_tokens_are_pairs_and_the_last_character():
    assert search.tokens("환불을 退 ORD-123456") == ["환불", "불을", "을", "退", "ord123456", "ord", "123456"]


def test_a_phrase_does_not_reach_from_one_part_into_the_next():
    literal = search.vector([("ord", "A"), ("123456", "B")])
    assert literal == "'ord':1A '123456':3B"
    assert not matches("'ord' <-> '123456'", literal)


def test_a_title_weighs_more():
    assert search.vector([("환불", "A"), ("환불", "D")]) == "'환불':1A,4D '불':2A,5D"


def test_another_weight_is_refused():
    with pytest.raises(ValueError, match="weight"):
        search.vector([("환불", "E")])


@pytest.mark.parametrize(
    "character", ["a", "환", "退", "'", "\x00", "\ud800", "\u0301", "a-", "é", "1,", "\\"]
)
def test_two_hundred_thousand_characters_stay_small(character):
    text = character * (200_000 // len(character))
    literal = search.vector([(text, "A"), (text, "B")])
    assert len(search.tokens(text)) <= search.MOST_TOKENS
    assert len(literal) < 100_000
    assert not literal or all(ENTRY.fullmatch(entry) for entry in literal.split(" "))
    asked = search.query(text)
    assert len(asked) < 10_000
    assert not asked or QUERY.fullmatch(asked)


@given(st.lists(st.tuples(HOSTILE, st.sampled_from("ABCD")), max_size=4))
def test_no_text_breaks_the_vector(parts):
    literal = search.vector(parts)
    entries = literal.split(" ") if literal else []
    assert all(ENTRY.fullmatch(entry) for entry in entries)
    places = [int(place[:-1]) for entry in entries for place in ENTRY.fullmatch(entry)[2].split(",")]
    assert all(1 <= place < 16_383 for place in places)
    literal.encode("utf-8")


@given(HOSTILE)
def test_no_text_breaks_the_query(text):
    asked = search.query(text)
    assert asked == "" or QUERY.fullmatch(asked)
    asked.encode("utf-8")


@given(HOSTILE)
def test_whatever_is_searchable_finds_its_own_text(text):
    asked = search.query(text)
    assert not asked or found(text, text)


@given(st.text("환불요청교退款换货", min_size=1, max_size=6), HOSTILE, HOSTILE)
def test_a_word_is_found_wherever_it_stands(word, before, after):
    assert found(word, f"{before} {word} {after}")
