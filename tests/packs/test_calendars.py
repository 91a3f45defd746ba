"""The shipped calendars hold what the two governments announced; a wrong one is named."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from makegood.packs import PackError, check_all
from makegood.packs.working_days import calendars

if TYPE_CHECKING:
    from tests.packs.conftest import Spoil

#: Announced by the State Council: weekend days that are worked.
WORKED = {
    2024: ["02-04", "02-18", "04-07", "04-28", "05-11", "09-14", "09-29", "10-12"],
    2025: ["01-26", "02-08", "04-27", "09-28", "10-11"],
    2026: ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
}
#: Weekdays on which Korea does not work, as announced each year (a weekend day is closed anyway).
CLOSED_IN_KOREA = {
    2024: ["01-01", "02-09", "02-12", "03-01", "04-10", "05-06", "05-15", "06-06", "08-15", "09-16", "09-17", "09-18", "10-01", "10-03", "10-09", "12-25"],
    2025: ["01-01", "01-27", "01-28", "01-29", "01-30", "03-03", "05-05", "05-06", "06-03", "06-06", "08-15", "10-03", "10-06", "10-07", "10-08", "10-09", "12-25"],
}  # fmt: skip


def days(year: int, texts: list[str]) -> set[date]:
    return {date.fromisoformat(f"{year}-{text}") for text in texts}


@pytest.mark.parametrize("year", WORKED)
def test_china_works_on_the_announced_weekends_and_on_no_other(year: int) -> None:
    calendar = calendars()["cn"].calendar
    weekends = {
        day for day in map(date.fromordinal, range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()))
        if day.weekday() > 4 and calendar.is_working(day)
    }  # fmt: skip
    assert weekends == days(year, WORKED[year])


@pytest.mark.parametrize("year", CLOSED_IN_KOREA)
def test_korea_is_closed_on_its_holidays_with_substitutes_and_temporary_ones(year: int) -> None:
    calendar = calendars()["kr"].calendar
    closed = {
        day for day in map(date.fromordinal, range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()))
        if day.weekday() < 5 and not calendar.is_working(day)
    }  # fmt: skip
    assert closed == days(year, CLOSED_IN_KOREA[year])


def test_a_year_that_nobody_announced_says_so_in_its_names() -> None:
    china = calendars()["cn"].calendar
    late = [name for day, name in china.closed.items() if day.year == 2027]
    assert late and all("not yet announced" in name.into("en") for name in late)  # type: ignore[union-attr]
    assert not any("尚未公布" in str(n.into("zh-hans")) for d, n in china.closed.items() if d.year < 2027)  # type: ignore[union-attr]


@pytest.mark.parametrize("code", ["kr", "cn"])
def test_each_shipped_calendar_covers_2024_to_2027_with_names_in_three_languages(code: str) -> None:
    pack = calendars()[code]
    assert {day.year for day in pack.calendar.closed} == {2024, 2025, 2026, 2027}
    assert pack.source and pack.name.ko and pack.name.zh


KR = "calendars/kr.toml"


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ('zone = "Asia/Seoul"', 'zone = "Asia/Soul"', "", "no time zone"),
        ("day = 2025-01-27", 'day = "27 Jan"', "closed[27 Jan]", "a day such as"),
        ("day = 2025-01-27", "day = 2025-01-27T09:00:00", "closed[2025-01-27 09:00:00]", "without hours"),
        ("day = 2025-01-27", "day = 2025-01-28", "closed[2025-01-28]", "given twice"),
        ("closed = [", "closed = [\n  { day = 2025-02-01 },", "closed[2025-02-01]", "'ko' is missing"),
        ("closed = [", "shut = [", "", "unknown key 'shut'"),
        ('["09:00-18:00"],', '["18:00-09:00"],', "", "end after it begins"),
        ('["09:00-18:00"],', '"09:00-18:00",', "", "hours must be a list"),
        ('["09:00-18:00"],', "", "", "seven days"),
        ("extra = [", 'extra = [\n  { day = 2025-02-01, ko = "가", zh = "一", en = "a" },', "extra[2025-02-01]", "'hours' is missing"),
    ],
)  # fmt: skip
def test_a_wrong_calendar_says_place_and_reason(
    edited: Spoil, old: str, new: str, place: str, reason: str
) -> None:
    target = edited(KR, old, new)
    with pytest.raises(PackError) as caught:
        check_all()
    assert (caught.value.file, caught.value.place) == (str(target), place)
    assert reason in caught.value.reason
