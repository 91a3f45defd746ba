"""Nothing personal leaves: known values first, then what its form betrays; and every word comes back."""

from __future__ import annotations

import re

import pytest
import stdnum.cn.ric
import stdnum.iban
import stdnum.luhn
from hypothesis import given
from hypothesis import strategies as st

from makegood.text import personal
from makegood.text.fold import normalise
from makegood.text.lexicon import pack
from makegood.text.redact import TAG, Known, redact, redact_all, restore

KO, ZH, EN = "ko", "zh-hans", "en"
JIWOO = Known(
    names=("김지우", "Minji", "Alex Smith"),
    emails=("jiwoo@customer.example",),
    phones=("010-1234-5678",),
    addresses=("성수동 우리집 옆 파란 대문",),
    numbers=("HN-20261101", "4242424242424242"),
)


@pytest.mark.parametrize("language", [KO, ZH, EN])
def test_what_each_pack_says_is_personal_is_and_the_rest_is_not(language):
    entries = pack(language).raw["pii"]
    assert len(entries["examples_hit"]) > 3 and len(entries["examples_miss"]) > 3
    for example in entries["examples_hit"]:
        assert redact(example, language, Known()).tags, example
    for example in entries["examples_miss"]:
        assert redact(example, language, Known()).text == example


@pytest.mark.parametrize(
    ("language", "text", "redacted"),
    [
        (KO, "010-1234-5678로 전화 주세요", "[전화1]로 전화 주세요"),
        (KO, "０１０－９８７６－５４３２ 입니다", "[전화1] 입니다"),
        (KO, "김민준 고객님, 박서연님께", "[이름1] 고객님, [이름2]님께"),
        (KO, "고객님 그리고 배송기사님, 선생님, 구매자님", "고객님 그리고 배송기사님, 선생님, 구매자님"),
        (KO, "수령인: 이도윤, 예금주가 다릅니다", "수령인: [이름1], 예금주가 다릅니다"),
        (KO, "주민번호 900101-1234567 입니다", "주민번호 [증명번호1] 입니다"),
        (KO, "신한 110-123-456789 로 보내주세요", "신한 [계좌1] 로 보내주세요"),
        (KO, "카카오뱅크 3333012345678", "카카오뱅크 [계좌1]"),
        (KO, "서울시 강남구 테헤란로 123 101동 1203호로 보내세요", "[주소1]로 보내세요"),
        (ZH, "请打13812345678，王伟先生", "请打[电话1]，[姓名1]先生"),
        (ZH, "台灣 0912-345-678，香港 +852 5123 4567", "台灣 [电话1]，香港 [电话2]"),
        (ZH, "身份证110101199003077758", "身份证[证件1]"),
        (ZH, "收件人：歐陽娜娜", "收件人：[姓名1]"),
        (ZH, "台北市信義區忠孝東路五段12號3樓", "[地址1]"),
        (
            EN,
            "call (415) 555-2671 or +44 20 7946 0958, Mr. Smith",
            "call [PHONE1] or [PHONE2], Mr. [NAME1]",
        ),
        (EN, "my card 4111 1111 1111 1111, cvv 123", "my card [CARD1], [CARD2]"),
        (EN, "GB82 WEST 1234 5698 7654 32 and then", "[ACCOUNT1] and then"),
        (EN, "the recipient was out; recipient: Mary Jones", "the recipient was out; recipient: [NAME1]"),
        (EN, "the same a@b.example, again a@b.example", "the same [EMAIL1], again [EMAIL1]"),
    ],
)
def test_it_reads_so_afterwards(language, text, redacted):
    made = redact(text, language, Known())
    assert made.text == redacted
    assert restore(made.text, made.tags) == text


@pytest.mark.parametrize(
    "written",
    [
        "010-1234-5678", "01012345678", "010 1234 5678", "+82 10-1234-5678", "+82-010-1234-5678", "010.1234.5678",
        "０１０１２３４５６７８", "JIWOO@customer.example", "김지우", "지우", "minji", "Smith", "성수동  우리집 옆 파란 대문",
    ],
)  # fmt: skip
def test_a_known_value_is_found_however_it_is_written(written):
    made = redact(f"네, {written}입니다.", KO, JIWOO)
    assert made.text.startswith("네, [") and made.text.endswith("]입니다."), made.text


