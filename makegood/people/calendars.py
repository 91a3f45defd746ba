"""Business calendars as rows: versioned, so that a promise remembers by which calendar it was counted.

``standing`` says which one counts for a shop and a team. A promise that was given keeps the version that it was
counted by; what is edited here counts for the promises that come after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import calendar as arithmetic
from makegood.base import clock
from makegood.packs.working_days import calendars as shipped

if TYPE_CHECKING:
    from makegood.people.models import Shop, Team, User

#: The names that we give ourselves, each with its zone in brackets.
_OURS = {"Always open": _("Always open"), "Monday to Friday": _("Monday to Friday")}
ALWAYS = "always"
WEEKDAYS = "weekdays"
#: The shops of these zones go by the calendar of their country, unless another one is chosen for them.
COUNTRY = {
    "Asia/Seoul": "kr",
    "Asia/Shanghai": "cn",
    "Asia/Urumqi": "cn",
    "Asia/Chongqing": "cn",
    "Asia/Harbin": "cn",
}


class Calendar(models.Model):
    """When somebody works: opening hours in a time zone, holidays, make-up working days. Its days stand in its versions."""

    code = models.SlugField(_("Short code"), max_length=40, unique=True)
    name = models.CharField(_("Name"), max_length=120)
    made_at = models.DateTimeField(default=clock.now, editable=False)

    def __str__(self) -> str:
        """Its name; one that nobody renamed in the reader's language."""
        pack = shipped().get(self.code)
        if pack is not None and self.name == pack.name.en:
            return str(pack.name)
        for english, name in _OURS.items():
            if self.name.startswith(f"{english} ("):
                return f"{name}{self.name.removeprefix(english)}"
        return self.name


class CalendarVersion(models.Model):
    """One state of a calendar; never changed (a trigger sees to it): an edit is a new version, promises keep theirs.

    ``data`` is what ``base/calendar.py`` reads: zone, weekly spans, closed days and make-up days with their names.
    """

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="versions")
    n = models.PositiveIntegerField()
    data = models.JSONField()
    source = models.CharField(max_length=200, blank=True, help_text="By hand, a file, a library's version.")
    by = models.ForeignKey("makegood.User", models.PROTECT, null=True, related_name="+", db_index=False)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint("calendar", "n", name="one_row_a_version")]


def standing(shop: Shop, team: Team | None = None) -> tuple[arithmetic.Calendar, CalendarVersion]:
    """The calendar that counts now, and its version: the team's, else the shop's, else that of the shop's country.

    A shop of a country that we ship no calendar for is always open, in its own time zone.
    """
    chosen = (team.calendar_id if team else None) or shop.calendar_id
    if chosen:
        version = newest(chosen)
    else:
        country = COUNTRY.get(shop.zone)
        version = of_country(country) if country else _by_zone(ALWAYS, shop.zone)
    return read(version), version


def of_country(code: str) -> CalendarVersion:
    """The newest version of a shipped calendar ('kr', 'cn'), made when it is missing.

    While nobody has edited it, it follows the pack: a year that was announced since comes as a new version.
    """
    pack = shipped()[code]
    found = _newest_of(code)
    if found is not None and (found.by_id is not None or found.data == pack.calendar.to_data()):
        return found
    return _add(code, pack.name.en, pack.calendar.to_data(), pack.source)


def seen(code: str) -> arithmetic.Calendar:
    """What a shipped calendar says now, without making its row: for looking only."""
    found = _newest_of(code)
    return read(found) if found else shipped()[code].calendar


def weekdays(zone: str) -> CalendarVersion:
    """Monday to Friday in ``zone``, without holidays: for working days of a country whose holidays we do not ship."""
    return _by_zone(WEEKDAYS, zone)


def newest(calendar_id: int) -> CalendarVersion:
    """The version that counts now."""
    versions = CalendarVersion.objects.filter(calendar_id=calendar_id).select_related("calendar")
    found = versions.order_by("-n").first()
    if found is None:
        raise RuntimeError(f"calendar {calendar_id} has no version: it was not made by add()")
    return found


def read(version: CalendarVersion) -> arithmetic.Calendar:
    """What a version says, for counting."""
    return arithmetic.Calendar.from_data(version.data)


def add(
    calendar: Calendar, data: arithmetic.Calendar, *, by: User | int | None, source: str
) -> CalendarVersion:
    """A new version of ``calendar``: it counts from now on, promises that were given keep theirs."""
    with transaction.atomic():
        Calendar.objects.select_for_update().get(pk=calendar.pk)  # two editors would take the same number
        last = CalendarVersion.objects.filter(calendar=calendar).order_by("-n").first()
        return CalendarVersion.objects.create(
            calendar=calendar,
            n=last.n + 1 if last else 1,
            data=data.to_data(),
            source=source[:200],
            by_id=getattr(by, "pk", by),
        )


def _by_zone(kind: str, zone: str) -> CalendarVersion:
    code = kind if zone == "UTC" else f"{kind}-{zone.lower().replace('/', '-').replace('_', '-')}"[:40]
    found = _newest_of(code)
    if found is not None:
        return found
    day = arithmetic.ALL_DAY
    week = (day,) * 7 if kind == ALWAYS else (day,) * 5 + ((),) * 2
    name = "Always open" if kind == ALWAYS else "Monday to Friday"
    return _add(code, f"{name} ({zone})", arithmetic.Calendar(zone, week).to_data(), "")


def _newest_of(code: str) -> CalendarVersion | None:
    versions = CalendarVersion.objects.filter(calendar__code=code).select_related("calendar")
    return versions.order_by("-n").first()


def _add(code: str, name: str, data: dict[str, Any], source: str) -> CalendarVersion:
    """The next version of a calendar of ours; somebody else may be making the same at this moment."""
    try:
        with transaction.atomic():
            calendar, _made = Calendar.objects.get_or_create(code=code, defaults={"name": name})
            return add(calendar, arithmetic.Calendar.from_data(data), by=None, source=source)
    except IntegrityError:
        found = _newest_of(code)
        if found is None:
            raise
        return found
