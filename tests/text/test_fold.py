"""Folding: one form for what means the same, and the way back to the customer's own characters."""

import re
import tomllib
import unicodedata
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from makegood.text.fold import normalise, table

MIXED = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("退款換貨환불 각각각각éİŒﬁ①㈜％ＡＢ…　\t\u200b\u0301\u1161\u11a8ﾡￂ\ufe0f😀ℓ'’“"),
    )
)


def test_the_table_maps_one_to_one_and_twice_is_once():
    assert len(table()) > 2900
    assert all(len(to) == 1 and ord(to) not in table() for to in table().values())
    assert [table()[ord(c)] for c in "貨帳著臺發"] == list("货账着台发")


def test_the_table_holds_the_folds_of_the_chinese_pack():
    pack = tomllib.loads(files("makegood.packs").joinpath("text/zh.toml").read_text("utf-8"))
    assert {ord(a): b for a, b in pack["fold"].items()}.items() <= table().items()


def test_width_case_quotes_blanks_and_traditional_characters():
    assert normalise("  ＡBC　　“退款”，換貨…\t 帳號 ").text == 'abc "退款",换货... 账号'


def test_a_decomposed_korean_word_is_composed_and_found_in_the_original():
    original = "꼭 " + unicodedata.normalize("NFD", "환불") + " 부탁"
    folded = normalise(original)
    assert folded.text == "꼭 환불 부탁"
    assert unicodedata.normalize("NFC", folded.quote(2, 4)) == "환불"
    assert folded.quote(5, 7) == "부탁"


def test_invisible_characters_do_not_hide_a_word():
    folded = normalise("退\u200b款")
    assert folded.text == "退款"
    assert folded.quote(0, 2) == "退\u200b款"


def test_marks_beyond_measure_stay_cheap():
    assert len(normalise("a" + "\u0301\u0316" * 50_000).text) <= 100_001


@given(MIXED)
def test_spans_lie_in_the_original_and_cover_it_in_order(text):
    folded = normalise(text)
    assert folded.original == text
    ends = 0
    for index in range(len(folded.text)):
        start, end = folded.span(index, index + 1)
        assert 0 <= start < end <= len(text)
        assert end >= ends
        ends = end


@given(MIXED)
def test_a_quotation_folds_to_what_was_matched(text):
    folded = normalise(text)
    for start in range(0, len(folded.text), 3):
        piece = folded.text[start : start + 3]
        assert squeezed(piece) in squeezed(normalise(folded.quote(start, start + 3)).text)


@given(MIXED.filter(lambda text: not re.search("[\u3131-\u3163\u00ad\u200b\u200c\u200d\u2060\ufeff]", text)))
def test_the_pieces_give_the_same_form_as_the_whole(text):
    expected = unicodedata.normalize("NFKC", text.strip()).replace("Σ", "σ").lower().translate(table())
    for odd, plain in (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("ς", "σ")):
        expected = expected.replace(odd, plain)
    assert squeezed(normalise(text).text.replace("ς", "σ")) == squeezed(expected)


def squeezed(text: str) -> str:
    return re.sub(r"[ \t\u00a0]+", " ", text).strip()
