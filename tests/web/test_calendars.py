"""Keeping calendars by their pages: the year, days off and make-up days, an iCal file looked at before it is taken in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.desk import calendars as desk
from makegood.people import calendars, ical
from makegood.people.calendars import Calendar, CalendarVersion
from makegood.people.models import Shop, Team
from makegood.promises.switches import ClockSwitch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def november():
    with clock.travel(datetime(2026, 11, 20, 3, tzinfo=UTC)):
        yield


@pytest.fixture
def korea(cast):
    return calendars.standing(cast.haneul)[1].calendar


def now(row):
    return calendars.read(calendars.newest(row.pk))


def versions(row) -> int:
    return CalendarVersion.objects.filter(calendar=row).count()


def days(**more):
    return {
        "kind": "closed",
        "first": "2026-11-27",
        "last": "",
        "name": "Stocktaking",
        "hours": "",
        "seen": 1,
        **more,
    }


def sent(client, row, what, **data):
    return client.post(f"/people/calendars/{row.pk}/{what}/", data)


@pytest.mark.parametrize("who", ["minji", "sujin", "wei", "kang"])
def test_only_managers_keep_calendars(cast, client, korea, who):
    client.force_login(getattr(cast, who))
    for page in ("", "new/", f"{korea.pk}/"):
        assert client.get(f"/people/calendars/{page}").status_code in (403, 404)
    for what in ("week", "days", "drop", "upload", "take-in"):
        assert sent(client, korea, what, **days()).status_code in (403, 404)
    with pytest.raises(NotAllowed):
        desk.add_days(
            korea,
            by=cast.by(getattr(cast, who)),
            seen=1,
            kind="closed",
            first=date(2026, 11, 27),
            last=None,
            name="x",
        )
    assert versions(korea) == 1


def test_the_year_shows_what_is_closed_what_is_worked_and_today(cast, client):
    client.force_login(cast.hana)
    china = calendars.of_country("cn").calendar
    page = client.get(f"/people/calendars/{china.pk}/?year=2026").content.decode()
    assert page.count('class="make_up"') == 6 and page.count("<table") == 12
    assert 'class="open today"' in page and 'aria-current="date">20' in page
    assert "Make-up working day" in page and "Spring Festival" in page
    assert "not yet announced" in client.get(f"/people/calendars/{china.pk}/?year=2027").content.decode()
    for year in ("x", "0", "99999", "١٩٩٩", "1e3"):
        assert client.get(f"/people/calendars/{china.pk}/", {"year": year}).status_code == 200


def test_hana_closes_a_day_and_the_version_says_who(cast, client, korea):
    client.force_login(cast.hana)
    before = now(korea)
    assert sent(client, korea, "days", **days(last="2026-11-30")).status_code == 302
    version = calendars.newest(korea.pk)
    assert (version.n, version.by, version.made_at) == (2, cast.hana, clock.now())
    assert before.is_working(date(2026, 11, 30)) and not now(korea).is_working(date(2026, 11, 30))
    assert "Stocktaking" in client.get(f"/people/calendars/{korea.pk}/").content.decode()


def test_a_make_up_saturday_has_the_usual_hours_or_its_own_and_can_be_taken_out(cast, client, korea):
    client.force_login(cast.hana)
    saturday = date(2026, 11, 28)
    sent(client, korea, "days", **days(kind="make_up", first="2026-11-28", name="Catching up"))
    assert [str(s) for s in now(korea).spans(saturday)] == ["09:00-18:00"]
    sent(
        client,
        korea,
        "days",
        **days(kind="make_up", first="2026-11-28", hours="10:00-12:00,13:00-15:00", seen=2),
    )
    assert [str(s) for s in now(korea).spans(saturday)] == ["10:00-12:00", "13:00-15:00"]
    sent(client, korea, "drop", day="2026-11-28", seen=3)
    assert not now(korea).is_working(saturday) and versions(korea) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"first": ""}, {"first": "soon"}, {"last": "2026-11-26"}, {"last": "2028-11-26"}, {"name": " "},
        {"kind": "party"}, {"hours": "nine"}, {"hours": "18:00-09:00"}, {"hours": "09:00-12:00, 11:00-13:00"},
        {"seen": 7}, {"seen": "x"}, {"seen": ""}, {"name": "x" * 121},
    ],
)  # fmt: skip
def test_days_that_cannot_be_are_refused_with_what_was_typed_and_change_nothing(cast, client, korea, change):
    client.force_login(cast.hana)
    answer = sent(client, korea, "days", **days(**change))
    assert answer.status_code == 422 and versions(korea) == 1
    assert 'role="alert"' in answer.content.decode()
    if "name" not in change:
        assert "Stocktaking" in answer.content.decode()


def test_two_managers_at_once_the_slower_is_told_and_nothing_is_overwritten(cast, client, korea):
    client.force_login(cast.hana)
    sent(client, korea, "days", **days())
    client.force_login(cast.root)
    answer = sent(client, korea, "days", **days(first="2026-12-01", name="Mine"))
    assert answer.status_code == 422 and "Somebody else changed this calendar" in answer.content.decode()
    assert now(korea).is_working(date(2026, 12, 1)) and versions(korea) == 2
    sent(client, korea, "drop", day="2026-11-27", seen=1)
    assert versions(korea) == 2


def week(**more):
    base = {f"day{n}": "09:00-18:00" if n < 5 else "" for n in range(7)}
    return {"name": "Night shift", "zone": "Asia/Seoul", **base, **more}


def test_a_new_calendar_is_made_and_given_to_a_team_and_a_shop(cast, client):
    client.force_login(cast.hana)
    new = {**week(day5="10:00-12:00, 13:00-16:00"), "code": "night"}
    assert client.post("/people/calendars/new/", new).status_code == 302
    row = Calendar.objects.get(code="night")
    assert len(now(row).week[5]) == 2 and not now(row).week[6]
    assert client.post("/people/calendars/new/", new).status_code == 422, "the code is taken"
    form = {"name": "Front line", "tier": "1", "calendar": row.pk}
    assert client.post(f"/people/teams/{cast.front.pk}/", form).status_code == 302
    assert Team.objects.get(pk=cast.front.pk).calendar == row
    shop = {"name": "Haneul", "code": "haneul", "language": "ko", "zone": "Asia/Seoul", "currency": "KRW"}
    client.post(f"/people/shops/{cast.haneul.pk}/", {**shop, "calendar": row.pk})
    assert Shop.objects.get(pk=cast.haneul.pk).calendar == row
    assert f'value="{row.pk}" selected' in client.get(f"/people/shops/{cast.haneul.pk}/").content.decode()
    client.post(f"/people/shops/{cast.haneul.pk}/", {**shop, "calendar": ""})
    assert Shop.objects.get(pk=cast.haneul.pk).calendar is None
    assert client.post(f"/people/shops/{cast.haneul.pk}/", {**shop, "calendar": "99999"}).status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"zone": "Mars"},
        {"name": ""},
        {"day0": "24:00-25:00"},
        {"day0": "9-18"},
        {"day0": "09:00"},
        {"day6": "x" * 201},
    ],
)
def test_hours_that_cannot_be_are_refused_beside_the_day(cast, client, korea, change):
    client.force_login(cast.hana)
    assert sent(client, korea, "week", **week(**change), seen=1).status_code == 422
    assert client.post("/people/calendars/new/", {**week(**change), "code": "night"}).status_code == 422
    assert versions(korea) == 1 and not Calendar.objects.filter(code="night").exists()


def test_weekly_hours_change_and_the_holidays_stay(cast, client, korea):
    client.force_login(cast.hana)
    sent(client, korea, "week", **week(day5="10:00-14:00", name="Korea with Saturdays"), seen=1)
    calendar = now(korea)
    assert calendar.is_working(date(2026, 11, 28)) and not calendar.is_working(date(2026, 12, 25))
    assert Calendar.objects.get(pk=korea.pk).name == "Korea with Saturdays"


# ------------------------------------------------------------------ iCal


def ics(*events: str) -> bytes:
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}\r\nDTSTAMP:20260101T000000Z\r\n{e}\r\nEND:VEVENT\r\n"
        for n, e in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n{body}END:VCALENDAR\r\n".encode()


def all_day(first: str, summary: str, *more: str) -> str:
    return "\r\n".join([f"DTSTART;VALUE=DATE:{first}", f"SUMMARY:{summary}", *more])


def found(*events: str) -> dict[str, tuple[str, bool]]:
    return {d.day.isoformat(): (d.name, d.works) for d in ical.read(ics(*events)).days}


def test_all_day_events_are_days_off_and_what_says_work_is_worked():
    assert found(
        all_day("20270206", "春节", "DTEND;VALUE=DATE:20270208"),
        all_day("20270213", "春节（班）"),
        all_day("20270220", "대체 근무일"),
        all_day("20270227", "Make-up day"),
        all_day("20270228", "Inventory", "CATEGORIES:WORK"),
        all_day("20270501", "Workers' Day"),
        all_day("20270502", "휴무"),
        all_day("20270503", "No work"),
        all_day("20270504", "Cancelled", "STATUS:CANCELLED"),
        all_day("20270505", "Two", "DURATION:P2D"),
    ) == {
        "2027-02-06": ("春节", False), "2027-02-07": ("春节", False), "2027-02-13": ("春节（班）", True),
        "2027-02-20": ("대체 근무일", True), "2027-02-27": ("Make-up day", True), "2027-02-28": ("Inventory", True),
        "2027-05-01": ("Workers' Day", False), "2027-05-02": ("휴무", False), "2027-05-03": ("No work", False),
        "2027-05-05": ("Two", False), "2027-05-06": ("Two", False),
    }  # fmt: skip


def test_what_repeats_is_expanded_within_the_years_that_are_needed():
    yearly = found(all_day("20000101", "New Year", "RRULE:FREQ=YEARLY"))
    assert list(yearly) == [f"{y}-01-01" for y in range(2024, 2032)]
    thrice = found(all_day("20270104", "Off", "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;VALUE=DATE:20270111"))
    assert list(thrice) == ["2027-01-04", "2027-01-18"]
    until = found(all_day("20270104", "Off", "RRULE:FREQ=DAILY;UNTIL=20270106T235959Z"))
    assert list(until) == ["2027-01-04", "2027-01-05", "2027-01-06"]
    more = found(all_day("20270104", "Off", "RDATE;VALUE=DATE:20270301,20270302"))
    assert list(more) == ["2027-01-04", "2027-03-01", "2027-03-02"]


def test_a_meeting_is_left_out_and_counted():
    days_ = ical.read(ics("DTSTART:20270104T090000Z\r\nSUMMARY:Meeting", all_day("20270105", "Off")))
    assert [d.name for d in days_.days] == ["Off"] and days_.left_out == 1


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "not_ical"),
        (b"hello", "not_ical"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "not_ical"),
        ("BEGIN:VCALENDAR 설날".encode("cp949"), "not_text"),
        (b"\x00\xff\xfe" * 10, "not_text"),
        (ics(), "no_days"),
        (ics(all_day("19900101", "Old")), "no_days"),
        (ics(all_day("2027", "Half")), "not_ical"),
        (ics(all_day("20270101", "x", "RRULE:FREQ=SECONDLY")), "too_many"),
        (ics(all_day("20270101", "x", "RRULE:FREQ=NEVER")), "not_ical"),
        (b"x" * (ical.LARGEST + 1), "too_large"),
        (b"BEGIN:VEVENT\n" * (ical.MOST_EVENTS + 1), "too_many"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(raw, code):
    with pytest.raises(Refusal) as refused:
        ical.read(raw)
    assert (refused.value.code, refused.value.field) == (code, "file")


def test_a_rule_that_never_fits_and_one_from_the_year_one_come_to_an_end():
    never = all_day("20270101", "x", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    assert list(found(never)) == ["2027-01-01"]
    assert len(found(all_day("00010101", "x", "RRULE:FREQ=DAILY"))) == 8 * 365 + 2
    with pytest.raises(Refusal, match="too many events"):
        ical.read(ics(*[all_day("00010101", "x", "RRULE:FREQ=DAILY")] * 3))
    counted = all_day("20270101", "x", "RRULE:FREQ=DAILY;COUNT=999999999")
    assert len(found(counted)) == 5 * 365 + 1


def upload(client, row, raw, name="holidays.ics"):
    return client.post(f"/people/calendars/{row.pk}/upload/", {"file": SimpleUploadedFile(name, raw)})


def test_hana_looks_at_what_a_file_would_change_and_then_takes_it_in(cast, client, korea):
    client.force_login(cast.hana)
    raw = ics(
        all_day("20270302", "임시 <b>휴일</b>"), all_day("20270306", "대체 근무"), all_day("20270101", "새해")
    )
    answer = upload(client, korea, raw)
    page = answer.content.decode()
    assert answer.status_code == 200 and versions(korea) == 1, "a preview stores nothing"
    assert "임시 &lt;b&gt;휴일&lt;/b&gt;" in page and "until now a day off: New Year&#x27;s Day" in page
    kept = page.split('name="kept" value="')[1].split('"')[0]
    assert sent(client, korea, "take-in", kept=kept).status_code == 302
    calendar, version = now(korea), calendars.newest(korea.pk)
    assert not calendar.is_working(date(2027, 3, 2)) and calendar.is_working(date(2027, 3, 6))
    assert (version.n, version.by, version.source) == (2, cast.hana, "holidays.ics")
    assert sent(client, korea, "take-in", kept=kept).status_code == 302 and versions(korea) == 2, (
        "twice is once"
    )
    assert upload(client, korea, raw).status_code == 422, "the same file again changes nothing"


def test_a_preview_that_was_touched_or_is_of_another_calendar_is_not_taken_in(cast, client, korea):
    client.force_login(cast.hana)
    page = upload(client, korea, ics(all_day("20270302", "Off"))).content.decode()
    kept = page.split('name="kept" value="')[1].split('"')[0]
    other = calendars.of_country("cn").calendar
    assert sent(client, other, "take-in", kept=kept).status_code == 404
    for forged in ("", "x", kept[:-2], kept + "x"):
        assert sent(client, korea, "take-in", kept=forged).status_code == 404
    assert versions(korea) == versions(other) == 1


def test_a_bad_file_is_named_beside_its_control_and_stores_nothing(cast, client, korea):
    client.force_login(cast.hana)
    for raw in (b"hello", b"", "휴일".encode("cp949")):
        answer = upload(client, korea, raw)
        assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
    assert client.post(f"/people/calendars/{korea.pk}/upload/").status_code == 422
    assert versions(korea) == 1


# ------------------------------------------------------------------ the switches of a shop


def test_hana_switches_an_unverified_rule_on_with_a_reason_that_stays(cast, client):
    client.force_login(cast.hana)
    address = f"/people/shops/{cast.haneul.pk}/clocks/"
    page = client.get(address).content.decode()
    assert "unverified" in page and "Tell how the complaint goes" in page and "七日" not in page
    send = {"rule": "kr.complaint_progress", "on": "1", "why": "Our lawyer read it."}
    assert client.post(address, send).status_code == 302
    row = ClockSwitch.objects.get()
    assert (row.on, row.by, row.rule) == (True, cast.hana, "kr.complaint_progress")
    assert "Our lawyer read it." in client.get(address).content.decode()
    for wrong in ({"why": " "}, {"rule": "cn.refund"}, {"rule": "kr.moon"}):
        assert client.post(address, {**send, **wrong}).status_code == 422
    assert ClockSwitch.objects.count() == 1
    client.force_login(cast.minji)
    assert client.post(address, send).status_code == 403


def test_minji_sees_on_the_sheet_what_runs_until_when_and_what_silence_means(cast, client):
    from makegood.desk.clocks import start_clock
    from tests import cast as stages

    case = stages.owned(cast)
    at = clock.now() - timedelta(days=1)
    start_clock(case, "kr.complaint_progress", at, "Her letter.", by=cast.by(cast.minji), seen=None)
    start_clock(case, "kr.mediation_decision", at, "The agency's letter.", by=cast.by(cast.minji), seen=None)
    client.force_login(cast.jun)
    page = client.get(f"/cases/{case.number}/").content.decode()
    panel = page[page.index('id="law"') : page.index("Not legal advice")]
    assert "Last day: Nov. 24, 2026" in panel and "4 days left" in panel and "unverified" in panel
    assert "No answer in time means that both sides have accepted." in panel
    assert "no answer is not consent" in panel and "Starts when: The goods came back" in panel
    assert panel.index("Tell how the complaint goes") < panel.index("Answer to the mediation decision")
