"""The arithmetic of working time: what goes in comes out, later never ends earlier, and nothing loops."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from makegood.base.calendar import ALL_DAY, BadCalendar, Calendar, NeverOpen, Span, always
from makegood.base.languages import Text3

ZONES = ["America/New_York", "Europe/Berlin", "Asia/Seoul", "Asia/Shanghai", "Australia/Lord_Howe"]
#: Days on which clocks change in one of the zones, and year ends with a leap day beside.
EDGES = [
    date(2026, 3, 8), date(2026, 11, 1),  # New York
    date(2026, 3, 29), date(2026, 10, 25),  # Berlin
    date(2026, 4, 5), date(2026, 10, 4),  # Lord Howe, by half an hour
    date(2025, 12, 31), date(2027, 12, 31), date(2028, 2, 29),
]  # fmt: skip


@st.composite
def spans_of_a_day(draw: st.DrawFn) -> tuple[Span, ...]:
    """None to three spans in quarters of an hour, in order; now and then until midnight."""
    marks = sorted(draw(st.sets(st.integers(0, 96), min_size=0, max_size=6)))
    pairs = list(zip(marks[::2], marks[1::2], strict=False))
    return tuple(Span(_quarter(a), _quarter(b % 96)) for a, b in pairs)


def _quarter(n: int) -> time:
    return time(n // 4, n % 4 * 15)


days = st.one_of(
    st.sampled_from(EDGES).flatmap(lambda d: st.integers(-3, 3).map(lambda n: d + timedelta(days=n))),
    st.dates(date(2024, 1, 1), date(2029, 12, 31)),
)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = tuple(draw(spans_of_a_day()) for _ in range(7))
    assume(any(week))
    closed = draw(st.sets(days, max_size=6))
    extra = {d: draw(spans_of_a_day()) for d in draw(st.sets(days, max_size=4)) - closed}
    calendar = Calendar(draw(st.sampled_from(ZONES)), week, dict.fromkeys(closed, ""), extra)
    # A day whose only span falls into a skipped hour is rare enough to be tried by hand, below.
    assume(any(calendar.measure(_noon(d), _noon(d) + timedelta(days=30)) for d in EDGES[:1]))
    return calendar


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


moments = st.builds(
    lambda day, seconds: datetime.combine(day, time(0), UTC) + timedelta(seconds=seconds),
    days,
    st.integers(0, 86400),
)
stretches = st.timedeltas(timedelta(0), timedelta(hours=60))


@settings(max_examples=300, deadline=None)
@given(calendars(), moments, stretches)
def test_what_is_added_is_what_is_measured(calendar: Calendar, start: datetime, span: timedelta) -> None:
    end = calendar.add(start, span)
    assert end >= start
    assert calendar.measure(start, end) == span
    assert calendar.measure(end, start) == -span


@settings(max_examples=200, deadline=None)
@given(calendars(), moments, stretches, stretches)
def test_more_work_and_a_later_start_never_end_earlier(
    calendar: Calendar, start: datetime, a: timedelta, b: timedelta
) -> None:
    assert calendar.add(start, min(a, b)) <= calendar.add(start, max(a, b))
    assert calendar.add(start, a) <= calendar.add(start + b, a)


@settings(max_examples=200, deadline=None)
@given(calendars(), moments, stretches, stretches)
def test_a_stretch_is_the_sum_of_its_parts(
    calendar: Calendar, start: datetime, a: timedelta, b: timedelta
) -> None:
    first, last = start + a, start + a + b
    whole = calendar.measure(start, last)
    assert calendar.measure(start, first) + calendar.measure(first, last) == whole
    assert timedelta() <= whole <= last - start


@settings(max_examples=200, deadline=None)
@given(calendars(), moments)
def test_it_opens_at_a_moment_that_is_open_and_not_before(calendar: Calendar, moment: datetime) -> None:
    opens = calendar.next_open(moment)
    assert opens >= moment and calendar.is_open(opens)
    assert calendar.measure(moment, opens) == timedelta()
    assert (opens == moment) == calendar.is_open(moment)


@settings(max_examples=200, deadline=None)
@given(calendars(), days, st.integers(-40, 40))
def test_working_days_are_counted_there_and_back(calendar: Calendar, day: date, n: int) -> None:
    there = calendar.add_days(day, n)
    if n:
        assert calendar.is_working(there)
        low, high = sorted([day, there])
        between = [low + timedelta(days=i) for i in range((high - low).days + 1)]
        assert sum(calendar.is_working(d) for d in between if d != day) == abs(n)
        assert calendar.add_days(there, -n) <= day if n > 0 else calendar.add_days(there, -n) >= day
    else:
        assert there == day


@settings(max_examples=200, deadline=None)
@given(calendars(), days)
def test_the_end_of_a_day_lies_in_it(calendar: Calendar, day: date) -> None:
    end = calendar.end_of(day)
    assert calendar.at(day, time(0)) <= end <= calendar.midnight_after(day)
    assert calendar.measure(end, calendar.midnight_after(day)) == timedelta()


@settings(max_examples=100, deadline=None)
@given(calendars())
def test_a_calendar_survives_being_stored(calendar: Calendar) -> None:
    assert Calendar.from_data(calendar.to_data()) == calendar


# ------------------------------------------------------------------ by hand

NINE_TO_SIX = (Span.of("09:00-12:00"), Span.of("13:00-18:00"))
OFFICE = (NINE_TO_SIX,) * 5 + ((), ())


def seoul(**more: object) -> Calendar:
    return Calendar("Asia/Seoul", OFFICE, **more)  # type: ignore[arg-type]


def kst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Seoul"))


def test_lunch_and_night_are_not_working_time() -> None:
    assert seoul().add(kst("2026-11-20T11:00"), timedelta(hours=2)) == kst("2026-11-20T14:00")
    assert seoul().add(kst("2026-11-20T17:30"), timedelta(hours=1)) == kst("2026-11-23T09:30")
    assert seoul().add(kst("2026-11-20T17:00"), timedelta(hours=1)) == kst("2026-11-20T18:00")
    assert seoul().measure(kst("2026-11-20T17:00"), kst("2026-11-23T10:00")) == timedelta(hours=2)


def test_a_holiday_is_skipped_and_a_make_up_saturday_counts() -> None:
    calendar = seoul(
        closed={date(2026, 12, 25): "성탄절"}, extra={date(2026, 12, 26): (Span.of("10:00-12:00"),)}
    )
    assert not calendar.is_working(date(2026, 12, 25)) and calendar.is_working(date(2026, 12, 26))
    assert calendar.add_days(date(2026, 12, 24), 1) == date(2026, 12, 26)
    assert calendar.add_days(date(2026, 12, 24), 2) == date(2026, 12, 28)
    assert calendar.end_of(date(2026, 12, 26)) == kst("2026-12-26T12:00")
    assert calendar.end_of(date(2026, 12, 25)) == kst("2026-12-26T00:00")
    assert calendar.next_open(kst("2026-12-24T18:00")) == kst("2026-12-26T10:00")


def test_three_working_days_cross_the_year_end() -> None:
    calendar = seoul(closed={date(2027, 1, 1): "신정"})
    assert calendar.add_days(date(2026, 12, 30), 3) == date(2027, 1, 5)
    assert calendar.roll(date(2027, 1, 1)) == date(2027, 1, 4)
    assert calendar.roll(date(2027, 1, 4)) == date(2027, 1, 4)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Seoul", date(2026, 3, 8), 24),
    ],
)
def test_a_day_and_night_is_as_long_as_it_really_was(zone: str, day: date, hours: float) -> None:
    open_always = always(zone)
    whole = open_always.measure(open_always.at(day, time(0)), open_always.midnight_after(day))
    assert whole == timedelta(hours=hours)


def test_hours_inside_the_skipped_hour_are_empty_and_those_around_it_are_cut() -> None:
    def berlin(text: str) -> timedelta:
        calendar = Calendar("Europe/Berlin", ((),) * 6 + ((Span.of(text),),))
        start = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))
        return calendar.measure(start, start.astimezone(UTC) + timedelta(hours=23))

    assert berlin("02:15-02:45") == timedelta()
    assert berlin("01:30-02:30") == timedelta(minutes=30)
    assert berlin("02:30-03:30") == timedelta(minutes=30)
    assert berlin("01:00-04:00") == timedelta(hours=2)


def test_the_repeated_hour_belongs_once_to_the_hours_that_hold_it() -> None:
    night = Calendar("Europe/Berlin", ((),) * 6 + ((Span.of("00:00-02:30"), Span.of("02:45-05:00")),))
    start = datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Berlin"))
    end = start.astimezone(UTC) + timedelta(hours=25)
    # 2 h 30 until the first 02:30; from the first 02:45 to 05:00 the clock shows 2 h 15, and an hour came twice.
    assert night.measure(start, end) == timedelta(hours=2, minutes=30) + timedelta(hours=3, minutes=15)


def test_a_day_that_the_island_skipped_has_no_hours() -> None:
    apia = always("Pacific/Apia")
    assert apia.at(date(2011, 12, 30), time(9)) == apia.at(date(2011, 12, 31), time(0))


NEVER = Calendar("Asia/Seoul", ((),) * 7)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: NEVER.next_open(kst("2026-11-20T09:00")),
        lambda: NEVER.add(kst("2026-11-20T09:00"), timedelta(seconds=1)),
        lambda: NEVER.add_days(date(2026, 11, 20), 1),
        lambda: NEVER.add_days(date(2026, 11, 20), -1),
        lambda: NEVER.roll(date(2026, 11, 20)),
        lambda: seoul().add(kst("2026-11-20T09:00"), timedelta(days=365 * 20)),
        lambda: seoul().add_days(date(9999, 12, 30), 5),
    ],
)
def test_a_calendar_that_never_opens_says_so_instead_of_looping(ask: object) -> None:
    with pytest.raises(NeverOpen):
        ask()  # type: ignore[operator]


def test_nothing_to_add_ends_where_it_starts_even_when_it_never_opens() -> None:
    assert NEVER.add(kst("2026-11-20T09:00"), timedelta()) == kst("2026-11-20T09:00")


def test_a_moment_without_a_zone_and_a_negative_span_are_our_mistakes() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        seoul().next_open(datetime(2026, 11, 20, 9))  # noqa: DTZ001
    with pytest.raises(ValueError, match="forwards only"):
        seoul().add(kst("2026-11-20T09:00"), timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"zone": "Asia/Moon"}, "no time zone"),
        ({"zone": "../etc/passwd"}, "no time zone"),
        ({"zone": None}, "no time zone"),
        ({"week": [[]] * 6}, "seven days"),
        ({"week": [["09:00-08:00"]] + [[]] * 6}, "end after it begins"),
        ({"week": [["09:00-12:00", "11:00-18:00"]] + [[]] * 6}, "overlap"),
        ({"week": [["13:00-18:00", "09:00-12:00"]] + [[]] * 6}, "overlap"),
        ({"week": [["00:00-24:00", "09:00-12:00"]] + [[]] * 6}, "overlap"),
        ({"week": [["nine to six"]] + [[]] * 6}, "not a span"),
        ({"week": 7}, "no calendar"),
        ({"closed": {"tomorrow": "x"}}, "not a day"),
        ({"closed": {"2026-02-30": "x"}}, "not a day"),
        ({"closed": {"2026-02-20": {"ko": "설"}}}, "no calendar"),
        ({"closed": ["2026-02-20"]}, "no calendar"),
        ({"extra": {"2026-02-21": []}}, "no calendar"),
        (
            {"closed": {"2026-02-21": "x"}, "extra": {"2026-02-21": {"spans": ["09:00-12:00"]}}},
            "both a closed day and a make-up day",
        ),
    ],
)
def test_data_that_are_no_calendar_are_refused_with_the_reason(spoil: dict[str, object], reason: str) -> None:
    with pytest.raises(BadCalendar, match=reason):
        Calendar.from_data({**seoul().to_data(), **spoil})


def test_names_stand_in_three_languages_or_as_they_were_typed() -> None:
    name = Text3("설날", "春节", "Lunar New Year")
    calendar = Calendar(
        "Asia/Shanghai",
        (ALL_DAY,) * 7,
        {date(2026, 2, 17): name, date(2026, 2, 18): "盘点"},
        {date(2026, 2, 28): ALL_DAY},
        {date(2026, 2, 28): "调休"},
    )
    again = Calendar.from_data(calendar.to_data())
    assert again.closed[date(2026, 2, 17)] == name and again.closed[date(2026, 2, 18)] == "盘点"
    assert again.extra_names[date(2026, 2, 28)] == "调休"
