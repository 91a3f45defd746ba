"""Every text reads as its own language: no stray words of another, no traditional characters, one short line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from makegood.base.languages import Text3
from makegood.packs import playbooks, policy, sources, taxonomy
from makegood.packs.legal import clocks
from makegood.packs.working_days import calendars

HANGUL, HAN, LATIN = r"[가-힣]", r"[\u4e00-\u9fff]", r"[A-Za-z]"
TRADITIONAL = set(
    "們個這來時會說對過還沒開關問題點讓請謝買賣單據價錢發貨運選擇認證號碼訂購東車書長門間實際應該變換壞檢驗產質"
)


def texts(value: object) -> Iterator[Text3]:
    """Every text in three languages that is somewhere inside ``value``."""
    if isinstance(value, Text3):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from texts(inner)


def shipped_calendars() -> tuple[object, ...]:
    return tuple((p.name, p.calendar.closed, p.calendar.extra_names) for p in calendars().values())


def everything() -> list[Text3]:
    return [
        t
        for pack in (taxonomy(), sources(), policy(), playbooks(), shipped_calendars(), clocks())
        for t in texts(pack)
    ]


def test_the_walk_finds_the_texts() -> None:
    assert len(everything()) > 600


def test_korean_holds_no_english_or_chinese_words_and_no_wide_punctuation() -> None:
    assert [t.ko for t in everything() if re.search(f"{LATIN}|{HAN}|[，。？！：；（）]", t.ko)] == []
    assert [t.ko for t in everything() if not re.search(HANGUL, t.ko)] == []


def test_chinese_holds_no_english_or_korean_words_and_only_wide_punctuation() -> None:
    assert [t.zh for t in everything() if re.search(rf"{LATIN}|{HANGUL}|[,?!:;()]", t.zh)] == []


def test_chinese_holds_no_traditional_characters() -> None:
    # GB 2312 is the set of simplified characters in everyday use: whatever it lacks is traditional or rare.
    def foreign(text: str) -> set[str]:
        return {c for c in text if c in TRADITIONAL or not c.encode("gb2312", "ignore")}

    assert foreign("退貨") == {"貨"}
    assert {t.zh: foreign(t.zh) for t in everything() if foreign(t.zh)} == {}


def test_english_is_plain_ascii() -> None:
    assert [t.en for t in everything() if not t.en.isascii()] == []


def test_texts_are_one_line_without_loose_spaces() -> None:
    for text in everything():
        for line in (text.ko, text.zh, text.en):
            assert line == " ".join(line.split()), line


def test_items_and_names_are_short() -> None:
    for book in playbooks().values():
        for item in book.items():
            assert len(item.text.ko) <= 45 and len(item.text.zh) <= 35 and len(item.text.en) <= 75, item


def test_questions_are_polite_to_the_customer() -> None:
    for book in playbooks().values():
        for question in book.questions:
            assert re.search(r"(요|까)[?.]$", question.text.ko), question.text.ko
            assert question.text.zh.endswith(("？", "。")), question.text.zh
        for item in book.aftercare:
            assert re.search(r"니다\.$", item.text.ko), item.text.ko