def test_a_known_order_number_is_told_though_it_looks_like_a_card():
    text = "주문 4242424242424242 / HN-20261101, 카드 4111111111111111"
    assert redact(text, KO, JIWOO).text == "주문 4242424242424242 / HN-20261101, 카드 [카드1]"


def test_a_name_of_two_letters_is_no_part_of_a_word():
    assert redact("All is lost, Al.", EN, Known(names=("Al",))).text == "All is lost, [NAME1]."


def test_the_messages_of_a_case_share_their_tags():
    texts, tags = redact_all(["a@b.example", "b@b.example, a@b.example"], EN, Known())
    assert texts == ["[EMAIL1]", "[EMAIL2], [EMAIL1]"]
    assert tags == {"[EMAIL1]": "a@b.example", "[EMAIL2]": "b@b.example"}


def test_a_letter_that_holds_a_tag_gets_its_own_characters_back():
    made = redact("[PHONE1] is (415) 555-2671, [phone2]", EN, Known())
    assert made.text == "[PHONE1] is [PHONE3], [phone2]"
    assert restore(made.text, made.tags) == "[PHONE1] is (415) 555-2671, [phone2]"


_PIECES = st.sampled_from(
    [
        "010-1234-5678", "jiwoo@customer.example", "김지우", "Alex Smith", "110101199003077758", "4242424242424242", "님",
        "서울시 강남구 테헤란로 123", "[전화1]", "[PHONE1]", "[", "]", "１", "\u200b", "e\u0301", "국민 ", "北京市朝阳区建国路88号",
        "ＪＩＷＯＯ", "+82 ", "\n", " ", "İ", "Mr. ", "900101-1234567", "先生", "王",
    ]
)  # fmt: skip
_TEXTS = st.one_of(
    st.text(max_size=80), st.lists(st.one_of(_PIECES, st.text(max_size=4)), max_size=12).map("".join)
)


@given(_TEXTS, st.sampled_from([KO, ZH, EN]))
def test_every_word_comes_back(text, language):
    made = redact(text, language, JIWOO)
    assert restore(made.text, made.tags) == text
    assert all(TAG.fullmatch(tag) for tag in made.tags)


@given(_TEXTS, st.sampled_from([KO, ZH, EN]))
def test_nothing_known_survives(text, language):
    left = normalise(redact(text, language, JIWOO).text).text
    assert "김지우" not in left and "jiwoo@customer.example" not in re.sub(r"[a-z0-9]jiwoo", "", left)
    assert not re.search(r"(?<![a-z0-9])alex smith(?![a-z0-9])", left)
    assert "1012345678" not in re.sub(r"[-. )(]", "", left)


@given(st.from_regex(r"\d{2,30}", fullmatch=True))
def test_our_luhn_is_the_one_of_stdnum(digits):
    digits = digits.translate({ord(c): str(int(c)) for c in digits})
    assert personal.luhn(digits) == stdnum.luhn.is_valid(digits)


@given(st.from_regex(r"\A[0-9]{17}\Z"))
def test_our_resident_number_is_the_one_of_stdnum(digits):
    right = stdnum.cn.ric.calc_check_digit(digits + "0")
    assert [c for c in "0123456789X" if personal.resident_id(digits + c)] == [right]


@given(st.sampled_from(["DE", "GB", "FR"]), st.from_regex(r"\A[0-9]{30}\Z"))
def test_our_iban_is_the_one_of_stdnum(country, digits):
    length = {"DE": 18, "FR": 23, "GB": 18}[country]
    for bban in ("WEST" + digits[: length - 4] if country == "GB" else digits[:length],):
        check = stdnum.iban.calc_check_digits(f"{country}00{bban}")
        assert personal.iban(f"{country}{check}{bban}")
        assert not personal.iban(f"{country}{(int(check) + 1) % 100:02d}{bban}")


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "0",
        "1-",
        "1 ",
        "a",
        "a.",
        "a@",
        "@",
        "가",
        "서울",
        "서울시 가",
        "王",
        "市",
        "password\n",
        "\n",
        "gb82 ",
        "님",
        "국민 1",
        "mr a ",
        "+1 ",
    ],
)
def test_a_pasted_log_ends(piece):
    text = piece * (100_000 // len(piece))
    made = redact(text, KO, JIWOO)
    assert restore(made.text, made.tags) == text
