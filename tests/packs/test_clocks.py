"""The legal clocks refer to what there is; each way in which a row can be wrong is named with place and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from makegood.packs import PackError, UnknownCode, check_all, taxonomy
from makegood.packs.legal import clocks

if TYPE_CHECKING:
    from tests.packs.conftest import Spoil

KR, WORDS = "clocks/kr.toml", "clocks/words.toml"
FIRST = "rule[kr.dispatch_ordered]"
NOTE = "rule[kr.notice_sent]"

WRONG = [
    (KR, 'kind = "deadline"', 'kind = "date"', FIRST, "no kind of rule"),
    (KR, 'jurisdiction = "kr"', 'jurisdiction = "cn"', FIRST, "must be 'kr' in this file"),
    (KR, 'basis = "statutory"', 'basis = "promised"', FIRST, "no basis"),
    (KR, 'who_must_act = "seller"', 'who_must_act = "somebody"', FIRST, "no party"),
    (KR, '"order.place"]', '"order.lost"]', FIRST, "no problem type has the code 'order.lost'"),
    (KR, 'trigger = "ordered"', 'trigger = "opened"', FIRST, "no trigger"),
    (KR, 'start = "next"', 'start = "soon"', FIRST, "no first day"),
    (KR, "length = 7", "length = 0", FIRST, "must be above 0"),
    (KR, "length = 7", "length = 7.5", FIRST, "a whole number"),
    (KR, 'unit = "days"', 'unit = "weeks"', FIRST, "no unit"),
    (KR, 'unit = "days"', 'unit = "clock_hours"', FIRST, "'within'"),
    (KR, 'unit = "days"', 'unit = "clock_hours"\nwithin = "nine"', FIRST, "not a span of hours"),
    (KR, "length = 7\n", "", FIRST, "'length' is missing"),
    (KR, 'roll_over = "none"', 'roll_over = "back"', FIRST, "no roll-over"),
    (KR, 'silence = "none"', 'silence = "yes"', FIRST, "no meaning of silence"),
    (KR, 'consequence = "order"', 'consequence = "jail"', FIRST, "no consequence"),
    (KR, 'evidence = ["order_record", ', 'evidence = ["rumour", ', FIRST, "no evidence has the code 'rumour'"),
    (KR, 'unless = ["dispatched"]', 'unless = ["sunny"]', FIRST, "no known fact"),
    (KR, 'source = "C-KR1"', 'source = " "', FIRST, "'source' is empty"),
    (KR, 'certainty = "H"', 'certainty = "M"', FIRST, "verified only when its text was read"),
    (KR, "verified = true", 'verified = "yes"', FIRST, "true or false"),
    (KR, "verified = true", "verified = true\nvalid_from = 2026-02-01\nvalid_to = 2026-01-01", FIRST, "lies before"),
    (KR, "verified = true", "verified = true\nitsself = true", FIRST, "unknown key 'itsself'"),
    (KR, 'trigger = "ordered"', 'itself = true\ntrigger = "knew"', FIRST, "starts by itself only"),
    (KR, 'code = "kr.notice_sent"', 'code = "kr.notice_sent"\nlength = 3', NOTE, "a note has no length"),
    (KR, 'beside = "kr.mismatch_known"', 'beside = "kr.refund"', "rule[kr.mismatch_receipt]", "names this one back"),
    (KR, 'code = "kr.dispatch_paid"', 'code = "kr.dispatch_ordered"', FIRST, "given twice"),
    (KR, "length = 10\nunit = \"day_of", "length = 31\nunit = \"day_of", "rule[kr.tax_invoice]", "every month has"),
    (KR, 'ko = "공급 조치(후불)"', 'ko = ""', FIRST, "'ko' is missing or empty"),
    (WORDS, 'zones = ["Asia/Seoul"]', 'zones = ["Asia/Soul"]', "jurisdiction[kr]", "no time zone"),
    (WORDS, 'months_from = "first_day"', 'months_from = "moon"', "jurisdiction[kr]", "counting months"),
    (WORDS, 'calendar = "kr"', 'calendar = "jp"', "jurisdiction[kr]", "no calendar"),
    (WORDS, 'code = "none", ko = "이', 'code = "nothing", ko = "이', "", "the silence 'none' is missing"),
    (WORDS, '{ code = "both", ko', '{ code = "all", ko', "", "the party 'both' has no name"),
    (WORDS, 'known_from = "payment"', 'known_from = "dream"', "trigger[paid]", "no source of a known moment"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "place", "reason"), WRONG)
def test_a_wrong_clock_says_file_place_and_reason(
    edited: Spoil, name: str, old: str, new: str, place: str, reason: str
) -> None:
    target = edited(name, old, new)
    with pytest.raises(PackError) as caught:
        check_all()
    assert (caught.value.file, caught.value.place) == (str(target), place)
    assert reason in caught.value.reason


def test_a_mistyped_file_of_clocks_is_named(edited: Spoil) -> None:
    edited(KR, "length = 7", "length = 7").rename(
        target := edited(KR, "length = 7", "length = 7").with_name("ko.toml")
    )
    with pytest.raises(PackError, match="replaces no pack") as caught:
        check_all()
    assert caught.value.file == str(target)


def test_an_edited_length_counts(edited: Spoil) -> None:
    edited(KR, "length = 7", "length = 5")
    assert clocks().rule("kr.dispatch_ordered").length == 5


def test_every_jurisdiction_has_rows_and_every_type_of_problem_is_under_some_rule() -> None:
    rules = clocks().rules.values()
    assert {r.jurisdiction for r in rules} == set(clocks().jurisdictions)
    korea = {t for r in rules if r.jurisdiction == "kr" for t in r.types or taxonomy().types}
    assert korea == set(taxonomy().types), "the marketplace's duty to answer is for every problem"


def test_a_code_that_there_is_not_is_refused_aloud() -> None:
    with pytest.raises(UnknownCode):
        clocks().rule("kr.cooling_off")
