"""What a reply is checked for: every rule holds its own examples, marks the right place, and changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.base.languages import CODES
from makegood.packs import check_all, reply_rules
from makegood.text import private
from makegood.text.checks import Facts, Finding, apologises, check
from makegood.text.lexicon import pack

TRIED = [(rule.code, tried) for rule in reply_rules().values() for tried in rule.tried]


def codes(found: list[Finding]) -> set[str]:
    return {one.rule for one in found}


@pytest.mark.parametrize(("code", "tried"), TRIED, ids=[f"{c}-{t.text[:24]}" for c, t in TRIED])
def test_each_rule_that_needs_the_case_holds_its_examples(code, tried):
    facts = dict(tried.facts)
    facts["own"] = frozenset(facts.get("own", ()))
    found = check(tried.text, tried.language, tried.stage, Facts(language=tried.language, **facts))
    assert (code in codes(found)) is tried.finds
    for one in found:
        assert tried.text[one.start : one.end] == one.quote


@pytest.mark.parametrize("language", CODES)
def test_each_rule_of_words_marks_its_own_examples(language):
    for rule in pack(language).rules:
        if rule.raw.get("kind") in ("length", "pii"):
            continue
        for text in rule.raw["hit"]:
            found = [
                one
                for one in check(text, language, "update", Facts(language=language))
                if one.rule == rule.id
            ]
            assert found and all(one.quote and one.quote in text for one in found), (rule.id, text)
        for text in rule.raw["miss"]:
            assert rule.id not in codes(check(text, language, "update", Facts(language=language))), (
                rule.id,
                text,
            )


@pytest.mark.parametrize("language", CODES)
def test_what_is_missing_is_said_by_the_stage(language):
    for example in pack(language).raw["reply_example"]:
        facts = Facts(language=language, verified=True, approved=True, own=frozenset({"ORD-123456"}))
        found = codes(check(example["text"], language, example["stage"], facts))
        assert {c for c in found if c.startswith("missing.")} == {f"missing.{s}" for s in example["missing"]}
        expected = set(example["rules"]) - {"promise.money"}
        assert expected <= found, example["text"]


def test_every_finding_can_be_explained():
    assert check_all()["checks of a reply"] == len(reply_rules())
    stages = {slot for language in CODES for slots in pack(language).stages.values() for slot in slots}
    assert {f"missing.{slot}" for slot in stages} <= reply_rules().keys()


def test_only_the_grave_ones_need_a_reason_at_first():
    grave = {code for code, rule in reply_rules().items() if rule.level == "justify"}
    assert grave == {
        "promise.money", "offplatform", "review.bribe", "done.claimed", "leftover", "pii", "unheard_promise",
        "vague.expedite",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ko", "확인하고 있습니다. 곧 알려 드리겠습니다."),
        ("zh-hans", "正在核实，稍后回复您。"),
        ("en", "I am looking into it and will write again."),
    ],
)
def test_a_short_honest_word_needs_no_reason(language, text):
    levels = {
        reply_rules()[one.rule].level for one in check(text, language, "update", Facts(language=language))
    }
    assert "justify" not in levels


def test_a_verified_refund_may_be_told():
    text = "전액 환불해 드렸습니다. 해결되셨는지 회신 부탁드립니다."
    before = codes(check(text, "ko", "resolve", Facts(language="ko")))
    after = codes(check(text, "ko", "resolve", Facts(language="ko", verified=True, approved=True)))
    assert {"promise.money"} <= before and not {"promise.money", "done.claimed"} & after


def test_what_the_customer_wrote_is_theirs():
    text = "I will call 415-555-2671 as you asked."
    assert "pii" in codes(check(text, "en", "update", Facts(language="en")))
    assert "pii" not in codes(
        check(text, "en", "update", Facts(language="en", said="My new number: (415) 555 2671"))
    )


@pytest.mark.parametrize(
    "text",
    [
        "고객센터 1588-1234로 연락 주세요",
        "송장번호 123456789012 조회",
        "快递单号：773112345678901",
        "2026-03-21에 결제하셨습니다",
    ],
)
def test_a_parcel_a_date_and_a_hotline_are_nobodys_data(text):
    language = "zh-hans" if "快递" in text else "ko"
    assert "pii" not in codes(check(text, language, "update", Facts(language=language)))


def test_check_digits_tell_a_card_and_a_paper_from_a_number():
    assert private.luhn("4242424242424242") and not private.luhn("4242424242424241")
    assert private.chinese_id("11010519491231002X") and not private.chinese_id("110105194912310021")


def test_sorry_is_heard_in_each_language():
    assert (
        apologises("늦어져 죄송합니다", "ko")
        and apologises("非常抱歉", "zh-hans")
        and apologises("I am sorry", "en")
    )
    assert not apologises("감사합니다", "ko")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.sampled_from(CODES), st.sampled_from(["acknowledge", "update", "resolve"]))
def test_any_text_is_checked_and_every_place_is_in_it(text, language, stage):
    for one in check(text, language, stage, Facts(language=language, name="Alex", apologised=1)):
        assert 0 <= one.start <= one.end <= len(text)
        assert one.quote == text[one.start : one.end]
        assert one.rule in reply_rules()


def test_a_pasted_log_and_an_endless_number_come_back():
    for text in ("9" * 60_000, "a@" * 30_000, "환불 " * 20_000, "可能" * 30_000, "[이름" * 9_000):
        check(text, "ko", "update", Facts(language="ko"))
