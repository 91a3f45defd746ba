"""A moment in words, in the reader's language and zone (the zone that Django has active)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache

from babel.dates import format_skeleton, get_timezone_name
from django.utils import timezone, translation

from makegood.base import clock
from makegood.base.languages import KO, ZH, closest

_BABEL = {KO: "ko", ZH: "zh_Hans"}


@lru_cache(maxsize=4096)
def _day(day: date, locale: str, same_year: bool) -> str:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return format_skeleton("MMMd" if same_year else "yMMMd", noon, tzinfo=UTC, locale=locale)


def said(moment: datetime) -> str:
    """'Nov 3, 14:20', '11월 3일 14:20', '11月3日 14:20'; with the year when it is another one than now."""
    local = timezone.localtime(moment)
    same_year = local.year == timezone.localtime(clock.now()).year
    locale = _BABEL.get(closest(translation.get_language()), "en")
    day = _day(local.date(), locale, same_year)
    return f"{day}{', ' if locale == 'en' else ' '}{local:%H:%M}"


def zone_said(moment: datetime) -> str:
    """The active zone at that moment as people call it: '대한민국 표준시', '中国标准时间', 'Korean Standard Time'."""
    locale = _BABEL.get(closest(translation.get_language()), "en")
    return get_timezone_name(timezone.localtime(moment), width="long", locale=locale)
