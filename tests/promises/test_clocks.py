"""When the law's time runs out: every row of the pack counted by hand, and what must hold for any event."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makegood.base.calendar import ALL_DAY, Calendar
from makegood.packs.legal import clocks
from makegood.packs.legal_shapes import OURS, Rule
from makegood.packs.working_days import calendars
from makegood.promises.clocks import TICK, due, snapshot

RULES = [r for r in clocks().rules.values() if r.kind == "deadline"]


def calendar_of(rule: Rule, zone: str = "") -> Calendar:
    place = clocks().jurisdictions[rule.jurisdiction]
    if place.calendar in calendars():
        return calendars()[place.calendar].calendar
    return Calendar(zone or place.zone or "Asia/Seoul", (ALL_DAY,) * 5 + ((),) * 2)


# ------------------------------------------------------------------ each row, counted by hand
#
# Korea, the event on Friday 2025-01-24, 15:00. The 27th was a temporary holiday, the 28th to 30th Lunar New Year:
#   working days 31 Jan (1), 3 Feb (2), 4 (3), 5 (4), 6 (5), 7 (6), 10 (7), 11 (8), 12 (9), 13 (10).
# China, Friday 2025-09-26, 10:00. Sunday the 28th was worked, 1 to 8 October were off, Saturday the 11th was worked:
#   28 Sep (1), 29 (2), 30 (3), 9 Oct (4), 10 (5), 11 (6), 13 (7); then to the 45th on Thursday 4 December.
# European Union, Friday 2026-03-27, 10:00; clocks go forward on the 29th. United Kingdom, Thursday 2026-10-22, 16:00.
# United States, Monday 2026-10-26, 16:00. Card schemes, Thursday 2026-01-15. The platform, Monday 2026-03-02, 16:30.
EVENTS = {
    "kr": ("2025-01-24T15:00", "Asia/Seoul"),
    "cn": ("2025-09-26T10:00", "Asia/Shanghai"),
    "eu": ("2026-03-27T10:00", "Europe/Berlin"),
    "uk": ("2026-10-22T16:00", "Europe/London"),
    "us": ("2026-10-26T16:00", "America/New_York"),
    "scheme": ("2026-01-15T11:00", "Asia/Seoul"),
    "platform": ("2026-03-02T16:30", "Asia/Shanghai"),
}
LAST_DAY = {
    "kr.dispatch_ordered": "2025-01-31",
    "kr.dispatch_paid": "2025-02-04",
    "kr.cannot_supply": "2025-02-04",
    "kr.withdrawal": "2025-01-31",
    "kr.mismatch_receipt": "2025-04-24",
    "kr.mismatch_known": "2025-02-23",
    "kr.refund": "2025-02-04",
    "kr.refund_unsupplied": "2025-02-04",
    "kr.complaint_progress": "2025-02-04",
    "kr.complaint_outcome": "2025-02-13",
    "kr.escrow_confirm": "2025-02-04",
    "kr.instalment_withdrawal": "2025-01-31",
    "kr.instalment_refund": "2025-02-04",
    "kr.instalment_defence": "2025-02-06",
    "kr.instalment_creditor": "2025-02-10",
    "kr.payment_error": "2025-02-07",
    "kr.agency_settlement": "2025-02-23",
    "kr.agency_mediation": "2025-02-23",
    "kr.mediation_decision": "2025-02-08",
    "kr.tax_invoice": "2025-02-10",
    "kr.invoice_data": "2025-01-25",
    "kr.invoice_corrected": "2025-02-10",
    "cn.no_reason_return": "2025-10-03",
    "cn.refund": "2025-10-03",
    "cn.refund_delay": "2025-10-11",
    "cn.quality_return": "2025-10-03",
    "cn.durable_proof": "2026-03-26",
    "cn.authority": "2025-10-13",
    "cn.hotline_accept": "2025-10-13",
    "cn.hotline_mediation": "2025-12-04",
    "cn.courier": "2025-10-03",
    "eu.withdrawal": "2026-04-10",
    "eu.withdrawal_uninformed": "2027-03-27",
    "eu.refund": "2026-04-10",
    "eu.send_back": "2026-04-10",
    "eu.delivery": "2026-04-26",
    "eu.guarantee": "2028-03-27",
    "eu.presumption": "2027-03-27",
    "eu.repair_extension": "2027-03-27",
    "eu.payment_claim": "2027-04-27",
    "eu.payment_refund": "2026-03-30",
    "eu.debit_claim": "2026-05-22",
    "eu.debit_answer": "2026-04-10",
    "eu.payment_complaint": "2026-04-17",
    "eu.appeal": "2026-09-27",
    "eu.data_request": "2026-04-27",
    "uk.withdrawal": "2026-11-05",
    "uk.withdrawal_uninformed": "2027-10-22",
    "uk.refund": "2026-11-05",
    "uk.send_back": "2026-11-05",
    "uk.reject": "2026-11-21",
    "uk.refund_agreed": "2026-11-05",
    "uk.presumption": "2027-04-22",
    "uk.delivery": "2026-11-21",
    "uk.disp_summary": "2026-10-27",
    "uk.disp_final": "2026-12-17",
    "uk.ombudsman": "2027-04-22",
    "us.ship": "2026-11-25",
    "us.first_delay": "2026-11-25",
    "us.refund": "2026-11-04",
    "us.billing_claim": "2026-12-25",
    "us.billing_ack": "2026-11-25",
    "us.billing_resolve": "2027-01-24",
    "us.transfer_claim": "2026-12-25",
    "us.transfer_result": "2026-11-09",
    "us.transfer_long": "2026-12-10",
    "visa.file": "2026-05-15",
    "visa.respond": "2026-02-14",
    "mastercard.file": "2026-05-15",
    "mastercard.respond": "2026-03-01",
    "amex.file": "2026-05-15",
    "amex.respond": "2026-02-04",
    "discover.file": "2026-05-15",
    "discover.respond": "2026-02-14",
}
#: Rows in hours: the moment itself, on the clock of the place.
MOMENT = {
    "eu.data_breach": "2026-03-30T11:00",  # 72 real hours, one of which the clocks skipped
    "kr.data_breach": "2025-01-27T15:00",  # hours run on, also over the holidays
    "uk.data_breach": "2026-10-25T15:00",  # 72 real hours, one of which the clocks gave back
    "jd.answer": "2026-03-03T16:30",
    "jd.evidence": "2026-03-03T11:30",  # 1 h 30 on the Monday until 18:00, then 2 h 30 from 9:00
    "jd.execute": "2026-03-03T16:30",
}


def test_every_row_with_a_length_is_counted_by_hand() -> None:
    assert LAST_DAY.keys() | MOMENT.keys() == {r.code for r in RULES}


def event_of(rule: Rule) -> tuple[datetime, str]:
    text, zone = EVENTS[rule.jurisdiction]
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)), zone


@pytest.mark.parametrize("code", LAST_DAY)
def test_the_last_day_is_the_one_counted_by_hand(code: str) -> None:
    rule = clocks().rule(code)
    at, zone = event_of(rule)
    end = due(rule, at, calendar_of(rule, zone)) + TICK
    midnight = datetime.combine(date.fromisoformat(LAST_DAY[code]) + timedelta(days=1), datetime.min.time())
    assert end == midnight.replace(tzinfo=ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))


@pytest.mark.parametrize("code", MOMENT)
def test_hours_end_at_the_moment_counted_by_hand(code: str) -> None:
    rule = clocks().rule(code)
    at, zone = event_of(rule)
    assert due(rule, at, calendar_of(rule, zone)) == datetime.fromisoformat(MOMENT[code]).replace(
        tzinfo=ZoneInfo(zone)
    )


def last_day(code: str, text: str) -> str:
    rule = clocks().rule(code)
    _at, zone = event_of(rule)
    calendar = calendar_of(rule, zone)
    at = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return calendar.local(due(rule, at, calendar)).isoformat()


@pytest.mark.parametrize(
    ("code", "event", "last"),
    [
        # Saturday 10 May 2025 rolls over to Monday; 10 October 2025 was the Friday after Chuseok and Hangeul Day.
        ("kr.tax_invoice", "2025-04-15T10:00", "2025-05-12"),
        ("kr.tax_invoice", "2025-09-30T10:00", "2025-10-10"),
        ("kr.tax_invoice", "2026-12-31T10:00", "2027-01-11"),
        # A month that has no such day ends on its last; a period from the first of a month ends with a month.
        ("kr.mismatch_receipt", "2025-11-29T10:00", "2026-02-28"),
        ("kr.mismatch_receipt", "2025-08-31T10:00", "2025-11-30"),
        ("kr.mismatch_receipt", "2025-02-28T10:00", "2025-05-31"),
        ("cn.durable_proof", "2025-08-31T10:00", "2026-02-28"),
        ("eu.data_request", "2026-01-31T10:00", "2026-02-28"),
        # Over the year end with New Year's Day, and from a Saturday.
        ("kr.refund", "2025-12-30T23:59", "2026-01-05"),
        ("kr.refund", "2025-12-27T09:00", "2025-12-31"),
        # A make-up Sunday is a working day in China, so the event on it is followed by the Monday.
        ("cn.authority", "2025-09-28T10:00", "2025-10-14"),
        ("us.refund", "2026-12-31T23:30", "2027-01-11"),
    ],
)
def test_the_hard_days(code: str, event: str, last: str) -> None:
    assert last_day(code, event) == last


def test_the_day_of_the_event_is_that_of_the_place_and_not_of_greenwich() -> None:
    # 01:00 in Seoul on the 25th is still the 24th in Greenwich.
    assert last_day("kr.withdrawal", "2025-01-25T01:00") == "2025-02-01"
    assert last_day("us.billing_ack", "2026-10-26T22:00") == "2026-11-25"


def test_a_rule_that_counts_the_day_of_the_event_ends_a_day_earlier() -> None:
    from dataclasses import replace

    for code, last in (
        ("kr.withdrawal", "2025-01-30"),
        ("kr.refund", "2025-02-03"),
        ("eu.appeal", "2026-09-26"),
    ):
        rule = replace(clocks().rule(code), start="same")
        at, zone = event_of(rule)
        calendar = calendar_of(rule, zone)
        assert calendar.local(due(rule, at, calendar)).isoformat() == last


def test_a_note_has_no_end() -> None:
    rule = next(r for r in clocks().rules.values() if r.kind == "note")
    with pytest.raises(ValueError, match="no length"):
        due(rule, datetime(2026, 1, 1, tzinfo=UTC), calendar_of(rule))


# ------------------------------------------------------------------ for any event

moments = st.datetimes(datetime(2024, 1, 2), datetime(2029, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
rules = st.sampled_from(RULES)


@settings(max_examples=400, deadline=None)
@given(rules, moments, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_it_ends_after_its_event_and_a_later_event_never_ends_earlier(
    rule: Rule, at: datetime, later: timedelta
) -> None:
    calendar = calendar_of(rule)
    end = due(rule, at, calendar)
    assert end > at
    assert due(rule, at + later, calendar) >= end


@settings(max_examples=300, deadline=None)
@given(rules, moments)
def test_days_end_with_the_day_and_working_days_on_a_working_day(rule: Rule, at: datetime) -> None:
    calendar = calendar_of(rule)
    end = due(rule, at, calendar)
    if rule.unit in ("hours", "clock_hours"):
        return
    last = calendar.local(end)
    assert end + TICK == calendar.midnight_after(last)
    if rule.counts_working_days:
        assert calendar.is_working(last)
    if rule.unit == "days" and rule.roll_over == "none":
        assert (last - calendar.local(at)).days == rule.length


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([r for r in RULES if r.unit == "working_days"]), moments)
def test_no_day_off_is_counted(rule: Rule, at: datetime) -> None:
    calendar = calendar_of(rule)
    day, last = calendar.local(at), calendar.local(due(rule, at, calendar))
    worked = [
        d
        for d in (day + timedelta(days=n) for n in range(1, (last - day).days + 1))
        if calendar.is_working(d)
    ]
    assert len(worked) == rule.length


# ------------------------------------------------------------------ what the pack says of itself


def test_only_what_was_read_is_verified_and_only_our_own_acts_are_promised() -> None:
    assert all(r.certainty == "H" for r in clocks().rules.values() if r.verified)
    assert {r.who_must_act for r in RULES if r.is_ours} <= OURS
    assert not any(r.itself and not r.is_ours for r in clocks().rules.values())


def test_silence_is_acceptance_only_where_a_rule_says_so() -> None:
    says = {code: term.name.en for code, term in clocks().silences.items()}
    assert "no answer is not consent" in says["none"]
    accepted = {
        r.code
        for r in clocks().rules.values()
        if r.silence in ("both_bound", "payment_released", "may_consent")
    }
    assert accepted == {"kr.mediation_decision", "kr.escrow_confirm", "us.first_delay"}
    assert {r.code for r in clocks().rules.values() if r.silence == "refusal_stands"} == {
        "kr.instalment_defence",
        "kr.instalment_creditor",
    }


def test_the_snapshot_holds_the_whole_row_and_the_words_of_its_codes() -> None:
    row = snapshot(clocks().rule("kr.refund"))
    assert (row["length"], row["unit"], row["certainty"], row["trigger"]) == (
        3,
        "working_days",
        "H",
        "goods_back",
    )
    assert "15 %" in row["consequence_says"]["en"] and row["says"]["ko"].startswith("반품한")


def test_a_shop_is_under_the_law_of_its_zone_else_of_its_currency() -> None:
    every = ("scheme", "platform")
    assert clocks().of_shop("Asia/Seoul", "USD") == ("kr", *every)
    assert clocks().of_shop("Europe/Paris", "KRW") == ("eu", *every)
    assert clocks().of_shop("Asia/Tokyo", "GBP") == ("uk", *every)
    assert clocks().of_shop("Asia/Tokyo", "JPY") == every
