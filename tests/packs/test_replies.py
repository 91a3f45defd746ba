"""The ready-made replies that come with the house are ones that we would send ourselves, in three languages."""

from __future__ import annotations

import pytest

from makegood.base.languages import CODES
from makegood.packs import reply_rules, shipped_replies
from makegood.text import canned, dues
from makegood.text.checks import Facts, check

NEXT = {"ko": "11월 3일 14:20", "zh-hans": "11月3日14:20", "en": "Nov 3, 14:20"}
WHO = {
    "ko": ("박지우", "하늘", "김민지"),
    "zh-hans": ("李娜", "月茶", "王伟"),
    "en": ("Alex", "Haneul", "Minji"),
}


def filled(text: str, language: str) -> str:
    customer, shop, agent = WHO[language]
    values = {"customer": customer, "shop": shop, "agent": agent, "number": "1798", "order": "HN-20261101"}
    return canned.fill(text, {**values, "next_word": NEXT[language]})


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("code", shipped_replies())
def test_each_passes_the_checks_of_its_stage(code, language):
    reply = shipped_replies()[code]
    text = filled(reply.text.into(language), language)
    verified = reply.stage == "resolve"
    facts = Facts(
        language=language, name=WHO[language][0], own=frozenset({"HN-20261101", "1798"}), verified=verified, approved=verified
    )  # fmt: skip
    assert check(text, language, reply.stage, facts) == [], text


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("code", shipped_replies())
def test_each_is_whole_also_where_nothing_is_known(code, language):
    text = shipped_replies()[code].text.into(language)
    assert canned.wrong(text) == []
    known = {"agent": "Minji", "shop": "Haneul", "number": "1798", "next_word": NEXT[language]}
    assert "{{" not in canned.fill(text, known)


@pytest.mark.parametrize("language", CODES)
def test_the_only_time_that_they_promise_is_the_next_word(language):
    for reply in shipped_replies().values():
        found = dues.given(filled(reply.text.into(language), language), language)
        assert {g.due for g in found} <= {"date:11-3@14:20"}, reply.code
        assert found or "{{next_word}}" not in reply.text.into(language), reply.code


def test_there_are_a_dozen():
    assert len(shipped_replies()) >= 12 and len(reply_rules()) > 30


def test_an_unknown_blank_is_named_with_its_place():
    found = canned.wrong("Hello {{customer}},\nyour {{parcel}} and {{ order | it }} and {{\n")
    assert [(w.words, w.line, w.column) for w in found] == [("{{parcel}}", 2, 6), ("{{", 2, 42)]


def test_a_blank_takes_its_value_then_its_fallback_and_else_stays():
    assert canned.fill("{{customer|고객}}님 {{order}}", {"customer": "지우"}) == "지우님 {{order}}"
    assert canned.fill("{{customer|고객}}님", {}) == "고객님" and canned.fill("a{{order|}}b", {}) == "ab"


def test_a_value_is_never_read_as_a_blank():
    assert canned.fill("{{customer}}", {"customer": "{{agent}}", "agent": "Minji"}) == "{{agent}}"
