"""Which calendar counts for whom, and that a version is never changed."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from makegood.base.calendar import ALL_DAY, Calendar
from makegood.people import calendars
from makegood.people.calendars import Calendar as Row
from makegood.people.calendars import CalendarVersion

pytestmark = pytest.mark.django_db


def own(code: str = "night") -> Row:
    row = Row.objects.create(code=code, name="Night shift")
    calendars.add(row, Calendar("Asia/Seoul", ((),) + (ALL_DAY,) * 6), by=None, source="by hand")
    return row


def test_a_shop_goes_by_its_country_and_a_shop_of_no_country_of_ours_is_always_open(cast):
    korea, version = calendars.standing(cast.haneul)
    assert (version.calendar.code, version.n, version.by_id) == ("kr", 1, None)
    assert not korea.is_working(date(2025, 3, 3)) and "holidays" in version.source
    china, version = calendars.standing(cast.moon)
    assert version.calendar.code == "cn" and china.is_working(date(2026, 2, 28))
    cast.moon.zone = "Europe/Berlin"
    berlin, version = calendars.standing(cast.moon)
    assert version.calendar.code == "always-europe-berlin" and berlin.zone == "Europe/Berlin"
    assert berlin.is_working(date(2026, 12, 25))


def test_the_team_goes_before_the_shop_and_the_shop_before_the_country(cast):
    cast.haneul.calendar = own("shop")
    assert calendars.standing(cast.haneul)[1].calendar.code == "shop"
    assert calendars.standing(cast.haneul, cast.front)[1].calendar.code == "shop"
    cast.front.calendar = own("team")
    assert calendars.standing(cast.haneul, cast.front)[1].calendar.code == "team"


def test_asked_twice_there_is_one_calendar_with_one_version(cast):
    assert calendars.standing(cast.haneul)[1] == calendars.standing(cast.haneul)[1]
    assert Row.objects.count() == CalendarVersion.objects.count() == 1


def test_a_shipped_calendar_follows_the_pack_until_somebody_edits_it(cast, monkeypatch, tmp_path):
    from makegood.packs.reading import SHIPPED

    _before, first = calendars.standing(cast.haneul)
    text = (SHIPPED / "calendars/kr.toml").read_text("utf-8")
    (tmp_path / "calendars").mkdir()
    row = '{ day = 2028-01-03, ko = "임시공휴일", zh = "临时公休日", en = "Temporary holiday" },'
    (tmp_path / "calendars" / "kr.toml").write_text(text.replace("closed = [", f"closed = [ {row}"), "utf-8")
    monkeypatch.setenv("MAKEGOOD_PACKS", str(tmp_path))
    now, second = calendars.standing(cast.haneul)
    assert second.n == 2 and not now.is_working(date(2028, 1, 3))
    edited = calendars.add(first.calendar, Calendar("Asia/Seoul", (ALL_DAY,) * 7), by=cast.hana, source="")
    monkeypatch.delenv("MAKEGOOD_PACKS")
    assert calendars.standing(cast.haneul)[1] == edited


def test_a_version_is_never_changed(cast):
    _calendar, version = calendars.standing(cast.haneul)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        CalendarVersion.objects.filter(pk=version.pk).update(data={})
    assert calendars.read(CalendarVersion.objects.get(pk=version.pk)).zone == "Asia/Seoul"
