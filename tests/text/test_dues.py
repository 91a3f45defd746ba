"""A due code becomes the moment that a person means by it, in their zone and by their calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.base.calendar import Calendar, always
from makegood.base.languages import CODES
from makegood.text import dues, lexicon, timewords

SEOUL = ZoneInfo("Asia/Seoul")
NINE_TO_SIX = [["09:00-18:00"]] * 5 + [[], []]


def office(zone: str = "Asia/Seoul", closed: dict[str, str] | None = None) -> Calendar:
    return Calendar.from_data({**always(zone).to_data(), "week": NINE_TO_SIX, "closed": closed or {}})


def seoul(*when: int) -> datetime:
    return datetime(*when, tzinfo=SEOUL)  # type: ignore[arg-type, misc]


#: Wednesday, November 18, 2026, three in the afternoon.
NOW = seoul(2026, 11, 18, 15)


@pytest.mark.parametrize(
    ("code", "moment"),
    [
        ("+30m", seoul(2026, 11, 18, 15, 30)),
        ("+1h30m", seoul(2026, 11, 18, 16, 30)),
        ("+1.5h", seoul(2026, 11, 18, 16, 30)),
        ("+24h", seoul(2026, 11, 19, 15)),
        ("+2d", seoul(2026, 11, 20, 18)),
        ("+1bd", seoul(2026, 11, 19, 18)),
        ("+3bd", seoul(2026, 11, 23, 18)),
        ("+3bd..+5bd", seoul(2026, 11, 25, 18)),
        ("+1w", seoul(2026, 11, 25, 18)),
        ("+1mo", seoul(2026, 12, 18, 18)),
        ("d0@end", seoul(2026, 11, 18, 18)),
        ("d1@12:00", seoul(2026, 11, 19, 12)),
        ("d0@24:00", seoul(2026, 11, 19)),
        ("wd0:fri@end", seoul(2026, 11, 20, 18)),
        ("wd0:mon@end", seoul(2026, 11, 23, 18)),
        ("wd1:tue@12:00", seoul(2026, 11, 24, 12)),
        ("w0@end", seoul(2026, 11, 20, 18)),
        ("w1@end", seoul(2026, 11, 27, 18)),
        ("mo0@end", seoul(2026, 11, 30, 18)),
        ("mo1@end", seoul(2026, 12, 31, 18)),
        ("date:5-3@end", seoul(2027, 5, 3, 18)),
        ("date:11-3@end", seoul(2026, 11, 3, 18)),
        ("date:12-1@09:30", seoul(2026, 12, 1, 9, 30)),
    ],
)
def test_each_code_means_what_a_person_means(code, moment):
    assert dues.resolve(code, NOW, office()) == moment


@pytest.mark.parametrize(
    "code",
    ["vague", "", "+", "+5", "d0@25:00", "d0@12:61", "date:2-30@end", "+999999999d", "+9" * 5, "x@end"],
)
def test_what_is_no_time_is_none(code):
    assert dues.resolve(code, NOW, office()) is None


def test_today_said_after_hours_is_meant_until_midnight():
    assert dues.resolve("d0@end", seoul(2026, 11, 18, 20), office()) == seoul(2026, 11, 19)


def test_a_time_that_passed_is_given_back_as_it_is():
    assert dues.resolve("d0@12:00", NOW, office()) == seoul(2026, 11, 18, 12)


def test_a_holiday_moves_working_days_and_nothing_else():
    closed = office(closed={"2026-11-19": "Holiday"})
    assert dues.resolve("+1bd", NOW, closed) == seoul(2026, 11, 20, 18)
    assert dues.resolve("d1@12:00", NOW, closed) == seoul(2026, 11, 19, 12)


def test_the_day_is_the_writers_own():
    writer = datetime(2026, 11, 18, 23, 30, tzinfo=ZoneInfo("Asia/Shanghai"))  # 00:30 of the 19th in Seoul
    assert dues.resolve("d0@23:45", writer, office()) == datetime(2026, 11, 18, 15, 45, tzinfo=UTC)


def test_a_moment_without_a_zone_is_our_own_mistake():
    with pytest.raises(ValueError, match="zone"):
        dues.resolve("+30m", datetime(2026, 11, 18), office())  # noqa: DTZ001


@pytest.mark.parametrize("language", CODES)
def test_every_code_of_the_packs_examples_resolves(language):
    book, seen = lexicon.pack(language), 0
    for example in (*book.raw["time_example"], *book.raw["promise_example"]):
        for _, _, code in timewords.named(book, lexicon._fold(example["text"])):
            moment = dues.resolve(code, NOW, office())
            assert (moment is None) is (code == timewords.VAGUE), (example["text"], code)
            seen += 1
    assert seen > 15


def test_what_is_promised_is_told_with_its_kind_and_place():
    text = "오늘 중으로 환불 처리하겠습니다. 내일 오전까지 다시 연락드리겠습니다. 곧 됩니다."
    found = dues.given(text, "ko")
    assert [(g.due, g.kind) for g in found] == [("d0@end", "refund"), ("d1@12:00", "contact")]
    assert all(text[g.start : g.end] == g.quote for g in found)
    assert dues.given("주문하신 지 5일이 지났습니다", "ko") == []


ZONES = st.sampled_from(
    [
        "Asia/Seoul",
        "Asia/Shanghai",
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ]
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31))  # noqa: DTZ001
CODES_OF_DUES = st.one_of(
    st.builds("+{}{}".format, st.integers(1, 90), st.sampled_from(["m", "h", "d", "w", "mo", "bd"])),
    st.builds("d{}@{:02d}:{:02d}".format, st.integers(0, 9), st.integers(0, 23), st.integers(0, 59)),
    st.builds("wd{}:{}@end".format, st.integers(0, 1), st.sampled_from(["mon", "wed", "sun"])),
    st.builds("date:{}-{}@end".format, st.integers(1, 12), st.integers(1, 28)),
    st.sampled_from(["d0@end", "w0@end", "w1@end", "mo0@end", "mo1@end"]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(CODES_OF_DUES, MOMENTS, ZONES, ZONES)
def test_a_moment_always_comes_and_knows_its_zone(code, naive, writer, shop):
    now = naive.replace(tzinfo=ZoneInfo(writer))
    moment = dues.resolve(code, now, office(shop))
    assert moment is not None and moment.utcoffset() is not None
    if code[0] == "+" and code[-1] in "mh" and "mo" not in code:
        span = timedelta(**{{"m": "minutes", "h": "hours"}[code[-1]]: int(code[1:-1])})
        assert moment - now.astimezone(UTC) == span, "a span is real time, also across a change of clocks"


@settings(max_examples=150, deadline=None)
@given(MOMENTS, ZONES, st.integers(1, 40), st.sampled_from(["d", "w", "bd"]))
def test_more_days_never_come_earlier(naive, zone, n, unit):
    now, calendar = naive.replace(tzinfo=ZoneInfo(zone)), office(zone)
    first, second = (dues.resolve(f"+{m}{unit}", now, calendar) for m in (n, n + 1))
    assert first is not None and second is not None and now < first < second


@settings(max_examples=150, deadline=None)
@given(MOMENTS, ZONES, st.integers(0, 6))
def test_a_weekday_is_that_weekday_and_lies_ahead(naive, zone, ahead):
    now = naive.replace(tzinfo=ZoneInfo(zone))
    day = now.date() + timedelta(days=ahead)
    name = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day.weekday()]
    moment = dues.resolve(f"wd0:{name}@12:00", now, always(zone))
    assert moment == datetime.combine(day, time(12), ZoneInfo(zone)), "within seven days"
    assert isinstance(day, date)
